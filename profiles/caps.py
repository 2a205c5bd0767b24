"""How much is too much? Caps over what a ledger says was spent: asked here of one ledger, and as a condition inside the database.

A cap counts the deliveries of marketing within a stretch that ends now (rolling) or since the local day, week or month began
(calendar, in the contact's zone). A grace period is a cap of one. Both forms of a question stand beside each other here, for
they must never differ: tests/profiles/test_consent_agrees.py holds them together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Literal

from profiles.ledger import LONGEST_WINDOW, Entry, Ledger, OwnCap
from profiles.swift import swift
from profiles.topics import EVERY, Basis

Scope = Literal["all", "channel", "topic", "label", "rule"]
Calendar = Literal["day", "week", "month"]
Expression = dict[str, Any]


@swift
@dataclass(frozen=True, slots=True)
class Slot:
    """What one delivery would spend. `rid` names the reservation: once in a ledger, the same when it is asked again.

    `channel` is the space of the identity it goes to (sms, whoever carries it): the word that consent is kept by.
    """

    rid: str
    channel: str
    topic: str
    basis: Basis = "given"
    rule: str = ""
    labels: tuple[str, ...] = ()
    priority: int = 50
    """0 to 100; of those who ask in one batch the higher come first."""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many within a stretch: over all, or of one channel, topic, label or rule (`name`).

    `below` keeps slots for what matters more: it holds for slots of a lower priority, and counts only those. "3 a week, one of
    them kept for 80 and above" is two caps: 3 a week, and 2 a week below 80.
    """

    at_most: int
    within: timedelta | Calendar
    scope: Scope = "all"
    name: str = ""
    below: int | None = None
    is_grace: bool = False

    @property
    def code(self) -> str:
        """Return the reason it gives: `capped:label:promo`, `capped:all`, `grace:rule:cart`."""
        word = "grace" if self.is_grace else "capped"
        return f"{word}:{self.scope}:{self.name}" if self.name else f"{word}:{self.scope}"

    def holds_for(self, slot: Slot) -> bool:
        """Return whether a delivery like this one must ask this cap."""
        if self.below is not None and slot.priority >= self.below:
            return False
        return self.scope == "all" or self.name in _names(self.scope, slot)

    def counts(self, entry: Entry) -> bool:
        """Return whether an entry, were it recent, counts."""
        if self.below is not None and entry.priority >= self.below:
            return False
        return self.scope == "all" or self.name in _names(self.scope, entry)


@swift
@dataclass(frozen=True, slots=True)
class Full:
    """A cap without a free slot, and the first instant at which it may have one; None: never."""

    code: str
    until: datetime | None


def grace(within: timedelta, scope: Scope = "all", name: str = "") -> Cap:
    """Return the cap that keeps at least this time between two deliveries."""
    return Cap(1, within, scope, name, is_grace=True)


def mistakes(cap: Cap) -> tuple[str, ...]:
    """Return what is wrong with a cap, one sentence each."""
    found = []
    if cap.at_most < 0:
        found.append(f"at most: expected 0 or more, got {cap.at_most}")
    if isinstance(cap.within, timedelta) and not timedelta(0) < cap.within <= LONGEST_WINDOW:
        found.append(f"within: expected more than nothing and at most {LONGEST_WINDOW.days}d, got {cap.within}")
    if (cap.scope == "all") != (cap.name == ""):
        found.append(f"{cap.scope}: expected {'no name' if cap.scope == 'all' else 'a name'}, got {cap.name!r}")
    return tuple(found)


def full(ledger: Ledger, slot: Slot, caps: Iterable[Cap], *, zone: tzinfo, now: datetime) -> tuple[Full, ...]:
    """Return the caps that have no slot left for this delivery, graces first; the person's own caps are asked too."""
    if not ledger.entries:  # most of a campaign's contacts: nothing spent fills only a cap of nothing
        caps = [cap for cap in caps if cap.at_most < 1]
    found = [spent for cap in caps if cap.holds_for(slot) and (spent := _spent(cap, ledger.entries, zone, now))]
    found += [spent for own in ledger.own if holds_own(own, slot) and (spent := _spent_own(own, ledger.entries, now))]
    return tuple(sorted(found, key=lambda spent: not spent.code.startswith("grace")))


def first_free(found: Iterable[Full]) -> datetime | None:
    """Return the first instant at which none of these caps is full any more; None: there is none."""
    instants = [spent.until for spent in found]
    return max((until for until in instants if until), default=None) if None not in instants else None


def room(slot: Slot, caps: Iterable[Cap], *, zone: tzinfo, now: datetime) -> Iterator[Expression]:
    """Yield the conditions (aggregation expressions over a ledger document) under which no cap is full; own caps included."""
    for cap in caps:
        if cap.holds_for(slot):
            since = _since(cap.within, zone, now)
            matches = [since, *_matches(cap)]
            yield {"$lt": [_count(matches), cap.at_most]}
    yield _own_room(slot)


def is_calendar(caps: Iterable[Cap]) -> bool:
    """Return whether any of these counts by local dates, so that the zone of a contact matters."""
    return any(not isinstance(cap.within, timedelta) for cap in caps)


def starts(within: Calendar, zone: tzinfo, now: datetime) -> tuple[datetime, datetime, datetime]:
    """Return when the local day, week (from Monday) or month before this one began, this one did, and the next will."""
    today = now.astimezone(zone).date()
    first = {"day": today, "week": today - timedelta(today.weekday()), "month": today.replace(day=1)}[within]
    before, after = _shifted(first, within, -1), _shifted(first, within, 1)
    previous, this, following = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (before, first, after))
    return previous, this, following


def literal(value: Any) -> Expression:
    """Return a value that no expression looks into: a reservation may be called "$h"."""
    return {"$literal": value}


def even(latest: datetime | None) -> list[Expression]:
    """Return the condition that the database's clock has not leapt past this instant (profiles/steady.py)."""
    return [] if latest is None else [{"$lte": ["$$NOW", literal(latest)]}]


def ago(length: timedelta) -> Expression:
    """Return the instant so long before the database's now."""
    return {"$subtract": ["$$NOW", length // timedelta(milliseconds=1)]}


def _names(scope: Scope, spent: Slot | Entry) -> tuple[str, ...]:
    match scope:
        case "channel":
            return (spent.channel,)
        case "topic":
            return (spent.topic,)
        case "label":
            return spent.labels
        case "rule":
            return (spent.rule,)
    return ()


def _spent(cap: Cap, entries: tuple[Entry, ...], zone: tzinfo, now: datetime) -> Full | None:
    counted = (entry.at for entry in entries if cap.counts(entry))
    if isinstance(cap.within, timedelta):
        return _rolling(cap.code, cap.at_most, cap.within, counted, now)
    _, since, following = starts(cap.within, zone, now)
    if sum(moment >= since for moment in counted) < cap.at_most:
        return None
    return Full(cap.code, following if cap.at_most else None)


def _spent_own(own: OwnCap, entries: tuple[Entry, ...], now: datetime) -> Full | None:
    counted = (entry.at for entry in entries if _counts_own(own, entry))
    return _rolling("capped:own", own.at_most, own.within, counted, now)


def _rolling(code: str, at_most: int, within: timedelta, counted: Iterable[datetime], now: datetime) -> Full | None:
    """Entries come newest first: the cap is free again when the last one that fills it is older than the stretch."""
    recent = [moment for moment in counted if moment > now - within]
    if len(recent) < at_most:
        return None
    return Full(code, recent[at_most - 1] + within if at_most else None)


def holds_own(own: OwnCap, slot: Slot) -> bool:
    """Return whether a delivery like this one must ask the person's own cap."""
    return own.channel in (EVERY, slot.channel) and own.topic in (EVERY, slot.topic)


def _counts_own(own: OwnCap, entry: Entry) -> bool:
    return own.channel in (EVERY, entry.channel) and own.topic in (EVERY, entry.topic)


def _count(matches: list[Expression]) -> Expression:
    entries = {"$ifNull": ["$h", []]}
    return {"$size": {"$filter": {"input": entries, "as": "e", "cond": {"$and": matches}}}}


def _since(within: timedelta | Calendar, zone: tzinfo, now: datetime) -> Expression:
    """Return the condition that an entry is recent, by the database's clock.

    Which local day it is, the database decides too, among three that this process worked out: near midnight the two clocks may
    disagree. And it needs no list of zones of its own, which would break all 500 of a batch over one name it lacks.
    """
    if isinstance(within, timedelta):
        return {"$gt": ["$$e.t", ago(within)]}
    begun = {
        "$filter": {"input": literal(list(starts(within, zone, now))), "as": "s", "cond": {"$lte": ["$$s", "$$NOW"]}}
    }
    return {"$gte": ["$$e.t", {"$max": begun}]}


def _matches(cap: Cap) -> Iterator[Expression]:
    if cap.below is not None:
        yield {"$lt": [{"$ifNull": ["$$e.y", 50]}, cap.below]}
    match cap.scope:
        case "channel":
            yield {"$eq": ["$$e.c", literal(cap.name)]}
        case "topic":
            yield {"$eq": ["$$e.k", literal(cap.name)]}
        case "rule":
            yield {"$eq": ["$$e.u", literal(cap.name)]}
        case "label":
            yield {"$in": [literal(cap.name), {"$ifNull": ["$$e.g", []]}]}


def _own_room(slot: Slot) -> Expression:
    """Return the condition that none of the caps in the document itself is full."""
    holds = [
        {"$in": ["$$o.c", literal([EVERY, slot.channel])]},
        {"$in": ["$$o.k", literal([EVERY, slot.topic])]},
    ]
    counted = _count([
        {"$gt": ["$$e.t", {"$subtract": ["$$NOW", "$$o.w"]}]},
        {"$or": [{"$eq": ["$$o.c", EVERY]}, {"$eq": ["$$o.c", "$$e.c"]}]},
        {"$or": [{"$eq": ["$$o.k", EVERY]}, {"$eq": ["$$o.k", "$$e.k"]}]},
    ])  # fmt: skip
    filled = {"$and": [*holds, {"$gte": [counted, "$$o.n"]}]}
    own = {"$ifNull": ["$own", []]}
    return {"$eq": [{"$size": {"$filter": {"input": own, "as": "o", "cond": filled}}}, 0]}


def _shifted(first: date, within: Calendar, by: int) -> date:
    if within == "month":
        return (first + timedelta(31) if by > 0 else first - timedelta(1)).replace(day=1)
    return first + timedelta(by * (7 if within == "week" else 1))
