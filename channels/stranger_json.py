"""JSON that a stranger wrote, read by places: what is not there, or is of another kind than expected, is empty. Pure."""

from collections.abc import Mapping
from typing import Any

import orjson


def table_in(octets: bytes | str) -> Mapping[str, Any]:
    """Return the object that this text is; an empty one for any other text."""
    try:
        said = orjson.loads(octets)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def tables_in(octets: bytes | str, *, most: int = 5_000) -> list[Mapping[str, Any]]:
    """Return the objects of the list that this text is, at most so many; the one object that it is; none for any other text."""
    try:
        said = orjson.loads(octets)
    except orjson.JSONDecodeError:
        return []
    return [one for one in (said[:most] if isinstance(said, list) else [said]) if isinstance(one, dict)]


def table_at(said: Any, *place: str) -> Mapping[str, Any]:
    """Return the object at this place."""
    found = _at(said, place)
    return found if isinstance(found, dict) else {}


def tables_at(said: Any, *place: str) -> list[Mapping[str, Any]]:
    """Return the objects in the list at this place."""
    found = _at(said, place)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def text_at(said: Any, *place: str) -> str:
    """Return the text at this place, a whole number as a text."""
    found = _at(said, place)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) else ""


def _at(said: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        said = said.get(name) if isinstance(said, dict) else None
    return said
