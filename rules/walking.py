"""Audiences walked in chunks behind a cursor: claimed by one process at a time, and taken up where the last one left.

A large audience is cut at ids into ranges when it is first claimed. Each range is a row of its own, with its own cursor, so that
every process, and every worker of one, walks a part of the same campaign.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from profiles.audience import count, make_index, sampled, stream
from profiles.calendar import Clock, is_zone
from profiles.crash import crash_point
from profiles.expression_audience import Audience
from profiles.ids import new_id
from profiles.record import Document
from profiles.store import AlreadyThere, Store, Unavailable
from rules.engine import Engine
from rules.occasions import occasion, selection
from rules.schedule import Firing
from rules.thinking import Edition
from rules.turn import News

log = logging.getLogger("rules.walking")

OCCURRENCES = "occurrences"
LEASE_FOR = timedelta(seconds=60)
AT_ONCE = 500
TOGETHER = 3
"""Chunks under way: while one is thought of, the database reads for the next and writes the one before."""
LARGE = 20_000
"""Contacts from which an audience is shared: below, one process is done before another has looked."""
RANGES = 8
LONGEST_OUTAGE = timedelta(days=7)
"""Firings further back than this are not made up for: nobody wants last month's newsletter."""
AT_WORK = ("live", "test")


class _Lost(Exception):
    """The row is another process's now, or its rule is not at work any more: who walks it stops where it stands."""


class Walker:
    """Walks the audiences of what has fired, as one of however many processes."""

    def __init__(
        self, store: Store, engine: Engine, *, process: str, zone: tzinfo, clock: Clock, large: int = LARGE
    ) -> None:
        self._store, self._engine, self._process, self._zone, self._clock = store, engine, process, zone, clock
        self.large = large
        """From how many contacts on an audience is cut."""

    async def walk(self) -> int:
        """Walk the audiences, and the ranges of audiences, that nobody holds, and return how many contacts that was."""
        walked = 0
        while row := await self._claim():
            try:
                walked += await self.walk_one(row)
            except Unavailable as error:
                log.warning("occurrences.walk failed occurrence=%s reason=%s", row["_id"], error)
                await self._let_go(row)
                return walked
        return walked

    async def _let_go(self, row: Document) -> None:
        """Leave the row to whoever looks next, ourselves in some seconds, not when its lease runs out."""
        with suppress(Unavailable):
            await self._store.change(OCCURRENCES, _held(row), {"$unset": {"leased_by": "", "lease_until": ""}})

    async def walk_one(self, row: Document) -> int:
        """Walk what this claimed row stands for, from its cursor on, and return how many contacts that was.

        It ends where the row stands when another process has it, or its rule is not at work: the row is then left to later.
        """
        walked = 0
        edition = self._engine.editions.current.get(row["rule"])
        if edition is not None and row["at"] > self._clock() - LONGEST_OUTAGE:
            try:
                row, audience = await self._audience(row, edition)
                async for ids in _worked(self._chunks(row, audience), self._work(row)):
                    crash_point("occurrence.worked")
                    await self._move_on(row, ids[-1], walked + len(ids))
                    walked += len(ids)
                    crash_point("occurrence.moved_on")
            except _Lost as why:
                log.info("occurrences.stopped occurrence=%s contacts=%d reason=%s", row["_id"], walked, why)
                await self._let_go(row)
                return walked
        done = {"done_at": self._clock(), "done_by": self._process}
        ended = {"$set": done, "$unset": {"open": "", "leased_by": "", "lease_until": ""}}
        if await self._store.change(OCCURRENCES, _held(row), ended):
            log.info("occurrences.done occurrence=%s contacts=%d", row["_id"], walked)
        return walked

    async def _audience(self, row: Document, edition: Edition) -> tuple[Document, Audience]:
        """Return whom this row is for, and the row, cut if they are many. Raises _Lost."""
        place, firing = ZoneInfo(row["zone"]), _firing(row)
        others = [name for name in await zones(self._store) if name != str(self._zone)]
        home = str(place) == str(self._zone)
        audience = selection(edition.rule, firing, place, self._clock(), home=home, others=others)
        await make_index(self._store, audience)
        return await self._shared(row, audience), audience

    def _chunks(self, row: Document, audience: Audience) -> AsyncIterator[tuple[str, ...]]:
        crash_point("occurrence.claimed")
        return stream(self._store, audience, after=row["cursor"], until=row.get("until", ""), at_once=AT_ONCE)

    def _work(self, row: Document) -> Callable[[Sequence[str]], Awaitable[None]]:
        """Return what has these contacts thought about. It raises _Lost when the rule is not at work before or after:
        a paused one makes nothing of a contact, and they must be there when it goes on."""
        begins = (row["rule"], occasion(_firing(row)))

        async def work(ids: Sequence[str]) -> None:
            self._must_be_at_work(row)
            await self._engine.work([News(id, occasion=begins) for id in ids])
            self._must_be_at_work(row)

        return work

    def _must_be_at_work(self, row: Document) -> None:
        if row["rule"] not in self._at_work():
            raise _Lost("its rule is not at work")

    def _at_work(self) -> list[str]:
        return [id for id, edition in self._engine.editions.current.items() if edition.rule.state in AT_WORK]

    async def _claim(self) -> Document | None:
        """Take a row whose rule is at work here, or one that is too old for any: another process may know a rule that we do not."""
        now = self._clock()
        ours = {"$or": [{"rule": {"$in": self._at_work()}}, {"at": {"$lte": now - LONGEST_OUTAGE}}]}
        free = {"$or": [{"lease_until": None}, {"lease_until": {"$lte": now}}]}
        token = f"{self._process}/{new_id(now)}"
        lease = {"leased_by": token, "lease_until": now + LEASE_FOR}
        where = {"open": True, "at": {"$lte": now}, "$and": [ours, free]}
        return await self._store.change(OCCURRENCES, where, {"$set": lease})

    async def _shared(self, row: Document, audience: Audience) -> Document:
        """Return the row as the first of its ranges, the others being made for whoever comes; or as it is, when it is small.

        Where to cut is written first: who takes the row up after a crash makes the same ranges, those that are there remaining.
        Raises _Lost when counting took longer than the lease: who has the row now cuts it.
        """
        if "part" in row or (row["cursor"] and "cuts" not in row):
            return row
        if "cuts" not in row:
            cuts = await self._cuts(audience)
            first = {"cuts": cuts, "until": cuts[0]} if cuts else {"cuts": []}
            row = await self._changed(row, {**first, "lease_until": self._clock() + LEASE_FOR})
            crash_point("occurrence.cut")
        for part, (after, until) in enumerate(
            zip(row.get("cuts", []), [*row.get("cuts", [])[1:], ""], strict=False), 1
        ):
            await self._make(row, part, after, until)
        return row

    async def _cuts(self, audience: Audience) -> list[str]:
        """Return the ids at which the audience is cut; none for a small one."""
        if await count(self._store, audience, at_most=self.large) < self.large:
            return []
        ids = await sampled(self._store)
        return [ids[len(ids) * part // RANGES] for part in range(1, RANGES)] if len(ids) >= RANGES else []

    async def _make(self, row: Document, part: int, after: str, until: str) -> None:
        named = {name: row[name] for name in ("rule", "zone", "local", "at", "made_at")}
        with suppress(AlreadyThere):  # made before a crash, perhaps walked already
            await self._store.insert(
                OCCURRENCES,
                {**named, "_id": f"{row['_id']}|{part}", "part": part, "open": True, "cursor": after, "until": until,
                 "contacts": 0},
            )  # fmt: skip

    async def _move_on(self, row: Document, cursor: str, walked: int) -> None:
        now = {"cursor": cursor, "contacts": row["contacts"] + walked, "lease_until": self._clock() + LEASE_FOR}
        await self._changed(row, now)

    async def _changed(self, row: Document, put: Document) -> Document:
        """Return the row with this put into it. Raises _Lost when we do not hold it any more: we were too slow."""
        changed = await self._store.change(OCCURRENCES, _held(row), {"$set": put})
        if changed is None:
            raise _Lost("another process holds it")
        return changed


async def zones(store: Store) -> list[str]:
    """Return the zones that contacts live in, as far as they are zones."""
    names = await store.distinct("profiles", "attributes.zone.value")
    return [str(name) for name in names if is_zone(name)]


async def _worked(
    chunks: AsyncIterator[tuple[str, ...]], work: Callable[[Sequence[str]], Awaitable[None]]
) -> AsyncIterator[tuple[str, ...]]:
    """Yield the chunks in their order, each when it and all before it are worked; a few are under way together."""
    under_way: deque[tuple[tuple[str, ...], asyncio.Future[None]]] = deque()
    try:
        async for ids in chunks:
            under_way.append((ids, asyncio.ensure_future(work(ids))))
            if len(under_way) == TOGETHER:
                first, done = under_way.popleft()
                await done
                yield first
        while under_way:
            first, done = under_way.popleft()
            await done
            yield first
    finally:
        for _, left in under_way:
            left.cancel()
        await asyncio.gather(*(left for _, left in under_way), return_exceptions=True)


def _firing(row: Document) -> Firing:
    return Firing(datetime.fromisoformat(row["local"]), row["at"])


def _held(row: Document) -> Document:
    return {"_id": row["_id"], "leased_by": row["leased_by"]}
