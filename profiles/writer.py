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
from profiles.plan import React
from profiles.recent import Recent
from profiles.snapshot import Outcome, Work
from profiles.store import Store, Unavailable

LARGEST_GROUP = 500  # past about 100 a larger group gains little; this bounds the transaction
SMALL_GROUP = 32  # gathering longer pays only below this
GATHER_SECONDS = 0.005
COMPANY_SECONDS = 0.05  # what a crash may forget of deliveries that were made: they are then made again

Waiting: TypeAlias = "tuple[Work, asyncio.Future[Outcome]]"


@dataclass(slots=True)
class _Flight:
    """A group on its way to disk, and who waits for it."""

    draft: Draft
    aboard: list[Waiting]
    task: asyncio.Task[None]


class Writer:
    """Offer it a Work, and await the outcome: Done (on disk), Duplicate, or the Refusal that the thinking came to.

    Raises Unavailable when the database did not confirm; the same work may then be offered again.
    """

    def __init__(self, store: Store, *, process: str, clock: Clock = utc_now) -> None:
        self.recent = Recent(store)
        self.process = process
        self._committer = Committer(store, self.recent, process=process, clock=clock)
        self.tally = self._committer.tally
        self._clock = clock
        self._waiting: deque[Waiting] = deque()
        self._patient: list[Waiting] = []
        self._aboard: list[Waiting] = []
        """Whose work is thought, or being thought, and not on its way yet."""
        self._flight: _Flight | None = None
        self._closing = False
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

    async def _flush(self) -> None:
        """Let whoever comes think at once; send them off together whenever no group is on its way."""
        draft = self._committer.draft()
        try:
            while self._waiting or self._aboard or self._flight:
                self._news.clear()
                await self._board(draft)
                if self._flight and not self._flight.task.done():
                    await self._news.wait()
                    continue
                landed, self._flight = self._flight, None
                if landed and not landed.draft.landed:  # it was thought again: what this one rests on never was
                    draft = await self._rethought()
                elif not self._aboard:
                    draft = self._committer.draft()
                if self._aboard:
                    draft = await self._take_off(draft, after=len(landed.aboard) if landed else LARGEST_GROUP)
        except BaseException:  # cancelled: whoever still waits hears of it
            self._turn_away()
            raise

    async def _board(self, draft: Draft) -> None:
        """Let those who wait think, as many as the group takes."""
        if not draft.works:
            draft.group.now = self._clock()
        while self._waiting and len(self._aboard) < LARGEST_GROUP and draft.admit(self._waiting[0][0]):
            self._aboard.append(self._waiting.popleft())
        await draft.think()

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
        draft.seal()
        aboard, self._aboard = self._aboard, []
        self._flight = _Flight(draft, aboard, asyncio.create_task(self._fly(draft, aboard), name="commit"))
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

    async def _fly(self, draft: Draft, aboard: list[Waiting]) -> None:
        """Write the group and tell those aboard."""
        began = time.perf_counter()
        outcomes = await self._committer.write(draft.works, draft)
        self.tally.groups += 1
        self.tally.works += len(aboard)
        self.tally.last_group = len(aboard)
        self.tally.seconds += time.perf_counter() - began
        self._news.set()
        for (_, future), outcome in zip(aboard, outcomes, strict=True):
            if future.done():  # its caller gave up; the work is on disk all the same
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def _turn_away(self) -> None:
        flying: list[Waiting] = []
        if self._flight:
            self._flight.task.cancel()
            flying = self._flight.aboard
        left = [*flying, *self._aboard, *self._waiting, *self._patient]
        self._flight, self._aboard, self._waiting = None, [], deque()
        self._patient.clear()
        for _, future in left:
            if not future.done():
                future.set_exception(Unavailable("the server is stopping"))
