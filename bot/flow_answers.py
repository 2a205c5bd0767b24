"""What a message says to a flow's question: the value for the slot that was asked for, if it holds one.

Slots filled by a mapping of their own (bot/slots.py) have their value already. Rasa fills the others, `from_llm` or without
mappings, by a language model; here an entity of the slot's name, yes and no, a number, one of the allowed values or the kind
named in validation.yml is looked for, and a text slot takes the whole message. Buttons may say `/SetSlots(slot=value)`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain import Slot
from bot.finders import FINDERS, fold
from bot.forms import filled_since_heard
from bot.scene import Scene
from bot.slots import entity_values, upfront
from bot.tracker import Tracker

_SET_SLOTS = re.compile(r"/SetSlots\(([^()]*)\)")
_MOST_PAIRS = 10  # as Rasa allows in one payload
_YES = "yes yeah yep yup sure course ok okay oui ouais si bien d'accord volontiers true vrai y o"
_NO = "no nope nah non nan false faux n"
_POLITE = "please thanks thank you merci svp s'il vous te plait sur of it is that's c'est ca"
_YES_INTENTS, _NO_INTENTS = ("affirm", "yes", "confirm"), ("deny", "no")
_SHORT = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """A value for the slot; specific when it was recognised as such, not just the whole message taken as it is."""

    value: Any
    is_specific: bool = True
    is_short: bool = False
    """The message holds hardly anything beside it."""


def set_slots(text: str) -> Mapping[str, str]:
    """Return the pairs of a `/SetSlots(slot=value, ...)` payload; empty when the text is none."""
    match = _SET_SLOTS.fullmatch(text)
    pairs = [pair.split("=", 1) for pair in match[1].split(",")[:_MOST_PAIRS]] if match else []
    return {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2 and pair[0].strip()}


def answer_for(scene: Scene, tracker: Tracker, name: str, is_button: bool) -> Answer | None:
    """Return what the message says to the question for this slot, or None. A pressed button may fill controlled slots."""
    slot = scene.script.domain.slots[name]
    text = str(tracker.message.get("text") or "").strip()
    is_short = len(text.split()) <= _SHORT
    if name in filled_since_heard(tracker):
        value = tracker.slots.get(name)
        return None if value is None else Answer(value, value != text, is_short)
    kinds = {mapping.kind for mapping in slot.mappings}
    if scene.script.project.memory.is_read_only(name) or scene.heard.event:
        return None
    if kinds and "from_llm" not in kinds and not (kinds == {"controlled"} and is_button):
        return None
    entity = entity_values(tracker, name)
    said = _recognised(scene, slot, tracker.meant, str(entity[-1]) if entity else text)
    if said is None and entity and slot.kind in ("text", "any", "list"):
        said = entity if slot.kind == "list" else entity[-1]
    if said is not None:
        return Answer(said, True, is_short)
    if slot.kind not in ("text", "any", "list") or not text or text.startswith("/"):
        return None
    return Answer([text] if slot.kind == "list" else text, False, is_short)


def beforehand(scene: Scene, tracker: Tracker, name: str) -> Any:
    """Return the value that the message holds for a slot before its question was asked, or None."""
    slot, value = scene.script.domain.slots[name], upfront(scene, tracker, name)
    if value is None or slot.kind not in ("bool", "float", "categorical"):
        return value
    return _recognised(scene, slot, None, str(value))


def chosen(scene: Scene, name: str, written: str) -> Any:
    """Return the value that a button's `/SetSlots` gives this slot; None for null or what the slot cannot hold."""
    slot = scene.script.domain.slots[name]
    if written.lower() in ("null", "none", ""):
        return None
    if slot.kind == "bool":
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(written.lower())
    if slot.kind == "float":
        return _number(written, scene)
    if slot.kind == "categorical":
        return _one_of(_allowed(scene, slot), written)
    return written


def _recognised(scene: Scene, slot: Slot, intent: str | None, text: str) -> Any:
    """Return the value recognised for what it is, or None."""
    if slot.kind == "bool":
        return _truth(intent, text)
    if slot.kind == "float":
        return _number(text, scene)
    if slot.kind == "categorical":
        return _one_of(_allowed(scene, slot), text)
    accept = scene.script.project.validation.slots.get(slot.name)
    found = FINDERS[accept.kind](text, scene.here) if accept and accept.kind else None
    return found[0] if found else None


def _number(text: str, scene: Scene) -> float | None:
    found = FINDERS["number"](text, scene.here)
    return float(found[0]) if found else None


def _truth(intent: str | None, text: str) -> bool | None:
    words = set(re.findall(r"[\w']+", fold(text)))
    is_yes, is_no = bool(words & {*_YES.split()}), bool(words & {*_NO.split()})
    if is_yes != is_no and words <= {*_YES.split(), *_NO.split(), *_POLITE.split()}:
        return is_yes
    if intent in _YES_INTENTS:
        return True
    return False if intent in _NO_INTENTS else None


def _allowed(scene: Scene, slot: Slot) -> Sequence[str]:
    """Return the values as the domain writes them; the slot itself knows them in small letters."""
    spec = scene.script.domain.raw.get("slots", {}).get(slot.name)
    written = spec.get("values") if isinstance(spec, dict) else None
    return [str(value) for value in written] if isinstance(written, list) else slot.values


def _one_of(values: Sequence[str], text: str) -> str | None:
    """Return the one value that the text is or names; None when it names none or several."""
    said = " ".join(re.findall(r"\w+", fold(text)))
    spoken = {value: " ".join(re.findall(r"\w+", fold(value))) for value in values}
    named = [value for value, words in spoken.items() if words and f" {words} " in f" {said} "]
    longest = max((len(spoken[value]) for value in named), default=0)
    best = [value for value in named if spoken[value] == said] or [v for v in named if len(spoken[v]) == longest]
    part = [value for value, words in spoken.items() if said and f" {said} " in f" {words} "]
    if not best and len(part) == 1:
        return part[0]
    return best[0] if len(best) == 1 and all(spoken[value] in spoken[best[0]] for value in named) else None
