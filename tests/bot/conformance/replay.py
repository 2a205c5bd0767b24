"""Replays what was recorded with a real Rasa server through our brain, and tells the first difference of each dialogue.

What a sentence means is given as it was recorded, so that dialogues are compared and not classifiers; the wording of nothing
(Rasa: None) and of yes and no (Rasa: True, False) and of lists is ours on purpose, and where Rasa pauses a conversation, people
go on in ours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.actions import Actions
from bot.brain import Brain, Heard, Known, Turn, perform
from bot.understanding import Meaning

HERE = Path(__file__).parent
BOTS = ("club", "desk", "hotel")
START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
NEVER_SAID = "something went wrong on our side"  # Rasa says nothing when an action fails


@dataclass(frozen=True)
class _Recorded:
    """Understands a sentence as it was understood when it was recorded."""

    meaning: Meaning

    def hear(self, text, language, doubt, here):
        return self.meaning, "en", 0


async def differing(brain: Brain, actions: Actions, turns: list[dict[str, Any]]) -> list[str]:
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
