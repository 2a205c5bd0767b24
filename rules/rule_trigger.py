"""When a rule's runs begin (docs/rules.md). Pure data."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal, TypeAlias

from profiles.duration import Duration
from profiles.expression import Expression

Days: TypeAlias = frozenset[int]
"""Weekdays, Monday is 0."""


@dataclass(frozen=True, slots=True)
class EventMatch:
    """An event by name, and what must be true of it. `start` in `where` is the event that began the run."""

    name: str
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class OnEvent:
    """Runs begin with an event; `key` tells one matter from another (one run per cart), `again` what a repeat does."""

    match: EventMatch
    key: Expression | None = None
    again: Literal["restart", "ignore", "parallel"] = "ignore"


@dataclass(frozen=True, slots=True)
class OnSchedule:
    """Runs begin at every local instant whose parts all match; `zone` is "contact" or an IANA name."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    """Days of the month, 1 to 31; -1 is the last."""
    months: frozenset[int]
    weekdays: Days
    zone: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Once:
    """Runs begin once, at this local date and hour; `zone` is "contact" or an IANA name."""

    at: datetime
    """Naive on purpose: it has an instant per zone."""
    zone: str


@dataclass(frozen=True, slots=True)
class OnDate:
    """Runs begin on the day of a date attribute shifted by `offset`, at a local hour; `yearly` keeps the day and month."""

    attribute: str
    at: time
    offset: Duration | None = None
    is_before: bool = False
    """Whether the offset lies before the date."""
    yearly: bool = True
    zone: str = "contact"


@dataclass(frozen=True, slots=True)
class OnSegment:
    """Runs begin when a contact enters or leaves a segment."""

    segment: str
    change: Literal["entered", "left"]


@dataclass(frozen=True, slots=True)
class OnChange:
    """Runs begin when an attribute gets another value; `where` sees event.before and event.after."""

    attribute: str
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class OnThreshold:
    """Runs begin when an attribute crosses a value: upwards (below to at least), downwards, or either way."""

    attribute: str
    value: float
    direction: Literal["up", "down", "both"] = "up"


@dataclass(frozen=True, slots=True)
class OnConversation:
    """Runs begin when a conversation comes into this state."""

    state: Literal["opened", "handed_over", "assigned", "snoozed", "resolved"]
    channel: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OnCall:
    """Runs begin when the API asks for it (or another rule's `start` step); the caller gets the decision."""


Trigger: TypeAlias = OnEvent | OnSchedule | Once | OnDate | OnSegment | OnChange | OnThreshold | OnConversation | OnCall
