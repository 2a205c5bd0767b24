"""One clock for all sockets of a process: who is silent is asked whether they are there, who does not answer is let go.

A timer for each costs 1.5 KiB a socket and is set anew with every byte. Here a second is counted for all at once; a socket counts
the seconds of its own silence, and hearing anything begins anew. Seconds in which this process stood still are not counted, so
nobody is let go for an answer that we had no time to read.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal, Protocol

from profiles.calendar import Clock

log = logging.getLogger("channels.webchat")

TICK_SECONDS = 1.0
ASK_AFTER, GONE_AFTER = 20, 30
"""Ticks of silence: a proxy closes what was silent for 60 seconds, and a telephone needs some to wake its radio."""


class Listener(Protocol):
    """Somebody who counts."""

    def tick(self, now: datetime) -> None:
        """Hear that another second is over."""


def due(silent: int) -> Literal["ask", "gone"] | None:
    """Return what so many ticks of silence ask for."""
    if silent >= GONE_AFTER:
        return "gone"
    return "ask" if silent == ASK_AFTER else None


class Beat:
    """Ticks while somebody listens; `listeners` are asked for at each tick."""

    def __init__(self, listeners: Callable[[], Iterable[Listener]], *, clock: Clock) -> None:
        self._listeners, self._clock = listeners, clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Tick from now on, until nobody listens any more."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="webchat.beat")

    def stop(self) -> None:
        """Tick no more."""
        if self._task:
            self._task.cancel()

    def tick(self) -> int:
        """Count one second for everybody; return for how many."""
        now, everybody = self._clock(), tuple(self._listeners())
        for one in everybody:
            try:
                one.tick(now)
            except Exception as error:  # noqa: BLE001 (one that is broken must not stop the clock of all)
                log.error("webchat.beat broke error=%s", type(error).__name__, exc_info=error)
        return len(everybody)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if not self.tick():
                return
