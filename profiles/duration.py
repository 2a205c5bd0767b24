"""How long is "90d"? Lengths of time as people write them in rules: a number and a unit, `m h d w mo y`.

Minutes to weeks are fixed (a day is 24 hours); months and years go by the calendar, and a day that a month lacks
becomes its last one: 31 January and a month is 28 February.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

UNITS = {"m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
LONGEST = timedelta(days=36_600)  # a hundred years: what is longer is a mistake, and could leave the calendar
EARLIEST, LATEST = datetime(1000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Instants outside are taken for unknown: a length added to one inside never leaves the calendar."""

Day = TypeVar("Day", bound=date)

_WRITTEN = re.compile(r"\s*([0-9]{1,9})\s*(mo|m|h|d|w|y)\s*")
_FIXED = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_AT_MOST = {"mo": timedelta(days=31), "y": timedelta(days=366)}


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time as it was written: `Duration(90, "d")`."""

    count: int
    unit: str

    @property
    def is_fixed(self) -> bool:
        """Whether it is always as long; months and years are not."""
        return self.unit in _FIXED

    @property
    def at_most(self) -> timedelta:
        """Return the length, or the longest that months and years can come to."""
        return self.count * (_FIXED.get(self.unit) or _AT_MOST[self.unit])

    @property
    def months(self) -> int:
        """Return how many months of the calendar it is, 0 for a fixed length."""
        return {"mo": 1, "y": 12}.get(self.unit, 0) * self.count

    def after(self, moment: datetime) -> datetime:
        """Return the instant this long after `moment`; months and years keep the hour of the moment's own zone."""
        return _months_on(moment, self.months) if self.months else moment + self._fixed

    def before(self, moment: datetime) -> datetime:
        """Return the instant this long before `moment`; months and years keep the hour of the moment's own zone."""
        return _months_on(moment, -self.months) if self.months else moment - self._fixed

    def days_after(self, day: date) -> date:
        """Return the day this long after `day`; minutes and hours count only in whole days."""
        return _months_on(day, self.months) if self.months else day + timedelta(self._fixed.days)

    def days_before(self, day: date) -> date:
        """Return the day this long before `day`; minutes and hours count only in whole days."""
        return _months_on(day, -self.months) if self.months else day - timedelta(self._fixed.days)

    @property
    def _fixed(self) -> timedelta:
        return self.count * _FIXED.get(self.unit, timedelta(0))

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


def parse_duration(text: str) -> Duration | None:
    """Return the length that a text such as 90d, 4h, 15m, 2w, 6mo or 1y means, or None; at most a hundred years."""
    written = _WRITTEN.fullmatch(text)
    if not written:
        return None
    duration = Duration(int(written[1]), written[2])
    return duration if duration.at_most <= LONGEST else None


def _months_on(day: Day, months: int) -> Day:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))
