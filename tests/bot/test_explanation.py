"""Why the bot answers as it does, for the person who writes its files."""

from bot.brain import Brain
from bot.explanation import explain
from tests.bot.conftest import PIZZA, START


def _why(brain, sentence, **more):
    return list(explain(brain, sentence, now=START, **more))


def test_a_slip_of_the_keyboard_is_shown_as_it_was_repaired(shop):
    assert "spelling  ordre -> order" in _why(shop, "where is my ordre 12345678")


def test_the_rule_that_decided_is_named_with_its_place(shop):
    (line,) = [line for line in _why(shop, "what are your hours?") if line.startswith("does      utter_opening_hours")]
    assert 'the rule "' in line and "(data/rules.yml:" in line


def test_what_was_found_and_remembered_is_shown(shop):
    why = _why(shop, "where is my order 12345678")
    assert "entity    order_number = 12345678 (found by: built-in)" in why
    assert "slot      order_number = 12345678" in why
    assert any(line.startswith("says      < ") and "12345678" in line for line in why)


def test_the_conversation_before_counts(shop):
    alone, after = _why(shop, "12345678"), _why(shop, "12345678", before=["where is my order?"])
    assert any("order_form: the form is running" in line for line in after)
    assert not any("order_form: the form is running" in line for line in alone)
    assert "asks for  nothing more" in after


def test_a_form_that_waits_says_what_it_asks_for(shop):
    why = _why(shop, "where is my order?")
    assert "asks for  order_number" in why and "form      order_form goes on" in why


def test_the_language_is_that_of_the_sentence_or_the_one_that_is_named(shop):
    assert _why(shop, "bonjour")[0] == "language  fr (not en)"
    assert _why(shop, "12345678", language="fr")[0] == "language  fr (not en)"


def test_what_is_not_understood_says_so(shop):
    why = _why(shop, "the mitochondria is the powerhouse of the cell")
    assert any(line.startswith("taken as  ") for line in why)
    assert any("utter_out_of_scope: the rule" in line for line in why)


def test_a_custom_action_is_named_and_not_run():
    why = _why(Brain.load(PIZZA), "/crash")
    assert any(line.startswith("does      action_crash: the rule ") for line in why)
    assert not any("failed" in line for line in why)
