"""What somebody wants of a ledger, and what it answers: pure, so that the gate, its model and a rehearsal say the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TypeAlias

from profiles.caps import Cap, Slot, first_free, full
from profiles.consent import allows, paused_until
from profiles.ledger import HORIZON, MOST_ENTRIES, Entry, Ledger
from profiles.swift import swift

ASK_AGAIN = timedelta(seconds=1)


@swift
@dataclass(frozen=True, slots=True)
class Granted:
    """The slot is this person's reservation `rid`, since `at` (the database's clock; None: since just now, and nobody looked).

    It may have been ours before. Consent is asked again at the sending (profiles/permits.py): a no may have come since.
    """

    at: datetime | None = None


@swift
@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing was taken, why, and the first instant at which it is worth asking again (None: no instant is).

    Codes: those of `profiles.consent.verdict` and `Cap.code`, `paused`, `merged` (detail: into whom), `capped:own`,
    `capped:ledger` (200 deliveries within the horizon), `contended` (a slot came free meanwhile).
    """

    code: str
    until: datetime | None = None
    detail: str = ""


Answer: TypeAlias = Granted | Denied


@swift
@dataclass(frozen=True, slots=True)
class Wanted:
    """One delivery that somebody wants to make: to whom, what it would spend, under which caps, in whose zone."""

    profile: str
    slot: Slot
    caps: tuple[Cap, ...]
    zone: tzinfo
    due_at: datetime


def in_turn(wanted: Sequence[Wanted]) -> list[int]:
    """Return their places in the order in which one last slot would be given: the higher priority, then what was due first."""
    return sorted(range(len(wanted)), key=lambda place: (-wanted[place].slot.priority, wanted[place].due_at))


def why(
    ledger: Ledger,
    slot: Slot,
    caps: Iterable[Cap],
    *,
    zone: tzinfo,
    now: datetime,
    horizon: timedelta = HORIZON,
) -> Answer:
    """Return what the gate would answer by what this ledger says; what a person is told when it refused."""
    if spent := _already(ledger, slot.rid):
        return Granted(spent.at)
    if code := allows(ledger, slot):
        return Denied(code, detail=ledger.into or "")
    if until := paused_until(ledger, slot.channel, slot.topic, now):
        return Denied("paused", until)
    if found := full(ledger, slot, caps, zone=zone, now=now):
        return Denied(found[0].code, first_free(found))
    if len(ledger.entries) >= MOST_ENTRIES and (oldest := ledger.entries[-1].at + horizon) > now:
        return Denied("capped:ledger", oldest)
    return Denied("contended", now + ASK_AGAIN)


def _already(ledger: Ledger, rid: str) -> Entry | None:
    return next((entry for entry in ledger.entries if entry.rid == rid), None)
