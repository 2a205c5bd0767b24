"""profile.yml: which slots are the profile's attributes, and which things said become events of the timeline.

slots:
  email: {profile: email, source: declared}          read at each turn, learned when the customer says it
  points: {profile: points, read_only: true}         never set by what is said
  order_status: {profile: "orders.{order_number}"}   looked up inside an attribute; always read only
events:
  utter_opted_out: {name: consent.withdrawn, properties: {topic: all}}   when the bot runs this action
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.cleaning import clean_value
from bot.domain import Domain
from bot.values import table_at
from profiles.findings import Findings, nearest
from profiles.written import Table, place_of, plain

_HOLE = re.compile(r"{([\w-]+)}")
_SOURCES = ("declared", "inferred")


@dataclass(frozen=True, slots=True)
class Mapped:
    """One slot that is an attribute of the profile, or something looked up inside one."""

    slot: str
    path: tuple[str, ...]
    source: str = "declared"
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """What profile.yml says."""

    slots: Mapping[str, Mapped] = field(default_factory=dict)
    events: Mapping[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)

    def is_read_only(self, slot: str) -> bool:
        """Whether only the profile, never the customer, fills this slot."""
        return slot in self.slots and self.slots[slot].read_only

    def known(self, values: Mapping[str, Any], slots: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield the slots whose value in the profile differs from what the bot remembers."""
        for name, mapped in self.slots.items():
            value = look_up(mapped, values, slots)
            if value is None and not mapped.read_only:
                continue
            value = clean_value(value)
            if value != slots.get(name) and (value is not None or mapped.read_only):
                yield name, value

    def learned(
        self, said: set[str], slots: Mapping[str, Any], values: Mapping[str, Any]
    ) -> Iterator[tuple[str, Any, str]]:
        """Yield (attribute, value, source) for what was said in this turn and the profile does not know yet."""
        for name in sorted(said & set(self.slots)):
            mapped, value = self.slots[name], slots.get(name)
            if not mapped.read_only and value is not None and values.get(mapped.path[0]) != value:
                yield mapped.path[0], value, mapped.source


def look_up(mapped: Mapped, values: Mapping[str, Any], slots: Mapping[str, Any]) -> Any:
    """Return what the profile says at this path, with `{slot}` filled in; None when any step of it is unknown."""
    found: Any = values
    for step in mapped.path:
        hole = _HOLE.fullmatch(step) if step[:1] == "{" else None
        key = slots.get(hole[1]) if hole else step
        if key is None or not isinstance(found, Mapping):
            return None
        found = found.get(str(key))
    return found


def read_memory(file: Table, domain: Domain, findings: Findings) -> Memory:
    """Return what profile.yml says; an absent file maps nothing."""
    for key in file:
        if key not in ("slots", "events"):
            findings.unknown_key(file, key, ("slots", "events"))
    slots = {}
    written = table_at(file, "slots", findings)
    for name, spec in written.items():
        slots[str(name)] = _mapped(name, spec, written, domain, findings)
    events = {}
    written = table_at(file, "events", findings)
    for action, spec in written.items():
        at = place_of(written, action)
        if not domain.knows_action(action):
            findings.error(at, f'events: unknown action "{action}".', nearest(action, domain.responses))
        if not isinstance(spec, Table) or not isinstance(spec.get("name"), str):
            findings.error(at, f"events: {action}: expected name: noun.verb, and properties if any.")
            continue
        events[str(action)] = (str(spec["name"]), plain(table_at(spec, "properties", findings)))
    return Memory(slots, events)


def _mapped(name: str, spec: Any, table: Table, domain: Domain, findings: Findings) -> Mapped:
    at = place_of(table, name)
    if name not in domain.slots:
        findings.error(at, f'slots: unknown slot "{name}".', nearest(name, domain.slots))
    if isinstance(spec, str):
        written, source, read_only = str(spec).removeprefix("profile."), "declared", False
    elif isinstance(spec, Table) and isinstance(spec.get("profile"), str):
        written, source = str(spec["profile"]), str(spec.get("source", "declared"))
        read_only = spec.get("read_only") is True
    else:
        findings.error(at, f"slots: {name}: expected profile: the attribute's name; got {plain(spec)!r}.")
        return Mapped(str(name), (str(name),))
    if source not in _SOURCES:
        findings.error(place_of(spec, "source", at), f'source: expected declared or inferred; got "{source}".')
    path = tuple(written.split("."))
    return Mapped(str(name), path, source, read_only or len(path) > 1)
