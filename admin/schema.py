"""What JSON may look like at the edge: a few kinds that check a value, say all that is wrong with it, and describe themselves.

The description is JSON Schema 2020-12, so the OpenAPI document can not drift from what is checked. What a kind does not
name is refused: an operator object such as {"$gt": ""} is a wrong type like any other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

Description = dict[str, Any]
MOST_PROBLEMS = 20  # shown at once

_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (a JSON pointer, RFC 6901) and what was expected."""

    pointer: str
    detail: str


class Kind(Protocol):
    """A kind of value."""

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        """Return the value as the code wants it; what is wrong is added to the problems."""

    def describe(self) -> Description:
        """Return the JSON Schema of this kind."""


@dataclass(frozen=True, slots=True)
class Text:
    """Unicode text within bounds, without NUL."""

    longest: int = 200
    shortest: int = 0
    pattern: str = ""
    """A whole match is wanted; written so that Python and JavaScript read it alike."""
    example: str = ""

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        if not isinstance(value, str):
            return _wrong(problems, at, "a text", value)
        if not self.shortest <= len(value) <= self.longest:
            problems.append(Problem(at, f"expected {self.shortest} to {self.longest} characters, got {len(value)}"))
        elif _NOT_TEXT.search(value):
            problems.append(Problem(at, "expected Unicode text without NUL"))
        elif self.pattern and not re.fullmatch(self.pattern, value):
            problems.append(Problem(at, f"expected text like {self.example or self.pattern}"))
        return value

    def describe(self) -> Description:
        described: Description = {"type": "string", "maxLength": self.longest}
        if self.shortest:
            described["minLength"] = self.shortest
        if self.pattern:
            described["pattern"] = f"^(?:{self.pattern})$"
        return described | ({"examples": [self.example]} if self.example else {})


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds."""

    least: int = 0
    most: int = 2**53 - 1

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            return _wrong(problems, at, "a whole number", value)
        if not self.least <= value <= self.most:
            problems.append(Problem(at, f"expected {self.least} to {self.most}"))
        return value

    def describe(self) -> Description:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Truth:
    """true or false."""

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        return value if isinstance(value, bool) else _wrong(problems, at, "true or false", value)

    def describe(self) -> Description:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant as RFC 3339 writes it, with its offset; read as UTC in whole milliseconds."""

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        moment = instant(value)
        if moment is None:
            problems.append(Problem(at, "expected an instant such as 2026-03-02T12:00:00Z"))
        return moment

    def describe(self) -> Description:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these words."""

    words: tuple[str, ...]

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        if not isinstance(value, str) or value not in self.words:
            problems.append(Problem(at, f"expected one of {', '.join(self.words)}"))
        return value

    def describe(self) -> Description:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A bounded list."""

    item: Kind
    most: int = 100
    least: int = 0

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        if not isinstance(value, list):
            return _wrong(problems, at, "a list", value)
        if not self.least <= len(value) <= self.most:
            problems.append(Problem(at, f"expected {self.least} to {self.most} items, got {len(value)}"))
            return []
        return [self.item.read(item, f"{at}/{number}", problems) for number, item in enumerate(value)]

    def describe(self) -> Description:
        described: Description = {"type": "array", "items": self.item.describe(), "maxItems": self.most}
        return described | ({"minItems": self.least} if self.least else {})


@dataclass(frozen=True, slots=True)
class MapOf:
    """Names of the caller's choosing, each with a value of one kind."""

    value: Kind
    name: Text
    most: int = 200

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        if not isinstance(value, dict):
            return _wrong(problems, at, "an object", value)
        if len(value) > self.most:
            problems.append(Problem(at, f"expected at most {self.most} names"))
            return {}
        for name in value:
            self.name.read(name, _below(at, name), problems)
        return {name: self.value.read(item, _below(at, name), problems) for name, item in value.items()}

    def describe(self) -> Description:
        names = {name: item for name, item in self.name.describe().items() if name != "type"}
        return {
            "type": "object", "propertyNames": names, "additionalProperties": self.value.describe(),
            "maxProperties": self.most,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class OrNull:
    """This kind, or null."""

    kind: Kind

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        return None if value is None else self.kind.read(value, at, problems)

    def describe(self) -> Description:
        return {"anyOf": [self.kind.describe(), {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a shape."""

    kind: Kind
    about: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """An object with exactly these fields or fewer. Its name is the name of the schema in the OpenAPI document."""

    name: str
    fields: Mapping[str, Field]
    about: str = ""
    one_of: tuple[str, ...] = field(default=())
    """Exactly one of these fields must be there."""

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        if not isinstance(value, dict):
            return _wrong(problems, at, "an object", value)
        for name in value.keys() - self.fields.keys():
            problems.append(Problem(_below(at, name), f"unknown; known are {', '.join(self.fields)}"))
        for name, known in self.fields.items():
            if known.required and name not in value:
                problems.append(Problem(_below(at, name), "is missing"))
        if self.one_of and sum(name in value for name in self.one_of) != 1:
            problems.append(Problem(at, f"expected exactly one of {', '.join(self.one_of)}"))
        return {
            name: self.fields[name].kind.read(item, _below(at, name), problems)
            for name, item in value.items()
            if name in self.fields
        }

    def describe(self) -> Description:
        return {"$ref": f"#/components/schemas/{self.name}"}

    def definition(self) -> Description:
        """Return the schema that `describe` refers to."""
        properties = {name: known.kind.describe() | {"description": known.about} for name, known in self.fields.items()}
        described: Description = {"type": "object", "properties": properties, "additionalProperties": False}
        if self.about:
            described["description"] = self.about
        if required := [name for name, known in self.fields.items() if known.required]:
            described["required"] = required
        if self.one_of:
            described["oneOf"] = [{"required": [name]} for name in self.one_of]
        return described


def shapes_in(kind: Any) -> dict[str, Shape]:
    """Return every named shape within this kind, itself included, by name."""
    match kind:
        case Shape():
            found = {kind.name: kind}
            for known in kind.fields.values():
                found |= shapes_in(known.kind)
            return found
        case ListOf():
            return shapes_in(kind.item)
        case MapOf():
            return shapes_in(kind.value)
        case OrNull():
            return shapes_in(kind.kind)
        case _:
            return {}


def instant(text: Any) -> datetime | None:
    """Return the instant that an RFC 3339 text names, aware UTC in whole milliseconds, or None."""
    if not isinstance(text, str) or not re.fullmatch(
        r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", text
    ):
        return None
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000) if moment.year > 1 else None


def _below(at: str, name: str) -> str:
    """Return the pointer one name further; what a name may not show in an answer becomes U+FFFD."""
    return f"{at}/{_pointed(name[:80])}"


@lru_cache(4096)
def _pointed(name: str) -> str:
    return _NOT_TEXT.sub("\ufffd", name).replace("~", "~0").replace("/", "~1")


def _wrong(problems: list[Problem], at: str, expected: str, got: Any) -> Any:
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    problems.append(Problem(at, f"expected {expected}, got {names.get(type(got), 'null')}"))
    return None
