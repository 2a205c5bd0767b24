"""Dialogues recorded with a real Rasa 3.6.21 server replay through our brain without one differing turn.

tests/bot/conformance/ holds the bots, the recording script and what it recorded. What a sentence means is given as it
was recorded, so that dialogues are compared and not classifiers; the wording of nothing (Rasa: None) and of yes and no
(Rasa: True, False) and of lists is ours on purpose, and where Rasa pauses a conversation, people go on in ours.
"""

import asyncio

import pytest

from bot.actions import Actions
from bot.answering import BotOptions
from bot.brain import Brain
from tests.bot.conformance.replay import BOTS, HERE, differing
from tests.bot.conformance.transcript import read

pytestmark = pytest.mark.filterwarnings("ignore:No method:UserWarning")  # rasa_sdk on slots without extract_x


@pytest.mark.parametrize("bot", BOTS)
def test_the_dialogues_of_a_rasa_server_replay_without_a_differing_turn(bot):
    brain = Brain.load(HERE / bot)
    actions = Actions(BotOptions(folder=str(HERE / bot)))
    dialogues = list(read(HERE / bot / "recorded.jsonl.gz"))
    found = [difference for turns in dialogues for difference in asyncio.run(differing(brain, actions, turns))]
    assert not found, f"{len(found)} of {len(dialogues)} dialogues differ; the first:\n{found[0]}"


def test_enough_was_recorded():
    dialogues = [turns for bot in BOTS for turns in read(HERE / bot / "recorded.jsonl.gz")]
    assert len(dialogues) >= 500
    assert sum(map(len, dialogues)) >= 4000
