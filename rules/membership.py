"""Who is in which segment, for rules that begin when somebody enters or leaves one.

A row per member, only of segments that a rule watches. Who enters or leaves is found when there is news of them, and by a
sweep for what time alone changes ("no order within 90 days"). Whoever is in a segment when it is first watched, or after its
condition was edited, has not just entered it: that is its baseline, and fires nothing.
"""

import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Protocol

from profiles.audience import stream
from profiles.calendar import Clock
from profiles.expression import Expression, Facts
from profiles.ids import new_id
from profiles.record import Document
from profiles.snapshot import Changes, Snapshot, Write
from profiles.store import Store
from profiles.timeline import Event
from rules.triggers import ENTERED, LEFT

log = logging.getLogger("rules.membership")

MEMBERSHIPS, BASELINES = "memberships", "baselines"
SWEEP_SECONDS = 600.0
AT_ONCE = 500
HELD_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Somebody who is in a segment and was not, or the other way round."""

    segment: str
    entered: bool


def crossings(segments: Mapping[str, Expression], members: frozenset[str], facts: Facts) -> tuple[Crossing, ...]:
    """Return what changed for this contact; `members` are the segments they were known to be in."""
    now = {name for name, condition in segments.items() if condition.test(facts)}
    return tuple(Crossing(name, name in now) for name in segments if (name in now) != (name in members))


def row_id(segment: str, profile: str) -> str:
    """Return the id of a membership's row."""
    return f"{segment}|{profile}"


def crossed(profile: str, found: Iterable[Crossing], snapshot: Snapshot) -> Changes:
    """Return the changes that make crossings known: the row, and the event that rules hear. Known already, nothing."""
    changes = Changes()
    for crossing in found:
        id = row_id(crossing.segment, profile)
        if (snapshot.records.get((MEMBERSHIPS, id)) is not None) == crossing.entered:
            continue  # another process was first
        row = {"segment": crossing.segment, "profile": profile, "since": snapshot.now} if crossing.entered else None
        event = Event(
            id=new_id(snapshot.now),
            profile=profile,
            name=ENTERED if crossing.entered else LEFT,
            happened_at=snapshot.now,
            properties={"segment": crossing.segment},
        )
        changes = changes.then(Changes(writes=(Write(MEMBERSHIPS, id, row),), events=(event,)))
    return changes


class Watches(Protocol):
    """Who thinks: with which segments, and of which of them the members are known."""

    baselined: frozenset[str]

    @property
    def segments(self) -> Mapping[str, Expression]: ...


class Sweep:
    """Compares the rows of each watched segment with its audience, and has the contacts looked at who differ."""

    def __init__(
        self, store: Store, tell: Callable[[str], None], watches: Watches, *, zone: tzinfo, clock: Clock
    ) -> None:
        self._store, self._tell, self._watches, self._zone, self._clock = store, tell, watches, zone, clock

    async def look(self) -> int:
        """Sweep every segment and return how many contacts have to be looked at; a new segment takes its baseline."""
        found = 0
        segments = {name: it for name, it in self._watches.segments.items() if it.needs.is_of_profile}
        known = [name for name, condition in segments.items() if await self._has_baseline(name, condition)]
        self._watches.baselined = frozenset(known)
        for name, condition in segments.items():
            if name in known:
                async for profile, _ in self._differing(name, condition):
                    self._tell(profile)
                    found += 1
            elif await self._claim(name):
                await self._take_baseline(name, condition)
        return found

    async def _take_baseline(self, name: str, condition: Expression) -> None:
        async for profile, is_inside in self._differing(name, condition):
            if is_inside:
                row: Document = {"_id": row_id(name, profile), "segment": name, "profile": profile, "version": 1}
                await self._store.insert_missing(MEMBERSHIPS, [{**row, "since": self._clock()}])
            else:
                await self._store.remove(MEMBERSHIPS, {"_id": row_id(name, profile)})
        taken = {"$set": {"of": mark(condition)}, "$unset": {"until": ""}}
        await self._store.change(BASELINES, {"_id": name}, taken, upsert=True)
        self._watches.baselined |= {name}
        log.info("membership.baseline segment=%s", name)

    async def _has_baseline(self, name: str, condition: Expression) -> bool:
        row = await self._store.get(BASELINES, name)
        return row is not None and row.get("of") == mark(condition)

    async def _claim(self, name: str) -> bool:
        """Return whether this process takes the baseline; another may be at it."""
        now = self._clock()
        await self._store.insert_missing(BASELINES, [{"_id": name}])
        free = {"_id": name, "$or": [{"until": None}, {"until": {"$lte": now}}]}
        return await self._store.change(BASELINES, free, {"$set": {"until": now + HELD_FOR}}) is not None

    def _differing(self, name: str, condition: Expression) -> AsyncIterator[tuple[str, bool]]:
        """Yield who is inside and no member yet, or a member and no longer inside."""
        audience = condition.audience(self._clock(), self._zone)
        return _apart(_ids(stream(self._store, audience, at_once=AT_ONCE)), self._members(name))

    async def _members(self, name: str) -> AsyncIterator[str]:
        pipeline: list[Document] = [
            {"$match": {"segment": {"$eq": name}}},
            {"$sort": {"profile": 1}},
            {"$project": {"profile": 1}},
        ]
        async for rows in self._store.stream(MEMBERSHIPS, pipeline, at_once=AT_ONCE):
            for row in rows:
                yield str(row["profile"])


def mark(condition: Expression) -> str:
    """Return what tells one condition from another."""
    return hashlib.sha256(condition.source.encode()).hexdigest()[:12]


async def _ids(chunks: AsyncIterator[tuple[str, ...]]) -> AsyncIterator[str]:
    async for chunk in chunks:
        for id in chunk:
            yield id


async def _apart(inside: AsyncIterator[str], known: AsyncIterator[str]) -> AsyncIterator[tuple[str, bool]]:
    """Yield who is in one of two sorted streams alone, and whether it is the first."""
    one, other = await anext(inside, None), await anext(known, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one < other):
            assert one is not None
            yield one, True
            one = await anext(inside, None)
        elif one is None or other < one:
            yield other, False
            other = await anext(known, None)
        else:
            one, other = await anext(inside, None), await anext(known, None)
