"""What the short texts of a rule file mean: "5 per 90d", "mon-fri 09:00", "contact.born_on - 14d at 10:00".

Each function returns the value, or None when the text is no such thing; the schema says where and what was expected.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from profiles.duration import Duration, parse_duration
from profiles.hours import EVERY_DAY
from rules.rule_terms import Window
from rules.rule_trigger import Days, OnDate, OnSegment, OnThreshold

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Stretch = Literal["day", "week", "month"]


@dataclass(frozen=True, slots=True)
class Count:
    """At most so many per stretch: rolling (a length) or of the calendar; only for rules below a priority, if one is named."""

    at_most: int
    per: Duration | Stretch
    below: int | None = None


def length(text: str) -> Duration | None:
    """Return a length of time longer than nothing, such as 90m, 4h, 7d, 2w, 6mo, 1y."""
    found = parse_duration(text)
    return found if found and found.count else None


def count(text: str) -> Count | None:
    """Return "3 per 7d", "1 per day", "2 per week below priority 80"."""
    written = re.fullmatch(r"(\d{1,6}) per (\w+)(?: below priority (\d{1,3}))?", _spaced(text))
    if not written:
        return None
    stretch = written[2]
    per = _STRETCHES.get(stretch) or length(stretch)
    below = int(written[3]) if written[3] else None
    if per is None or (below is not None and below > 100):
        return None
    return Count(int(written[1]), per, below)


_STRETCHES: dict[str, Stretch] = {"day": "day", "week": "week", "month": "month"}


def clock(text: str) -> time | None:
    """Return an hour of the day such as 09:00."""
    written = re.fullmatch(r"(\d{1,2}):(\d{2})", text.strip())
    if not written or int(written[1]) > 23 or int(written[2]) > 59:
        return None
    return time(int(written[1]), int(written[2]))


def day(text: str) -> date | None:
    """Return a date such as 2026-11-30."""
    try:
        return date.fromisoformat(text.strip()) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()) else None
    except ValueError:
        return None


def moment(text: str) -> datetime | None:
    """Return a date and hour without a zone, such as 2026-12-24 18:00."""
    first, _, last = _spaced(text).partition(" ")
    on, at = day(first), clock(last)
    return datetime.combine(on, at) if on and at else None


def share(text: str) -> float | None:
    """Return a part of the whole, 0 to 1: 5% is 0.05."""
    written = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?) ?%", text.strip())
    part = float(written[1]) / 100 if written else None
    return part if part is not None and part <= 1 else None


def price(text: str) -> float | None:
    """Return a price such as 0.045, in whatever currency."""
    return float(text) if re.fullmatch(r"\d{1,3}(?:\.\d{1,5})?", text.strip(), re.ASCII) else None


def weekdays(text: str) -> Days | None:
    """Return the weekdays of "mon-fri", "sat, sun", "mon-wed,fri" or "every day"; fri-mon goes over the weekend."""
    if _spaced(text) in ("every day", "daily"):
        return EVERY_DAY
    found: set[int] = set()
    for part in re.split(r" ?, ?| and ", _spaced(text).lower()):
        ends = re.fullmatch(rf"({_DAY})(?:\s*-\s*({_DAY}))?", part)
        if not ends:
            return None
        first, last = DAYS.index(ends[1]), DAYS.index(ends[2] or ends[1])
        found.update((first + ahead) % 7 for ahead in range((last - first) % 7 + 1))
    return frozenset(found)


_DAY = "|".join(DAYS)


def window(text: str) -> Window | None:
    """Return the hours of "mon-sat 09:00-20:00" or "22:00-07:00", which ends on the next day."""
    written = re.fullmatch(r"(?:(.*\S)\s+)?(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})", text.strip())
    if not written:
        return None
    days = weekdays(written[1]) if written[1] else EVERY_DAY
    since, until = clock(written[2]), clock(written[3])
    if not days or since is None or until is None or since == until:
        return None
    return Window(days, since, until)


def anniversary(text: str) -> OnDate | None:
    """Return "contact.born_on at 10:00" or "contact.ends_on - 30d at 09:00"; whether yearly and the zone stand elsewhere."""
    written = re.fullmatch(
        r"contact\.([a-z][a-z0-9_]*)(?: ?(-|\+|minus|plus) ?(\w+))? at (\d{1,2}:\d{2})", _spaced(text)
    )
    if not written:
        return None
    shift, at = (length(written[3]) if written[3] else None), clock(written[4])
    if at is None or (written[3] and (shift is None or shift.unit in ("m", "h"))):
        return None
    return OnDate(written[1], at, shift, is_before=written[2] in ("-", "minus"))


def threshold(text: str) -> OnThreshold | None:
    """Return "contact.points crosses 1000" (upwards), "... falls below 1000" or "... crosses 1000 either way"."""
    written = re.fullmatch(
        r"contact\.([a-z][a-z0-9_]*) (crosses|falls below) (-?\d{1,12}(?:\.\d{1,6})?)( either way)?", _spaced(text)
    )
    if not written or (written[2] == "falls below" and written[4]):
        return None
    value = float(written[3])
    if written[4]:
        return OnThreshold(written[1], value, "both")
    return OnThreshold(written[1], value, "up" if written[2] == "crosses" else "down")


def crossing(text: str) -> OnSegment | None:
    """Return "entered vip" or "left vip"."""
    match _spaced(text).split(" "):
        case ["entered", segment]:
            return OnSegment(segment, "entered")
        case ["left", segment]:
            return OnSegment(segment, "left")
    return None


def _spaced(text: str) -> str:
    return " ".join(text.split())
