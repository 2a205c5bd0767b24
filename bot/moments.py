"""Points of a conversation as rules and stories see them, and the whole past as it is told forwards."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from bot.domain import Domain
from bot.events import DEFAULT_INTENTS


class Told(Protocol):
    """A conversation that remembers what happened last, and the trail that led there, newest last (bot/tracker.py)."""

    intent: str | None
    entities: tuple[str, ...]
    text: str | None
    last: str | None
    loop: str | None
    slots: dict[str, Any]
    trail: Any


class Moment(NamedTuple):
    """What stood at one point of the conversation, as rules see it."""

    intent: str | None
    entities: tuple[str, ...]
    slots: Mapping[str, Any]
    earlier: Mapping[str, Any]
    """Slots that were different then."""
    last: str | None
    loop: str | None
    text: str | None = None
    """The customer's words, where a rule on exact words answered them: then they stand in place of the intent."""

    def slot(self, name: str) -> Any:
        """Return the slot's value at that point."""
        return self.earlier[name] if name in self.earlier else self.slots.get(name)


class Past(NamedTuple):
    """What was done, in order, as far back as it is known, and how things stood before it."""

    slots: Mapping[str, Any]
    intent: str | None
    entities: tuple[str, ...]
    last: str | None
    loop: str | None
    steps: tuple[tuple[Any, ...], ...]
    """("user", intent, entities, text), ("slot", name, value), ("loop", name), ("action", name, is hidden), ("followup", name)."""


def visible_entities(domain: Domain, name: str | None, entities: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the labels of the entities that rules may see beside this intent, with role and group as `name#role`."""
    labels = {str(entity["entity"]) for entity in entities}
    labels |= {
        f"{entity['entity']}#{entity[part]}" for entity in entities for part in ("role", "group") if part in entity
    }
    intent = domain.intents.get(name or "")
    if intent is None and name not in DEFAULT_INTENTS:
        return tuple(sorted(labels))
    if intent is None or intent.use_entities is None:
        labels &= domain.labels
    else:
        labels = {
            label for label in labels if label.split("#")[0] in intent.use_entities or label in intent.use_entities
        }
    if intent is not None:
        labels = {label for label in labels if not {label, label.split("#")[0]} & set(intent.ignore_entities)}
    return tuple(sorted(labels))


def told_forwards(tracker: Told) -> Past:
    """Return what was done as stories tell it, forwards."""
    intent, entities, text, last, loop = tracker.intent, tracker.entities, tracker.text, tracker.last, tracker.loop
    slots = dict(tracker.slots)
    steps: list[tuple[Any, ...]] = []
    for entry in reversed(tracker.trail):
        kind = entry[0]
        if kind == "slot":
            steps.append(("slot", entry[1], slots.get(entry[1])))
            slots[entry[1]] = entry[2]
        elif kind == "user":
            steps.append(("user", intent, entities, text))
            intent, entities, text = user_of(entry)
        elif kind == "loop":
            steps.append(("loop", entry[1]))
            loop = entry[2]
        elif kind == "action":
            steps.append(("action", entry[1], len(entry) > 3 and bool(entry[3])))
            last = entry[2]
        elif kind == "followup":
            steps.append(("followup", entry[1]))
    return Past(slots, intent, entities, last, loop, tuple(reversed(steps)))


def told_backwards(tracker: Told) -> Iterator[Moment]:
    """Yield the present, then the moment before each action, the latest first."""
    intent, entities, text, last, loop = tracker.intent, tracker.entities, tracker.text, tracker.last, tracker.loop
    earlier: dict[str, Any] = {}
    yield Moment(intent, entities, tracker.slots, {}, last, loop, text)
    for entry in reversed(tracker.trail):
        kind = entry[0]
        if kind == "slot":
            earlier[entry[1]] = entry[2]
        elif kind == "user":
            intent, entities, text = user_of(entry)
        elif kind == "loop":
            loop = entry[2]
        elif kind == "action":
            last = entry[2]
            yield Moment(intent, entities, tracker.slots, dict(earlier), last, loop, text)


def user_of(entry: list[Any]) -> tuple[str | None, tuple[str, ...], str | None]:
    """Return intent, entities and text before this message."""
    return entry[1], tuple(entry[2]), entry[4] if len(entry) > 4 else None
