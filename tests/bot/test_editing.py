"""What people teach becomes files that a bot loads, and nothing else in those files changes."""

import difflib
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.brain import Brain
from bot.editing import edited, name_from
from bot.edits import AddExample, AddPassage, Edit, Facts, MoveExample, NewAnswer, NotEdited

SHOP = Path(__file__).parent.parent.parent / "bot" / "content" / "shop"

DOMAIN = """\
version: "3.1"
# who says what
intents:
  - greet   # hello
  - bye
responses:
  utter_hi: [{text: "Hi."}]
"""
NLU = """\
version: "3.1"
nlu:
- intent: greet
  examples: |
    - hello
    - good morning
# how people leave
- intent: bye
  examples: |
    - see you
    - goodbye
"""
RULES = """\
version: "3.1"
rules:
- rule: Greet  # always
  steps: [{intent: greet}, {action: utter_hi}]
- rule: Bye
  steps: [{intent: bye}, {action: utter_hi}]
"""
SMALL = {"domain.yml": DOMAIN, "data/nlu.yml": NLU, "data/rules.yml": RULES, "config.yml": "language: en\n"}
FACTS = Facts("en", ("en", "fr"), frozenset({"greet", "bye"}), frozenset({"utter_hi"}))


def _after(edit: Edit, files: Mapping[str, str] = SMALL, facts: Facts = FACTS) -> dict[str, str]:
    done = edited(edit, files, facts)
    assert isinstance(done, dict), done
    return {**files, **done}


def _lines(before: str, after: str) -> list[str]:
    diff = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in diff if line[0] in "+-"]


def _bot(files: Mapping[str, str], folder: Path) -> Brain:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return Brain.load(folder)


def test_an_example_is_one_more_line_under_its_intent() -> None:
    after = _after(AddExample("greet", "good evening", "en"))
    assert _lines(NLU, after["data/nlu.yml"]) == ["+     - good evening"]
    assert after["domain.yml"] == DOMAIN and after["data/rules.yml"] == RULES


def test_masks_of_personal_data_are_not_learned_as_words() -> None:
    after = _after(AddExample("greet", "- it is me [name],  [email] at [home](place)", "en"))
    assert _lines(NLU, after["data/nlu.yml"]) == ["+     - it is me , at [home](place)"]


def test_an_example_of_another_language_gets_a_file_of_that_language() -> None:
    after = _after(AddExample("greet", "bonjour à tous", "fr"))
    assert "- bonjour à tous" in after["data/nlu.fr.yml"] and after["data/nlu.yml"] == NLU


def test_a_moved_example_leaves_one_intent_and_comes_to_the_other() -> None:
    after = _after(MoveExample("good morning", "en", "greet", "bye"))
    assert sorted(_lines(NLU, after["data/nlu.yml"])) == ["+     - good morning", "-     - good morning"]
    assert "# how people leave" in after["data/nlu.yml"]


def test_a_new_answer_is_an_intent_a_response_and_a_rule_in_a_bot_that_loads(tmp_path: Path) -> None:
    edit = NewAnswer(
        "Livraison : la Corse #1",
        [("en", "do you ship to Corsica"), ("fr", "livrez-vous en Corse")],
        {"en": 'Yes: "in 3 days".\nEven # on Sundays', "fr": "Oui."},
    )
    files = {**SMALL, "data/nlu.fr.yml": "nlu:\n- intent: greet\n  examples: |\n    - bonjour\n"}
    after = _after(edit, files, Facts("en", ("en", "fr"), FACTS.intents, FACTS.responses))
    brain = _bot(after, tmp_path)
    assert "livraison_la_corse_1" in brain.script.domain.intents
    said = {one.language: one.text for one in brain.script.domain.responses["utter_livraison_la_corse_1"]}
    assert said == {"en": 'Yes: "in 3 days".\nEven # on Sundays', "fr": "Oui."}
    assert all("# " in after[path] for path in ("domain.yml", "data/nlu.yml", "data/rules.yml"))
    assert [line[0] for line in _lines(RULES, after["data/rules.yml"])] == ["+", "+"]


def test_the_files_come_in_an_order_in_which_each_step_is_a_bot_that_loads(tmp_path: Path) -> None:
    done = edited(NewAnswer("Gifts", [("en", "do you wrap gifts")], {"en": "We do."}), SMALL, FACTS)
    assert isinstance(done, dict) and list(done) == ["domain.yml", "data/nlu.yml", "data/rules.yml"]
    files = dict(SMALL)
    for number, (path, text) in enumerate(done.items()):
        files[path] = text
        _bot(files, tmp_path / str(number))


def test_out_of_scope_is_declared_with_its_rule_where_the_bot_did_not_know_it(tmp_path: Path) -> None:
    after = _after(AddExample("out_of_scope", "who wins the elections", "en"))
    assert "out_of_scope" in _bot(after, tmp_path).script.domain.intents
    assert "action_default_fallback" in after["data/rules.yml"]


def test_a_passage_is_found_by_the_other_words_it_was_given(tmp_path: Path) -> None:
    first = _after(AddPassage("Gift wrapping", "We wrap for free.\n\nAlso at Christmas.", "en", "present, ribbon"))
    second = _after(AddPassage("Parking", "Behind the shop, two hours are free.", "en"), first)
    found = _bot(second, tmp_path).script.knowledge.search("a ribbon on my present", "en")
    assert found[0].passage.title.endswith("Gift wrapping") and "## Parking" in second["kb/en/learned.md"]


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (AddExample("greet", "  Hello!", "en"), "already_there"),
        (AddExample("bye", "good MORNING", "en"), "already_there"),
        (AddExample("fly", "let us fly", "en"), "unknown_intent"),
        (AddExample("greet", "   ", "en"), "empty"),
        (AddExample("greet", "12 34 !", "en"), "no_words"),
        (AddExample("greet", "word " * 100, "en"), "too_long"),
        (AddExample("greet", "hey", "../en"), "unknown_language"),
        (MoveExample("nobody said this", "en", "greet", "bye"), "unknown_example"),
        (MoveExample("hello", "en", "greet", "greet"), "unknown_intent"),
        (NewAnswer("Gifts", [("en", "gifts please")], {"en": " "}), "empty"),
        (NewAnswer(" ", [("en", "gifts please")], {"en": "Yes."}), "empty"),
        (AddPassage("Title", "text", "../../etc"), "unknown_language"),
        (AddExample("greet", "hey", "xx"), "unknown_language"),
        (AddPassage("Title", "# another heading\ntext", "en"), "bad_value"),
        (AddPassage("Title", "<!-- also: x -->", "en"), "bad_value"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(edit: Edit, reason: str) -> None:
    assert edited(edit, SMALL, FACTS) == NotEdited(reason)


def test_the_last_example_of_an_intent_stays() -> None:
    files = {**SMALL, "data/nlu.yml": NLU.replace("    - goodbye\n", "")}
    assert edited(MoveExample("see you", "en", "bye", "greet"), files, FACTS) == NotEdited("last_example")


def test_a_file_that_can_not_be_read_is_not_touched() -> None:
    files = {**SMALL, "data/nlu.yml": "nlu: [\n"}
    assert edited(AddExample("greet", "good evening", "en"), files, FACTS) == NotEdited("unreadable")


@pytest.mark.parametrize(
    ("title", "name"),
    [("Livraison en Corse ?", "livraison_en_corse"), ("3 × sans frais", "answer_3_sans_frais"), ("日本", "answer"),
     ("Bye", "bye_2"), ("restart", "restart_2"), ("x" * 80, "x" * 40)],
)  # fmt: skip
def test_a_title_becomes_a_name_that_is_free(title: str, name: str) -> None:
    assert name_from(title, frozenset({"bye"})) == name


@pytest.mark.parametrize("odd", ["\x07", "\u2028", "\x85", "\ufeff", "\ud800", "\x00"])
def test_letters_that_yaml_can_not_write_leave_the_file_as_it_was_but_for_the_line(odd: str) -> None:
    after = _after(AddExample("greet", f"good{odd} evening", "en"))
    (line,) = _lines(NLU, after["data/nlu.yml"])
    assert line.startswith("+     - good") and line.endswith("evening") and line.isprintable() or odd == "\ud800"
    answer = _after(NewAnswer("Gifts", [("en", f"gifts{odd} please")], {"en": f"We{odd} do."}))
    spaced = _after(NewAnswer("Gifts", [("en", "gifts 👨‍👩‍👧 please\u202f?")], {"en": "Oui\xa0!"}))
    assert "Oui\xa0!" in spaced["domain.yml"] and "gifts 👨‍👩‍👧 please" in spaced["data/nlu.yml"]
    assert "do." in answer["domain.yml"] and odd not in answer["domain.yml"]


@pytest.mark.parametrize("list_of", ["- hello\n  - good morning", "- text: hello\n  - text: good morning"])
def test_examples_written_as_a_list_stay_a_list(list_of: str) -> None:
    nlu = f"nlu:\n- intent: greet\n  examples:\n  {list_of}\n- intent: bye\n  examples: |\n    - ciao\n"
    files = {**SMALL, "data/nlu.yml": nlu}
    added = _after(AddExample("greet", "hey you", "en"), files)["data/nlu.yml"]
    assert len(_lines(nlu, added)) == 1 and "hey you" in added
    moved = _after(MoveExample("hello", "en", "greet", "bye"), files)["data/nlu.yml"]
    assert moved.count("hello") == 1 and "- hello" in moved.split("intent: bye")[1]


def test_the_shipped_shop_takes_every_kind_of_edit() -> None:
    brain = Brain.load(SHOP)
    files = {path.relative_to(SHOP).as_posix(): path.read_text() for path in SHOP.rglob("*.yml")}
    domain = brain.script.domain
    facts = Facts("fr", brain.languages, frozenset(domain.intents), frozenset(domain.responses))
    for edit in (
        AddExample("opening_hours", "c'est ouvert le lundi de Pâques", "fr"),
        NewAnswer("Corse", [("fr", "livrez-vous en Corse")], {"fr": "Oui.", "en": "Yes."}),
        MoveExample("hey", "fr", "greet", "goodbye"),
    ):
        done = edited(edit, files, facts)
        assert isinstance(done, dict)
        for path, text in done.items():
            assert len(_lines(files[path], text)) <= 6, path
