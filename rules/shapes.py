"""The shapes that values of a rule file have. Each shape reads, tells editors (JSON Schema) and people what it is.

One definition (rules/schema.py) built of these gives the parser, the JSON Schema and the reference of the manual.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from zoneinfo import available_timezones

from profiles.attributes import RESERVED
from profiles.findings import nearest
from profiles.written import Rows, Table, place_of, value_of
from rules.file_reading import WRONG, Reading

Json = dict[str, Any]
EVENT_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,4}")
_ONE_NUMBER = re.compile(r"[^0-9]*([0-9]{1,11})[^0-9]*")
SCALAR = ["string", "number", "boolean"]  # how an editor may take what the server reads as a text


class Said(NamedTuple):
    """The same in English and in French."""

    en: str
    fr: str

    def in_(self, language: str) -> str:
        """Return it in this language, English unless it is French."""
        return self.fr if language.startswith("fr") else self.en


class Shape(Protocol):
    """What a value must look like."""

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        """Return the typed value, or WRONG with every mistake in it noted."""
        ...

    def json(self) -> Json:
        """Return its JSON Schema."""
        ...

    def told(self, language: str) -> str:
        """Return what it is, for the manual."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a form understands: a length, an hour, a count ..."""

    expected: Said
    form: Callable[[str], Any] = str
    """Returns None for what it does not understand."""
    pattern: str = ""
    most: int = 2_000
    example: str = ""
    near: Callable[[str], str] = lambda text: ""
    """What was probably meant by a text that is not understood, as a hint."""

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        is_short = isinstance(value, str) and len(value) <= self.most
        found = self.form(value) if is_short else None
        if found is None:
            hint = self.near(value) if is_short else ""
            return reading.wrong(
                value, key, self.expected.in_, hint or (f"{key}: {self.example}" if self.example else "")
            )
        return found

    def json(self) -> Json:
        pattern = {"pattern": self.pattern} if self.pattern else {}
        return {"type": SCALAR, **pattern, **({"examples": [self.example]} if self.example else {})}

    def told(self, language: str) -> str:
        return self.expected.in_(language)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds."""

    least: int
    most: int

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        text = str(value) if isinstance(value, str) else ""
        if text.isascii() and text.isdecimal() and len(text) < 12 and self.least <= int(text) <= self.most:
            return int(text)
        meant = _ONE_NUMBER.fullmatch(text)
        is_within = meant is not None and self.least <= int(meant[1]) <= self.most
        return reading.wrong(value, key, self.told, f"{key}: {meant[1]}" if meant and is_within else "")

    def json(self) -> Json:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def told(self, language: str) -> str:
        return Said(
            f"a whole number from {self.least} to {self.most}", f"un nombre entier de {self.least} à {self.most}"
        ).in_(language)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words; written -> what it stands for."""

    words: Mapping[str, Any]

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        if isinstance(value, str) and value in self.words:
            return self.words[value]
        return reading.wrong(value, key, self.told, nearest(str(value), self.words))

    def json(self) -> Json:
        words: list[Any] = list(self.words)
        return {"enum": [*words, *({"yes": True, "no": False}[word] for word in words if word in ("yes", "no"))]}

    def told(self, language: str) -> str:
        between = Said(" or ", " ou ").in_(language)
        words = list(self.words)
        return between.join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def choice(*words: str) -> Choice:
    """Return the shape of one of these words, each standing for itself."""
    return Choice({word: word for word in words})


FLAG = Choice({"yes": True, "no": False, "true": True, "false": False})


@dataclass(frozen=True, slots=True)
class Name:
    """A name that must exist: a channel, a topic, a segment, a rule."""

    what: Said
    among: Callable[[Reading], frozenset[str] | None]
    """None: nobody knows which exist."""
    besides: tuple[str, ...] = ()

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        if not isinstance(value, str) or not value.strip():
            return reading.wrong(value, key, self.what.in_)
        known = self.among(reading)
        if known is None or value in known or value in self.besides:
            return str(value)
        return reading.unknown(value, key, self.what.in_, known | frozenset(self.besides))

    def json(self) -> Json:
        return {"type": SCALAR}

    def told(self, language: str) -> str:
        return self.what.in_(language)


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression: a condition, or with `of_any_kind` a value."""

    of_any_kind: bool = False

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        if not isinstance(value, str):
            return reading.wrong(value, key, self.told)
        return reading.value(value, key) if self.of_any_kind else reading.condition(value, key)

    def json(self) -> Json:
        return {"type": SCALAR}

    def told(self, language: str) -> str:
        if self.of_any_kind:
            return Said("an expression such as event.total", "une expression telle que event.total").in_(language)
        return Said(
            'a condition such as contact.country == "FR"', 'une condition telle que contact.country == "FR"'
        ).in_(language)


@dataclass(frozen=True, slots=True)
class Many:
    """A list; one alone may stand without it."""

    each: Shape
    most: int = 100
    is_alone_allowed: bool = True
    least: int = 0

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        if not isinstance(value, list):
            if value is None or not self.is_alone_allowed:
                return reading.wrong(value, key, self.told)
            value = [value]
        if not self.least <= len(value) <= self.most:
            return reading.wrong(place_of(value), key, self._told_how_many)
        found = [self.each.read(item, reading, key) for item in value]
        return WRONG if any(item is WRONG for item in found) else tuple(found)

    def _told_how_many(self, language: str) -> str:
        many = Said(f"{self.least} to {self.most} of them", f"de {self.least} à {self.most}").in_(language)
        return f"{self.told(language)}, {many}"

    def json(self) -> Json:
        each = self.each.json()
        several: Json = {"type": "array", "items": each, "maxItems": self.most}
        if self.least:
            several["minItems"] = self.least
        return {"anyOf": [each, several]} if self.is_alone_allowed else several

    def told(self, language: str) -> str:
        told = self.each.told(language)
        if not self.is_alone_allowed:
            return Said(f"a list, each {told}", f"une liste, chaque élément : {told}").in_(language)
        return Said(f"{told}, or a list of such", f"{told}, ou une liste de tels éléments").in_(language)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names that the author chooses, each with a value of one shape."""

    of: Said
    name: Callable[[str], str | None]
    """The name as it is kept, or None for what is no name."""
    value: Shape
    most: int = 100

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        if not isinstance(value, Table) or not value or len(value) > self.most:
            return reading.wrong(value, key, self.told)
        found: dict[str, Any] = {}
        for written in value:
            kept = self.name(written)
            if kept is None:
                hint = f"contact.{written}" if self.name(f"contact.{written}") is not None else ""
                reading.wrong(place_of(value, written), key, f'{self.of.en}, got "{written}"', hint)
                kept = written
                found[kept] = WRONG
            else:
                found[kept] = self.value.read(value_of(value, written), reading, written)
        return WRONG if any(item is WRONG for item in found.values()) else found

    def json(self) -> Json:
        return {"type": "object", "additionalProperties": self.value.json(), "minProperties": 1}

    def told(self, language: str) -> str:
        value = self.value.told(language)
        return Said(f"{self.of.en}: {value}", f"{self.of.fr} : {value}").in_(language)


@dataclass(frozen=True, slots=True)
class Either:
    """A shape for what is written as keys, or as a list, and another for the rest."""

    text: Shape
    table: Shape | None = None
    rows: Shape | None = None

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        if self.table and isinstance(value, Table):
            return self.table.read(value, reading, key)
        if self.rows and isinstance(value, Rows):
            return self.rows.read(value, reading, key)
        return self.text.read(value, reading, key)

    def json(self) -> Json:
        return {"anyOf": [shape.json() for shape in (self.text, self.rows, self.table) if shape]}

    def told(self, language: str) -> str:
        between = Said(", or ", ", ou ").in_(language)
        return between.join(shape.told(language) for shape in (self.text, self.rows, self.table) if shape)


def zone(text: str) -> str | None:
    """Return "contact" or the name of a time zone that exists."""
    return text if text == "contact" or text in available_timezones() else None


def zone_near(text: str) -> str:
    """Return the zone that a town or a slip probably means: `Paris` is Europe/Paris."""
    names = sorted(available_timezones())
    of_town = next((name for name in names if name.lower().endswith(f"/{text.lower()}")), "")
    return f'did you mean "{of_town}"?' if of_town else nearest(text, ["contact", *names])


def attribute(text: str) -> str | None:
    """Return the attribute of "contact.tier", if that is one that rules may write or watch."""
    name = text.removeprefix("contact.")
    is_name = name.isidentifier() and name.isascii() and name == name.lower() and len(name) <= 64
    return name if name != text and is_name and not name.startswith("_") and name not in RESERVED else None
