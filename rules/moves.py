"""What thinking about a run comes to: what it asks of the gate, what came of that, and what it wants done to the world."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from profiles.swift import swift
from profiles.timeline import Content
from profiles.topics import Basis
from rules.rule_step import Send
from rules.run import Run

Attempt = Literal["", "fallback"]


@swift
@dataclass(frozen=True, slots=True)
class Ask:
    """A run stands before a send: may it, and on which channel?"""

    run: Run
    step: Send
    attempt: Attempt
    planned: datetime
    """When the message should have left: what `late after` is counted from."""

    @property
    def name(self) -> str:
        """Return what the outcome is filed under within the run."""
        return asked(self.step.id, self.attempt)


def asked(step: str, attempt: Attempt) -> str:
    """Return the name of a step's first or second attempt."""
    return f"{step}/{attempt}" if attempt else step


@swift
@dataclass(frozen=True, slots=True)
class Missed:
    """One of all the channels of a send, on which nothing went out although another did; it is not tried again."""

    channel: str
    reason: str
    detail: str = ""


@swift
@dataclass(frozen=True, slots=True)
class Granted:
    """The caps are reserved (of a ghost: nothing is) and these messages go out with the run's commit."""

    channels: tuple[str, ...]
    messages: tuple[str, ...] = ()
    """Their ids, one per channel; none of a ghost."""
    variant: str = ""
    to: tuple[str, ...] = ()
    """The identity key of each."""
    contents: tuple[Content, ...] = ()
    languages: tuple[str, ...] = ()
    """The one each is written in; empty where it is not known."""
    basis: Basis = "none"
    """The consent they need, asked once more when they are handed over."""
    missed: tuple[Missed, ...] = ()
    """Of a send on all of several channels, those on which it does not go out."""


@swift
@dataclass(frozen=True, slots=True)
class Held:
    """Not now: asked again then."""

    until: datetime
    reason: str


@swift
@dataclass(frozen=True, slots=True)
class Skipped:
    """Not at all; the contact goes on to the next step."""

    reason: str
    detail: str = ""


Outcome: TypeAlias = Granted | Held | Skipped


@swift
@dataclass(frozen=True, slots=True)
class Decision:
    """Why something was sent or not, kept for ever beside the run: the answer to "why did Anna not get it"."""

    step: str
    reason: str
    """A code: sent, capped:label:promo, quiet->09:00, opted_out:topic:offers, holdout, exit:goal, no_address, late, ..."""
    at: datetime
    detail: str = ""
    messages: tuple[str, ...] = ()
    channel: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Know:
    """Give profile attributes values, and add to numbers."""

    step: str
    put: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Label:
    """Add labels to the profile, and take some away."""

    step: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToPeople:
    """Hand the contact's conversation over to people."""

    step: str
    team: str | None
    agent: str | None
    note: str
    open: bool


@dataclass(frozen=True, slots=True)
class Happened:
    """Put an event on the timeline."""

    step: str
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begin:
    """Start another rule for the same contact."""

    step: str
    rule: str


@dataclass(frozen=True, slots=True)
class Errand:
    """Something outside that is done after the commit, at least once: a webhook, a wallet pass."""

    step: str
    kind: Literal["webhook", "wallet"]
    target: str
    fields: Mapping[str, str] = field(default_factory=dict)
    ends: bool = False
    """Of a pass: it is worth nothing from now on."""


Effect: TypeAlias = Know | Label | ToPeople | Happened | Begin | Errand


@swift
@dataclass(frozen=True, slots=True)
class Move:
    """A run after it went as far as it gets now."""

    run: Run
    before: Run | None = None
    """As it stood when it was moved."""
    asks: tuple[Ask, ...] = ()
    """Unanswered: advance it again from where it stood, with their outcomes."""
    effects: tuple[Effect, ...] = ()
    decisions: tuple[Decision, ...] = ()
