"""Values that know where they were written: what reading a file gives, so that every mistake can name its place."""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where something is written; lines and columns are counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place("?")


class Text(str):
    """A text that knows where it was written."""

    at: Place


class Table(dict[str, Any]):
    """A mapping that knows where it and each of its keys were written."""

    at: Place
    keys_at: dict[str, Place]


class Rows(list[Any]):
    """A list that knows where it was written."""

    at: Place


@dataclass(frozen=True, slots=True)
class Nothing:
    """A value that was left empty."""

    at: Place


def text_at(words: str, at: Place) -> Text:
    """Return the words as written at this place."""
    text = Text(words)
    text.at = at
    return text


def empty_table(at: Place) -> Table:
    """Return a table without keys, written at this place."""
    table = Table()
    table.at, table.keys_at = at, {}
    return table


def place_of(value: Any, key: str | None = None, default: Place = NOWHERE) -> Place:
    """Return where a value, or the value's key, was written."""
    if key is not None and isinstance(value, Table):
        return value.keys_at.get(key, value.at)
    return getattr(value, "at", default)


def value_of(table: Table, key: str) -> Any:
    """Return what a key holds; Nothing, at the place of the key, when it was left empty."""
    value = table[key]
    return Nothing(place_of(table, key)) if value is None else value


def plain(value: Any) -> Any:
    """Return the value as ordinary dicts, lists and strings."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def rows(value: Any) -> list[Any]:
    """Return a list: nothing is empty, a single value is a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
