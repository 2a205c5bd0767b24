"""How a thought group gets onto the disk: a conflict is thought again, and a mistake is cut off from the others."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from profiles.calendar import Clock
from profiles.draft import Draft
from profiles.plan import Group, Key, React
from profiles.recent import Recent
from profiles.record import replace
from profiles.snapshot import Changes, Duplicate, Outcome, Work
from profiles.store import Ahead, AlreadyThere, Interrupted, Stale, Store, Unavailable, Unstorable

log = logging.getLogger("profiles.writer")

ATTEMPTS = 20  # thinking again after a conflict; each attempt reads afresh
SPLIT_AFTER = 3  # a group that met conflicts so often is halved: who meets nobody need not wait; one alone seizes
TAKEN_KEYS = 6  # what exists is read at the next attempt; as many in a row are a mistake of ours, not a race
LOST_CONNECTIONS = 2  # as many in one group fail it: each may take the driver's 5 s of looking for a server
LONGEST_PAUSE_SECONDS = 0.05

Listener: TypeAlias = Callable[[list[Changes]], None]


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


class Committer:
    """Writes one group after the other, each until it is on disk or can not be."""

    def __init__(self, store: Store, recent: Recent, *, process: str, clock: Clock) -> None:
        self.tally = Tally()
        self.listeners: list[Listener] = []
        self.react: React | None = None
        self._store, self._recent, self._process, self._clock = store, recent, process, clock

    def draft(self, *, upon: Draft | None = None, done_before: "frozenset[Key] | set[Key]" = frozenset()) -> Draft:
        """Return an empty group of now, that builds upon what another will leave."""
        return Draft(Group(self._clock(), self._process, self.react), self._recent, upon=upon, done_before=done_before)

    async def write(
        self,
        works: list[Work],
        thought: Draft | None = None,
        *,
        split_after: int = SPLIT_AFTER,
        before: "asyncio.Future[bool] | None" = None,
        ahead: Ahead | None = None,
        landed: Callable[[], None] | None = None,
    ) -> "list[Outcome | Exception]":
        """Commit the works as one group and return their outcomes, an exception for each that failed. Never raises.

        What was `thought` already, and sealed, is the first attempt; the group after it may go `ahead` when reads see it.
        `before` comes to whether the group before landed: only then has this one, which may rest on it. `landed` is called when
        the first attempt is on disk; the group after it then leaves, and only then are the listeners told of this one.
        """
        done_before: set[Key] = set()
        lost = taken = 0
        for attempt in range(ATTEMPTS):
            known = len(done_before)
            try:
                draft = thought or await self._think(works, done_before, seize=attempt > split_after)
                first, thought = thought is not None, None
                on_first = (ahead, landed) if first else (None, None)
                return await self._commit(draft, done_before, before, *on_first)
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
                return await self._halves(works, before) if len(works) > 1 else self._broken(works[0], error)
            if attempt >= split_after and len(works) > 1:
                return await self._halves(works, before)
            if attempt:
                await asyncio.sleep(random.uniform(0, min(LONGEST_PAUSE_SECONDS, 0.002 * 2**attempt)))
        return self._failed(works, Unavailable(f"met another writer {ATTEMPTS} times"))

    async def _think(self, works: list[Work], done_before: "set[Key]", *, seize: bool) -> Draft:
        draft = self.draft(done_before=done_before)
        draft.works.extend(_afresh(work) for work in works)
        await draft.think(seize=seize)
        draft.seal()
        return draft

    async def _commit(
        self,
        draft: Draft,
        done_before: "set[Key]",
        before: "asyncio.Future[bool] | None",
        ahead: Ahead | None,
        landed: Callable[[], None] | None,
    ) -> "list[Outcome | Exception]":
        try:
            if draft.error:
                raise draft.error
            if draft.plan:
                await self._store.commit(draft.plan, **self._letting(draft, ahead))
            self._note_written(draft)
            if before and not await before:
                raise Unavailable("the group before was not confirmed")
        except Exception as error:
            draft.is_written = False
            self._recent.forget(draft.group)
            if isinstance(error, AlreadyThere):
                done_before |= await self._look_up(draft.works)
            raise
        draft.landed = True
        if landed:
            landed()
            await _the_next_leaves()
        self.tally.duplicates += sum(isinstance(outcome, Duplicate) for outcome in draft.outcomes)
        self.announce(draft.group.kept)
        return draft.outcomes

    def _letting(self, draft: Draft, ahead: Ahead | None) -> dict[str, Ahead]:
        """Return what lets others go ahead, once this is remembered."""
        if ahead is None:
            return {}

        def go() -> None:
            self._note_written(draft)
            ahead.go()

        return {"ahead": Ahead(ahead.is_wanted, go)}

    def _note_written(self, draft: Draft) -> None:
        if not draft.is_written:
            draft.note_written()
            self._remember(draft.group)

    def _remember(self, group: Group) -> None:
        try:
            self._recent.learn(group)
        except Exception as error:  # noqa: BLE001 (the group is on disk: it must not be written again)
            log.error("writer.memory broke error=%s", type(error).__name__, exc_info=error)
            self._recent.forget(group)

    async def _halves(self, works: list[Work], before: "asyncio.Future[bool] | None") -> "list[Outcome | Exception]":
        """Write each half alone, and so on: whatever can not be written ends up alone and fails by itself."""
        outcomes: list[Outcome | Exception] = []
        for half in (works[: len(works) // 2], works[len(works) // 2 :]):
            outcomes += await self.write(half, split_after=0, before=before)
        return outcomes

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

    def announce(self, changes: list[Changes]) -> None:
        """Tell the listeners what is on disk now."""
        if not changes:
            return
        for listener in self.listeners:
            try:
                listener(changes)
            except Exception as error:  # noqa: BLE001 (the group is on disk: its callers must hear that)
                log.error("writer.listener broke error=%s", type(error).__name__, exc_info=error)


async def _the_next_leaves() -> None:
    """Let the group after this one be sent off, so that the database writes while we tell what became of this one.

    Two turns of the loop: in the first the writer makes it a task, in the second that task hands its plan over.
    """
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def _afresh(work: Work) -> Work:
    """Return the work without what its caller told of the database: that may be what was wrong."""
    return replace(work, seen=(), fresh=frozenset()) if work.seen or work.fresh else work
