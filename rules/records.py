"""Records and verbs: the shapes of what a rule file writes as keys, and how the manual links to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from profiles.findings import nearest
from profiles.written import Table, place_of, value_of
from rules.file_reading import WRONG, Reading
from rules.shapes import EVENT_NAME, Json, Said, Shape

Found = Mapping[str, Any]
"""What was read of a record: its keys that are there, by name."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a record: its shape, what it is about, what holds when it is absent."""

    name: str
    shape: Shape
    about: Said
    is_required: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """Known keys, made into one value by `make`; `within` says what the values inside may ask about."""

    title: Said
    keys: tuple[Key, ...]
    make: Callable[[Found, Reading, Table], Any]
    within: Callable[[Table, Reading], Reading] = field(default=lambda table, reading: reading)
    is_here: bool = True
    """Whether the reference tells its keys in a section of its own."""

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        if not isinstance(value, Table):
            return reading.wrong(value, key, f"keys ({', '.join(one.name for one in self.keys)})")
        known = {one.name: one for one in self.keys}
        inside = self.within(value, reading)
        is_right = True
        for name in value:
            if name not in known:
                reading.findings.unknown_key(value, name, known)
                is_right = False
        found: dict[str, Any] = {}
        for one in self.keys:
            if one.name in value:
                found[one.name] = one.shape.read(value_of(value, one.name), inside, one.name)
            elif one.is_required:
                reading.wrong(place_of(value), key, f'the key "{one.name}" ({one.shape.told("en")})')
                is_right = False
        if not is_right or any(item is WRONG for item in found.values()):
            return WRONG
        return self.make(found, inside, value)

    def json(self) -> Json:
        required = [one.name for one in self.keys if one.is_required]
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {one.name: _described(one) for one in self.keys},
            **({"required": required} if required else {}),
        }

    def told(self, language: str) -> str:
        if self.is_here:
            return f"[{self.title.in_(language)}](#{anchor(self.title.in_(language))})"
        keys = ", ".join(f"`{one.name}`" for one in self.keys)
        return Said(f"keys {keys}", f"clés {keys}").in_(language)


@dataclass(frozen=True, slots=True)
class Verbs:
    """One of several records, told apart by the key that each of them begins with; a verb alone may be a plain word."""

    title: Said
    kinds: tuple[Record, ...]
    reference: str = ""
    """Its name in the JSON Schema's definitions."""
    plain: tuple[str, ...] = ()
    """Verbs that may stand alone, as a text."""

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        verbs = {kind.keys[0].name: kind for kind in self.kinds}
        if isinstance(value, str) and value in self.plain:
            table = Table({str(value): value})
            table.at, table.keys_at = place_of(value), {str(value): place_of(value)}
            return verbs[str(value)].read(table, reading, key)
        if not isinstance(value, Table):
            return reading.wrong(value, key, f"one of {', '.join(verbs)}", _as_key(value, verbs))
        said = [name for name in value if name in verbs]
        if len(said) != 1:
            return self._not_one(value, said, verbs, reading, key)
        return verbs[said[0]].read(value, reading, said[0])

    def _not_one(self, value: Table, said: list[str], verbs: Mapping[str, Record], reading: Reading, key: str) -> Any:
        if said:
            return reading.wrong(place_of(value), key, f"one of {', '.join(said)}, got all of them")
        hint = next((close for name in value if (close := nearest(name, verbs))), "")
        return reading.wrong(value, key, f"one of {', '.join(verbs)}", hint)

    def json(self) -> Json:
        return {"$ref": f"#/$defs/{self.reference}"} if self.reference else self.body()

    def body(self) -> Json:
        """Return the schema itself, for the definitions."""
        plain: list[Json] = [{"enum": list(self.plain)}] if self.plain else []
        kinds = [kind.json() for kind in self.kinds]
        for kind, record in zip(kinds, self.kinds, strict=True):
            kind["required"] = sorted({record.keys[0].name, *kind.get("required", [])})
        return {"anyOf": [*plain, *kinds]}

    def told(self, language: str) -> str:
        return f"[{self.title.in_(language)}](#{anchor(self.title.in_(language))})"


def _as_key(value: Any, verbs: Mapping[str, Record]) -> str:
    """Return how a text is written as a key and its value: `wait 1h`, or an event where one begins."""
    text = str(value) if isinstance(value, str) else ""
    verb = next((verb for verb in verbs if text.startswith(f"{verb} ")), "")
    if verb:
        return f"{verb}: {text.removeprefix(verb).strip()}"
    return f"event: {text}" if "event" in verbs and EVENT_NAME.fullmatch(text) else ""


def _described(key: Key) -> Json:
    found = key.shape.json()
    about = {"description": key.about.en, **({"default": key.default} if key.default else {})}
    return {"allOf": [found], **about} if "$ref" in found else {**found, **about}  # beside $ref nothing is read


def anchor(title: str) -> str:
    """Return how a page links to a heading."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")
