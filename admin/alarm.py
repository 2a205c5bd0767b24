"""Waking what was snoozed, at its time: one task that sleeps until the next one is due."""

import asyncio
import contextlib
import logging
from datetime import datetime

from admin.desk import Desk
from profiles.conversation import wake
from profiles.ids import new_id
from profiles.live import Lagging
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.store import Unavailable
from profiles.tasks import end
from profiles.timeline import SYSTEM, Event

log = logging.getLogger("admin.alarm")

LOOK_AGAIN_SECONDS = 300.0  # another process may have snoozed something: one look at least this often
AT_ONCE = 100


class Alarm:
    """Wakes snoozed conversations as long as it runs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin with whatever should have woken while the server was down."""
        self._tasks = [asyncio.create_task(self._listen(), name="alarm.listen"),
                       asyncio.create_task(self._run(), name="alarm.run")]  # fmt: skip

    async def stop(self) -> None:
        """Wake nothing more."""
        await end(*self._tasks)

    async def ring(self) -> datetime | None:
        """Wake all that is due and return when the next one is."""
        asleep = await self._desk.store.find(
            "conversations",
            {"status": "snoozed", "snoozed_until": {"$exists": True}},
            sort=[("snoozed_until", 1)],
            limit=AT_ONCE,
            only=["snoozed_until"],
        )
        for document in asleep:
            due: datetime = document["snoozed_until"]
            if due > self._desk.clock():
                return due
            await self._desk.writer.commit(woken(document["_id"]))
        return self._desk.clock() if len(asleep) == AT_ONCE else None

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            wait = LOOK_AGAIN_SECONDS
            try:
                if due := await self.ring():
                    wait = min(wait, max(0.0, (due - self._desk.clock()).total_seconds()))
            except Unavailable as error:
                log.warning("alarm.ring failed reason=%s", error)
                wait = 1.0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()

    async def _listen(self) -> None:
        while True:
            with self._desk.feed.listen(_snoozes) as changes, contextlib.suppress(Lagging):
                async for _ in changes:
                    self._changed.set()
            self._changed.set()


def woken(id: str) -> Work:
    """Return the Work that opens a conversation whose sleep is over; refused when it is not."""

    def think(snapshot: Snapshot) -> Changes | Refusal:
        conversation = snapshot.conversations.get(id)
        if conversation is None or conversation.snoozed_until is None or conversation.snoozed_until > snapshot.now:
            return Refusal("not_due", id)
        event = Event(
            new_id(snapshot.now), conversation.profile, "conversation.woken", snapshot.now, id, SYSTEM, "console"
        )
        return Changes(conversations=(wake(conversation),), events=(event,))

    return Work(think, conversations=(id,))


def _snoozes(changes: Changes) -> bool:
    return any(conversation.snoozed_until for conversation in changes.conversations)
