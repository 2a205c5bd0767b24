"""The filters of templates: few, bounded, and each forgiving: a field of another kind passes unchanged."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal
from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

MOST_ITEMS = 100
LONGEST = 10_000


def locale_of(language: str) -> Locale:
    """Return how dates and numbers are written in a language; one that is not known writes them as English does."""
    return Locale.parse("fr" if language.lower().startswith("fr") else "en_GB")


@pass_context
def money(context: Context, value: Any, currency: str = "EUR") -> Any:
    """Write an amount: 1 299,50 €."""
    if not is_number(value) or not (len(str(currency)) == 3 and str(currency).isalpha()):
        return value
    return format_currency(value, str(currency).upper(), locale=locale_of(context["language"]))


@pass_context
def number(context: Context, value: Any, digits: Any = None) -> Any:
    """Write a number with the language's own marks, rounded to so many digits."""
    if not is_number(value):
        return value
    pattern = "#,##0" + (f".{'0' * min(digits, 9)}" if type(digits) is int and digits > 0 else "")
    return format_decimal(value, pattern if digits is not None else None, locale=locale_of(context["language"]))


@pass_context
def day(context: Context, value: Any, form: str = "long") -> Any:
    """Write a date: 24 décembre 2026. Forms: short, medium, long, full. Texts such as 2026-12-24 are dates too."""
    known = _day(value, context)
    if known is None or form not in ("short", "medium", "long", "full"):
        return value
    return format_date(known, form, locale=locale_of(context["language"]))


@pass_context
def hour(context: Context, value: Any) -> Any:
    """Write the local hour of an instant: 18:30."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        return value
    return format_time(value.astimezone(context["zone"]), "short", locale=locale_of(context["language"]))


def default(value: Any, otherwise: Any = "") -> Any:
    """Stand in for a field that the contact lacks, or that is empty."""
    return otherwise if isinstance(value, Undefined) or value is None or value == "" else value


def truncate(value: Any, length: Any = 100) -> Any:
    """Cut a text at so many characters, with … where it was cut."""
    if not isinstance(value, str) or type(length) is not int or not 1 <= length <= LONGEST:
        return value
    return value if len(value) <= length else value[: length - 1].rstrip() + "…"


def join(value: Any, between: Any = ", ") -> Any:
    """Write the items of a list one after the other."""
    return str(between)[:10].join(str(item) for item in each(value)) if isinstance(value, list | tuple) else value


def length(value: Any) -> int:
    """Return how many items or characters there are."""
    return len(value) if isinstance(value, str | list | tuple | dict) else 0


def first(value: Any) -> Any:
    """Return the first item of a list."""
    return value[0] if isinstance(value, list | tuple) and value else value if isinstance(value, str) else ""


def last(value: Any) -> Any:
    """Return the last item of a list."""
    return value[-1] if isinstance(value, list | tuple) and value else value if isinstance(value, str) else ""


@pass_context
def plural(context: Context, value: Any, one: Any, many: Any) -> str:
    """Choose by a number: {{ contact.points | plural("point", "points") }}. In French 0 and 1.5 are singular."""
    if not is_number(value):
        return str(many)
    is_one = abs(value) < 2 if str(context["language"]).startswith("fr") else value == 1
    return str(one if is_one else many)


def each(value: Any) -> list[Any]:
    """Return what a loop goes over: at most 100 items of a list; anything else is nothing to go over."""
    return list(value[:MOST_ITEMS]) if isinstance(value, list | tuple) else []


def _text(change: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, str) else value


def _rounded(value: Any, digits: Any = 0) -> Any:
    return round(value, digits) if is_number(value) and type(digits) is int and 0 <= digits <= 9 else value


FILTERS: Mapping[str, Callable[..., Any]] = {
    "money": money, "number": number, "date": day, "time": hour, "default": default, "truncate": truncate, "join": join,
    "length": length, "first": first, "last": last, "plural": plural, "round": _rounded,
    "upper": _text(str.upper), "lower": _text(str.lower), "title": _text(str.title), "capitalize": _text(str.capitalize),
    "trim": _text(str.strip), "url": _text(lambda text: quote(text, safe="")),
}  # fmt: skip


def is_number(value: Any) -> bool:
    """Return whether one can count with this value: yes and no are no numbers here."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _day(value: Any, context: Context) -> date | None:
    if isinstance(value, datetime):
        return value.astimezone(context["zone"]).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
