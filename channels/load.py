"""Is so much asked of this process that everybody waits? Then some are told to come back, instead of all waiting longer. Pure.

A second is slow when one in a hundred of what ended in it took longer than the bound, or when something waits longer still. After
three slow seconds in a row we shed: no more is let in at once than half the bound's worth of what we get done, so those who are in
wait less than the bound. It ends after five seconds that are not slow and in which nobody had to be refused.

At no time more than 2,000 are let in: a burst comes faster than a slow second goes by. Fewer than 128 at once are never refused:
so many fill a commit well (profiles/writer.py), and a database that is slow with each commit gets no faster when fewer ask
(docs/decisions/0031-shedding.md).
"""

from collections import deque

SLOW_SHARE = 0.01  # p99
SLOW_SECONDS, CALM_SECONDS = 3, 5
REMEMBERED_SECONDS = 5  # over which what we get done is counted
NEVER_FEWER, NEVER_MORE = 128, 2_000


class Load:
    """What one process has under way. All times are seconds of a clock that never goes back; a bound of 0 never sheds."""

    def __init__(self, bound: float) -> None:
        self.bound = bound
        self.is_shedding = False
        self.refused = 0
        self._under_way: dict[int, float] = {}
        """Tickets, the oldest first, and since when."""
        self._tickets = 0
        self._second = 0.0
        self._ended = self._late = self._turned_away = 0
        """In this second."""
        self._done: deque[int] = deque(maxlen=REMEMBERED_SECONDS)
        self._slow = self._calm = 0
        """Seconds in a row."""

    @property
    def under_way(self) -> int:
        """How many are being done now."""
        return len(self._under_way)

    @property
    def most(self) -> int:
        """How many may be under way at once."""
        if not self.is_shedding:
            return NEVER_MORE
        per_second = sum(self._done) / len(self._done) if self._done else 0.0
        return min(max(NEVER_FEWER, int(per_second * self.bound / 2)), NEVER_MORE)

    def admit(self, now: float, *, must: bool = False) -> int | None:
        """Return a ticket to give back with `done`; None: refused. Who `must` come in does, and counts."""
        self.pass_time(now)
        if self.bound > 0 and not must and self.under_way >= self.most:
            self.refused += 1
            self._turned_away += 1
            return None
        self._tickets += 1
        self._under_way[self._tickets] = now
        return self._tickets

    def done(self, ticket: int, now: float) -> None:
        """Take note that this one has ended, however it did."""
        self.pass_time(now)
        self._ended += 1
        self._late += now - self._under_way.pop(ticket) > self.bound

    def pass_time(self, now: float) -> None:
        """Judge every second that is over."""
        if self.bound <= 0:
            return
        if now - self._second > SLOW_SECONDS + CALM_SECONDS:
            self._rest(now)
        while now >= self._second + 1:
            self._second += 1
            self._judge()

    def _rest(self, now: float) -> None:
        """After a long time in which nobody came or went; whoever still waits has waited through all of it."""
        self._second = now - (SLOW_SECONDS + CALM_SECONDS)

    def _judge(self) -> None:
        oldest = next(iter(self._under_way.values()), self._second)
        is_slow = self._late > self._ended * SLOW_SHARE or self._second - oldest > self.bound
        self._slow = self._slow + 1 if is_slow else 0
        self._calm = 0 if is_slow or self._turned_away else self._calm + 1
        self._done.append(self._ended)
        self._ended = self._late = self._turned_away = 0
        if self._slow >= SLOW_SECONDS:
            self.is_shedding = True
        elif self._calm >= CALM_SECONDS:
            self.is_shedding = False
