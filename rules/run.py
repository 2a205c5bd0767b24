"""One contact inside one rule: where it stands, what was sent, until when its goal counts, why it ended.

Names are worked out, so that what is done twice meets itself. Those of one campaign lie side by side, in the order of its contacts,
which is the order it is walked in: names by chance made the database read and write two pages of its indexes for each contact once
they outgrew its cache. Of 30,000 contacts with a cache of 12 MB, as a million has with 400, each took 947 us of its CPU; now 117.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from profiles.ledger import own_rid
from profiles.swift import swift

FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_DIGITS = str.maketrans("ABCDEFGHJKMNPQRSTVWXYZ", "abcdefghijklmnopqrstuv")
"""Crockford's letters, in which profiles are named (profiles/ids.py), as Python reads numbers to the base of 32."""


@swift
@dataclass(frozen=True, slots=True)
class Token:
    """One place in the rule where the run stands; a run in parallel branches has several."""

    at: str
    """The id of the step that comes next, or that waits."""
    since: datetime
    """When it came to this step."""
    due_at: datetime | None = None
    """When it must be looked at again; None: only something that happens moves it."""
    within: tuple[str, ...] = ()
    """The parallel steps it is inside of, outermost first."""
    held: str = ""
    """The last reason why it waits, so that it is told once."""


@swift
@dataclass(frozen=True, slots=True)
class Sent:
    """One message of a run, and what came back. Of a ghost, what would have been sent."""

    at: datetime
    messages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    variant: str = ""
    reactions: Mapping[str, datetime] = field(default_factory=dict)
    """delivered, opened, clicked, replied -> when it was first seen."""


@swift
@dataclass(frozen=True, slots=True)
class Run:
    """Whoever writes it must have read this `version`, or the commit is thought again."""

    id: str
    rule: str
    rule_version: str
    profile: str
    started_at: datetime
    key: str = ""
    """The matter: of two runs of one rule for one contact, which cart."""
    occurrence: str = ""
    """What began it: an event's id, a schedule's local instant, an API call's key. Part of every message's id."""
    start: Mapping[str, Any] = field(default_factory=dict)
    """The properties of the event that began it, and its `name` and `at`."""
    tokens: tuple[Token, ...] = ()
    sends: Mapping[str, Sent] = field(default_factory=dict)
    """step id -> what it sent."""
    is_ghost: bool = False
    """Held out: decided and recorded, never sent."""
    sent_at: datetime | None = None
    """When it last sent."""
    due_at: datetime | None = None
    """The earliest of its tokens; None when only something that happens moves it, or when it has ended."""
    watch_until: datetime | None = None
    """Until when it must be told what happens: for ever while it is alive, then until its goal's time is over."""
    ended_at: datetime | None = None
    ended: str = ""
    """done, exit:<event>, goal, stopped, late, restarted, edited, ..."""
    goal_at: datetime | None = None
    goal_value: float | None = None
    chain: int = 0
    """How many rules started one another before this one."""
    leased_by: str | None = None
    lease_until: datetime | None = None
    version: int = 0

    @property
    def is_alive(self) -> bool:
        """Whether it still has steps before it."""
        return self.ended_at is None


def run_id(rule: str, profile: str, occurrence: str) -> str:
    """Return the run's id: the same occurrence begins it once, whatever the rule's version."""
    return _near("run", rule, occurrence) + _place(profile) + _digest(8, "run", rule, profile, occurrence)


def message_id(run: Run, step: str, channel: str) -> str:
    """Return the id of the message of a step: deterministic, so that a repeated decision meets itself.

    30 hexadecimal digits, which profiles/links.py makes short links of.
    """
    own = _digest(8, "message", run.rule, run.profile, run.occurrence, step, channel)
    return "rule:" + _near("message", run.rule, run.occurrence, step, channel) + _place(run.profile) + own


def reservation(run: Run, step: str) -> str:
    """Return what all who are in this occurrence of the rule call this send by, in front of their own name."""
    return _common(run.rule, run.occurrence, step)


def reservation_id(run: Run, step: str) -> str:
    """Return what the contact's ledger knows this send by."""
    return own_rid(reservation(run, step), run.profile)


def effect_id(run: Run, step: str) -> str:
    """Return the id of what a step makes: an event, an errand."""
    return "rule:" + _digest(15, "effect", run.rule, run.profile, run.occurrence, step)


def decision_id(run: Run, step: str, reason: str, place: str) -> str:
    """Return the id of a decision row; `place` tells one commit of the run from the next."""
    return run.id[:14] + _digest(8, "decision", run.id, step, reason, place)


@lru_cache(maxsize=256)
def _common(rule: str, occurrence: str, step: str) -> str:
    return _digest(15, "send", rule, occurrence, step)


@lru_cache(maxsize=256)
def _near(*parts: str) -> str:
    """Return six digits, the same for all contacts of an occurrence."""
    return _digest(3, *parts)


@lru_cache(maxsize=2048)
def _place(profile: str) -> str:
    """Return eight digits that sort as profiles do: of an id of ours when it was made, to a quarter of a second, for 34 years."""
    try:
        number = int(profile[:10].ljust(10, "0").translate(_DIGITS), 32)
    except ValueError:  # no id of ours: by its first letters
        number = int.from_bytes(profile.encode()[:5].ljust(5, b"\0"))
    return f"{number >> 8 & 0xFFFFFFFF:08x}"


def _digest(size: int, *parts: str) -> str:
    text = "\x1f".join(parts)
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()
