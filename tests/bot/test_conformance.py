"""Dialogues recorded with a real Rasa 3.6.21 server replay through our brain without one differing turn.

tests/bot/conformance/ holds the bots, the recording script and what it recorded. What a sentence means is given as it
was recorded, so that dialogues are compared and not classifiers; the wording of nothing (Rasa: None) and of yes and no
(Rasa: True, False) and of lists is ours on purpose, and where Rasa pauses a conversation, people go on in ours.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.actions import Actions
from bot.answering import BotOptions
from bot.brain import Brain, Heard, Known, Turn, perform
from bot.understanding import Meaning
from tests.bot.conformance.transcript import read
from tests.bot.conftest import START

pytestmark = pytest.mark.filterwarnings("ignore:No method:UserWarning")  # rasa_sdk on slots without extract_x

HERE = Path(__file__).parent / "conformance"
BOTS = ("club", "desk", "hotel")
NEVER_SAID = "something went wrong on our side"  # Rasa says nothing when an action fails


@dataclass(frozen=True)
class _Recorded:
    """Understands a sentence as it was understood when it was recorded."""

    meaning: Meaning

    def hear(self, text, language, doubt, here):
        return self.meaning, "en", 0


@pytest.mark.parametrize("bot", BOTS)
def test_the_dialogues_of_a_rasa_server_replay_without_a_differing_turn(bot):
    brain = Brain.load(HERE / bot)
    actions = Actions(BotOptions(folder=str(HERE / bot)))
    dialogues = list(read(HERE / bot / "recorded.jsonl.gz"))
    differing = [difference for turns in dialogues for difference in asyncio.run(_first(brain, actions, turns))]
    assert not differing, f"{len(differing)} of {len(dialogues)} dialogues differ; the first:\n{differing[0]}"


def test_enough_was_recorded():
    dialogues = [turns for bot in BOTS for turns in read(HERE / bot / "recorded.jsonl.gz")]
    assert len(dialogues) >= 500
    assert sum(map(len, dialogues)) >= 4000


async def _first(brain: Brain, actions: Actions, turns: list[dict[str, Any]]) -> list[str]:
    """Return the first difference of a dialogue, told readably, if there is one."""
    memory = None
    for number, turn in enumerate(turns):
        ours = await _play(brain, actions, memory, number, turn)
        differences = list(_differences(brain, ours, turn))
        if differences:
            before = [f"  {said(one)} -> {[text for text, _ in one['says']]}" for one in turns[:number]]
            return ["\n".join([*before, f"> {said(turn)}", *differences, f"  actions: {list(ours.actions)}"])]
        memory = ours.tracker
    return []


def said(turn: dict[str, Any]) -> str:
    """Return what was said, or what happened outside."""
    return str(turn.get("say") or f"(outside: {turn['trigger']})")


async def _play(brain: Brain, actions: Actions, memory: Any, number: int, turn: dict[str, Any]) -> Turn:
    at = START + timedelta(seconds=turn["at"])
    meaning = _meaning(turn["meaning"])
    if "trigger" in turn:
        heard = Heard(f"m{number}", "", "collector", at, event=turn["trigger"], entities=meaning.entities)
    else:
        heard = Heard(f"m{number}", turn["say"], "collector", at)
    knowing = replace(brain, understanding=_Recorded(meaning))
    return await perform(knowing, memory, heard, Known("p1", None, {}, "c1"), actions)


def _meaning(recorded: dict[str, Any]) -> Meaning:
    intent = recorded["intent"]["name"]
    chosen = recorded.get("response_selector", {}).get(intent, {}).get("response", {})
    return Meaning(
        intent,
        recorded["intent"].get("confidence", 1.0),
        tuple(recorded["entities"]),
        tuple((one["name"], one["confidence"]) for one in recorded.get("intent_ranking", ())),
        chosen.get("intent_response_key"),
    )


def _differences(brain: Brain, ours: Turn, turn: dict[str, Any]) -> Iterator[str]:
    says = [_spoken(content.text) for content in ours.says if NEVER_SAID not in content.text]
    expected = [_spoken(text or "") for text, _ in turn["says"]]
    if says != expected:
        yield f"  said     {says}\n  expected {expected}"
    buttons = [[button.title, button.payload] for content in ours.says for button in content.buttons]
    expected_buttons = [list(button) for _, row in turn["says"] for button in row]
    if buttons != expected_buttons:
        yield f"  buttons  {buttons}\n  expected {expected_buttons}"
    if turn.get("paused"):
        if ours.handover is None:
            yield "  expected the conversation to be handed over"
        return
    memory = ours.tracker["tracker"]
    initial = {name: slot.initial for name, slot in brain.script.domain.slots.items()}
    slots = {name: value for name, value in {**initial, **memory["slots"]}.items() if value is not None}
    if slots != turn["slots"]:
        yield f"  slots    {slots}\n  expected {turn['slots']}"
    if memory.get("loop") != turn["loop"]:
        yield f"  form     {memory.get('loop')}\n  expected {turn['loop']}"


def _spoken(text: str) -> str:
    text = re.sub(r"\[('[^\]]*')\]", lambda match: match[1].replace("'", ""), text)
    return text.replace("None", "").replace("True", "yes").replace("False", "no")
