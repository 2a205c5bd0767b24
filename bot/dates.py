"""Days as people say them, in French and English: 12/03, le 1er mars, March 12th, mardi 8, demain, next monday, in 3 days.

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
_days = "|".join(_DAY)
_PATTERN = re.compile(
    rf"""\b(?:
      (?P<iso>\d{{4}}-\d{{2}}-\d{{2}})
    | (?P<day>\d{{1,2}})\s*[/.-]\s*(?P<month>\d{{1,2}})(?:\s*[/.-]\s*(?P<year>\d{{4}}|\d{{2}}))?(?![\d€])
    | (?P<day2>\d{{1,2}})(?:er|st|nd|rd|th)?\s+(?:of\s+)?(?P<name2>{_months})\b\.?(?:,?\s+(?P<year2>\d{{4}}))?
    | (?P<name3>{_months})\s+(?:the\s)?(?P<day3>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year3>\d{{4}}))?
    | (?P<shift>{"|".join(map(re.escape, _SHIFT))})\b
    | (?:dans|in)\s+(?P<count>\d{{1,2}}|{"|".join(_COUNT)})\s+(?P<unit>{"|".join(_UNIT)})s?\b
    | (?P<weekday>{_days})\b(?:
          (?P<dated>,?\s(?:(?:le|the)\s)?(?=
              \d{{4}}-\d | \d{{1,2}}\s*[/.-]\s*\d | \d{{1,2}}(?:er|st|nd|rd|th)?\s+(?:of\s+)?(?:{_months})\b
            | (?:{_months})\s+(?:the\s)?\d
          ))
        | ,?\s(?:(?:le|the)\s)?(?P<number>\d{{1,2}})(?:er|st|nd|rd|th)?\b(?!\s?(?:[\d:/.%€]|h|[ap]m|o'))
        | (?P<next_week>,?\s(?:(?:de|of)\s)?(?:la\ssemaine\sprochaine|next\sweek)\b)
        | \sen\s(?P<later>huit|quinze)\b
      )?
    | (?:la\ssemaine\sprochaine|next\sweek),?\s(?:on\s|le\s)?(?P<weekday2>{_days})\b
    | (?:le|the)\s(?P<alone>\d{{1,2}})(?:er|st|nd|rd|th)?(?=\s*(?:$|[.,;!?)]|(?:ou|or|svp|s'il|please|(?:si|if)\spossible)\b))
    )""",
    re.VERBOSE,
)
_REFUSED = re.compile(
    r"(?:(?<!pourquoi )(?<!est-ce )\bpas|(?<!why )\bnot|n't|\bcannot|\bsauf|\bexcept)(?:\s+(?:le|on|the|for|pour|come|do|make|it|"
    rf"venir|libre|free|possible|dispo|disponible|available|{_days})){{0,4}}\s+$"
)
_CORRECTED = re.compile(r"\b(?:non|no|pardon|sorry|plutot|rather|i meant?|enfin|en fait|actually|finalement|mieux)\b")
_LONGEST_CORRECTION = 40


def find_date(folded: str, today: date) -> tuple[date, int, int] | None:
    """Return the day said in a text without accents or capitals, and where; None when there is none.

    Of several it is the first, unless it is taken back (`mardi, non, mercredi`; `not monday but friday`). A day that does
    not exist (31/02) is passed over.
    """
    found: tuple[date, int, int] | None = None
    for match in _PATTERN.finditer(folded):
        start, end = match.span()
        if match["dated"]:  # tuesday 8 december: what the number says counts
            continue
        if _REFUSED.search(folded[max(0, start - _LONGEST_CORRECTION) : start]):
            continue
        between = folded[found[2] : start] if found else ""
        if found and (len(between) > _LONGEST_CORRECTION or not _CORRECTED.search(between)):
            break
        day = _meaning(match, today)
        found = (day, start, end) if day is not None else found
    return found


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
        if match["alone"]:
            return _next_of_month(int(match["alone"]), today)
        return _weekday(match, today)
    except (ValueError, OverflowError):
        return None


def _weekday(match: re.Match[str], today: date) -> date:
    weekday = _DAY[match["weekday"] or match["weekday2"]]
    next_one = today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    if match["weekday2"] or match["next_week"]:
        return today + timedelta(days=7 - today.weekday() + weekday)
    if match["later"]:
        return next_one + timedelta(days=7 if match["later"] == "huit" else 14)
    numbered = _next_of_month(int(match["number"]), today) if match["number"] else None
    return numbered if numbered and numbered.weekday() == weekday else next_one


def _next_of_month(number: int, today: date) -> date | None:
    """Return the next day with this number in its month: the 31st said in November is that of December."""
    if not 1 <= number <= 31:
        return None
    day = today
    while day.day != number:
        day += timedelta(days=1)
    return day


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
