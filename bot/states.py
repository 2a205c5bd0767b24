"""What a rule says of a moment, and whether a moment fits it.

A rule sees a slot only as its feature: a text slot is set or not, a bool or categorical one has its value, an `any`
slot is invisible. Source: RulePolicy and slots of Rasa 3.6, confirmed by a differential test (rasa/core/policies/rule_policy.py).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain import Slot
from bot.moments import Moment

UNSET = "should_not_be_set"
Feature = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """A rule's state: everything it names must be so, the rest may be anything."""

    intent: str | None = None
    text: str | None = None
    entities: tuple[str, ...] = ()
    slots: tuple[tuple[str, Feature | str], ...] = ()
    last: str | None = None
    loop: str | None = None

    @property
    def form(self) -> str | None:
        """The form that must be running, or None."""
        return None if self.loop == UNSET else self.loop


def feature(slot: Slot | None, value: Any) -> Feature | str:
    """Return what rules see of this value; empty when they see nothing, UNSET where a rule says that it must not be set."""
    if slot is None or value is None or not slot.influences or slot.kind == "any":
        return ()
    if value == UNSET:
        return UNSET
    if slot.kind == "bool":
        return _truth(value)
    if slot.kind == "float":
        return _scaled(slot, value)
    if slot.kind == "list":
        return (1.0,) if value else ()
    if slot.kind == "categorical":
        word = str(value).lower()
        return (*(float(word == known) for known in slot.values), float(word not in slot.values))
    return (1.0,)


def _truth(value: Any) -> Feature:
    """Return whether it is so, as Rasa's `bool_from_any` reads it; what is neither counts as not set."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word not in ("true", "false") and not word.isdecimal():
            return ()
        return (1.0, float(word == "true" or (word.isdecimal() and float(word) == 1.0)))
    return (1.0, float(value == 1.0)) if isinstance(value, bool | int | float) else ()


def _scaled(slot: Slot, value: Any) -> Feature:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return ()
    inside = max(slot.minimum, min(slot.maximum, number))
    return (1.0, (inside - slot.minimum) / ((slot.maximum - slot.minimum) or 1.0))


def state(
    user: tuple[str | None, str | None, tuple[str, ...]],
    features: Iterable[tuple[str, Feature | str]],
    last: str | None,
    loop: str | None,
) -> Expected:
    """Return a moment as rules and stories write it; `user` are intent, text and entities."""
    seen = tuple(sorted((name, value) for name, value in features if value == UNSET or any(value)))
    return Expected(*user, seen, last, loop)


def fits(expected: Expected, moment: Moment, slots: Mapping[str, Slot]) -> bool:
    """Whether the moment is as the rule expects."""
    if expected.text is not None and expected.text != moment.text:
        return False
    if expected.intent is not None and expected.intent != moment.intent:
        return False
    if expected.entities and expected.entities != moment.entities:
        return False
    if expected.last is not None and expected.last != moment.last:
        return False
    if expected.loop is not None and (
        moment.loop not in (None, UNSET) if expected.loop == UNSET else moment.loop != expected.loop
    ):
        return False
    for name, wanted in expected.slots:
        seen = feature(slots.get(name), moment.slot(name))
        if (seen != UNSET and any(seen)) if wanted == UNSET else (seen != wanted):
            return False
    return True


def weight(states: tuple[Expected, ...]) -> int:
    """Return how specific a rule is: of several that fit, the heaviest answers (Rasa compares the written length)."""
    return len(json.dumps([_written(state) for state in states], sort_keys=True))


def _written(state: Expected) -> dict[str, Any]:
    user = {"intent": state.intent, "text": state.text, "entities": state.entities}
    parts = {
        "user": {key: value for key, value in user.items() if value},
        "slots": dict(state.slots),
        "prev_action": {"action_name": state.last} if state.last else {},
        "active_loop": {"name": state.loop} if state.loop else {},
    }
    return {key: value for key, value in parts.items() if value}
