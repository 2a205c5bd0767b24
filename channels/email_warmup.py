"""A new sending domain writes to few people on its first days, and to more on each: what mailbox providers trust.

A day (UTC) has a ceiling over all processes: each takes a share of it from the database, and sends what it took.
"""

import asyncio
from contextlib import suppress
from datetime import date, datetime, timedelta

from profiles.calendar import Clock
from profiles.store import AlreadyThere, Store

COLLECTION = "email_days"
SHARE = 50  # mails that a process takes at a time: one write for each fifty


def ceiling(day: date, *, began: date, first: int, growth: float, days: int) -> int | None:
    """Return how many mails this day may have; None when the warming up is over."""
    number = (day - began).days
    if number >= days:
        return None
    return int(min(first * growth ** max(number, 0), 1e9)) if number >= 0 else 0


class WarmUp:
    """Counts the mails of a day. `began`: its first day."""

    def __init__(
        self, store: Store, clock: Clock, *, domain: str, began: date, first: int, growth: float, days: int
    ) -> None:
        self._store, self._clock, self._domain = store, clock, domain
        self._began, self._first, self._growth, self._days = began, first, growth, days
        self._day = date.min
        self._left = 0
        self._is_spent = False
        self._taking = asyncio.Lock()

    async def take(self) -> float:
        """Return 0 when a mail may go out now, counted; else the seconds until the next day. Raises Unavailable."""
        now = self._clock()
        most = ceiling(now.date(), began=self._began, first=self._first, growth=self._growth, days=self._days)
        if most is None:
            return 0.0
        async with self._taking:
            if now.date() != self._day:
                self._day, self._left, self._is_spent = now.date(), 0, False
            if not self._left and not self._is_spent:
                self._left = await self._share(now, most)
                self._is_spent = not self._left
        if self._left:
            self._left -= 1
            return 0.0
        return _until_tomorrow(now)

    def give_back(self) -> None:
        """Count a mail as not sent after all."""
        self._left += 1

    async def _share(self, now: datetime, most: int) -> int:
        """Take mails of this day from the database and return how many: fewer than a share at its end, then none."""
        id = f"{self._domain}:{now.date().isoformat()}"
        with suppress(AlreadyThere):
            await self._store.insert(COLLECTION, {"_id": id, "taken": 0})
        for share in (min(SHARE, most), 1):
            where = {"_id": id, "taken": {"$lte": most - share}}
            if share and await self._store.change(COLLECTION, where, {"$inc": {"taken": share}}):
                return share
        return 0


def _until_tomorrow(now: datetime) -> float:
    tomorrow = datetime(now.year, now.month, now.day, tzinfo=now.tzinfo) + timedelta(days=1)
    return (tomorrow - now).total_seconds() + 1
