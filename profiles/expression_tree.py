"""What a checked expression is made of: one frozen node per thing that can be said, each knowing its kind.

Only the parser makes these, so whoever reads them need check nothing again: names are plain words, constants are bounded,
kinds fit. Read by the test in memory, the database's filter and the sentence, which must mean the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from profiles.duration import Duration


class Kind(StrEnum):
    """What a value is. ANY is an attribute or property that nobody declared: its kind is found out at each test."""

    NUMBER = "number"
    TEXT = "text"
    FLAG = "flag"
    DATE = "date"
    """A day: stored as a text 2026-01-31, or as an instant whose day in the reader's zone counts."""
    INSTANT = "instant"
    DURATION = "duration"
    TEXTS = "list"
    ANY = "unknown"


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: number, text, flag, day, instant or length."""

    value: bool | int | float | str | date | datetime | Duration
    kind: Kind


@dataclass(frozen=True, slots=True)
class Listing:
    """Constants in a row, all texts or all numbers: the right side of `in`."""

    values: tuple[str | int | float, ...]
    kind: Kind
    """The kind of each item."""


@dataclass(frozen=True, slots=True)
class Contact:
    """An attribute of the profile, or one of the built-in facts about it."""

    name: str
    kind: Kind
    is_builtin: bool = False


@dataclass(frozen=True, slots=True)
class Property:
    """A property of the event at hand (`event`), or of the one that began the run (`start`)."""

    root: str
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Thread:
    """A fact of the conversation: open, owner, status, channel, team, labels, waiting."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Extra:
    """A name that the caller adds to the facts (Vocabulary.extra)."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Clock:
    """`now` (an instant) or `today` (the day in the reader's zone)."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers and + - * /; a result past the bound, or a division by zero, is missing."""

    op: str
    left: "Node"
    right: "Node"
    kind: Kind = Kind.NUMBER


@dataclass(frozen=True, slots=True)
class Shift:
    """An instant or a day, a length later (+) or earlier (-)."""

    op: str
    moment: "Node"
    by: Duration
    kind: Kind


@dataclass(frozen=True, slots=True)
class Apart:
    """How long after the right instant (or day) the left one is."""

    left: "Node"
    right: "Node"
    kind: Kind = Kind.DURATION


@dataclass(frozen=True, slots=True)
class Call:
    """A function of values: lower, upper, len, contains, startswith, date, days_since, days_until, month, day, ..."""

    name: str
    items: tuple["Node", ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Compare:
    """== != < <= > >=, both sides read as `bracket` (ANY: as whatever both are). A missing side makes it false."""

    op: str
    left: "Node"
    right: "Node"
    bracket: Kind
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Member:
    """`in`, or `not in`: both are false where a side is missing."""

    item: "Node"
    container: "Node | Listing"
    is_negated: bool = False
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Truth:
    """A value used as a condition: true only where it is stored as true."""

    value: "Node"
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Has:
    """Whether a value is known."""

    value: "Node"
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Both:
    """`and` over two or more."""

    items: tuple["Node", ...]
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Either:
    """`or` over two or more."""

    items: tuple["Node", ...]
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Negation:
    """`not`: true wherever the condition is not, also where something is missing."""

    item: "Node"
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Span:
    """Which past events count: of this name, within this length before now, for which `where` holds. Never future ones."""

    event: str
    within: Duration | None = None
    where: "Node | None" = None


@dataclass(frozen=True, slots=True)
class Did:
    """Whether so many events lie in the span: `op` and `count` as in ">=2"."""

    span: Span
    op: str = ">="
    count: int = 1
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a number over the events of the span; 0 when there are none."""

    span: Span
    property: str
    kind: Kind = Kind.NUMBER


@dataclass(frozen=True, slots=True)
class Last:
    """A property of the newest event of the span."""

    span: Span
    property: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Reached:
    """Whether an address of this channel is ours to write to: proved or given by the provider, and not banned."""

    channel: str
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class SentCount:
    """Whether so many of our proactive messages, narrowed by what is given, went out."""

    rule: str = ""
    label: str = ""
    topic: str = ""
    channel: str = ""
    within: Duration | None = None
    op: str = ">="
    count: int = 1
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Reacted:
    """Whether this run's message of a step was opened or clicked."""

    verb: str
    step: str
    kind: Kind = Kind.FLAG


@dataclass(frozen=True, slots=True)
class Segment:
    """A saved condition, with what it says put in its place."""

    name: str
    condition: "Node"
    kind: Kind = Kind.FLAG


Node: TypeAlias = (
    Literal | Contact | Property | Thread | Extra | Clock | Arithmetic | Shift | Apart | Call | Compare | Member | Truth
    | Has | Both | Either | Negation | Did | Total | Last | Reached | SentCount | Reacted | Segment
)  # fmt: skip

PAST = (Did, Total, Last, SentCount)
"""Nodes that ask what happened before."""


def walk(node: Any) -> Iterator[Any]:
    """Yield the node and all below it, also inside lists, spans and segments, each before what it holds."""
    yield node
    for field in fields(node):
        value = getattr(node, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, _PARTS):
                yield from walk(item)


_PARTS = (
    Literal, Listing, Contact, Property, Thread, Extra, Clock, Arithmetic, Shift, Apart, Call, Compare, Member, Truth, Has,
    Both, Either, Negation, Span, Did, Total, Last, Reached, SentCount, Reacted, Segment,
)  # fmt: skip
