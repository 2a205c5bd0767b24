"""Who wants to know right now: console pages and web-chat widgets hear of every commit of this process, in order."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from profiles.snapshot import Changes

log = logging.getLogger("profiles.live")

Wanted = Callable[[Changes], bool]
Hear = Callable[[Changes], None]
LAG_LIMIT = 256  # a listener this far behind is cut off; it reconnects and asks for what it missed


class Lagging(Exception):
    """This listener did not keep up and was let go; it must read what it missed and listen again."""


class Feed:
    """Hands each committed group to everybody who listens. A slow listener never slows a fast one, or a commit."""

    def __init__(self) -> None:
        self._listeners: set[_Listener] = set()
        self._hearers: list[Hear] = []

    def announce(self, changes: list[Changes]) -> None:
        """Tell all listeners; called by the writer after its commit."""
        for offer in (*(listener.offer for listener in tuple(self._listeners)), *self._hearers):
            try:
                for change in changes:
                    offer(change)
            except Exception as error:  # noqa: BLE001 (one listener's mistake is not the others')
                log.error("feed.listener broke error=%s", type(error).__name__, exc_info=error)

    def hear(self, hear: Hear) -> Callable[[], None]:
        """Call this with every change, in order, right after its commit; it must not raise or block. Returns how to stop.

        For one who hands the changes on to many at once, and so would be cut off by the limit of `listen`.
        """
        self._hearers.append(hear)
        return lambda: self._hearers.remove(hear) if hear in self._hearers else None

    @contextmanager
    def listen(self, wanted: Wanted) -> Iterator[AsyncIterator[Changes]]:
        """Within the block, iterate over the changes that are wanted. Raises Lagging past 256 unread ones."""
        listener = _Listener(wanted)
        self._listeners.add(listener)
        try:
            yield listener.changes()
        finally:
            self._listeners.discard(listener)


class _Listener:
    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._queue: asyncio.Queue[Changes | None] = asyncio.Queue(LAG_LIMIT + 1)
        self._cut = False

    def offer(self, changes: Changes) -> None:
        if self._cut or not self._wanted(changes):
            return
        if self._queue.qsize() >= LAG_LIMIT:
            self._cut = True
            self._queue.put_nowait(None)
        else:
            self._queue.put_nowait(changes)

    async def changes(self) -> AsyncIterator[Changes]:
        while True:
            changes = await self._queue.get()
            if changes is None:
                raise Lagging
            yield changes
