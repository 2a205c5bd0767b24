"""What an expression may name, what it is tested on, what it needs of that, and what was wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from profiles.conversation import Conversation
from profiles.duration import Duration
from profiles.expression_tree import Kind
from profiles.profile import Profile
from profiles.swift import swift
from profiles.timeline import Event


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What an expression may name. A mapping or set that is None is open: any name that is spelt like one will do."""

    attributes: Mapping[str, Kind] | None = None
    """Attribute of the profile -> its kind; in an open vocabulary the kind is found out at each test."""
    events: Mapping[str, Mapping[str, Kind]] | None = None
    """Event name -> property -> kind; an event without properties listed has any."""
    event: str | None = None
    """The event that `event.` reads ("" when it may be any); None: there is no event here."""
    start: str | None = None
    """The event that `start.` reads; None: there is no run here."""
    has_conversation: bool = False
    segments: Mapping[str, str] = field(default_factory=dict)
    """Segment -> its own expression."""
    channels: frozenset[str] | None = None
    rules: frozenset[str] | None = None
    labels: frozenset[str] | None = None
    topics: frozenset[str] | None = None
    steps: frozenset[str] | None = None
    """Ids of the steps whose messages opened() and clicked() may ask about; None: not inside a journey."""
    extra: Mapping[str, Kind] = field(default_factory=dict)
    """Further plain names that the caller's facts will have."""
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """How people say it: "contact.country" -> {"fr": "le pays", "en": "the country"}, "order.paid" -> {"fr": "a payé ..."}."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in an expression: where (both from 1), what was expected, what stands there, the nearest name."""

    column: int
    expected: str
    got: str
    nearest: str = ""
    line: int = 1

    def __str__(self) -> str:
        hint = f'. Did you mean "{self.nearest}"?' if self.nearest else ""
        return f"column {self.column}: expected {self.expected}, got {self.got}{hint}"


@swift
@dataclass(frozen=True, slots=True)
class Sent:
    """One proactive message that went out, as `sent(...)` sees it."""

    at: datetime
    channel: str
    rule: str = ""
    topic: str = ""
    labels: tuple[str, ...] = ()


@swift
@dataclass(frozen=True, slots=True)
class Facts:
    """What an expression is tested on. What `Needs` does not name may be left out."""

    now: datetime
    profile: Profile
    zone: tzinfo = UTC
    """The zone whose days and hours count."""
    ledger: Any = None
    """The person's limits and spent pressure (profiles/ledger.py); no expression reads it, gates do."""
    event: Event | None = None
    start: Event | None = None
    conversation: Conversation | None = None
    history: Mapping[str, tuple[Event, ...]] = field(default_factory=dict)
    """Event name -> events by (happened_at, id), newest last."""
    sent: tuple[Sent, ...] = ()
    opened: frozenset[str] = frozenset()
    """Steps of this run whose message was opened."""
    clicked: frozenset[str] = frozenset()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be read before a test, and what can change its answer."""

    attributes: frozenset[str] = frozenset()
    """Attributes and built-in facts of the profile."""
    events: Mapping[str, Duration | None] = field(default_factory=dict)
    """Past events by name -> the longest window asked for; None: however long ago."""
    sent: bool = False
    sent_within: Duration | None = None
    """The longest window of `sent(...)`; None with `sent`: however long ago."""
    channels: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()
    extra: frozenset[str] = frozenset()
    event: bool = False
    start: bool = False
    conversation: bool = False
    time: bool = False
    """Whether the mere passing of time can change the answer."""
    zone: bool = False
    """Whether the answer hangs on whose days and hours count."""

    @property
    def is_of_profile(self) -> bool:
        """Whether profiles and their past suffice: such an expression can select an audience."""
        return not (self.event or self.start or self.conversation or self.steps or self.extra)
