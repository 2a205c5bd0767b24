"""The kinds of values that the API reads and answers: addresses, attributes, properties and what names a person."""

from typing import Any

from admin.schema import Choice, Instant, MapOf, OrNull, Problem, Text, instant
from profiles.attributes import LONGEST_ITEM, LONGEST_TEXT, MOST_ATTRIBUTES, MOST_ITEMS, RESERVED, why_not

LANGUAGE = Text(35, 2, r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "fr")
SPACE = Text(40, 1, r"[a-z][a-z0-9_]*", "email")
ADDRESS = Text(256, 1, example="anna@example.com")
SOURCE = Choice(("declared", "inferred", "tracked"))
ID = Text(400, 1)
SOMETIME = OrNull(Instant())


class AttributeName(Text):
    """The name of an attribute that callers may set."""

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        Text.read(self, value, at, problems)
        if value in RESERVED:
            problems.append(Problem(at, "this name is reserved"))
        return value


class AttributeValue:
    """Text, number, true or false, a list of texts, or {"instant": ...}; null forgets."""

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        if value is None:
            return None
        if isinstance(value, dict):
            moment = instant(value.get("instant"))
            if moment is None or len(value) != 1:
                problems.append(Problem(at, 'expected a plain value, or {"instant": "2026-03-02T12:00:00Z"}'))
            return moment
        if problem := why_not(value):
            problems.append(Problem(at, problem))
        return value

    def describe(self) -> dict[str, Any]:
        return {
            "anyOf": [
                {"type": "string", "maxLength": LONGEST_TEXT},
                {"type": "number"},
                {"type": "boolean"},
                {"type": "array", "items": {"type": "string", "maxLength": LONGEST_ITEM}, "maxItems": MOST_ITEMS},
                {
                    "type": "object",
                    "properties": {"instant": Instant().describe()},
                    "required": ["instant"],
                    "additionalProperties": False,
                },
                {"type": "null"},
            ]
        }


class Properties:
    """Whatever JSON an event carries; its bounds are those of every body."""

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        if not isinstance(value, dict):
            problems.append(Problem(at, "expected an object"))
            return {}
        return value

    def describe(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": True}


NAME = AttributeName(64, 1, r"[a-z][a-z0-9_]*", "city")
ATTRIBUTES = MapOf(AttributeValue(), NAME, MOST_ATTRIBUTES)
