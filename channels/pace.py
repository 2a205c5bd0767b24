"""How fast a channel may be fed: so many at once, so many a second, so many a second to one person.

What a provider allows a second is shared evenly by the processes that send, unless one sends for all. Who answers a person goes
before what rules send: a campaign of a hundred thousand must not keep one question waiting.
"""

import asyncio
import heapq
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from channels.channel import Limits

PEOPLE_REMEMBERED = 10_000
LATE_SECONDS = 0.05  # how much a loop that woke late may make up for: more would be a burst


@dataclass(slots=True, eq=False)
class Waiter:
    """One message that waits for its turn. `since` is when it began to, in seconds of the loop's clock."""

    address: str
    since: float
    is_answer: bool = False
    is_over: bool = False
    """Whether it went, or nobody waits for it any more."""
    go: Callable[[], None] = field(default=lambda: None)
    """Called when it is its turn."""


class Turns:
    """Whose turn it is: answers first, then the others, each in the order they came. Pure; `now` is seconds of any clock."""

    def __init__(self, limits: Limits, processes: Callable[[], int]) -> None:
        self._limits, self._processes = limits, processes
        self._free = limits.at_once
        self._next = 0.0
        self._next_for: OrderedDict[str, float] = OrderedDict()
        self._answers: deque[Waiter] = deque()
        self._others: deque[Waiter] = deque()
        self._resting: list[tuple[float, int, Waiter]] = []
        """Those whose person had something a moment ago, by when they may have more."""
        self._number = count()

    def join(self, waiter: Waiter) -> None:
        """Let it wait behind those of its kind."""
        (self._answers if waiter.is_answer else self._others).append(waiter)

    def hurry(self, waiter: Waiter) -> None:
        """Let it wait among the answers: one is behind it."""
        if waiter.is_answer or waiter.is_over:
            return
        waiter.is_answer = True
        if waiter in self._others:
            self._others.remove(waiter)
            self._answers.append(waiter)

    def leave(self) -> None:
        """Take back the place of one that went."""
        self._free += 1

    def due(self, now: float) -> Waiter | None:
        """Return whose turn it is now, its place and its instant taken; None when it is nobody's."""
        while self._resting and self._resting[0][0] <= now:
            self.join(heapq.heappop(self._resting)[2])
        while self._free and self._next <= now and (waiter := self._first()):
            if (at := self._next_for.get(waiter.address, 0.0)) > now:
                heapq.heappush(self._resting, (at, next(self._number), waiter))
                continue
            self._take(waiter, now)
            return waiter
        return None

    def soonest(self) -> float | None:
        """Return when it is worth asking again, though nobody comes or leaves; None: never."""
        if self._free and (self._answers or self._others):
            return self._next
        return self._resting[0][0] if self._resting else None

    def _first(self) -> Waiter | None:
        for queue in (self._answers, self._others):
            while queue:
                waiter = queue.popleft()
                if not waiter.is_over:
                    return waiter
        return None

    def _take(self, waiter: Waiter, now: float) -> None:
        self._free -= 1
        waiter.is_over = True
        if self._limits.per_second:
            began = max(self._next, waiter.since, now - LATE_SECONDS)
            self._next = began + self._processes() / self._limits.per_second
        if self._limits.per_person_second:
            self._next_for.pop(waiter.address, None)
            self._next_for[waiter.address] = now + 1 / self._limits.per_person_second
            if len(self._next_for) > PEOPLE_REMEMBERED:
                self._next_for.popitem(last=False)


class Pace:
    """Gives turns by the loop's clock. Nobody is refused."""

    def __init__(self, limits: Limits, processes: Callable[[], int] | None = None) -> None:
        """`processes` says how many send now, this one included."""
        self._turns = Turns(limits, _alone if limits.sole or processes is None else processes)
        self._waiting: dict[str, list[Waiter]] = {}
        self._alarm: asyncio.Handle | None = None
        self._rings_at: float | None = None
        """By the loop's clock. Not the alarm's to say: uvloop's has no time of its own when it is due within half a millisecond."""

    @asynccontextmanager
    async def turn(self, address: str, *, answers: bool = True) -> AsyncIterator[None]:
        """Enter when it is this address's turn; leave when the provider has answered. `answers`: whether it goes before pushes."""
        await self.enter(address, answers=answers)
        try:
            yield
        finally:
            self.leave()

    async def enter(self, address: str, *, answers: bool = True) -> None:
        """Return when it is this address's turn; `leave` must follow. Cancelled, it took no turn."""
        waiter = Waiter(address, asyncio.get_running_loop().time(), answers)
        self._turns.join(waiter)
        self._give()
        if not waiter.is_over:
            await self._wait(waiter)

    def leave(self) -> None:
        """End a turn: the provider has answered."""
        self._turns.leave()
        self._give()

    def hurry(self, address: str) -> None:
        """Let what waits for this address go as an answer does: an answer is behind it."""
        for waiter in self._waiting.get(address, ()):
            self._turns.hurry(waiter)
        self._give()

    async def _wait(self, waiter: Waiter) -> None:
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter.go = partial(_resolve, given)
        self._waiting.setdefault(waiter.address, []).append(waiter)
        try:
            await given
        except asyncio.CancelledError:
            if waiter.is_over:  # its place was taken in the same moment
                self.leave()
            waiter.is_over = True
            raise
        finally:
            self._forget(waiter)

    def _give(self) -> None:
        loop = asyncio.get_running_loop()
        while waiter := self._turns.due(loop.time()):
            waiter.go()
        at = self._turns.soonest()
        if at == self._rings_at:
            return
        if self._alarm:
            self._alarm.cancel()
        self._alarm, self._rings_at = (None if at is None else loop.call_at(at, self._ring)), at

    def _ring(self) -> None:
        self._alarm = self._rings_at = None
        self._give()

    def _forget(self, waiter: Waiter) -> None:
        of_address = self._waiting[waiter.address]
        of_address.remove(waiter)
        if not of_address:
            del self._waiting[waiter.address]


def _resolve(given: asyncio.Future[None]) -> None:
    if not given.done():
        given.set_result(None)


def _alone() -> int:
    return 1
