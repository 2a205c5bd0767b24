"""What the facts say, one reader per thing that can be named: an attribute, a property, the day it is."""

import operator
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, TypeAlias

from profiles.expression_facts import Facts, Sent
from profiles.expression_tree import Kind, SentCount
from profiles.expression_values import day, flag, instant, number, text, texts
from profiles.profile import Identity, Profile
from profiles.timeline import Event

Read: TypeAlias = Callable[[Facts, Event | None], Any]
"""Takes the facts and the event at hand (in where="..." the one of the past); None means missing, nothing raises."""
Test: TypeAlias = Callable[[Facts, Event | None], bool]

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def read_as(kind: Kind, read: Read) -> Read:
    """Return the reading that gives a value only where it is of this kind; ANY lets all through."""
    if kind is Kind.ANY:
        return read
    if kind is Kind.DATE:
        return lambda facts, event: day(read(facts, event), facts.zone)
    reader = _READERS[kind]
    return lambda facts, event: reader(read(facts, event))


_READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.NUMBER: number, Kind.TEXT: text, Kind.FLAG: flag, Kind.INSTANT: instant, Kind.TEXTS: texts,
    Kind.DURATION: lambda value: value if isinstance(value, timedelta) else None,
}  # fmt: skip


def attribute_of(name: str) -> Read:
    """Return the reading of an attribute of the profile."""

    def attribute(facts: Facts, event: Event | None) -> Any:
        known = facts.profile.attributes.get(name)
        return known.value if known else None

    return attribute


def property_of(root: str, name: str) -> Read:
    """Return the reading of a property of the event at hand, or of the one that began the run ("start")."""
    if root == "start":
        of_event = property_of("event", name)
        return lambda facts, event: of_event(facts, facts.start)
    if name == "name":
        return lambda facts, event: event and event.name
    if name == "happened_at":
        return lambda facts, event: event and instant(event.happened_at)
    return lambda facts, event: event.properties.get(name) if event else None


def thread_of(read: Callable[[Any], Any]) -> Read:
    """Return the reading of a fact of the conversation."""
    return lambda facts, event: read(facts.conversation) if facts.conversation else None


THREAD_FACTS: dict[str, Callable[[Any], Any]] = {
    "open": lambda thread: thread.is_open,
    "waiting": lambda thread: thread.waiting_since is not None,
    "owner": lambda thread: thread.owner,
    "status": lambda thread: thread.status,
    "channel": lambda thread: thread.channel,
    "team": lambda thread: thread.team,
    "labels": lambda thread: thread.labels,
}


def name_of(profile: Profile) -> str | None:
    """Return what people call them by, or None: only texts count, as the database sees it."""
    parts = [part for key in ("first_name", "last_name") if (part := text(profile.value(key)))]
    return " ".join(parts) or text(profile.value("name")) or None


BUILTIN_FACTS: dict[str, Read] = {
    "id": lambda facts, event: facts.profile.id,
    "name": lambda facts, event: name_of(facts.profile),
    "language": lambda facts, event: facts.profile.language,
    "last_channel": lambda facts, event: facts.profile.last_channel,
    "created_at": lambda facts, event: instant(facts.profile.created_at),
    "last_inbound_at": lambda facts, event: instant(facts.profile.last_inbound_at),
}


def today(facts: Facts, event: Event | None) -> date:
    """Return the day it is in the zone of the facts."""
    return facts.now.astimezone(facts.zone).date()


def can_reach(identity: Identity, channel: str) -> bool:
    """Return whether this identity is an address of the channel that we may write to."""
    return identity.channel == channel and identity.is_claimed and identity.suppression is None


def is_asked(node: SentCount, sent: Sent) -> bool:
    """Return whether a message is one of those that sent(...) asks about; when it went out is not looked at."""
    return (
        node.rule in ("", sent.rule)
        and node.topic in ("", sent.topic)
        and node.channel in ("", sent.channel)
        and (not node.label or node.label in sent.labels)
    )


def age_on(today: date, born: date) -> int:
    """Return the whole years from a birth to today; who was born on 29 February gets older on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


OF_DAY: dict[str, Callable[[date, Facts], Any]] = {
    "date": lambda value, facts: value,
    "days_since": lambda value, facts: (today(facts, None) - value).days,
    "days_until": lambda value, facts: (value - today(facts, None)).days,
    "month": lambda value, facts: value.month,
    "day": lambda value, facts: value.day,
    "weekday": lambda value, facts: value.isoweekday(),
    "age": lambda value, facts: age_on(today(facts, None), value),
}
