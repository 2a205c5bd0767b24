"""May we write at this hour? Local hours on some weekdays, as people mean them: over midnight, and when the clocks change.

A local time that a change of clocks skips counts as the same time before the change (it comes as much later as was skipped);
one that comes twice counts the first time it ends what is quiet, so that nobody is written to too early.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol

DAY = timedelta(days=1)
EVERY_DAY = frozenset(range(7))


class Spell(Protocol):
    """Local hours on some weekdays (Monday is 0); `until` at or before `since` ends on the next day."""

    @property
    def days(self) -> frozenset[int]: ...
    @property
    def since(self) -> time: ...
    @property
    def until(self) -> time: ...


@dataclass(frozen=True, slots=True)
class Hours:
    """Quiet hours: from `since` on each of these weekdays until `until`, the next day's when that is earlier."""

    since: time
    until: time
    days: frozenset[int] = EVERY_DAY


def quiet_until(hours: Spell, zone: tzinfo, now: datetime) -> datetime | None:
    """Return the instant (UTC) at which this stretch of quiet ends, or None if it is not quiet now.

    Stretches that touch are one: quiet from 20:00 to 08:00 and all of Sunday end on Monday at 08:00.
    """
    end = now
    for _ in range(8):
        later = _end_of(hours, zone, end)
        if later is None:
            return end if end > now else None
        end = later
    return end


def opens_at(window: Spell, zone: tzinfo, now: datetime) -> datetime | None:
    """Return the next instant (UTC) inside the window: `now` itself if it is open, None if it never opens."""
    if _end_of(window, zone, now):
        return now
    today = now.astimezone(zone).date()
    starts = [
        _instant(today + DAY * ahead, window.since, zone) for ahead in range(9) if _is_on(window, today + DAY * ahead)
    ]
    return min((start for start in starts if start > now), default=None)


def _end_of(hours: Spell, zone: tzinfo, now: datetime) -> datetime | None:
    """Return when the stretch that holds `now` ends; one may have begun yesterday."""
    today = now.astimezone(zone).date()
    ends = []
    for day in (today - DAY, today):
        if _is_on(hours, day):
            last = day if hours.since < hours.until else day + DAY
            since, until = _instant(day, hours.since, zone), _instant(last, hours.until, zone)
            if since <= now < until:
                ends.append(until)
    return max(ends, default=None)


def _is_on(hours: Spell, day: date) -> bool:
    return day.weekday() in hours.days


def _instant(day: date, moment: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, moment, zone).astimezone(UTC)
