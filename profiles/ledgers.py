"""The atomic gate: consent, every cap and "not twice" decided and the slot taken in one conditional update per person.

Updates of one document are serial, and at each grant all others of its window were counted: whatever the number of
processes, no cap is exceeded. Counting first and inserting then exceeds them, in a snapshot transaction too
(tests/profiles/test_ledger_races.py shows both). The clock is the database's. Written to a majority and the journal: no
answer, no grant; a slot whose answer was lost is spent, and found again as ours by its `rid`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from profiles.caps import Cap, Slot, ago, even, is_calendar, literal, room, starts
from profiles.consent import awake, lawful
from profiles.crash import crash_point
from profiles.ledger import COLLECTION, EMPTY, HORIZON, MOST_ENTRIES, WHOLE, Ledger, ledger_of, own_rid
from profiles.ledger_answer import ASK_AGAIN, Answer, Denied, Granted, Wanted, in_turn, why
from profiles.ledger_merging import bring_together
from profiles.store import Document, Filter, Store

AT_ONCE = 500
"""People asked about in one command: the command is what costs, not the document."""
PARKED_FOR = timedelta(minutes=5)
"""When it is worth asking again while the database's clock is doubted."""
_TRIES = 3
_ENTRIES: Filter = {"$ifNull": ["$h", []]}


class Ledgers:
    """All ledgers of one database."""

    def __init__(self, store: Store, *, horizon: timedelta = HORIZON) -> None:
        self._store, self._horizon = store, horizon

    async def read(self, profiles: Iterable[str]) -> dict[str, Ledger]:
        """Return the ledger of each of these profiles; one that was never made is empty."""
        ids = list(dict.fromkeys(profiles))
        stored = {document["_id"]: document for document in await self._store.get_many(COLLECTION, ids)}
        for id in [id for id, document in stored.items() if document.get("join")]:
            stored[id] = await bring_together(self._store, id)
        return {id: ledger_of(id, stored.get(id)) for id in ids}

    async def reserve(self, wanted: Wanted, *, now: datetime) -> Answer:
        """Take one slot for one person, in one command."""
        where = {"_id": wanted.profile, **self._open(wanted.slot, wanted.caps, wanted.zone, now)}
        spend = self._spend(wanted.slot)
        for _ in range(_TRIES):
            document = await self._store.change(COLLECTION, where, spend)
            if document:
                return Granted(document["h"][0]["t"])
            ledgers = await self._settled([wanted.profile])
            if ledgers:
                return self._why(ledgers[wanted.profile], wanted.slot, wanted.caps, wanted.zone, now)
        return self._contended(now)

    async def reserve_each(self, wanted: Sequence[Wanted], *, now: datetime) -> list[Answer]:
        """Take slots of their own for many, in one command for up to 500 and two more when one is refused.

        Answers come in the order asked; slots are given in turn.
        """
        order = in_turn(wanted)
        answers: dict[int, Answer] = {}
        for some in _portions(order):
            asked = [wanted[place] for place in some]
            answers.update(zip(some, await self._each(asked, now), strict=True))
        return [answers[place] for place in range(len(wanted))]

    async def reserve_all(
        self,
        profiles: Sequence[str],
        slot: Slot,
        caps: Sequence[Cap],
        *,
        zones: Mapping[str, tzinfo],
        now: datetime,
        by_name: bool = False,
    ) -> dict[str, Answer]:
        """Take the same slot for many people, in one update and one look for each 500: twenty times a slot of their own.

        The `rid` is the occurrence and step, the same for all; with `by_name` each is called `own_rid(rid, profile)`, so that two
        who turn out to be one person have spent two. `zones` matter where a cap counts by local dates (who is not in it: UTC);
        people of one date are then asked together. Every id gets its answer.
        """
        answers: dict[str, Answer] = {}
        for portion in _portions(list(dict.fromkeys(profiles))):
            for zone, ids in _by_date(portion, caps, zones, now):
                answers.update(await self._all(ids, slot, caps, zone, now, by_name))
        return answers

    async def release(self, profile: str, rid: str) -> None:
        """Give a slot back: only when it is proved that nothing was sent."""
        await self.release_all([profile], rid)

    async def release_all(self, profiles: Sequence[str], rid: str) -> None:
        """Give back the slot that many have under one `rid`."""
        await self._store.change_many(COLLECTION, {"_id": {"$in": list(profiles)}}, {"$pull": {"h": {"r": rid}}})

    async def _each(self, wanted: Sequence[Wanted], now: datetime) -> list[Answer]:
        answers: dict[int, Answer] = {}
        left = list(range(len(wanted)))
        for _ in range(_TRIES):
            held = await self._take([wanted[place] for place in left], now)
            taken = {place: (wanted[place].profile, wanted[place].slot.rid) for place in left}
            answers |= {place: Granted(held[key]) for place, key in taken.items() if key in held}
            left = [place for place in left if place not in answers]
            ledgers = await self._settled([wanted[place].profile for place in left])
            for place in left:
                one = wanted[place]
                if one.profile in ledgers:
                    answers[place] = self._why(ledgers[one.profile], one.slot, one.caps, one.zone, now)
            left = [place for place in left if place not in answers]
            if not left:
                break
        return [answers.get(place) or self._contended(now) for place in range(len(wanted))]

    async def _take(self, asked: Sequence[Wanted], now: datetime) -> dict[tuple[str, str], datetime | None]:
        """Take these slots in their order; return (profile, rid) -> since when, of all of them that are now held.

        When every update found its person open to it all have theirs, and nobody needs to look.
        """
        changes = [
            ({"_id": one.profile, **self._open(one.slot, one.caps, one.zone, now)}, self._spend(one.slot))
            for one in asked
        ]
        matched = await self._store.write_many(COLLECTION, changes, in_order=True)
        crash_point("slot.taken")
        if matched == len(asked):
            return {(one.profile, one.slot.rid): None for one in asked}
        ids, rids = list({one.profile for one in asked}), {one.slot.rid for one in asked}
        found = await self._store.find(COLLECTION, {"_id": {"$in": ids}}, only=["h.r", "h.t"], at_once=len(ids) + 1)
        return {
            (one["_id"], entry["r"]): entry["t"] for one in found for entry in one.get("h", ()) if entry["r"] in rids
        }

    async def _all(
        self, profiles: Sequence[str], slot: Slot, caps: Sequence[Cap], zone: tzinfo, now: datetime, by_name: bool
    ) -> dict[str, Answer]:
        rid = {"$concat": [literal(own_rid(slot.rid, "")), "$_id"]} if by_name else literal(slot.rid)
        conditions, spend = self._open(slot, caps, zone, now, rid), self._spend(slot, rid)
        mine = {"h": {"$filter": {"input": _ENTRIES, "as": "e", "cond": {"$eq": ["$$e.r", rid]}}}}
        answers: dict[str, Answer] = {}
        left = list(profiles)
        for _ in range(_TRIES):
            await self._store.change_many(COLLECTION, {"_id": {"$in": left}, **conditions}, spend)
            crash_point("slots.taken")
            found = await self._store.find(COLLECTION, {"_id": {"$in": left}}, only=mine, at_once=len(left) + 1)
            answers |= {one["_id"]: Granted(one["h"][0]["t"]) for one in found if one["h"]}
            ledgers = await self._settled([id for id in left if id not in answers])
            for id, ledger in ledgers.items():
                own = replace(slot, rid=own_rid(slot.rid, id)) if by_name else slot
                answers[id] = self._why(ledger, own, caps, zone, now)
            left = [id for id in left if id not in answers]
            if not left:
                break
        return answers | {id: self._contended(now) for id in left}

    async def _settled(self, profiles: Sequence[str]) -> dict[str, Ledger]:
        """Return the ledgers that were refused for good. Left out, to be asked again: those who had none, and those that had
        still to be brought together with another; now they have, and are."""
        if not profiles:
            return {}
        stored = {document["_id"]: document for document in await self._store.get_many(COLLECTION, profiles)}
        await self.make({id for id in profiles if id not in stored})
        joining = [id for id, document in stored.items() if document.get("join")]
        for id in joining:
            await bring_together(self._store, id)
        return {id: ledger_of(id, document) for id, document in stored.items() if id not in joining}

    def _why(self, ledger: Ledger, slot: Slot, caps: Sequence[Cap], zone: tzinfo, now: datetime) -> Answer:
        answer = why(ledger, slot, caps, zone=zone, now=now, horizon=self._horizon)
        return self._contended(now) if isinstance(answer, Denied) and answer.code == "contended" else answer

    def _contended(self, now: datetime) -> Denied:
        return Denied("contended", now + (PARKED_FOR if self._store.steady.is_doubted else ASK_AGAIN))

    async def make(self, profiles: Iterable[str]) -> None:
        """Make the empty ledgers of those who have none."""
        await self._store.insert_missing(COLLECTION, [{"_id": profile, **EMPTY} for profile in profiles])

    def _open(self, slot: Slot, caps: Sequence[Cap], zone: tzinfo, now: datetime, rid: Filter | None = None) -> Filter:
        """Return the filter under which a ledger grants this slot: the same that `why` explains. `rid`: worked out there."""
        bounded = {"$or": [
            {"$lt": [{"$size": _ENTRIES}, MOST_ENTRIES]},
            {"$lte": [{"$last": "$h.t"}, ago(self._horizon)]},
        ]}  # fmt: skip
        conditions = [
            bounded,
            *even(self._store.steady.latest()),
            *awake(slot.channel, slot.topic),
            *room(slot, caps, zone=zone, now=now),
        ]
        if rid:
            conditions.insert(0, {"$not": [{"$in": [rid, {"$ifNull": ["$h.r", []]}]}]})
        return {
            **({} if rid else {"h.r": {"$ne": slot.rid}}),
            **WHOLE,
            **lawful(slot.channel, slot.topic, slot.basis),
            "$expr": {"$and": conditions},
        }

    def _spend(self, slot: Slot, rid: Filter | None = None) -> Sequence[Filter]:
        newest = {"$first": {"$ifNull": ["$h.t", []]}}
        entry: Document = {
            "t": {"$max": ["$$NOW", newest]},
            **{name: literal(value) for name, value in _entry(slot).items()},
        }
        if rid:
            entry["r"] = rid
        recent = {"$filter": {"input": _ENTRIES, "as": "e", "cond": {"$gt": ["$$e.t", ago(self._horizon)]}}}
        return [{"$set": {"h": {"$concatArrays": [[entry], recent]}}}]


def _entry(slot: Slot) -> Document:
    spent: Document = {"r": slot.rid, "c": slot.channel, "k": slot.topic}
    if slot.rule:
        spent["u"] = slot.rule
    if slot.labels:
        spent["g"] = list(slot.labels)
    if slot.priority != 50:
        spent["y"] = slot.priority
    return spent


def _portions(items: list[Any]) -> Iterable[list[Any]]:
    return (items[first : first + AT_ONCE] for first in range(0, len(items), AT_ONCE))


def _by_date(
    profiles: Sequence[str], caps: Sequence[Cap], zones: Mapping[str, tzinfo], now: datetime
) -> list[tuple[tzinfo, list[str]]]:
    """Return people by what their zone says of the local dates: all of them at once where no cap asks for dates."""
    if not is_calendar(caps):
        return [(UTC, list(profiles))]
    dates = {zone: _dates(zone, now) for zone in {UTC, *zones.values()}}
    alike: defaultdict[tuple[datetime, ...], list[str]] = defaultdict(list)
    for profile in profiles:
        alike[dates[zones.get(profile, UTC)]].append(profile)
    return [(zones.get(ids[0], UTC), ids) for ids in alike.values()]


def _dates(zone: tzinfo, now: datetime) -> tuple[datetime, ...]:
    return starts("day", zone, now) + starts("week", zone, now) + starts("month", zone, now)
