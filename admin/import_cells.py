"""What the cells of one row of a file of customers say of one person.

A cell is a text, read by what vocabulary.yml says the attribute is and never by how it looks: 01000 is a postcode, NO a country.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from admin.import_columns import LANGUAGE, Column, Fault, Role
from profiles.attributes import why_not
from profiles.expression_tree import Kind
from profiles.identity import normalise

DayOrder = Literal["year", "day", "month"]
"""What comes first where a day is not written 1990-05-01."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NUMBER = re.compile(r"[-+]?(\d{1,3}([ \u00a0\u202f]\d{3})+|\d+)([.,]\d+)?")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})([ T]00:00(:00)?)?")
_DAY_AS_SAID = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_FLAGS = {
    **dict.fromkeys(("yes", "true", "1", "oui", "vrai"), True),
    **dict.fromkeys(("no", "false", "0", "non", "faux"), False),
}


@dataclass(frozen=True, slots=True)
class Given:
    """What one row says of one person. Keys are those of identities, each once."""

    proved: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    language: str | None = None
    attributes: Mapping[str, Any] | None = None


def given(
    cells: Sequence[str], columns: Sequence[Column], *, country: str, days: DayOrder
) -> Given | tuple[Fault, ...]:
    """Return what a row says, or all that is wrong with it. An empty cell says nothing."""
    if len(cells) != len(columns):
        return (Fault("row", f"expected {len(columns)} cells, got {len(cells)}"),)
    keys: dict[Role, list[str]] = {"proved": [], "said": []}
    attributes, faults, language = dict[str, Any](), list[Fault](), None
    for cell, column in zip(map(str.strip, cells), columns, strict=True):
        if not cell or column.role == "left out":
            continue
        if column.role in keys:
            address = normalise(column.name, cell, country=country)
            keys[column.role] += [f"{column.name}:{address}"] if address else []
            faults += [] if address else [_fault(column, f"an address of {column.name}", cell)]
        elif column.role == LANGUAGE:
            language = cell
            faults += [] if _LANGUAGE.fullmatch(cell) else [_fault(column, "a language such as fr", cell)]
        else:
            value = _value(cell, column, days)
            attributes[column.name] = value
            faults += [value] if isinstance(value, Fault) else []
    if not keys["proved"] and not faults:
        faults.append(Fault("row", f"expected {_one_of(columns)}, got none"))
    return tuple(faults) or Given(tuple(keys["proved"]), tuple(keys["said"]), language, attributes)


def _value(cell: str, column: Column, days: DayOrder) -> Any:
    match column.kind:
        case Kind.NUMBER:
            return _number(cell, column)
        case Kind.FLAG:
            flag = _FLAGS.get(cell.casefold())
            return _fault(column, "yes or no", cell) if flag is None else flag
        case Kind.DATE:
            return _day(cell, column, days)
        case Kind.INSTANT:
            return _instant(cell, column)
        case Kind.TEXTS:
            value: Any = [item.strip() for item in cell.split("|") if item.strip()]
        case _:
            value = cell
    problem = why_not(value)
    return Fault(column.header, problem) if problem else value


def _number(cell: str, column: Column) -> int | float | Fault:
    if not _NUMBER.fullmatch(cell):
        return _fault(column, "a number such as 1200.5", cell)
    if re.search(r",\d{3}$", cell):
        return _fault(column, "a number without a comma before three digits: it may be a thousand or a part", cell)
    plain = re.sub(r"[ \u00a0\u202f]", "", cell).replace(",", ".")
    value: int | float = float(plain) if "." in plain else int(plain)
    problem = why_not(value)
    return Fault(column.header, problem) if problem else value


def _day(cell: str, column: Column, days: DayOrder) -> str | Fault:
    written, said = _DAY.fullmatch(cell), _DAY_AS_SAID.fullmatch(cell)
    if said and days == "year":
        return Fault(
            column.header, f'expected a day such as 1990-05-01, got "{cell}". Hint: --days day, or month, comes first'
        )
    try:
        if written:
            return date.fromisoformat(written[1]).isoformat()
        if said:
            first, second, year = map(int, said.groups())
            return (date(year, second, first) if days == "day" else date(year, first, second)).isoformat()
    except ValueError:
        pass
    return _fault(column, "a day such as 1990-05-01", cell)


def _instant(cell: str, column: Column) -> datetime | Fault:
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return _fault(column, "an instant such as 2026-01-31T10:00:00Z", cell)
    problem = why_not(moment)
    return Fault(column.header, problem) if problem else moment


def _fault(column: Column, expected: str, got: str) -> Fault:
    return Fault(column.header, f'expected {expected}, got "{got[:60]}"')


def _one_of(columns: Sequence[Column]) -> str:
    return f"an address in {' or '.join(one.header for one in columns if one.role == 'proved')}"
