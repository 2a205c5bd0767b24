"""The other processes on the same database: who they are, and what of their commits somebody here wants to know.

Each process notes what it committed, a bulletin at a time, in a ring (a capped collection) that all others tail. A process that
is alone notes nothing and reads nothing. Bulletins are numbered, so a gap, whatever made it (a ring that turned too fast, a
primary that stepped down, a process killed between its commit and its bulletin), is seen, and everybody concerned reads for
themselves. Measured against a change stream: docs/decisions/0030-bulletins-between-processes.md.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from profiles.bulletin import Bulletin, wanted
from profiles.calendar import Clock
from profiles.live import Feed
from profiles.record import Document
from profiles.snapshot import Changes
from profiles.store import Store, Unavailable
from profiles.writer import Writer

log = logging.getLogger("profiles.neighbours")

RING, RING_BYTES = "bulletins", 8 * 1024 * 1024  # some seconds of the most that a server of this size commits
PULSES = "pulse"  # channels/sweeper.py shows them
TOGETHER_SECONDS = 0.05  # what is committed or heard meanwhile is told together: at most 20 commands a second each way
REPEAT_SECONDS = 10.0
RETRY_SECONDS = 1.0


class Neighbours:
    """Tells the others what this process commits and hears what they do, as long as there are others."""

    def __init__(self, store: Store, writer: Writer, feed: Feed, *, clock: Clock) -> None:
        self.others: frozenset[str] = frozenset()
        self.told = self.heard = self.gaps = 0
        """Bulletins given and taken since the start, and how often something may have been missed: for /metrics."""
        self._store, self._feed, self._clock = store, feed, clock
        self._process, self._recent = writer.process, writer.recent
        self._bulletin = Bulletin()
        self._news = asyncio.Event()
        self._known: dict[str, int] = {}
        """process -> the number of its last bulletin."""
        self._left: set[str] = set()
        self._number = 0
        self._tasks: list[asyncio.Task[None]] = []
        writer.listen(self.note)
        feed.hints.send = self._hint

    async def start(self) -> None:
        """Look who is there before anybody is served here. Raises Unavailable."""
        shown = await self._store.find(PULSES, {}, only=["_id"])  # of a dead one we are told at the first look
        self.see(pulse["_id"] for pulse in shown)

    def see(self, alive: Iterable[str]) -> None:
        """Take note of who lives: called with every look at the pulses."""
        others = frozenset(alive) - {self._process}
        come, gone, self.others = others - self.others, self.others - others, others
        for process in gone:
            self._forget(process)
        self._recent.is_shared = bool(others)
        if come:
            log.info("neighbours.come processes=%d all=%d", len(come), len(others) + 1)
            if self._tasks:
                self._greet()
            else:
                self._begin()
        elif gone and not others:
            self._end()

    def note(self, committed: list[Changes]) -> None:
        """Remember what to tell of these changes. A listener of the writer."""
        if not self.others:
            return
        for changes in committed:
            self._bulletin.add(changes)
        self._news.set()

    async def close(self) -> None:
        """Tell what is left to tell, and that this process goes. Call it when nothing is committed any more."""
        tasks = self._tasks
        self._end()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.others:
            self._bulletin.is_goodbye = True
            with suppress(Unavailable):
                await self._tell()

    def _greet(self) -> None:
        """Say that we are here, and all that holds; the others answer with what holds there."""
        self._bulletin.is_hello = True
        self._feed.hints.repeat()
        self._news.set()

    def _begin(self) -> None:
        self._tasks = [asyncio.create_task(self._tell_on(), name="neighbours.tell"),
                       asyncio.create_task(self._listen(), name="neighbours.listen"),
                       asyncio.create_task(self._repeat(), name="neighbours.repeat")]  # fmt: skip

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    # -- telling

    def _hint(self, name: str, value: Any) -> None:
        if self.others:
            self._bulletin.hints = [hint for hint in self._bulletin.hints if hint != (name, value)]
            self._bulletin.hints.append((name, value))
            self._news.set()

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(REPEAT_SECONDS)
            self._feed.hints.repeat()

    async def _tell_on(self) -> None:
        await self._prepare()
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._tell()
            except Unavailable as error:  # its number is used up: the others see the gap, and read for themselves
                log.debug("neighbours.tell failed reason=%s", error)
            except Exception as error:  # noqa: BLE001 (a hint that can not be kept must not silence all others)
                log.error("neighbours.tell broke error=%s", type(error).__name__, exc_info=error)
            await asyncio.sleep(TOGETHER_SECONDS)

    async def _prepare(self) -> None:
        while True:
            with suppress(Unavailable):
                return await self._store.make_ring(RING, RING_BYTES)
            await asyncio.sleep(RETRY_SECONDS)

    async def _tell(self) -> None:
        bulletin, self._bulletin = self._bulletin, Bulletin()
        if not bulletin:
            return
        self._number += 1
        self.told += 1
        id = f"{self._process}:{self._number:012d}"
        whose: Document = {"_id": id, "process": self._process, "number": self._number, "at": self._clock()}
        await self._store.note(RING, whose | bulletin.document())

    # -- hearing

    async def _listen(self) -> None:
        await self._prepare()
        is_first = True
        while True:
            try:
                async for documents in self._store.tail(RING):
                    others = [document for document in documents if self._is_new(document)]
                    if is_first:
                        is_first = False
                        self._skip(others)  # what was told before we came
                        self._miss()
                        self._greet()
                    elif others:
                        await self._take(others)
                        await asyncio.sleep(TOGETHER_SECONDS)
            except Unavailable as error:
                log.warning("neighbours.listen failed reason=%s", error)
                self._miss()
            except Exception as error:  # noqa: BLE001 (one odd bulletin must not deafen this process)
                log.error("neighbours.listen broke error=%s", type(error).__name__, exc_info=error)
                self._miss()
            # a ring that nobody noted anything in can not be tailed yet
            await asyncio.sleep(RETRY_SECONDS if self._known else TOGETHER_SECONDS)

    def _is_new(self, document: Mapping[str, Any]) -> bool:
        process, number = str(document.get("process", self._process)), int(document.get("number", 0))
        return process != self._process and number > self._known.get(process, 0)

    def _skip(self, documents: Iterable[Mapping[str, Any]]) -> None:
        for document in documents:
            self._known[document["process"]] = document["number"]

    async def _take(self, documents: list[Document]) -> None:
        """Hand on what these bulletins say: all that was committed together is read together."""
        bulletin, has_gap = Bulletin(), False
        for document in documents:
            process, number = document["process"], document["number"]
            has_gap |= number != self._known.get(process, 0) + 1
            self._known[process] = number
            self.heard += 1
            bulletin.read(document)
            if document.get("goodbye"):
                self._left.add(process)
        self._forget_records(bulletin)
        try:
            changes = await wanted(bulletin, self._feed, self._store)
        except Unavailable as error:
            log.warning("neighbours.read failed reason=%s", error)
            changes, has_gap = Changes(), True
        if changes:
            self._feed.announce([changes])
        if has_gap or bulletin.is_hello or bulletin.is_too_much:
            self._miss()
        for document in documents:
            # of one whose pulse we have not seen, or see no more, nothing holds; it says it again when it is greeted
            for name, value in document.get("hints", ()) if document["process"] in self.others else ():
                self._feed.hints.take(document["process"], name, value)
        if bulletin.is_hello:
            self._feed.hints.repeat()

    def _forget_records(self, bulletin: Bulletin) -> None:
        """What the others wrote is not what this process remembers."""
        if bulletin.is_too_much:
            self._recent.forget_all()
        for collection, ids in (
            ("profiles", bulletin.profiles),
            ("conversations", bulletin.conversations),
            ("identities", bulletin.identities),
        ):
            for id in ids:
                self._recent.forget_one(collection, id)

    def _forget(self, process: str) -> None:
        """A process is gone; what a killed one committed last it may not have told."""
        was_polite = process in self._left
        self._left.discard(process)
        self._known.pop(process, None)
        self._feed.hints.gone(process)
        log.info("neighbours.gone process=%s said_goodbye=%s", process, was_polite)
        if not was_polite:
            self._miss()

    def _miss(self) -> None:
        self.gaps += 1
        self._recent.forget_all()
        self._feed.missed()
