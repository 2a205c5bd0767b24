"""Shapes that only steps have: lists of steps, waits that a run outlives, what a wait looks for."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from profiles.duration import Duration
from profiles.written import Table, place_of
from rules.file_reading import MOST_STEPS, WRONG, Reading, named
from rules.rule_step import LONGEST, Reaction
from rules.schema_words import LENGTH, MATCH
from rules.shapes import EVENT_NAME, Condition, Json, Said, Text

ID = re.compile(r"[a-z][a-z0-9_-]{0,39}")
REACTION = re.compile(r"(delivered|opened|clicked|replied)\(\s*([\"'])([^\"']*)\2\s*\)")

WORD = Text(Said("a word", "un mot"), lambda text: text.strip() or None, most=80)
PROSE = Text(Said("a text", "un texte"), lambda text: text if text.strip() else None, most=4_000)


@dataclass(frozen=True, slots=True)
class Limited:
    """A length that is not longer than a run may live."""

    longest: timedelta = LONGEST

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        found = LENGTH.read(value, reading, key)
        if isinstance(found, Duration) and found.at_most > self.longest:
            return reading.wrong(value, key, f"at most {self.longest.days}d")
        return found

    def json(self) -> Json:
        return LENGTH.json()

    def told(self, language: str) -> str:
        most = Said(f", at most {self.longest.days}d", f", {self.longest.days}d au plus").in_(language)
        return LENGTH.told(language) + most


@dataclass(frozen=True, slots=True)
class Signal:
    """What a wait looks for: an event, a reaction to a message of this run, or a condition."""

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        if isinstance(value, Table):
            return MATCH.read(value, reading, key)
        reaction = REACTION.fullmatch(str(value).strip()) if isinstance(value, str) else None
        if reaction is None and isinstance(value, str) and _is_event(value.strip(), reading):
            return reading.wrong(
                value, key, "keys (event, where), a reaction or a condition", f"event: {value.strip()}"
            )
        if reaction is None:
            return Condition().read(value, reading, key)
        if reading.sends is not None and reaction[3] not in reading.sends:
            return reading.unknown(value, key, "the id of a send step", reading.sends)
        return Reaction(reaction[1], reaction[3])  # type: ignore[arg-type]

    def json(self) -> Json:
        return {"anyOf": [Condition().json(), MATCH.json()]}

    def told(self, language: str) -> str:
        return Said(
            'a condition, `opened("id")`, `clicked("id")`, `delivered("id")`, `replied("id")`, or keys `event`, `where`',
            'une condition, `opened("id")`, `clicked("id")`, `delivered("id")`, `replied("id")`, ou les clés `event`, `where`',
        ).in_(language)


def _is_event(text: str, reading: Reading) -> bool:
    """Whether the bare name of an event stands there: what begins with the name of a fact is a condition."""
    is_fact = text.partition(".")[0] in ("contact", "event", "start", "conversation")
    return EVENT_NAME.fullmatch(text) is not None and (not is_fact or text in (reading.vocabulary.events or ()))


@dataclass(frozen=True, slots=True)
class Steps:
    """A list of steps; each gets an id, its own or its place."""

    least: int = 0

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        rows = value if isinstance(value, list) else [value]
        if value is None or len(rows) < self.least:
            return reading.wrong(value, key, "at least one step")
        found = []
        for number, row in enumerate(rows):
            reading.gathered.steps += 1
            if reading.gathered.steps > MOST_STEPS:
                if reading.gathered.steps == MOST_STEPS + 1:
                    reading.wrong(place_of(row), key, f"at most {MOST_STEPS} steps in a rule")
                return WRONG
            name = named(row, "id") if isinstance(row, Table) else ""
            inside = replace(reading, path=f"{reading.path}{number}")
            found.append(reading.step.read(row, inside, key))
            _remember(name or inside.path, row, reading)
        return WRONG if any(step is WRONG for step in found) else tuple(found)

    def json(self) -> Json:
        several: Json = {"type": "array", "items": {"$ref": "#/$defs/step"}}
        if self.least:
            several["minItems"] = self.least
        return {"anyOf": [several, {"$ref": "#/$defs/step"}]}

    def told(self, language: str) -> str:
        return Said("steps", "des étapes").in_(language)


def _remember(name: str, row: Any, reading: Reading) -> None:
    if name in reading.gathered.places:
        other = reading.gathered.places[name].line
        reading.wrong(
            place_of(row["id"]), "id", f'each id once, got "{name}" again', f"it stands in line {other} already"
        )
    reading.gathered.places[name] = place_of(row)


@dataclass(frozen=True, slots=True)
class Below:
    """Steps below a step: their places begin with its own and the name of their branch."""

    branch: str

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        return Steps().read(value, replace(reading, path=f"{reading.path}.{self.branch}."), key)

    def json(self) -> Json:
        return Steps().json()

    def told(self, language: str) -> str:
        return Steps().told(language)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A list whose items hold steps: the places below begin with the item's number."""

    each: Any
    least: int = 1
    most: int = 20

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            return reading.wrong(place_of(value) if isinstance(value, list) else value, key, self.told)
        found = [
            self.each.read(item, replace(reading, path=f"{reading.path}.{number}"), key)
            for number, item in enumerate(value)
        ]
        return WRONG if any(item is WRONG for item in found) else tuple(found)

    def json(self) -> Json:
        return {"type": "array", "items": self.each.json(), "minItems": self.least, "maxItems": self.most}

    def told(self, language: str) -> str:
        told = self.each.told(language)
        return Said(
            f"a list of {self.least} to {self.most}, each {told}",
            f"une liste de {self.least} à {self.most}, chaque élément : {told}",
        ).in_(language)


@dataclass(frozen=True, slots=True)
class Branch:
    """The steps of one parallel branch."""

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        return Steps(1).read(value, replace(reading, path=f"{reading.path}."), key)

    def json(self) -> Json:
        return Steps(1).json()

    def told(self, language: str) -> str:
        return Steps().told(language)
