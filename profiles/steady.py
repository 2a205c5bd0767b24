"""Does the database's clock go evenly? Caps and permits are counted by it: one that leaps ahead would forget what was sent.

It is held against the time that this machine has been running, which nobody sets. What the gate may believe is a bound that
stands in its own update (`profiles.caps.even`), so that the very first grant after a leap is refused by the database itself. A
clock that goes back lets nothing out and needs no guard. tests/faults/test_clock_leaps.py shows both, and what goes out without.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

log = logging.getLogger("profiles.steady")

LEAP_SECONDS = 2.0
DRIFT = 0.001
"""Seconds in a second: twice what a clock is slewed by at the most (adjtimex(2): 500 ppm)."""
BELIEVED_AFTER_SECONDS = 3_600.0
"""A clock that goes evenly so long after its leap was set right: it is believed from then on."""


def running_seconds() -> float:
    """Return how long this machine has been running, the time that it slept included where that can be known."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Steady:
    """What one process knows of its database's clock, from readings of it."""

    def __init__(self, running: Callable[[], float] = running_seconds) -> None:
        self._running = running
        self._ahead: float | None = None
        """The database's clock less our running time, by the quickest answer of late: the truest."""
        self._most: float = 0.0
        """What it may be at the most: an answer that was slow to come leaves it open. As much is no leap."""
        self._seen = 0.0
        self._doubted: tuple[float, float] | None = None
        """How far it leapt to, and since when it goes on evenly from there."""
        self._last: float | None = None
        self._uneven_at = float("-inf")

    @property
    def is_doubted(self) -> bool:
        """Whether the clock leapt ahead: nothing that a cap counts is let out until it is back, or believed."""
        return self._doubted is not None

    def asks(self) -> float:
        """Return when a question begins, to be told with its answer."""
        return self._running()

    def read(self, at: datetime, asked: float | None = None) -> None:
        """Take in what the database's clock showed, at the latest now and not before it was `asked` (None: just now)."""
        now = self._running()
        ahead = at.timestamp() - now
        most = ahead if asked is None else at.timestamp() - asked
        if self._last is not None and abs(ahead - self._last) > LEAP_SECONDS:
            self._uneven_at = now
        self._last = ahead
        if self._ahead is None or ahead - self._most <= self._slack(now):
            self._believe(ahead, most, now)
        elif self._doubted is None or abs(ahead - self._doubted[0]) > LEAP_SECONDS:
            self._doubted = (ahead, now)
            log.error("clock.leapt seconds=%.1f", ahead - self._most)
        elif now - self._doubted[1] > BELIEVED_AFTER_SECONDS:
            log.warning("clock.believed seconds=%.1f", ahead - self._ahead)
            self._ahead = None
            self._believe(ahead, most, now)

    def latest(self) -> datetime | None:
        """Return the latest instant that an even clock can show now; None before the first reading."""
        if self._ahead is None:
            return None
        now = self._running()
        return datetime.fromtimestamp(self._ahead + now + self._slack(now), UTC)

    def was_even_for(self, seconds: float) -> bool:
        """Return whether no reading of so long was off the one before it, in either direction."""
        return self._running() - self._uneven_at > seconds

    def _slack(self, now: float) -> float:
        return LEAP_SECONDS + DRIFT * (now - self._seen)

    def _believe(self, ahead: float, most: float, now: float) -> None:
        if self._doubted is not None:
            log.warning("clock.even_again")
        drift = DRIFT * (now - self._seen)
        if self._ahead is not None:
            ahead, most = max(ahead, self._ahead - drift), min(most, self._most + drift)
        self._ahead, self._most, self._seen, self._doubted = ahead, max(ahead, most), now, None
