"""What has been spent on a person, and what they said about it: one ledger per profile, made when it is first needed.

One document answers every question of a send (consent, the person's own limits, what was sent lately, what is being handed over
now), so that one conditional update decides it (docs/consent.md). Consent and pauses are kept by key `channel:topic`; `*` in
either place means all of them. `channel` is the space that a person knows: email, sms, telegram, webpush.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any

from profiles.hours import EVERY_DAY, Hours
from profiles.profile import Profile
from profiles.swift import swift
from profiles.topics import EVERY, WORD

COLLECTION = "ledgers"
MOST_ENTRIES = 200
"""The cost of a decision grows with them: 0.8 ms of database CPU with none, 1.1 with 100, 1.9 with 300 (measured)."""
HORIZON = timedelta(days=97)
LONGEST_WINDOW = timedelta(days=90)
"""No cap looks back further: what is older than the horizon is forgotten, a week later than any cap asks."""
MOST_OWN_CAPS = 20

WHOLE: Mapping[str, Any] = {"into": None, "join": {"$in": [None, {}]}}
"""The filter for ledgers that may grant: not merged away, and not still to be united with another."""

EMPTY: Mapping[str, Any] = {"h": []}
"""What a ledger is made with."""

Document = Mapping[str, Any]


@swift
@dataclass(frozen=True, slots=True)
class Entry:
    """One proactive delivery that was spent on this person. `rid` names the reservation, once in a ledger."""

    at: datetime
    rid: str
    channel: str
    topic: str
    rule: str = ""
    labels: tuple[str, ...] = ()
    priority: int = 50


@dataclass(frozen=True, slots=True)
class Permit:
    """A hand-over to a provider that may be under way until `until` (the database's clock)."""

    id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class OwnCap:
    """The person's own limit: at most so many within any stretch this long, on a channel, about a topic, or over all."""

    at_most: int
    within: timedelta
    channel: str = EVERY
    topic: str = EVERY


@dataclass(frozen=True, slots=True)
class Pending:
    """A yes that waits for its confirmation (double opt-in)."""

    id: str
    until: datetime


@swift
@dataclass(frozen=True, slots=True)
class Ledger:
    """What one profile's ledger says. One that was never made is an empty one."""

    profile: str
    on: Mapping[str, bool] = field(default_factory=dict)
    """key -> whether the person said yes or no; not said: absent."""
    at: Mapping[str, datetime] = field(default_factory=dict)
    """key -> when they said it."""
    pending: Mapping[str, Pending] = field(default_factory=dict)
    paused: Mapping[str, datetime] = field(default_factory=dict)
    """key -> until when the person wants to hear nothing."""
    own: tuple[OwnCap, ...] = ()
    quiet: tuple[Hours, ...] = ()
    entries: tuple[Entry, ...] = ()
    """What was spent, newest first; at most 200."""
    permits: tuple[Permit, ...] = ()
    banned: frozenset[str] = frozenset()
    """Marks of this person's addresses that nothing may be sent to."""
    into: str | None = None
    """The profile that absorbed this one."""
    joining: frozenset[str] = frozenset()
    """Profiles whose ledgers are still to be brought together with this one; until then nothing is granted."""


@lru_cache(maxsize=1024)
def key(channel: str, topic: str) -> str:
    """Return the key of a consent. Raises ValueError for what is no name: it would be a path of fields."""
    for name in (channel, topic):
        if name != EVERY and not WORD.fullmatch(name):
            raise ValueError(f"expected a name of small letters, digits, - and _, got {name[:60]!r}")
    return f"{channel}:{topic}"


@lru_cache(maxsize=1024)
def wider(channel: str, topic: str) -> tuple[str, str, str]:
    """Return the keys that cover this one: the whole channel, the topic everywhere, everything."""
    return key(channel, EVERY), key(EVERY, topic), key(EVERY, EVERY)


def covers(wide: str, narrow: str) -> bool:
    """Return whether a key speaks of another: itself, or a wider one."""
    return all(mine in (EVERY, theirs) for mine, theirs in zip(wide.split(":"), narrow.split(":"), strict=True))


def mark(identity: str) -> str:
    """Return the name by which a ledger knows a banned address: an address itself may hold dots and dollars."""
    return "a" + hashlib.blake2b(identity.encode(), digest_size=9).hexdigest()


def bans(before: Profile | None, after: Profile) -> tuple[dict[str, bool], dict[str, str]]:
    """Return what to put and what to drop in a ledger whose profile was changed so: it knows every suppressed address.

    The commit that suppresses an address, or lifts that, writes this too; so no hand-over to it passes afterwards.
    """
    if before and before.identities is after.identities:
        return {}, {}
    was, now = _suppressed(before), _suppressed(after)
    return {f"off.{mark(key)}": True for key in now - was}, {f"off.{mark(key)}": "" for key in was - now}


def ledger_of(profile: str, document: Document | None) -> Ledger:
    """Return the ledger of a document; None gives the empty one."""
    if document is None:
        return Ledger(profile)
    return Ledger(
        profile=profile,
        on=document.get("on", {}),
        at=document.get("at", {}),
        pending={name: Pending(**waiting) for name, waiting in document["ask"].items()} if "ask" in document else {},
        paused=document.get("mute", {}),
        own=tuple(map(_own_cap, document["own"])) if "own" in document else (),
        quiet=tuple(map(_hours, document["quiet"])) if "quiet" in document else (),
        entries=tuple(map(_entry, document.get("h", ()))),
        permits=tuple(Permit(permit["r"], permit["e"]) for permit in document["p"]) if "p" in document else (),
        banned=frozenset(document.get("off", ())),
        into=document.get("into"),
        joining=frozenset(document.get("join", ())),
    )


def own_document(caps: Iterable[OwnCap]) -> list[dict[str, Any]]:
    """Return the person's own caps as they are stored; `w` in milliseconds."""
    return [
        {"n": cap.at_most, "w": cap.within // timedelta(milliseconds=1), "c": cap.channel, "k": cap.topic}
        for cap in caps
    ]


def quiet_document(hours: Iterable[Hours]) -> list[dict[str, Any]]:
    """Return the person's own quiet hours as they are stored: minutes after local midnight."""
    return [
        {
            "since": spell.since.hour * 60 + spell.since.minute,
            "until": spell.until.hour * 60 + spell.until.minute,
            "days": sorted(spell.days),
        }
        for spell in hours
    ]


def _suppressed(profile: Profile | None) -> set[str]:
    return {one.key for one in profile.identities if one.suppression} if profile else set()


def _own_cap(cap: Document) -> OwnCap:
    return OwnCap(cap["n"], timedelta(milliseconds=cap["w"]), cap["c"], cap["k"])


def _hours(spell: Document) -> Hours:
    since, until = (time(spell[name] // 60 % 24, spell[name] % 60) for name in ("since", "until"))
    return Hours(since, until, frozenset(spell.get("days", EVERY_DAY)))


def _entry(entry: Document) -> Entry:
    return Entry(
        at=entry["t"],
        rid=entry["r"],
        channel=entry["c"],
        topic=entry["k"],
        rule=entry.get("u", ""),
        labels=tuple(entry.get("g", ())),
        priority=entry.get("y", 50),
    )


def own_rid(rid: str, profile: str) -> str:
    """Return the name of a reservation that many make alike, as one person has it."""
    return f"{rid}/{profile}"
