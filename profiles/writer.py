"""The one writer: whoever waits is committed together, in one transaction, and only then told so.

A database command costs some 500 us of CPU on both sides, one more document in it about 15 us, so the group is what
makes the server fast (docs/decisions/0001-one-writer.md has the figures). While one group is being written the next gathers.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from profiles.calendar import Clock, utc_now
from profiles.plan import Group
from profiles.recent import Recent
from profiles.snapshot import Changes, Done, Duplicate, Outcome, Refusal, Work
from profiles.store import AlreadyThere, Stale, Store, Unavailable, Unstorable

log = logging.getLogger("profiles.writer")

LARGEST_GROUP = 500  # past about 100 a larger group gains little; this bounds the transaction
SMALL_GROUP = 32  # gathering longer pays only below this
GATHER_SECONDS = 0.005
ATTEMPTS = 6  # thinking again after a conflict; each attempt reads afresh

Listener = Callable[[list[Changes]], None]


@dataclass(slots=True)
class Tally:
    """What the writer has done since the start, for /metrics and the benchmarks."""

    groups: int = 0
    works: int = 0
    duplicates: int = 0
    conflicts: int = 0
    failures: int = 0
    seconds: float = 0.0
    last_group: int = 0


class Writer:
    """Offer it a Work, and await the outcome: Done (on disk), Duplicate, or the Refusal that the thinking came to.

    Raises Unavailable when the database did not confirm; the same work may then be offered again.
    """

    def __init__(self, store: Store, *, process: str, clock: Clock = utc_now) -> None:
        self.tally = Tally()
        self.recent = Recent(store)
        self.process = process
        self._store, self._clock = store, clock
        self._waiting: deque[tuple[Work, asyncio.Future[Outcome]]] = deque()
        self._listeners: list[Listener] = []
        self._flusher: asyncio.Task[None] | None = None
        self._gathered = asyncio.Event()
        self._expected = 0

    def listen(self, listener: Listener) -> None:
        """Call this with every group's changes, right after their commit, in commit order. It must not raise or block."""
        self._listeners.append(listener)

    async def commit(self, work: Work) -> Outcome:
        """Return when the work is on disk (or turned out done before, or refused)."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush(), name="writer")
        elif len(self._waiting) >= self._expected:
            self._gathered.set()
        return await future

    async def close(self) -> None:
        """Return when nothing waits any more."""
        while self._flusher and not self._flusher.done():
            await asyncio.wait([self._flusher])

    async def _flush(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_GROUP))]
            await self._settle(batch)
            if self._waiting and len(batch) < SMALL_GROUP:
                await self._gather(len(batch) + len(self._waiting))

    async def _gather(self, expected: int) -> None:
        """Wait a moment for those who were just answered to write again; nobody who is alone comes here."""
        self._expected = expected
        self._gathered.clear()
        try:
            async with asyncio.timeout(GATHER_SECONDS):
                await self._gathered.wait()
        except TimeoutError:
            pass

    async def _settle(self, batch: list[tuple[Work, asyncio.Future[Outcome]]]) -> None:
        began = time.perf_counter()
        works = [work for work, _ in batch]
        outcomes: list[Outcome | Exception]
        try:
            outcomes = await self._write(works)
        except Unavailable as error:
            self.tally.failures += 1
            log.warning("writer.group failed works=%d reason=%s", len(works), error)
            outcomes = [error] * len(works)
        except Exception as error:  # noqa: BLE001 (whatever broke, nobody may be left waiting for an answer)
            self.tally.failures += 1
            log.error("writer.group broke works=%d error=%s", len(works), type(error).__name__, exc_info=error)
            outcomes = [error] * len(works)
        self.tally.groups += 1
        self.tally.works += len(works)
        self.tally.last_group = len(works)
        self.tally.seconds += time.perf_counter() - began
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():  # its caller gave up; the work is on disk all the same
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    async def _write(self, works: list[Work]) -> "list[Outcome | Exception]":
        done_before: set[str] = set()
        for _ in range(ATTEMPTS):
            group = Group(self._clock(), self.process)
            await self.recent.read(works, group)
            outcomes = _think(works, group, done_before)
            try:
                if plan := group.plan():
                    await self._store.commit(plan)
            except AlreadyThere:
                self.recent.forget(group)
                done_before |= await self._look_up(works)
                continue
            except Stale:
                self.tally.conflicts += 1
                self.recent.forget(group)
                continue
            except Unavailable:
                self.recent.forget(group)
                raise
            except Unstorable as error:
                self.recent.forget(group)
                return [error] if len(works) == 1 else await self._one_by_one(works)
            self.recent.learn(group)
            self.tally.duplicates += sum(isinstance(outcome, Duplicate) for outcome in outcomes)
            self._announce(group)
            return outcomes
        raise Unavailable(f"{len(works)} works met another writer {ATTEMPTS} times")

    async def _one_by_one(self, works: list[Work]) -> "list[Outcome | Exception]":
        """Write each work alone, so that the one the database can not keep fails by itself."""
        outcomes: list[Outcome | Exception] = []
        for work in works:
            try:
                outcomes += await self._write([work])
            except Unavailable as error:
                outcomes.append(error)
        return outcomes

    async def _look_up(self, works: list[Work]) -> set[str]:
        found: set[str] = set()
        for collection in {work.key_in for work in works if work.key}:
            keys = [work.key for work in works if work.key and work.key_in == collection]
            found |= {document["_id"] for document in await self._store.get_many(collection, keys, only=["_id"])}
        return found

    def _announce(self, group: Group) -> None:
        if group.kept:
            for listener in self._listeners:
                listener(group.kept)


def _think(works: list[Work], group: Group, done_before: set[str]) -> "list[Outcome | Exception]":
    seen = set(done_before)
    outcomes: list[Outcome | Exception] = []
    for work in works:
        if work.key and work.key in seen:
            outcomes.append(Duplicate(work.key))
            continue
        try:
            thought = work.think(group.snapshot())
        except Exception as error:  # noqa: BLE001 (one work's mistake must not fail the others of its group)
            log.error("writer.think failed key=%s error=%s", work.key, type(error).__name__, exc_info=error)
            outcomes.append(error)
            continue
        if isinstance(thought, Refusal):
            outcomes.append(thought)
            continue
        if work.key:
            seen.add(work.key)
        outcomes.append(Done(group.keep(thought)))
    return outcomes
