"""Until when a wait lasts: a length, then a local hour, then a weekday, in the contact's own zone."""

from datetime import datetime, time, timedelta, tzinfo

from rules.rule_step import Wait
from rules.rule_trigger import Days
from rules.schedule import instant_of

DAY = timedelta(days=1)


def wait_until(step: Wait, since: datetime, zone: tzinfo) -> datetime:
    """Return the instant this wait ends, at or after `since`."""
    until = step.length.after(since) if step.length else since
    if step.at is None and step.days is None:
        return until
    return next_local(until, zone, at=step.at, days=step.days)


def next_local(instant: datetime, zone: tzinfo, *, at: time | None = None, days: Days | None = None) -> datetime:
    """Return the first instant from this one on that has this local hour on one of these weekdays.

    Without an hour: the instant itself on such a weekday, else the beginning of the next such day.
    """
    local = instant.astimezone(zone).replace(tzinfo=None)
    for ahead in range(9):  # a date may be missing from a calendar
        day = local.date() + ahead * DAY
        if days is not None and day.weekday() not in days:
            continue
        if at is None and ahead == 0:
            return instant
        found = instant_of(datetime.combine(day, at or time(0)), zone)
        if found and found >= instant:
            return found
    return instant
