"""Recorded dialogues replay without a difference: forms, unhappy paths, dynamic slots, conditions, restart, back, sessions.

Recorded from the study engine that gave the same replies as a Rasa 3.6.21 server in 11,173 random turns; 500 further
dialogues (7,000 turns) of this bot were compared when the engine was written, with no difference. Only wordings differ
on purpose: an empty slot is said as nothing (Rasa: None), true as yes.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.actions import Actions
from bot.answering import BotOptions
from bot.brain import Brain
from bot.understanding import Meaning
from tests.bot.conftest import Story

pytestmark = pytest.mark.filterwarnings("ignore:No method:UserWarning")  # rasa_sdk on slots without extract_x

TRAVEL = Path(__file__).parent / "travel"
RECORDED = (TRAVEL / "recorded.jsonl").read_text(encoding="utf-8").splitlines()
MEANT = {
    "hello": ("greet", None),
    "exact words": ("faq", None),
    "mushrooms please": ("inform", None),
    "large": ("inform", ("size", "large")),
    "with ham": ("inform", ("topping", "ham")),
    "paris": ("inform", ("city", "paris")),
    "weird": ("weird", None),
}
SORRY = "something went wrong on our side"  # Rasa says nothing when an action fails


class _Ear:
    """Understands the recorded sentences as they were understood then."""

    def __init__(self, entities):
        self.entities = entities

    def hear(self, text, language, doubt, here):
        payload = self.entities.payload(text)
        if payload:
            return Meaning(payload[0], 1.0, tuple(payload[1])), "en", 0
        intent, entity = MEANT.get(text, ("nlu_fallback", None))
        entities = ({"entity": entity[0], "value": entity[1]},) if entity else ()
        return Meaning(intent, 0.9, entities), "en", 0


@pytest.fixture(scope="module")
def travel():
    brain = Brain.load(TRAVEL)
    return replace(brain, understanding=_Ear(brain.understanding.entities))


@pytest.mark.parametrize("number", range(len(RECORDED)))
def test_a_recorded_dialogue_replays(travel, number):
    told = Story(travel, Actions(BotOptions(folder=str(TRAVEL))))
    for said, replies in json.loads(RECORDED[number]):
        told.hears(said)
        answered = [text for text in told.unread if SORRY not in text]
        assert _spoken(answered) == _spoken(replies), said


def _spoken(replies):
    return [reply.replace("None", "").replace("True", "yes") for reply in replies]


def test_a_rule_on_exact_words_wins_over_what_they_seem_to_mean(write_bot, tell):
    folder = write_bot(
        domain="intents: [greet]\nresponses:\n  utter_hi: [{text: Hi}]\n  utter_word: [{text: The word}]",
        data__nlu="nlu:\n- intent: greet\n  examples: |\n    - hello\n    - open sesame",
        data__rules="rules:\n- rule: hi\n  steps: [{intent: greet}, {action: utter_hi}]\n"
        '- rule: word\n  steps: [{user: "open sesame"}, {action: utter_word}]',
    )
    told = tell(Brain.load(folder)) >> "open sesame" << "The word"
    told >> "hello" << "Hi"
