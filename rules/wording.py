"""How people say lengths, hours, weekdays and counts, in French and in English."""

from collections.abc import Iterable, Sequence
from datetime import date, time

from profiles.duration import Duration
from profiles.hours import EVERY_DAY, Spell
from rules.shapes import Said

_UNITS = {
    "m": (Said("minute", "minute"), Said("minutes", "minutes")),
    "h": (Said("hour", "heure"), Said("hours", "heures")),
    "d": (Said("day", "jour"), Said("days", "jours")),
    "w": (Said("week", "semaine"), Said("weeks", "semaines")),
    "mo": (Said("month", "mois"), Said("months", "mois")),
    "y": (Said("year", "an"), Said("years", "ans")),
}
_DAYS = (
    Said("Monday", "lundi"), Said("Tuesday", "mardi"), Said("Wednesday", "mercredi"), Said("Thursday", "jeudi"),
    Said("Friday", "vendredi"), Said("Saturday", "samedi"), Said("Sunday", "dimanche"),
)  # fmt: skip
_MONTHS = (
    Said("January", "janvier"), Said("February", "février"), Said("March", "mars"), Said("April", "avril"), Said("May", "mai"),
    Said("June", "juin"), Said("July", "juillet"), Said("August", "août"), Said("September", "septembre"),
    Said("October", "octobre"), Said("November", "novembre"), Said("December", "décembre"),
)  # fmt: skip
AND, OR = Said("and", "et"), Said("or", "ou")


def length(duration: Duration, language: str) -> str:
    """Return "7 days", "1 heure"."""
    one, many = _UNITS[duration.unit]
    return f"{duration.count} {(one if duration.count == 1 else many).in_(language)}"


def hour(at: time, language: str) -> str:
    """Return "9:30" in English, "9 h 30" in French."""
    if language.startswith("fr"):
        return f"{at.hour} h {at.minute:02d}" if at.minute else f"{at.hour} h"
    return f"{at.hour}:{at.minute:02d}"


def zone(name: str, language: str) -> str:
    """Return whose local time an hour is, to be said right after it."""
    if name == "contact":
        return Said(", the contact's own time", ", heure du contact").in_(language)
    return Said(", time of {}", ", heure de {}").in_(language).format(name)


def day(on: date, language: str) -> str:
    """Return "1 November 2026", "1er novembre 2026"."""
    first = "er" if on.day == 1 and language.startswith("fr") else ""
    return f"{on.day}{first} {month(on.month, language)} {on.year}"


def month(number: int, language: str) -> str:
    """Return "November", "novembre"."""
    return _MONTHS[number - 1].in_(language)


def weekdays(days: Iterable[int], language: str) -> str:
    """Return "Monday to Friday", "lundi, mercredi et dimanche", "every day"."""
    among = sorted(days)
    if frozenset(among) == EVERY_DAY:
        return Said("every day", "tous les jours").in_(language)
    names = [_DAYS[number].in_(language) for number in among]
    if len(among) > 2 and among == list(range(among[0], among[-1] + 1)):
        return Said("{} to {}", "du {} au {}").in_(language).format(names[0], names[-1])
    return listed(names, AND, language)


def spell(hours: Spell, language: str) -> str:
    """Return "every day from 9:00 to 20:00"."""
    said = Said("{days} from {since} to {until}", "{days} de {since} à {until}").in_(language)
    return said.format(
        days=weekdays(hours.days, language), since=hour(hours.since, language), until=hour(hours.until, language)
    )


def listed(words: Sequence[str], last: Said, language: str) -> str:
    """Return "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last.in_(language)} {words[-1]}"


def often(at_most: int, per: Duration | None, language: str) -> str:
    """Return "at most 5 times in 90 days", "at most once ever"."""
    if per is None:
        return Said(f"at most {_times(at_most, language)} ever", f"{_times(at_most, language)} au plus, en tout").in_(
            language
        )
    said = Said("at most {times} in any {length}", "{times} au plus en {length}").in_(language)
    return said.format(times=_times(at_most, language), length=length(per, language))


def _times(number: int, language: str) -> str:
    return Said("once" if number == 1 else f"{number} times", f"{number} fois").in_(language)
