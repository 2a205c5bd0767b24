"""The dialogues a bot's writer keeps beside the bot."""

import shutil

import pytest

from bot.brain import Brain
from bot.dialogues import play_dialogues
from tests.bot.conftest import SHOP


def test_the_shops_own_dialogues_go_as_written(shop):
    assert [str(error) for error in play_dialogues(shop, SHOP)] == []
    assert len(list((SHOP / "tests").glob("*.yml"))) == 2


def test_a_difference_is_shown_where_it_was_written(shop, tmp_path):
    shutil.copytree(SHOP / "tests", tmp_path / "tests")
    path = tmp_path / "tests" / "fr.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("utter_greet", "utter_goodbye").replace("intent: opt_out", "intent: cancel"))
    errors = [str(error) for error in play_dialogues(shop, tmp_path)]
    assert len(errors) == 2
    assert errors[0].startswith("tests/fr.yml:5:") and "expected utter_goodbye; got utter_greet" in errors[0]
    assert "expected intent cancel; got opt_out" in errors[1]


def test_a_slip_in_a_key_is_told_since_nothing_would_be_compared(shop, tmp_path):
    (tmp_path / "tests").mkdir()
    told = "stories:\n- stroy: a\n  steps:\n  - usr: hello\n- story: b\n  steps:\n  - user: hello\n  - acton: utter_greet\n"
    (tmp_path / "tests" / "en.yml").write_text(told)
    errors = [str(error) for error in play_dialogues(shop, tmp_path)]
    assert [error.split(" ")[0] for error in errors[:3]] == [
        "tests/en.yml:2:3:",
        "tests/en.yml:4:5:",
        "tests/en.yml:8:5:",
    ]
    assert errors[0].endswith('got "stroy". Hint: did you mean "story"?') and 'did you mean "action"?' in errors[2]


@pytest.fixture
def table(write_bot):
    """A bot that books a table: a form, a custom action and a story, to be tested in Rasa's way."""
    return Brain.load(write_bot(domain=DOMAIN, data__all=DATA))


@pytest.fixture
def differences(table, tmp_path):
    """Return a function: where the dialogue with these steps differs from what the bot does."""

    def of(steps: str) -> list[str]:
        (tmp_path / "tests").mkdir(exist_ok=True)
        (tmp_path / "tests" / "test_stories.yml").write_text(
            f"stories:\n- story: x\n  steps:\n{steps}", encoding="utf-8"
        )
        return [str(error) for error in play_dialogues(table, tmp_path)]

    return of


DOMAIN = """
intents: [book, inform, yes]
entities: [city, people]
slots:
  city: {type: text, mappings: [{type: from_entity, entity: city}]}
  people: {type: text, mappings: [{type: from_entity, entity: people}]}
  is_free: {type: bool, mappings: [{type: custom}]}
forms:
  table_form: {required_slots: [city, people]}
actions: [action_look, validate_table_form]
responses:
  utter_ask_city: [{text: Where?}]
  utter_ask_people: [{text: How many?}]
  utter_free: [{text: There is one}]
  utter_full: [{text: All full}]
"""
DATA = """
nlu:
- intent: book
  examples: |
    - a table please
    - book me a table
- intent: inform
  examples: |
    - in [Lyon](city)
    - we are [three](people)
    - in [the capital](city:Paris)
- intent: yes
  examples: |
    - yes
    - of course
rules:
- rule: book
  steps: [{intent: book}, {action: table_form}, {active_loop: table_form}]
- rule: done
  condition: [{active_loop: table_form}]
  steps: [{action: table_form}, {active_loop: null}, {action: action_look}]
  wait_for_user_input: false
- rule: free
  condition: [{slot_was_set: [{is_free: true}]}]
  steps: [{action: action_look}, {action: utter_free}]
- rule: full
  condition: [{slot_was_set: [{is_free: false}]}]
  steps: [{action: action_look}, {action: utter_full}]
"""


def test_a_custom_action_comes_to_the_slots_that_the_dialogue_names(differences):
    steps = """
  - user: a table please
    intent: book
  - action: table_form
  - user: |
      in [Lyon](city)
    intent: inform
  - action: table_form
  - user: we are [three](people)
  - action: table_form
  - action: action_look
  - slot_was_set: [{is_free: IS_FREE}]
  - action: utter_free
"""
    assert differences(steps.replace("IS_FREE", "true")) == []
    assert [error.split(": ", 3)[3] for error in differences(steps.replace("IS_FREE", "false"))] == [
        "expected table_form, action_look, utter_free; got table_form, action_look, utter_full."
    ]


def test_forms_may_end_by_decree_as_in_rasas_own_tests(differences):
    steps = """
  - user: a table please
    intent: book
  - action: table_form
  - active_loop: table_form
  - active_loop: null
  - action: action_look
  - slot_was_set: [{is_free: true}]
  - action: ANSWER
"""
    assert differences(steps.replace("ANSWER", "utter_free")) == []
    assert differences(steps.replace("ANSWER", "utter_full"))[0].endswith("expected utter_full; got utter_free.")


def test_marks_are_what_must_be_found_and_are_not_said(differences):
    wrong = "  - user: in [Lyon](town)\n    intent: inform\n  - action: action_default_fallback\n"
    assert differences(wrong)[0].endswith("expected entities town=Lyon; got city=Lyon.")
    right = "  - user: in [the capital](city:Paris)\n    intent: inform\n  - action: action_default_fallback\n"
    assert differences(right) == []


def test_an_intent_alone_is_heard_without_words(differences):
    assert differences("  - intent: book\n  - action: table_form\n") == []
    assert "got table_form" in differences("  - intent: book\n  - action: utter_free\n")[0]


def test_words_of_the_bot_may_be_named(differences):
    assert differences("  - user: a table please\n  - bot: Where?\n") == []
    assert differences("  - user: a table please\n  - bot: When?\n")[0].endswith("expected words When?; got Where?.")


def test_an_action_too_many_is_a_difference(differences):
    steps = "  - intent: book\n  - action: table_form\n  - active_loop: table_form\n  - active_loop: null\n"
    steps += "  - action: action_look\n  - slot_was_set: [{is_free: true}]\n"
    assert "expected action_listen; got utter_free" in differences(steps)[0]
