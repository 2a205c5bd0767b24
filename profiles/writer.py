"""The one writer: whoever waits is committed together, in one transaction, and only then told so.

A database command costs some 500 us of CPU on both sides, one more document in it about 15 us, so the group is what
makes the server fast (docs/decisions/0001-one-writer.md has the figures). While one group is being written the next gathers.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from profiles.calendar import Clock, utc_now
from profiles.plan import Group
from profiles.recent import Recent
from profiles.snapshot import Changes, Done, Duplicate, Outcome, Refusal, Work
from profiles.store import AlreadyThere, Interrupted, Stale, Store, Unavailable, Unstorable

log = logging.getLogger("profiles.writer")

LARGEST_GROUP = 500  # past about 100 a larger group gains little; this bounds the transaction
SMALL_GROUP = 32  # gathering longer pays only below this
GATHER_SECONDS = 0.005
COMPANY_SECONDS = 0.05  # what a crash may forget of deliveries that were made: they are then made again
ATTEMPTS = 20  # thinking again after a conflict; each attempt reads afresh
SPLIT_AFTER = 3  # a group that met conflicts so often is halved: who meets nobody need not wait; one alone seizes
TAKEN_KEYS = 6  # what exists is read at the next attempt; as many in a row are a mistake of ours, not a race
LOST_CONNECTIONS = 2  # as many in one group fail it: each may take the driver's 5 s of looking for a server
LONGEST_PAUSE_SECONDS = 0.05

Listener = Callable[[list[Changes]], None]
Waiting: TypeAlias = "tuple[Work, asyncio.Future[Outcome]]"
Key: TypeAlias = tuple[str, str]
"""(collection, id): what proves that a work was done."""


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
        self._waiting: deque[Waiting] = deque()
        self._patient: list[Waiting] = []
        self._closing = False
        self._listeners: list[Listener] = []
        self._flusher: asyncio.Task[None] | None = None
        self._gathered = asyncio.Event()
        self._expected = 0

    def listen(self, listener: Listener) -> None:
        """Call this with every group's changes, right after their commit, in commit order. It must not raise or block."""
        self._listeners.append(listener)

    async def commit(self, work: Work, *, patient: bool = False) -> Outcome:
        """Return when the work is on disk (or turned out done before, or refused).

        A `patient` work, which nobody waits for, makes no group of its own for 50 ms: it joins the next that comes.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        if patient and not self._closing:
            if not self._patient:
                loop.call_later(COMPANY_SECONDS, self._hurry)
            self._patient.append((work, future))
        else:
            self._waiting.append((work, future))
            self._begin()
        return await future

    def _begin(self) -> None:
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush(), name="writer")
        elif len(self._waiting) >= self._expected:
            self._gathered.set()

    def _hurry(self) -> None:
        """Let the patient ones wait no longer."""
        self._waiting.extend(self._patient)
        self._patient.clear()
        if self._waiting:
            self._begin()

    async def close(self) -> None:
        """Return when nothing waits any more."""
        self._closing = True
        self._hurry()
        while self._flusher and not self._flusher.done():
            await asyncio.wait([self._flusher])

    async def _flush(self) -> None:
        batch: list[Waiting] = []
        try:
            while self._waiting:
                self._hurry()
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_GROUP))]
                await self._settle(batch)
                if self._waiting and len(batch) < SMALL_GROUP:
                    await self._gather(len(batch) + len(self._waiting))
        except BaseException:  # cancelled: whoever still waits hears of it
            left, self._waiting = [*batch, *self._waiting, *self._patient], deque()
            self._patient.clear()
            for _, future in left:
                if not future.done():
                    future.set_exception(Unavailable("the server is stopping"))
            raise

    async def _gather(self, expected: int) -> None:
        """Wait a moment for those who were just answered to write again; nobody who is alone comes here."""
        self._expected = expected
        self._gathered.clear()
        try:
            async with asyncio.timeout(GATHER_SECONDS):
                await self._gathered.wait()
        except TimeoutError:
            pass

    async def _settle(self, batch: "list[Waiting]") -> None:
        began = time.perf_counter()
        works = [work for work, _ in batch]
        outcomes = await self._write(works)
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

    async def _write(self, works: list[Work], split_after: int = SPLIT_AFTER) -> "list[Outcome | Exception]":
        """Commit the works as one group and return their outcomes, an exception for each that failed. Never raises."""
        done_before: set[Key] = set()
        lost = taken = 0
        for attempt in range(ATTEMPTS):
            group, known = Group(self._clock(), self.process), len(done_before)
            try:
                return await self._write_once(works, group, done_before, seize=attempt > split_after)
            except AlreadyThere:
                new = len(done_before) == known  # else some of the works were done before
                self.tally.conflicts += new
                taken += new
                if taken == TAKEN_KEYS and len(works) == 1:
                    log.error("writer.work stuck key=%s", works[0].key)
                    return self._failed(works, Unavailable("a key of this work is taken, but not by itself"))
            except Stale:
                self.tally.conflicts += 1
            except Interrupted as error:
                lost += 1
                if lost == LOST_CONNECTIONS:
                    return self._failed(works, Unavailable(str(error)))
            except Unavailable as error:
                return self._failed(works, error)
            except Exception as error:  # noqa: BLE001 (a document that can not be kept, or our own mistake: whose?)
                return await self._halves(works) if len(works) > 1 else self._broken(works[0], error)
            if attempt >= split_after and len(works) > 1:
                return await self._halves(works)
            if attempt:
                await asyncio.sleep(random.uniform(0, min(LONGEST_PAUSE_SECONDS, 0.002 * 2**attempt)))
        return self._failed(works, Unavailable(f"met another writer {ATTEMPTS} times"))

    async def _write_once(
        self, works: list[Work], group: Group, done_before: "set[Key]", *, seize: bool
    ) -> "list[Outcome | Exception]":
        try:
            await self.recent.read(works, group, seize=seize)
            outcomes = _think(works, group, done_before)
            if plan := group.plan():
                await self._store.commit(plan)
        except Exception as error:
            self.recent.forget(group)
            if isinstance(error, AlreadyThere):
                done_before |= await self._look_up(works)
            raise
        self._remember(group)
        self.tally.duplicates += sum(isinstance(outcome, Duplicate) for outcome in outcomes)
        self._announce(group)
        return outcomes

    def _remember(self, group: Group) -> None:
        try:
            self.recent.learn(group)
        except Exception as error:  # noqa: BLE001 (the group is on disk: it must not be written again)
            log.error("writer.memory broke error=%s", type(error).__name__, exc_info=error)
            self.recent.forget(group)

    async def _halves(self, works: list[Work]) -> "list[Outcome | Exception]":
        """Write each half alone, and so on: whatever can not be written ends up alone and fails by itself."""
        middle = len(works) // 2
        return await self._write(works[:middle], split_after=0) + await self._write(works[middle:], split_after=0)

    def _failed(self, works: list[Work], error: Unavailable) -> "list[Outcome | Exception]":
        self.tally.failures += 1
        log.warning("writer.group failed works=%d reason=%s", len(works), error)
        return [Unavailable(str(error)) for _ in works]  # one each: every raise writes its traceback into it

    def _broken(self, work: Work, error: Exception) -> "list[Outcome | Exception]":
        self.tally.failures += 1
        trace = None if isinstance(error, Unstorable) else error  # the driver's own text quotes the document
        log.error("writer.work broke key=%s error=%s", work.key, type(error).__name__, exc_info=trace)
        return [error]

    async def _look_up(self, works: list[Work]) -> "set[Key]":
        found: set[Key] = set()
        for collection in {work.key_in for work in works if work.key}:
            keys = [work.key for work in works if work.key and work.key_in == collection]
            there = await self._store.get_many(collection, keys, only=["_id"])
            found |= {(collection, document["_id"]) for document in there}
        return found

    def _announce(self, group: Group) -> None:
        if not group.kept:
            return
        for listener in self._listeners:
            try:
                listener(group.kept)
            except Exception as error:  # noqa: BLE001 (the group is on disk: its callers must hear that)
                log.error("writer.listener broke error=%s", type(error).__name__, exc_info=error)


def _think(works: list[Work], group: Group, done_before: "set[Key]") -> "list[Outcome | Exception]":
    seen = set(done_before)
    outcomes: list[Outcome | Exception] = []
    for work in works:
        key = (work.key_in, work.key) if work.key else None
        if key and key in seen:
            outcomes.append(Duplicate(key[1]))
            continue
        outcome = _think_one(work, group)
        if isinstance(outcome, Done) and key:
            seen.add(key)
        outcomes.append(outcome)
    return outcomes


def _think_one(work: Work, group: Group) -> "Outcome | Exception":
    try:
        thought = work.think(group.snapshot())
        if isinstance(thought, Changes):
            return Done(group.keep(thought))
        if isinstance(thought, Refusal):
            return thought
        raise TypeError(f"expected Changes or a Refusal, got {type(thought).__name__}")
    except Exception as error:  # noqa: BLE001 (one work's mistake must not fail the others of its group)
        log.error("writer.think failed key=%s error=%s", work.key, type(error).__name__, exc_info=error)
        return error
