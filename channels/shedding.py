"""Refusing at the doors what its sender says again anyway, while too much is asked of us: when, is decided in load.py.

Refused with `Busy`, which is Unavailable to every door: a provider gets 503 and Retry-After, the widget is told how long to wait.
What agents do is never refused, nor is what its sender says only once (`Limits.repeats`).
"""

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from channels.channel import Arrival, Inbound, Limits, Receive
from channels.load import Load
from profiles.snapshot import Outcome
from profiles.store import Unavailable

log = logging.getLogger("channels.shedding")

BACK_IN_SECONDS = (2.0, 6.0)
"""Spread, so that those who were refused together do not come back together."""


class Busy(Unavailable):
    """More is asked of us than we get done. Nothing was done of this; it may be offered again `after` so many seconds."""

    def __init__(self) -> None:
        super().__init__("too much is asked of this server now")
        self.after = random.uniform(*BACK_IN_SECONDS)


class Shedding:
    """One per process, for all its doors."""

    def __init__(self, bound: float = 0.0, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self.load = Load(bound)
        self._seconds = seconds
        self._was_shedding = False

    def enter(self, *, must: bool = False) -> int:
        """Begin what ends with a commit, and return what to leave with. Raises Busy when it is to be said again later."""
        ticket = self.load.admit(self._seconds(), must=must)
        self._tell()
        if ticket is None:
            raise Busy
        return ticket

    def leave(self, ticket: int) -> None:
        """Say that it has ended, however it did."""
        self.load.done(ticket, self._seconds())
        self._tell()

    @contextmanager
    def place(self, *, must: bool = False) -> Iterator[None]:
        """Do within the block what ends with a commit. Raises Busy when it is to be said again later."""
        ticket = self.enter(must=must)
        try:
            yield
        finally:
            self.leave(ticket)

    def is_on(self) -> bool:
        """Return whether we shed now."""
        self.load.pass_time(self._seconds())
        self._tell()
        return self.load.is_shedding

    def _tell(self) -> None:
        load = self.load
        if load.is_shedding == self._was_shedding:
            return
        self._was_shedding = load.is_shedding
        if load.is_shedding:
            log.warning("shedding.began under_way=%d most=%d bound_seconds=%g", load.under_way, load.most, load.bound)
        else:
            log.info("shedding.ended refused=%d", load.refused)


def shedding(receive: Receive, gate: Shedding, limits: Mapping[str, Limits]) -> Receive:
    """Return a front door that refuses messages while we shed; everything else that arrives is small, and taken."""

    async def take(arrival: Arrival) -> Outcome:
        if not isinstance(arrival, Inbound):
            return await receive(arrival)
        known = limits.get(arrival.channel)
        ticket = gate.enter(must=known is not None and not known.repeats)
        try:  # every message comes through here, and `place` costs a generator
            return await receive(arrival)
        finally:
            gate.leave(ticket)

    return take
