"""Names that no list holds are learned from marked examples, with their roles; what surer finders found stays."""

from datetime import date
from pathlib import Path

import pytest

from bot import tagger
from bot.brain import Brain
from bot.files import read
from bot.finders import Here
from bot.models import Models
from bot.tagger import Tagger
from bot.training import Example, Mark, read_training
from bot.understanding import learn
from profiles.findings import Findings

HERE = Here(date(2026, 11, 21))
MENTIONS = Path(__file__).parent / "mentions"


def _examples(language: str) -> list[Example]:
    findings = Findings()
    file = read(MENTIONS / f"{language}.yml", f"{language}.yml", findings)
    examples = read_training([file], language, findings).examples
    assert not findings.errors
    return examples


@pytest.fixture(scope="module")
def english() -> Tagger:
    return tagger.train([(one.text, one.marks) for one in _examples("en")])


def _named(model: Tagger, text: str) -> list[tuple[str, str, str]]:
    return [(text[mark.start : mark.end], mark.entity, mark.role) for mark in model.find(text)]


def test_names_never_seen_are_found_by_what_stands_around_them(english):
    assert _named(english, "a ticket from Zagreb to Ljubljana please") == [
        ("Zagreb", "city", "from"),
        ("Ljubljana", "city", "to"),
    ]
    assert _named(english, "hello, my name is Wilhelmina") == [("Wilhelmina", "name", "")]
    assert _named(english, "do you have the poncho in purple?")[-1] == ("purple", "colour", "")


def test_a_sentence_that_names_nothing_has_no_names(english):
    for text in ("what are your opening hours?", "thank you very much", "", "   ", "🙂", "?!"):
        assert english.find(text) == []


def test_most_of_what_is_named_in_sentences_held_out_is_found():
    for language, floor in (("fr", 0.68), ("en", 0.68)):
        right = wrong = missed = 0
        examples = _examples(language)
        for fold in range(5):
            model = tagger.train([(one.text, one.marks) for k, one in enumerate(examples) if k % 5 != fold])
            for one in examples[fold::5]:
                found, marked = set(model.find(one.text)), set(one.marks)
                right, wrong, missed = (
                    right + len(found & marked),
                    wrong + len(found - marked),
                    missed + len(marked - found),
                )
        assert 2 * right / (2 * right + wrong + missed) > floor


def test_what_was_kept_is_what_was_trained(english):
    again = tagger.from_arrays(tagger.as_arrays(english))
    for one in _examples("en"):
        assert again.find(one.text) == english.find(one.text)


def test_an_inside_never_stands_without_its_beginning():
    rows = [("New York City", (Mark(0, 13, "city"),)), ("York", (Mark(0, 4, "name"),)), ("big City", ())]
    model = tagger.train(rows * 3)
    for text in ("York City", "City", "City York New", "New New York"):
        for mark in model.find(text):
            assert 0 <= mark.start < mark.end <= len(text)


FILES = {
    "domain": "intents: [go]\nentities: [city: {roles: [from, to]}, code, email]\nresponses:\n  utter_a: [{text: x}]",
    "data__rules": "rules:\n- rule: a\n  steps: [{intent: go}, {action: utter_a}]",
    "data__nlu": """
nlu:
- intent: go
  examples: |
    - a ticket from [Leeds]{"entity": "city", "role": "from"} to [London]{"entity": "city", "role": "to"}
    - from [York]{"entity": "city", "role": "from"} to [Bath]{"entity": "city", "role": "to"} please
    - I go to [Hull]{"entity": "city", "role": "to"}
    - from [Oxford]{"entity": "city", "role": "from"} tomorrow
    - to [NYC]{"entity": "city", "role": "to", "value": "New York"} now
    - a ticket please
    - I want to go
- lookup: city
  examples: |
    - Paris
- regex: code
  examples: |
    - \\b[A-Z]{2}\\d{3}\\b
""",
}


@pytest.fixture
def understanding(write_bot):
    return Brain.load(write_bot(**FILES)).understanding


def _mentions(understanding, text: str):
    meaning, _, _ = understanding.hear(text, "en", 0, HERE)
    return [(one["value"], one["entity"], one.get("role"), one["extractor"]) for one in meaning.entities]


def test_roles_are_added_to_what_a_list_found(understanding):
    assert _mentions(understanding, "a ticket from paris to Leeds") == [
        ("paris", "city", "from", "lookup"),
        ("Leeds", "city", "to", "lookup"),
    ]
    assert _mentions(understanding, "to nyc now") == [("New York", "city", "to", "lookup")]


def test_names_are_found_that_no_list_holds_and_surer_ones_stay(understanding):
    assert _mentions(understanding, "a ticket from Dover to Deal") == [
        ("Dover", "city", "from", "tagger"),
        ("Deal", "city", "to", "tagger"),
    ]
    found = _mentions(understanding, "I go to AB123")
    assert ("AB123", "code", None, "regex") in found and len(found) == 1
    assert _mentions(understanding, "send it to a@b.fr")[0][:2] == ("a@b.fr", "email")


def test_nothing_is_trained_where_nothing_is_marked(shop):
    assert not shop.understanding.taggers


def test_a_kept_tagger_is_not_trained_again(write_bot, tmp_path, monkeypatch):
    project = Brain.load(write_bot(**FILES)).script.project
    models = Models(tmp_path / "models")
    first = learn(project, 0, models)
    monkeypatch.setattr(tagger, "train", lambda *_: pytest.fail("trained again"))
    again = learn(project, 0, models)
    assert again.hash == first.hash
    assert _mentions(again, "a ticket from Dover to Deal") == _mentions(first, "a ticket from Dover to Deal")
