"""What waits in the database because there is no room for it here: a campaign of a million must not stand in memory.

The back door holds so many of each channel of what rules send, and lets the others go. They stay leased to this process; as soon
as half of its room is free the next are read here, in batches, in the order in which they were committed. Answers never wait.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from channels.outbound import BackDoor
from profiles.record import from_document
from profiles.store import Document, Store, Unavailable
from profiles.timeline import Message

log = logging.getLogger("channels.backlog")

AGAIN_SECONDS = 1.0
BATCH = 500  # read at once: what a reply of the database takes in memory beside the messages made of it


@dataclass(slots=True)
class _Queue:
    """Of one channel: what was let go has leases from `after` to `until`."""

    until: datetime
    after: datetime | None = None
    feeding: asyncio.Task[None] | None = None


class Backlog:
    """Feeds the back door what it let go."""

    def __init__(self, store: Store, back_door: BackDoor, *, process: str) -> None:
        self._store, self._back_door, self._process = store, back_door, process
        self._queues: dict[str, _Queue] = {}
        self._closing = False
        back_door.backlog = self

    @property
    def is_empty(self) -> bool:
        """Return whether all that this process holds is in its back door."""
        return not self._queues

    def note(self, message: Message) -> None:
        """Remember that this one was let go."""
        assert message.delivery and message.delivery.lease_until
        until = message.delivery.lease_until
        if (queue := self._queues.get(message.channel)) is None:
            self._queues[message.channel] = _Queue(until)
        else:
            queue.until = max(queue.until, until)

    def wake(self, channel: str) -> None:
        """Read on: this channel has room again."""
        queue = self._queues.get(channel)
        if queue and not self._closing and (queue.feeding is None or queue.feeding.done()):
            queue.feeding = asyncio.create_task(self._feed(channel, queue), name="backlog")

    async def close(self) -> None:
        """Read nothing more; what waits is found by its lease."""
        self._closing = True
        feeding = [queue.feeding for queue in self._queues.values() if queue.feeding]
        for task in feeding:
            task.cancel()
        await asyncio.gather(*feeding, return_exceptions=True)

    async def _feed(self, channel: str, queue: _Queue) -> None:
        while room := self._back_door.room(channel):
            until, asked = queue.until, min(room, BATCH)
            try:
                found = await self._next(channel, queue, asked)
            except Unavailable as error:
                log.warning("backlog.read failed channel=%s reason=%s", channel, error)
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            for document in found:
                self._send(from_document(Message, document))
            if found:
                queue.after = found[-1]["delivery"]["lease_until"]
            if len(found) < asked and queue.until == until:
                del self._queues[channel]
                return
            del found  # while the next are read

    async def _next(self, channel: str, queue: _Queue, asked: int) -> list[Document]:
        """Many have the same lease, those of one commit; which of them are here already is told by their ids."""
        leases = {"$lte": queue.until} | ({"$gte": queue.after} if queue.after else {})
        where = {
            "delivery.lease_until": leases,
            "delivery.leased_by": self._process,
            "channel": channel,
            "metadata.class": {"$nin": [None, "transactional"]},
            "_id": {"$nin": self._back_door.held()},
        }
        return await self._store.find("messages", where, sort=[("delivery.lease_until", 1)], limit=asked)

    def _send(self, message: Message) -> None:
        assert message.delivery
        ours = partial(is_ours, self._store, self._process, message.id) if message.delivery.attempts else None
        self._back_door.send(message, ours)


async def is_ours(store: Store, process: str, message: str) -> bool:
    """Return whether this process holds a message by what is on record."""
    return await store.count("messages", {"_id": message, "delivery.leased_by": process}) > 0
