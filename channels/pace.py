"""How fast a channel may be fed: so many at once, so many a second, so many a second to one person.

What a provider allows a second is shared evenly by the processes that send, unless one sends for all.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from channels.channel import Limits

PEOPLE_REMEMBERED = 10_000


class Pace:
    """Gives turns. Waiting is in arrival order; nobody is refused."""

    def __init__(self, limits: Limits, processes: Callable[[], int] | None = None) -> None:
        """`processes` says how many send now, this one included."""
        self._limits = limits
        self._processes = _alone if limits.sole or processes is None else processes
        self._places = asyncio.Semaphore(limits.at_once)
        self._next = 0.0
        self._next_for: OrderedDict[str, float] = OrderedDict()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Enter when it is this address's turn; leave when the provider has answered."""
        await asyncio.sleep(self._delay(address))
        async with self._places:
            yield

    def _delay(self, address: str) -> float:
        """Book the next free instant, over all and for this person, and return how far away it is (seconds)."""
        now = asyncio.get_running_loop().time()
        at = now
        if self._limits.per_second:
            at = max(at, self._next)
            self._next = at + self._processes() / self._limits.per_second
        if self._limits.per_person_second:
            at = max(at, self._next_for.pop(address, 0.0))
            self._next_for[address] = at + 1 / self._limits.per_person_second
            if len(self._next_for) > PEOPLE_REMEMBERED:
                self._next_for.popitem(last=False)
        return at - now


def _alone() -> int:
    return 1
