"""Points of a conversation as rules and stories see them, and the whole past as it is told forwards."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.domain import Domain
from bot.events import DEFAULT_INTENTS


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
