"""What a stored value counts as: one small reader per kind, giving None for whatever is missing or of another kind.

The database's filter asks the same questions in its own words (expression_operands.py); a property test holds them together.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from profiles.duration import EARLIEST, LATEST
from profiles.expression_tree import Kind, Literal

LARGEST_RESULT = 1e18
"""What arithmetic comes to is missing beyond it, so no sum ever overflows."""
MILLISECOND = timedelta(milliseconds=1)
DAY_WRITTEN = r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}"
_DAY = re.compile(DAY_WRITTEN)

UPPER = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŒŠŽŸ"
LOWER = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþœšžÿ"
"""Beyond A to Z, the letters that lower() and upper() change: those of French and its neighbours."""
_ASCII_UPPER, _ASCII_LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
TO_LOWER = str.maketrans(_ASCII_UPPER + UPPER, _ASCII_LOWER + LOWER)
TO_UPPER = str.maketrans(_ASCII_LOWER + LOWER, _ASCII_UPPER + UPPER)


def number(value: Any) -> int | float | None:
    """Return the value if it is a number; true and false are none, nor is NaN."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value else None


def text(value: Any) -> str | None:
    """Return the value if it is a text."""
    return value if isinstance(value, str) else None


def flag(value: Any) -> bool | None:
    """Return the value if it is true or false."""
    return value if isinstance(value, bool) else None


def instant(value: Any) -> datetime | None:
    """Return the value if it is an instant that lengths can be added to."""
    known = isinstance(value, datetime) and value.tzinfo is not None
    return value if known and EARLIEST <= value < LATEST else None


def day(value: Any, zone: tzinfo) -> date | None:
    """Return the day a value means: a text 2026-01-31, a day, or the day of an instant in this zone."""
    if isinstance(value, str):
        return _written_day(value)
    if isinstance(value, datetime):
        moment = instant(value)
        return moment and moment.astimezone(zone).date()
    return value if isinstance(value, date) else None


def texts(value: Any) -> list[Any] | tuple[Any, ...] | None:
    """Return the value if it is a list."""
    return value if isinstance(value, (list, tuple)) else None


def kind_of(value: Any) -> Kind | None:
    """Return the kind by which two values of unknown kinds may be compared, or None."""
    for kind, is_one in _TELLING:
        if is_one(value) is not None:
            return kind
    return None


def computed(op: str, left: Any, right: Any) -> float | None:
    """Return the result of + - * / over two numbers, as the database's doubles have it, or None."""
    one, other = _double(left), _double(right)
    if one is None or other is None or (op == "/" and other == 0):
        return None
    result = _OPERATIONS[op](one, other)
    return result if -LARGEST_RESULT <= result <= LARGEST_RESULT else None


def addend(value: Any) -> float | None:
    """Return a number as a double that a sum can take, or None."""
    known = _double(value)
    return known if known is not None and abs(known) <= LARGEST_RESULT else None


def written_moment(text: str) -> Literal | None:
    """Return the constant that a text such as 2026-01-31 or 2026-01-31T10:00:00+01:00 means, or None."""
    written = _written_day(text)
    if written:
        return Literal(written, Kind.DATE)
    if not _DAY.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    moment = moment.astimezone(UTC)
    return Literal(moment.replace(microsecond=moment.microsecond // 1000 * 1000), Kind.INSTANT)


def _written_day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _double(value: Any) -> float | None:
    known = number(value)
    return float(known) if known is not None and -1e300 <= known <= 1e300 else None


_TELLING: tuple[tuple[Kind, Callable[[Any], Any]], ...] = (
    (Kind.NUMBER, number), (Kind.TEXT, text), (Kind.FLAG, flag), (Kind.INSTANT, instant))  # fmt: skip
_OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b}  # fmt: skip
