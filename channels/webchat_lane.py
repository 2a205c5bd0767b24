"""One thing after the other, by a task that lives only while there is something to do.

A queue and a task that waits at it cost an idle socket 4 KiB; ten thousand of them say nothing most of the time.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lane(Generic[T]):
    """Does `do` with what is put in, in order. `do` must not raise; what it returns is not looked at."""

    __slots__ = ("_do", "_most", "_room", "_task", "_waiting")

    def __init__(self, do: Callable[[T], Awaitable[None]], most: int) -> None:
        self._do: Callable[[T], Awaitable[None]] | None = do
        self._most = most
        self._waiting: deque[T] | None = None
        self._task: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing is taken any more."""
        return self._do is None

    def is_full(self) -> bool:
        """Return whether so many wait already, or the lane has ended: `put` would take nothing."""
        return self._do is None or len(self._waiting or ()) >= self._most

    def put(self, thing: T) -> bool:
        """Return whether it is taken; what is taken is done unless the lane is ended first."""
        if self.is_full():
            return False
        if self._waiting is None:
            self._waiting = deque()
            self._task = asyncio.create_task(self._work(), name="webchat.lane")
        self._waiting.append(thing)
        return True

    async def room(self) -> None:
        """Return when `put` would take something, or the lane has ended. One at a time may wait."""
        while self._do is not None and self.is_full():
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    async def finish(self, within_seconds: float) -> None:
        """Take nothing more, and return when all that was taken is done; what is not by then is dropped."""
        self._most = 0
        if self._task:
            await asyncio.wait([self._task], timeout=within_seconds)
        self.end()

    def end(self) -> None:
        """Drop what waits, and take nothing more. Within `do` it lets that one come to its end."""
        self._do = None  # the circle of a socket and its lanes is broken here, not by the collector
        if self._waiting:
            self._waiting.clear()
        if self._task and self._task is not asyncio.current_task():
            self._task.cancel()
        self._let_in()

    async def _work(self) -> None:
        try:
            while self._waiting and self._do:
                thing = self._waiting.popleft()
                self._let_in()
                await self._do(thing)
        finally:
            self._waiting = self._task = None

    def _let_in(self) -> None:
        if self._room and not self._room.done():
            self._room.set_result(None)
        self._room = None
