"""A group being thought: each work as it comes, upon the group before it, which may still be on its way to disk.

While one group is written the next is thought, so that the server and the database work at the same time. What a draft
rests on holds only if that group lands; if it does not, the draft is thrown away and its works are thought again.
"""

import asyncio
import logging
import time
from collections.abc import Iterable

from profiles.plan import Group, Key
from profiles.recent import Recent
from profiles.snapshot import Changes, Done, Duplicate, Outcome, Refusal, Work
from profiles.store import Plan

log = logging.getLogger("profiles.writer")

LONGEST_TURN_SECONDS = 0.002  # thinking for longer lets others speak: requests come in, the group before is answered


class Draft:
    """The works of one group and what each came to, so far."""

    def __init__(
        self, group: Group, recent: Recent, *, upon: "Draft | None" = None, done_before: Iterable[Key] = ()
    ) -> None:
        self.group = group
        self.works: list[Work] = []
        self.outcomes: list[Outcome | Exception] = []
        self.plan = Plan()
        """What is to be committed, once sealed."""
        self.error: Exception | None = None
        """Why what the works need could not be read, or their changes not be written out."""
        self.is_written = False
        """Reads see what it came to, though it may not be on disk yet."""
        self.landed = False
        """All of it, and all that it rests on, is on disk."""
        self.seconds = 0.0
        """How long the thinking took."""
        self._recent, self._upon = recent, upon
        self._done = set(done_before)
        self._asked_for: set[str] = set()

    def admit(self, work: Work) -> bool:
        """Take this work in and return True; or False when what it must read from the database is about to change there.

        What a work changes without having asked for it is known once it has thought: who boards together with it reads what was
        before. A receipt is no such case: it finds its delivery by the provider's id, which is on record by then.
        """
        if work.messages or work.records:
            if self.group.amends(work) or not self._asked_for.isdisjoint(work.messages):
                return False
            if self._upon and not self._upon.is_written and self._upon.group.touches(work):
                return False
            self._asked_for.update(work.messages)
        self.works.append(work)
        return True

    async def think(self, *, seize: bool = False) -> None:
        """Let the works think that have not yet. Never raises: what breaks is their outcome, or `error`."""
        works = self.works[len(self.outcomes) :]
        if not works or self.error:
            return
        try:
            await self._recent.read(works, self.group, upon=self._upon.group if self._upon else None, seize=seize)
        except Exception as error:  # noqa: BLE001 (a work that can not be read, or no database: the writer tells them apart)
            self.error = error
            return
        began = time.perf_counter()
        for work in works:
            self.outcomes.append(self._outcome(work))
            if (took := time.perf_counter() - began) > LONGEST_TURN_SECONDS:
                self.seconds += took
                await asyncio.sleep(0)
                began = time.perf_counter()
        self.seconds += time.perf_counter() - began

    def seal(self) -> None:
        """Work out the plan; nothing is added any more. Never raises."""
        if self.error is None:
            try:
                self.plan = self.group.plan()
            except Exception as error:  # noqa: BLE001 (a record that can not be written out: the writer finds whose)
                self.error = error

    def note_written(self) -> None:
        """Know that reads see all of this: the group before can be forgotten."""
        self.is_written, self._upon = True, None

    def _outcome(self, work: Work) -> "Outcome | Exception":
        key = (work.key_in, work.key) if work.key else None
        if key and (key in self._done or (self._upon and key in self._upon._done)):
            return Duplicate(key[1])
        outcome = _thought(work, self.group)
        if key and isinstance(outcome, Done):
            self._done.add(key)
        return outcome


def _thought(work: Work, group: Group) -> "Outcome | Exception":
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
