"""A bot that is unsure asks what was meant, then for other words, then gives up; questions have answers of their own."""

from dataclasses import dataclass, replace

import pytest

from bot.brain import Brain
from bot.understanding import Meaning

DOMAIN = """
intents: [order, bye, nlu_fallback, out_of_scope, faq]
responses:
  utter_order: [{text: Your order}]
  utter_bye: [{text: Bye, buttons: [{title: My order, payload: /order}]}]
  utter_ask_rephrase: [{text: In other words}]
  utter_default: [{text: I give up}]
  utter_faq/hours: [{text: From 9 to 18}]
  utter_faq/place: [{text: In Lyon}]
"""
RULES = """
rules:
- rule: order
  steps: [{intent: order}, {action: utter_order}]
- rule: bye
  steps: [{intent: bye}, {action: utter_bye}]
- rule: unsure
  steps: [{intent: nlu_fallback}, {action: action_two_stage_fallback}, {active_loop: action_two_stage_fallback}]
- rule: questions
  steps: [{intent: faq}, {action: utter_faq}]
"""
NLU = """
nlu:
- intent: order
  examples: "- where is my order\\n- my parcel please\\n- track the parcel\\n- order status"
- intent: bye
  examples: "- goodbye\\n- see you later\\n- bye for now"
- intent: faq/hours
  examples: "- when are you open\\n- opening hours please\\n- until when is the shop open"
- intent: faq/place
  examples: "- where is the shop\\n- the address please\\n- how do I find you"
"""


@dataclass(frozen=True)
class Unsure:
    """Understands nothing, but finds this likeliest."""

    likeliest: str

    def hear(self, text, language, doubt, here):
        if text == "/restart":
            return Meaning("restart", 1.0), "en", 0
        return Meaning("nlu_fallback", 0.2, ranking=(("nlu_fallback", 0.3), (self.likeliest, 0.2))), "en", 0


@pytest.fixture
def talk(write_bot, tell):
    def talk(language="en"):
        files = {"domain": DOMAIN, "data__rules": RULES, "data__nlu": NLU, "config": f"language: {language}"}
        return tell(Brain.load(write_bot(handover="after_misunderstandings: 0", **files)))

    return talk


def test_the_likeliest_is_asked_for_in_the_customers_language(talk):
    told = talk(language="fr").hears("/nlu_fallback")
    assert told.unread == ["Vouliez-vous dire « nlu_fallback » ?"]
    assert [button.title for button in told.turn.says[0].buttons] == ["Oui", "Non"]


def test_an_intent_is_called_as_a_button_calls_it(talk):
    told = talk()
    told.brain = replace(told.brain, understanding=Unsure("order"))
    told >> "hmm" << "Did you mean 'My order'?"
    told.brain = replace(told.brain, understanding=Unsure("faq"))
    told >> "/restart"
    told >> "hmm" << "Did you mean 'faq'?"


def test_an_affirmed_intent_is_answered_as_if_it_had_been_clear(talk):
    told = talk() >> "/nlu_fallback" << "Did you mean"
    told >> "/order" << "Your order"
    told >> "/bye" << "Bye"
    assert "loop" not in told.memory["tracker"]


def test_a_denied_intent_is_asked_for_in_other_words(talk):
    told = talk() >> "/nlu_fallback" << "Did you mean"
    told >> "/out_of_scope" << "In other words"
    told >> "/nlu_fallback" << "Did you mean"
    told >> "/out_of_scope" << "I give up"
    told >> "/order" << "Your order"


def test_two_unclear_messages_in_a_row_are_enough(talk):
    told = talk() >> "/nlu_fallback" << "Did you mean"
    told >> "/nlu_fallback" << "I give up"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("when is the shop open?", "From 9 to 18"),
        ("what is the address", "In Lyon"),
        ("/faq/place", "In Lyon"),
    ],
)
def test_a_question_gets_the_answer_that_fits_it(talk, said, answer):
    told = talk() >> said << answer
    assert told.turn.intent == "faq"


def test_a_question_without_a_chosen_answer_says_nothing(talk):
    assert talk().hears("/faq").unread == []
