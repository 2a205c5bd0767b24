"""What people wrote once for all languages, or in two: the shape of it in the book's files, and the words for one reader."""

from collections.abc import Mapping
from typing import Any

from rules.records import Key, Record
from rules.shapes import Either, Said, Shape

Spoken = Mapping[str, str]
"""language -> words; under "" those for all languages."""


def in_languages(each: Shape) -> Shape:
    """Return the shape of a text once for all languages, or in two."""
    title, keys = Said("Two languages", "Deux langues"), ("fr", "en")
    table = Record(
        title,
        tuple(Key(one, each, Said(f"in {one}", f"en {one}"), is_required=True) for one in keys),
        lambda found, reading, table: dict(found),
        is_here=False,
    )
    return Either(each, table=table)


def spoken(found: Any) -> Mapping[str, Any]:
    """Return what this shape read by language; one text for all stands under ""."""
    return found if isinstance(found, dict) else {} if found is None else {"": found}


def said_in(said: Spoken, language: str) -> str:
    """Return the words for a reader of this language: theirs, else those for all, else the English ones."""
    return said.get(language) or said.get("") or said.get("en") or ""
