"""What became of deliveries, recorded for many at once, each on its own: nothing else changes with it, so it needs no transaction.

In a transaction MongoDB 6.0 takes 65 us of CPU for each of 500 such updates, outside of one 28, and a work of the writer's takes
another 20 of ours. They are as durable (majority, journaled), and whoever listens to the writer hears of them as of any commit.
"""

import asyncio
from collections.abc import Callable

from profiles.plan import amendment
from profiles.snapshot import Amend, Changes
from profiles.store import Store, Unavailable, Update

AT_ONCE = 500
ENOUGH = 100  # from here on a larger batch saves little
COMPANY_SECONDS = 0.05  # what a crash may forget of deliveries that were made: they are then made again
TRIES = 2  # a mark sets what it says, so it may be written again; each try may take the driver's 5 s of looking for a server

NOT_OVERTAKEN = {"delivery.state": {"$nin": ["delivered", "read"]}}
"""Asked at the second try alone, for the first may have been heard, and a receipt found the delivery by it since."""

Waiting = tuple[Amend, asyncio.Future[None]]


class Marks:
    """Writes amendments of messages that hang together with nothing, those of some 50 ms in one command."""

    def __init__(self, store: Store, announce: Callable[[list[Changes]], None]) -> None:
        self._store, self._announce = store, announce
        self._waiting: list[Waiting] = []
        self._enough = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self._closing = False

    async def put(self, amend: Amend) -> None:
        """Return when it is on disk. Raises Unavailable: nothing may be assumed, and it may be put again."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((amend, future))
        if len(self._waiting) >= ENOUGH:
            self._enough.set()
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all(), name="marks")
        await future

    async def close(self) -> None:
        """Return when nothing waits any more."""
        self._closing = True
        self._enough.set()
        while self._writing and not self._writing.done():
            await asyncio.wait([self._writing])

    async def _write_all(self) -> None:
        while self._waiting:
            await self._gather()
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            await self._write(batch)

    async def _gather(self) -> None:
        """Wait a moment for company, unless there is enough."""
        if self._closing or len(self._waiting) >= ENOUGH:
            return
        self._enough.clear()
        timer = asyncio.get_running_loop().call_later(COMPANY_SECONDS, self._enough.set)
        await self._enough.wait()
        timer.cancel()

    async def _write(self, batch: list[Waiting]) -> None:
        amends = [amend for amend, _ in batch]
        try:
            await self._tried([amendment(amend) for amend in amends])
        except Unavailable as error:
            for _, future in batch:
                _fail(future, Unavailable(str(error)))  # one each: every raise writes its traceback into it
        except Exception as error:  # noqa: BLE001 (one that can not be kept must not fail the others)
            if len(batch) == 1:
                return _fail(batch[0][1], error)
            await self._write(batch[: len(batch) // 2])
            await self._write(batch[len(batch) // 2 :])
        else:
            self._announce([Changes(amends=tuple(amends))])
            for _, future in batch:
                if not future.done():  # else its caller gave up; it is on disk all the same
                    future.set_result(None)

    async def _tried(self, updates: list[Update]) -> None:
        for left in reversed(range(TRIES)):
            try:
                await self._store.update_each("messages", updates, where=None if left == TRIES - 1 else NOT_OVERTAKEN)
                return
            except Unavailable:
                if not left:
                    raise


def _fail(future: asyncio.Future[None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
