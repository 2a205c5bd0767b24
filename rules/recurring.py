"""When does "mon-fri 09:00" come, or the cron line "0 9 * * 1-5"? Both spellings of a recurring schedule.

Of cron the five fields with lists, ranges, steps and names, and L for the last day of a month. All fields must match: where a
day of the month and a weekday are both named, cron takes either; here "0 9 13 * fri" is only Friday the 13th.
"""

import re
from dataclasses import replace

from profiles.hours import EVERY_DAY
from rules.forms import DAYS, clock, weekdays
from rules.rule_trigger import OnSchedule

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days of each month in a leap year."""
_EVERY_DATE = frozenset(range(1, 32))
_EVERY_MONTH = frozenset(range(1, 13))


def recurring(text: str) -> OnSchedule | None:
    """Return when a schedule fires, zone left to the contact; None when the text is no schedule."""
    spaced = " ".join(text.lower().split())
    found = _cron(spaced) if len(spaced.split(" ")) == 5 and ":" not in spaced else _words(spaced)
    return replace(found, text=text) if found else None


def ever_comes(schedule: OnSchedule) -> bool:
    """Return whether some year has a day of it: "0 9 31 2 *" has none; 29 February has."""
    return min(schedule.days) <= max(_LONGEST[month - 1] for month in schedule.months)


def _words(text: str) -> OnSchedule | None:
    """Read "09:00", "mon-fri 09:00 and 18:00", "day 1 09:00", "last day 09:00". Hours of one schedule share their minutes."""
    written = re.fullmatch(r"(?:(.*?\S) )?(\d{1,2}:\d{2}(?:(?:, ?| and )\d{1,2}:\d{2})*)", text)
    if not written:
        return None
    times = [clock(part) for part in re.split(r", ?| and ", written[2])]
    minutes = {at.minute for at in times if at}
    if None in times or len(minutes) != 1:
        return None
    hours = frozenset(at.hour for at in times if at)
    dates, days = _EVERY_DATE, EVERY_DAY
    if on := re.fullmatch(r"(?:day (\d{1,2})|(last day))", written[1] or ""):
        dates = frozenset({int(on[1]) if on[1] else -1})
        if not dates <= {*_EVERY_DATE, -1}:
            return None
    elif written[1]:
        named = weekdays(written[1])
        if not named:
            return None
        days = named
    return OnSchedule(frozenset(minutes), hours, dates, _EVERY_MONTH, days, "contact")


def _cron(text: str) -> OnSchedule | None:
    minute, hour, date, month, weekday = text.split(" ")
    minutes, hours = _field(minute, 0, 59), _field(hour, 0, 23)
    dates = frozenset({-1}) if date == "l" else _field(date, 1, 31)
    months = _field(month, 1, 12, MONTHS)
    days = _field(weekday, 0, 7, ("sun", *DAYS))  # sun is 0 and 7
    if not (minutes and hours and dates and months and days):
        return None
    return OnSchedule(minutes, hours, dates, months, frozenset((day - 1) % 7 for day in days), "contact")


def _field(text: str, least: int, most: int, names: tuple[str, ...] = ()) -> frozenset[int] | None:
    """Return the numbers of one cron field; names count from `least`. None when it is none."""
    found: set[int] = set()
    for part in text.split(","):
        written = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/(\d{1,2}))?", part)
        if not written:
            return None
        first = least if written[1] == "*" else _number(written[1], least, names)
        last = _number(written[2], least, names) if written[2] else (most if written[1] == "*" or written[3] else first)
        step = int(written[3]) if written[3] else 1
        if first is None or last is None or not least <= first <= last <= most or not step:
            return None
        if written[1] == "*" and written[2]:
            return None
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, least: int, names: tuple[str, ...]) -> int | None:
    if text in names:
        return names.index(text) + least
    return int(text) if text.isdecimal() and len(text) <= 2 else None
