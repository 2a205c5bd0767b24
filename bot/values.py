"""Reads a value as the kind it should be; anything else is noted with its place and read as if it were absent."""

from typing import Any

from profiles.findings import Findings
from profiles.written import Table, Text, empty_table, place_of, rows


def table_at(parent: Table, key: str, findings: Findings) -> Table:
    """Return the keys under this one; empty when there are none."""
    value = parent.get(key)
    if isinstance(value, Table):
        return value
    if value is not None:
        findings.error(place_of(parent, key), f"{key}: expected keys and values; got {_shown(value)}.")
    return empty_table(place_of(parent, key))


def names_at(parent: Table, key: str, findings: Findings) -> tuple[Text, ...]:
    """Return one name or a list of names."""
    found = []
    for item in rows(parent.get(key)):
        if isinstance(item, Text) and item:
            found.append(item)
        else:
            findings.error(place_of(parent, key), f"{key}: expected a name or a list of names; got {_shown(item)}.")
    return tuple(found)


def name_at(parent: Table, key: str, findings: Findings) -> Text | None:
    """Return one name, or None when there is none."""
    value = parent.get(key)
    if value is None or (isinstance(value, Text) and value):
        return value
    findings.error(place_of(parent, key), f"{key}: expected a name; got {_shown(value)}.")
    return None


def number_at(parent: Table, key: str, default: float, findings: Findings) -> float:
    """Return a number."""
    value = parent.get(key, default)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
        return float(value)
    findings.error(place_of(parent, key), f"{key}: expected a number; got {_shown(value)}.", f"{default:g}")
    return default


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)[:80]
