"""When a schedule fires: local dates and hours turned into instants, once per existing local date, whatever the clocks do.

A local time that a change of clocks skips fires as much later as was skipped; one that comes twice fires the first time.
A local date that does not exist (Apia, 2011-12-30) does not fire. Instants are aware UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from rules.rule_trigger import Once, OnDate, OnSchedule

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Firing:
    """One local date and hour of a schedule in one zone, and the instant it stands for."""

    local: datetime
    """Naive: what the rule says. Names the occurrence, so that a change of clocks repeats nothing."""
    at: datetime

    @property
    def name(self) -> str:
        """Return the occurrence's name: the local date and hour."""
        return self.local.strftime("%Y-%m-%dT%H:%M")


def firings(trigger: OnSchedule | Once | OnDate, zone: tzinfo, after: datetime, until: datetime) -> Iterator[Firing]:
    """Yield what fires in this zone after an instant and until another (inclusive), in order of time."""
    day = after.astimezone(zone).date() - DAY  # a skipped hour may belong to the day before
    last = until.astimezone(zone).date() + DAY
    found: list[Firing] = []
    while day <= last:
        for moment in _times(trigger, day):
            instant = instant_of(datetime.combine(day, moment), zone)
            if instant and after < instant <= until:
                found.append(Firing(datetime.combine(day, moment), instant))
        day += DAY
    # several times a day, one of them skipped: it would fire beside the one it falls upon
    yield from {firing.at: firing for firing in sorted(found, key=lambda firing: (firing.at, firing.local))}.values()


def instant_of(local: datetime, zone: tzinfo) -> datetime | None:
    """Return the instant of a naive local time; None on a date that this zone skipped."""
    instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).date() != local.date() and _is_skipped(local.date(), zone):
        return None
    # fold=0 of a skipped hour counts with the offset before the change: exactly as much later as was skipped
    return instant


def falls_on(born: date, day: date, *, yearly: bool) -> bool:
    """Return whether a date falls on this day: the same day, or with `yearly` its day and month.

    Who is born on 29 February is born on the 28th in common years.
    """
    if not yearly:
        return born == day
    if (born.month, born.day) == (day.month, day.day):
        return True
    return (born.month, born.day) == (2, 29) and (day.month, day.day) == (2, 28) and not _is_leap(day.year)


def _times(trigger: OnSchedule | Once | OnDate, day: date) -> list[time]:
    match trigger:
        case Once(at=at):
            return [at.time()] if at.date() == day else []
        case OnDate(at=at):
            return [at]  # whose date it is, the audience says
        case OnSchedule() if _is_day(trigger, day):
            return [time(hour, minute) for hour in sorted(trigger.hours) for minute in sorted(trigger.minutes)]
        case _:
            return []


def _is_day(trigger: OnSchedule, day: date) -> bool:
    is_last = (day + DAY).month != day.month
    return (
        day.month in trigger.months
        and day.weekday() in trigger.weekdays
        and (day.day in trigger.days or (is_last and -1 in trigger.days))
    )


def _is_skipped(day: date, zone: tzinfo) -> bool:
    """Return whether no instant of this zone bears this date."""
    noon = datetime.combine(day, time(12), tzinfo=zone).astimezone(UTC).astimezone(zone)
    return noon.date() != day


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def local_day(instant: datetime, zone: tzinfo) -> date:
    """Return the date that an instant has in a zone."""
    return instant.astimezone(zone).date()
