"""Messages without a word mean what the bot's own examples without words say: numbers by their length, emoji as they are."""

from datetime import date

import pytest

from bot.brain import Brain
from bot.finders import Here
from bot.signs import learn_signs

HERE = Here(date(2026, 11, 21))
TAUGHT = [
    *(("people", text) for text in ("8", "7", "12")),
    *(("phone", text) for text in ("0240405568", "02 12 38 74 56")),
    ("day", "14/04/2024"),
    ("pay", "$100"),
    ("yes", "👍"),
    ("unsure", "?!"),
]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("9", "people"),
        ("14.", "people"),
        ("0278963214", "phone"),
        ("02.78.96.32.14", "phone"),
        ("1/5/2026", "day"),
        ("$5,000", "pay"),
        ("👍🏽", "yes"),
        ("👍👍 👍", "yes"),
        ("??!", "unsure"),
    ],
)
def test_a_sign_means_what_the_examples_like_it_mean(said, meant):
    ranked = learn_signs((text, intent) for intent, text in TAUGHT).rank(said)
    assert ranked[0][0] == meant and ranked[0][1] > 0.5
    assert sum(share for _, share in ranked) < 1


@pytest.mark.parametrize("said", ["🤷", "[[", ""])
def test_a_sign_like_no_example_means_nothing(said):
    assert learn_signs((text, intent) for intent, text in TAUGHT).rank(said) == ()


def test_a_number_much_longer_than_every_example_is_hardly_meant():
    assert learn_signs([("3", "pizzas")]).rank("123456789012")[0][1] < 0.1


def test_a_bot_follows_the_rule_for_a_bare_number_that_its_examples_teach(write_bot, tell):
    brain = Brain.load(
        write_bot(
            domain="intents: [guests, hello]\nresponses: {utter_table: [{text: A table}], utter_hi: [{text: Hi}]}\n",
            data__nlu="nlu:\n- intent: guests\n  examples: ['8', '2', we are six]\n- intent: hello\n  examples: [hello, hi]\n",
            data__rules="rules:\n- rule: g\n  steps: [{intent: guests}, {action: utter_table}]\n"
            "- rule: h\n  steps: [{intent: hello}, {action: utter_hi}]\n",
            config="pipeline: [{name: FallbackClassifier, threshold: 0.7}]",
        )
    )
    tell(brain) >> "4" << "A table" >> "hello" << "Hi"
    assert brain.understanding.hear("12345678", None, 0, HERE)[0].intent == "nlu_fallback"
