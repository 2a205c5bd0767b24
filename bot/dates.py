"""Days as people say them, in French and English: 12/03, le 1er mars, March 12th, demain, next monday, in 3 days.

A day without a year is the next one to come. 3/4 is the third of April in both languages (as in France and Britain).
"""

import re
from datetime import date, timedelta

# fmt: off
_MONTHS = {
    "fr": ("janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre",
           "novembre", "decembre"),
    "en": ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december"),
}
_DAYS = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
}
_SPOKEN_MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
                  "novembre", "décembre")
# fmt: on
_MONTH = {name: number for names in _MONTHS.values() for number, name in enumerate(names, 1)}
_MONTH |= {name[:3]: number for number, name in enumerate(_MONTHS["en"], 1)}
_DAY = {name: number for names in _DAYS.values() for number, name in enumerate(names)}
_COUNT = {
    "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "dix": 10,
    "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "seven": 7, "eight": 8, "ten": 10,
}  # fmt: skip
_UNIT = {"jour": 1, "day": 1, "semaine": 7, "week": 7}
_SHIFT = {
    "apres-demain": 2, "apres demain": 2, "day after tomorrow": 2, "aujourd'hui": 0, "today": 0, "demain": 1,
    "tomorrow": 1,
}  # fmt: skip

_months = "|".join(sorted(_MONTH, key=len, reverse=True))
_PATTERN = re.compile(
    rf"""\b(?:
      (?P<iso>\d{{4}}-\d{{2}}-\d{{2}})
    | (?P<day>\d{{1,2}})\s*[/.-]\s*(?P<month>\d{{1,2}})(?:\s*[/.-]\s*(?P<year>\d{{4}}|\d{{2}}))?(?![\d€])
    | (?P<day2>\d{{1,2}})(?:er|st|nd|rd|th)?\s+(?:of\s+)?(?P<name2>{_months})\b\.?(?:,?\s+(?P<year2>\d{{4}}))?
    | (?P<name3>{_months})\s+(?P<day3>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year3>\d{{4}}))?
    | (?P<shift>{"|".join(map(re.escape, _SHIFT))})\b
    | (?:dans|in)\s+(?P<count>\d{{1,2}}|{"|".join(_COUNT)})\s+(?P<unit>{"|".join(_UNIT)})s?\b
    | (?P<weekday>{"|".join(_DAY)})\b
    )""",
    re.VERBOSE,
)


def find_date(folded: str, today: date) -> tuple[date, int, int] | None:
    """Return the first day said in a text without accents or capitals, and where; None when there is none.

    A day that does not exist (31/02) is passed over.
    """
    for match in _PATTERN.finditer(folded):
        day = _meaning(match, today)
        if day is not None:
            return day, match.start(), match.end()
    return None


def spoken(day: date, language: str) -> str:
    """Return the day as one says it: `mardi 24 novembre 2026`, `Tuesday 24 November 2026`."""
    if language == "fr":
        number = "1er" if day.day == 1 else str(day.day)
        return f"{_DAYS['fr'][day.weekday()]} {number} {_SPOKEN_MONTHS[day.month - 1]} {day.year}"
    weekday, month = _DAYS["en"][day.weekday()].capitalize(), _MONTHS["en"][day.month - 1].capitalize()
    return f"{weekday} {day.day} {month} {day.year}"


def _meaning(match: re.Match[str], today: date) -> date | None:
    try:
        if match["iso"]:
            return date.fromisoformat(match["iso"])
        if match["day"]:
            return _numbered(int(match["day"]), int(match["month"]), match["year"], today)
        for suffix in "23":
            if match["day" + suffix]:
                month = _MONTH[match["name" + suffix]]
                return _in_year(int(match["day" + suffix]), month, match["year" + suffix], today)
        if match["shift"]:
            return today + timedelta(days=_SHIFT[match["shift"]])
        if match["count"]:
            count = _COUNT.get(match["count"]) or int(match["count"])
            return today + timedelta(days=count * _UNIT[match["unit"]])
        return today + timedelta(days=(_DAY[match["weekday"]] - today.weekday() - 1) % 7 + 1)
    except (ValueError, OverflowError):
        return None


def _numbered(first: int, second: int, year: str | None, today: date) -> date:
    day, month = (first, second) if second <= 12 else (second, first)
    return _in_year(day, month, year, today)


def _in_year(day: int, month: int, year: str | None, today: date) -> date:
    if year:
        return date(int(year) + 2000 if len(year) == 2 else int(year), month, day)
    try:
        this_year = date(today.year, month, day)
    except ValueError:
        return date(today.year + 1, month, day)
    return this_year if this_year >= today else date(today.year + 1, month, day)
