"""The rules at work: takes nudges as they are committed and runs as they come due, a batch of contacts at a time.

Every process runs one. Which of them acts on a nudge or a run is said by its lease; that nothing is done twice, by the
version of the run in its commit. A run costs nothing until it is due: it is found by its index.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from datetime import timedelta

from profiles.calendar import Clock
from profiles.crash import crash_point
from profiles.every import Every
from profiles.ids import new_id
from profiles.record import Document, from_document
from profiles.snapshot import Changes
from profiles.store import Store, Unavailable
from profiles.timeline import Event
from rules.applying import RUNS
from rules.reaction import LEASE_FOR, NUDGES, Reaction, Watch
from rules.thinking import Editions
from rules.turn import News, Turn

log = logging.getLogger("rules.engine")

AT_ONCE = 200
"""Contacts in one batch: the commands are what costs, and a batch holds up those that come after it."""
TOGETHER = 2
"""Batches under way: while one waits for the disk the next is read and thought of. More of them would be smaller, and dearer."""
LOOK_SECONDS = 1.0
TRIES, AGAIN_SECONDS = 6, 2.0
"""How often a batch that could not be committed is worked again: longer than a dead process's transaction stays open."""
LET_LIE = timedelta(minutes=15)
"""A due run that nothing came of is looked at again after this."""


class Engine:
    """Decides and commits; the back door sends what it committed. `hear` is a listener of the writer."""

    def __init__(self, store: Store, turn: Turn, reaction: Reaction, *, process: str, clock: Clock) -> None:
        self._store, self._turn, self._reaction, self._process, self._clock = store, turn, reaction, process, clock
        self._waiting: deque[News] = deque()
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._working: asyncio.Task[None] | None = None
        self._under_way: dict[asyncio.Task[None], frozenset[str]] = {}
        """Batches being worked -> their contacts."""
        self._looking = Every(LOOK_SECONDS, self.look, name="rules")

    @property
    def editions(self) -> Editions:
        """Return the rules that new runs begin with."""
        return self._turn.editions

    def use(self, editions: Editions) -> None:
        """Go on with these rules."""
        self._turn.use(editions)
        self._reaction.watch = Watch.of((edition.rule for edition in editions.every), editions.segments.values())

    async def start(self) -> None:
        """Begin to work, and to look every second for what is due or was left by a process that is gone."""
        self.begin()
        await self._looking.start()

    def begin(self) -> None:
        """Work through what this process is told, and look for nothing."""
        self._working = asyncio.create_task(self._for_ever(), name="rules")

    async def close(self) -> None:
        """Stop after the batch under way; what is left keeps its lease and is found later."""
        await self._looking.close()
        task, self._working = self._working, None
        self._news.set()
        if task:
            await asyncio.wait([task], timeout=10)
            task.cancel()

    def hear(self, committed: list[Changes]) -> None:
        """Take the nudges of a commit from memory."""
        for changes in committed:
            ours = [row["_id"] for name, row in changes.records if name == NUDGES and row["leased_by"] == self._process]
            events = {event.id: event for event in changes.events} if ours else {}
            for event in (events[id] for id in ours if id in events):
                self.tell(News(event.profile, event.id, event=event))

    def tell(self, news: News) -> None:
        """Have this thought about soon."""
        self._waiting.append(news)
        self._idle.clear()
        self._news.set()

    async def settled(self) -> None:
        """Return when nothing waits and nothing is being thought: for tests, and for the end of a simulation."""
        await self._idle.wait()

    async def look(self) -> int:
        """Claim what is due and what others left, have it thought about, and return how much that was."""
        runs = await self._claim(RUNS, {"due_at": {"$lte": self._clock()}}, sort="due_at")
        for run in runs:
            self.tell(News(str(run["profile"]), run=str(run["_id"])))
        nudges = await self._claim(NUDGES, {}, sort="lease_until")
        events = await self._store.get_many("events", [nudge["_id"] for nudge in nudges]) if nudges else []
        known = {event["_id"]: from_document(Event, event) for event in events}
        for nudge in nudges:
            self.tell(News(str(nudge["profile"]), str(nudge["_id"]), event=known.get(nudge["_id"])))
        return len(runs) + len(nudges)

    async def bury(self, process: str) -> None:
        """Free the runs and nudges that this process had: it is dead."""
        free = {"$unset": {"leased_by": "", "lease_until": ""}}
        held = {"leased_by": {"$regex": f"^{process}(/|$)"}}
        await self._store.change_many(RUNS, {"due_at": {"$lte": self._clock()}, **held}, free)
        await self._store.change_many(NUDGES, held, free)

    async def work(self, news: Sequence[News]) -> None:
        """Think about these contacts now, and commit what it comes to."""
        left = await self._turn.work(news)
        if left.idle:
            later = {"$set": {"lease_until": self._clock() + LET_LIE}}
            await self._store.change_many(RUNS, {"_id": {"$in": list(left.idle)}}, later)
        if nudges := [one.nudge for one in left.nobody if one.nudge]:
            await self._store.remove(NUDGES, {"_id": {"$in": nudges}})
        if runs := [one.run for one in left.nobody if one.run]:
            await self._store.remove(RUNS, {"_id": {"$in": runs}})

    # -- the loop

    async def _for_ever(self) -> None:
        try:
            while self._working is not None:
                self._news.clear()
                while len(self._under_way) < TOGETHER and (batch := self._take()):
                    task = asyncio.create_task(self._worked(batch), name="rules batch")
                    self._under_way[task] = frozenset(one.profile for one in batch)
                    task.add_done_callback(self._landed)
                if not self._under_way:
                    self._idle.set()
                await self._news.wait()
            if self._under_way:
                await asyncio.wait(self._under_way)
        finally:
            for task in self._under_way:
                task.cancel()

    def _landed(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._news.set()

    async def _worked(self, batch: list[News]) -> None:
        for _ in range(TRIES):  # then they are left to their leases: others must not wait for them for ever
            try:
                await self.work(batch)
                break
            except Unavailable as error:
                log.warning("rules.work failed reason=%s", error)
                await asyncio.sleep(AGAIN_SECONDS)
                if self._working is None:
                    break
            except Exception as error:  # noqa: BLE001 (one contact's oddity must not end the work of all)
                log.error("rules.work broke error=%s", type(error).__name__, exc_info=error)
                break

    def _take(self) -> list[News]:
        """Return the next batch: all that waits of each of its contacts. Who is being thought of waits until that is written."""
        batch: list[News] = []
        later: list[News] = []
        contacts: set[str] = set()
        busy = frozenset().union(*self._under_way.values())
        while self._waiting and len(contacts) < AT_ONCE:
            one = self._waiting.popleft()
            if one.profile in busy:
                later.append(one)
            else:
                batch.append(one)
                contacts.add(one.profile)
        self._waiting.extendleft(reversed(later))
        return batch

    async def _claim(self, collection: str, where: Document, *, sort: str) -> list[Document]:
        """Lease what matches and nobody holds, at most a batch of it."""
        now = self._clock()
        free = {**where, "$or": [{"lease_until": None}, {"lease_until": {"$lte": now}}]}
        found = await self._store.find(collection, free, sort=[(sort, 1)], limit=AT_ONCE, only=["_id"])
        if not found:
            return []
        token = f"{self._process}/{new_id(now)}"
        ids = {"_id": {"$in": [document["_id"] for document in found]}}
        lease = {"leased_by": token, "lease_until": now + LEASE_FOR}
        await self._store.change_many(collection, {**ids, **free}, {"$set": lease})
        crash_point("run.leased")
        return await self._store.find(collection, {**ids, "leased_by": token})
