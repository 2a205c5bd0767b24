"""The one writer: whoever waits is committed together, in one transaction, and only then told so.

A database command costs some 500 us of CPU on both sides, one more document in it about 15 us, so the group is what
makes the server fast (docs/decisions/0001-one-writer.md has the figures). While one group is being written the next is
thought, upon what that one will leave (profiles/draft.py).
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

from profiles.calendar import Clock, utc_now
from profiles.committing import Committer, Listener
from profiles.draft import Draft
from profiles.marks import Marks
from profiles.plan import React
from profiles.recent import Recent
from profiles.snapshot import Amend, Outcome, Work
from profiles.store import Ahead, Store, Unavailable

LARGEST_GROUP = 500  # past about 100 a larger group gains little; this bounds the transaction
SMALL_GROUP = 32  # gathering longer pays only below this
HALF_GROUP = 48  # from here on two groups in turn are quicker than one with everybody in it: one thinks, one is written
MUCH_LONGER = 2  # times; where thinking takes more, as a bot's does, it slows the thread that writes: nothing is won
GATHER_SECONDS = 0.005
COMPANY_SECONDS = 0.05  # what a crash may forget of deliveries that were made: they are then made again

Waiting: TypeAlias = "tuple[Work, asyncio.Future[Outcome]]"


@dataclass(slots=True)
class _Flight:
    """A group on its way to disk, and who waits for it."""

    draft: Draft
    aboard: list[Waiting]
    landed: asyncio.Future[bool]
    """Comes, when nobody waits for it any more, to whether all is as it was thought: the next group may rest on it."""
    task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        return self.landed.done()

    @property
    def carries(self) -> bool:
        """Whether the group after it may leave: reads see this one, and it is on disk or only waits for that."""
        return self.landed.result() if self.is_over else self.draft.is_written


class Writer:
    """Offer it a Work, and await the outcome: Done (on disk), Duplicate, or the Refusal that the thinking came to.

    Raises Unavailable when the database did not confirm; the same work may then be offered again.
    """

    def __init__(self, store: Store, *, process: str, clock: Clock = utc_now) -> None:
        self.recent = Recent(store)
        self.process = process
        self._committer = Committer(store, self.recent, process=process, clock=clock)
        self.tally = self._committer.tally
        self._marks = Marks(store, self._committer.announce)
        self._clock = clock
        self._waiting: deque[Waiting] = deque()
        self._patient: list[Waiting] = []
        self._aboard: list[Waiting] = []
        """Whose work is thought, or being thought, and not on its way yet."""
        self._flight: _Flight | None = None
        self._older: _Flight | None = None
        """The one before it, when it was overtaken on its way to the disk."""
        self._last = 0
        """How many left with the last group."""
        self._thinking = self._writing = 0.0
        """How many seconds a group of late takes for each."""
        self._flying: set[asyncio.Task[None]] = set()
        """Groups whose people were not all told yet."""
        self._closing = False
        self._is_idle = False
        """Everybody who came has thought, and nobody may leave yet."""
        self._flusher: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        """Somebody came, or a group landed."""

    def listen(self, listener: Listener) -> None:
        """Call this with every group's changes, right after their commit, in commit order. It must not raise or block."""
        self._committer.listeners.append(listener)

    def react(self, reaction: React) -> None:
        """Let this add to what each work comes to, in the same commit: how the rules are told of what happens."""
        self._committer.react = reaction

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

    async def mark(self, amend: Amend) -> None:
        """Return when this change of a message is on disk, which nothing else hangs together with; listeners hear of it.

        Within 50 ms, together with others (profiles/marks.py). Raises Unavailable.
        """
        await self._marks.put(amend)

    def _begin(self) -> None:
        self._news.set()
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush(), name="writer")

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
        if self._flying:
            await asyncio.wait(self._flying)
        await self._marks.close()

    async def _flush(self) -> None:
        """Let whoever comes think at once; send them off together as soon as what they rest on is written."""
        draft = self._committer.draft()
        self._last = 0
        try:
            while self._waiting or self._aboard or self._flight:
                self._news.clear()
                await self._board(draft)
                flight = self._flight
                if flight and not flight.is_over and not self._may_follow(flight):
                    self._is_idle = True
                    await self._news.wait()
                    self._is_idle = False
                    continue
                if flight and flight.is_over:
                    self._flight = self._older = None
                    if not flight.carries:  # it was thought again: what this one rests on never was
                        draft = await self._rethought()
                    elif not self._aboard:
                        draft = self._committer.draft()
                if self._aboard:
                    draft = await self._take_off(draft, after=len(flight.aboard) if flight else LARGEST_GROUP)
        except BaseException:  # cancelled: whoever still waits hears of it
            self._turn_away()
            raise

    def _may_follow(self, flight: _Flight) -> bool:
        """Whether the next group may leave before this one is on disk: at most two wait for the disk, and neither has failed."""
        return (
            self._is_busy()
            and flight.carries
            and (self._older is None or (self._older.is_over and self._older.carries))
        )

    async def _board(self, draft: Draft) -> None:
        """Let those who wait think, as many as the group takes."""
        if not draft.works:
            draft.group.now = self._clock()
        seats = self._seats()
        while self._waiting and len(self._aboard) < seats and draft.admit(self._waiting[0][0]):
            self._aboard.append(self._waiting.popleft())
        await draft.think()

    def _seats(self) -> int:
        """Return how many the next group takes: of many who are about at most half, where writing takes long.

        Who was just answered soon writes again: without this all of them end up in one group, and the database waits while
        they are heard and think.
        """
        half = (self._last + len(self._aboard) + len(self._waiting) + 1) // 2
        is_worth_it = self._last and half >= HALF_GROUP and self._writing > MUCH_LONGER * self._thinking
        return min(half, LARGEST_GROUP) if is_worth_it else LARGEST_GROUP

    async def _rethought(self) -> Draft:
        draft = self._committer.draft()
        draft.works.extend(work for work, _ in self._aboard)
        await draft.think()
        return draft

    async def _take_off(self, draft: Draft, *, after: int) -> Draft:
        """Send this group on its way, and return the next, which builds upon it. `after`: how large the last was."""
        if after < SMALL_GROUP:
            await self._gather(draft, expected=after + len(self._aboard))
        self._waiting.extend(self._patient)
        self._patient.clear()
        await self._board(draft)
        if self._flight and not self._flight.carries:  # meanwhile it failed on its way to the disk
            return draft
        draft.seal()
        aboard, self._aboard = self._aboard, []
        self._last = len(aboard)
        self._older, before = self._flight, self._flight.landed if self._flight else None
        self._flight = flight = _Flight(draft, aboard, asyncio.get_running_loop().create_future())
        flight.task = asyncio.create_task(self._fly(flight, before), name="commit")
        self._flying.add(flight.task)
        flight.task.add_done_callback(self._flying.discard)
        return self._committer.draft(upon=draft)

    async def _gather(self, draft: Draft, expected: int) -> None:
        """Wait a moment for those who were just answered to write again; nobody who is alone comes here."""
        over = asyncio.Event()

        def end() -> None:
            over.set()
            self._news.set()

        timer = asyncio.get_running_loop().call_later(GATHER_SECONDS, end)
        while not over.is_set() and len(self._aboard) < expected:
            await self._news.wait()
            self._news.clear()
            await self._board(draft)
        timer.cancel()

    async def _fly(self, flight: _Flight, before: "asyncio.Future[bool] | None") -> None:
        """Write the group and tell those aboard, as soon as the next one is on its way."""
        began, works = time.perf_counter(), flight.draft.works

        def land() -> None:
            if not flight.is_over:
                flight.landed.set_result(flight.draft.landed)
                self._news.set()

        try:
            ahead = Ahead(self._is_held_up, self._news.set) if len(works) >= SMALL_GROUP else None
            outcomes = await self._committer.write(works, flight.draft, before=before, ahead=ahead, landed=land)
        finally:
            land()
        took = time.perf_counter() - began
        self._writing += (took - self._writing) / 8
        self._thinking += (flight.draft.seconds - self._thinking) / 8
        self.tally.groups += 1
        self.tally.works += len(works)
        self.tally.last_group = len(works)
        self.tally.seconds += took
        for (_, future), outcome in zip(flight.aboard, outcomes, strict=True):
            if future.done():  # its caller gave up; the work is on disk all the same
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def _is_busy(self) -> bool:
        """Whether a group of some size waits already: a small one would cost its commands for few."""
        return len(self._aboard) + len(self._waiting) >= SMALL_GROUP

    def _is_held_up(self) -> bool:
        """Whether such a group is thought and only waits to be written: if thinking takes longer, the disk is soon enough."""
        return self._is_idle and self._is_busy()

    def _turn_away(self) -> None:
        flying: list[Waiting] = []
        for flight in filter(None, (self._older, self._flight)):
            if flight.task:
                flight.task.cancel()
            flying += flight.aboard
        left = [*flying, *self._aboard, *self._waiting, *self._patient]
        self._older, self._flight, self._aboard, self._waiting = None, None, [], deque()
        self._patient.clear()
        for _, future in left:
            if not future.done():
                future.set_exception(Unavailable("the server is stopping"))
