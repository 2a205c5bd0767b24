"""For whom: a list of conditions means and; `any:`, `none:` and `all:` are said. It becomes one expression.

Each condition is read by itself, so that a mistake is told where it stands, and then all of them together.
"""

from dataclasses import dataclass, replace
from typing import Any

from profiles.written import Table, place_of, text_at, value_of
from rules.file_reading import WRONG, Reading
from rules.shapes import Condition, Json, Said

WORDS = ("all", "any", "none")


@dataclass(frozen=True, slots=True)
class Audience:
    """Conditions over a contact, joined."""

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        # whom a clock begins a run for is looked up in the database, where no conversation stands beside a contact
        is_one = reading.has_conversation and reading.start is not None
        entering = replace(reading, event=reading.start, sends=None, has_conversation=is_one)
        text = joined(value, entering, key)
        if text is None:
            return WRONG
        return entering.condition(value if isinstance(value, str) else text_at(text, place_of(value)), key)

    def json(self) -> Json:
        return {"$ref": "#/$defs/audience"}

    def body(self) -> Json:
        """Return the schema itself, for the definitions."""
        again = {"$ref": "#/$defs/audience"}
        group = {
            "type": "object", "additionalProperties": False, "minProperties": 1, "maxProperties": 1,
            "properties": {word: again for word in WORDS},
        }  # fmt: skip
        return {"anyOf": [Condition().json(), group, {"type": "array", "items": again, "minItems": 1}]}

    def told(self, language: str) -> str:
        return Said(
            "a condition, a list of conditions (and), or keys `all`, `any`, `none` with conditions",
            "une condition, une liste de conditions (et), ou les clés `all`, `any`, `none` avec des conditions",
        ).in_(language)


AUDIENCE = Audience()


def joined(value: Any, reading: Reading | None, key: str) -> str | None:
    """Return the conditions as one text, or None after noting what is wrong; without a reading nothing is checked."""
    if isinstance(value, Table):
        return _group(value, reading, key)
    if isinstance(value, list) and value:
        parts = [joined(item, reading, key) for item in value]
        return _linked(parts, " and ")
    if isinstance(value, str):
        if reading is not None and reading.condition(value, key) is WRONG:
            return None
        return str(value)
    if reading is not None:
        reading.wrong(place_of(value) if isinstance(value, list) else value, key, AUDIENCE.told)
    return None


def _group(table: Table, reading: Reading | None, key: str) -> str | None:
    words = [word for word in table if word in WORDS]
    if len(table) != 1 or not words:
        if reading is not None:
            for name in table:
                if name not in WORDS:
                    reading.findings.unknown_key(table, name, WORDS)
            if len(words) > 1:
                hint = "write each on a line of its own"
                reading.wrong(table.at, key, f"one of {', '.join(words)}, got all of them", hint)
            elif not table:
                reading.wrong(table, key, AUDIENCE.told)
        return None
    inside = value_of(table, words[0])
    if inside == []:
        return joined(inside, reading, key)
    parts = [joined(item, reading, key) for item in (inside if isinstance(inside, list) else [inside])]
    if words[0] == "all":
        return _linked(parts, " and ")
    either = _linked(parts, " or ")
    return either if either is None or words[0] == "any" else f"not ({either})"


def _linked(parts: list[str | None], word: str) -> str | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or not known:
        return None
    return known[0] if len(known) == 1 else word.join(f"({part})" for part in known)
