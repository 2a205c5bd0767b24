"""Attributes that a rule watches or writes: they must stand in vocabulary.yml, if it lists any, and be numbers where one counts."""

from dataclasses import dataclass
from typing import Any

from profiles.expression import Expression
from profiles.expression_tree import Kind
from profiles.written import Place, Table, place_of, text_at
from rules.file_reading import WRONG, Reading
from rules.shapes import Condition, Json, Pairs, Said, Text, attribute

ATTRIBUTE_NAME = Said("an attribute such as contact.tier", "un attribut tel que contact.tier")
ATTRIBUTE = Text(ATTRIBUTE_NAME, attribute, r"^contact\.[a-z][a-z0-9_]*$")
VALUE = Condition(of_any_kind=True)
_TAKES = {
    Kind.DATE: (Kind.DATE, Kind.INSTANT, Kind.TEXT),  # a day is kept as text, and read from an instant, too
    Kind.ANY: tuple(kind for kind in Kind if kind is not Kind.DURATION),  # a length can not be kept
}
_SAID = {
    Kind.NUMBER: Said("a number", "un nombre"),
    Kind.TEXT: Said("a text", "un texte"),
    Kind.FLAG: Said("a flag", "oui ou non"),
    Kind.DATE: Said("a date", "une date"),
    Kind.INSTANT: Said("an instant", "un instant"),
    Kind.TEXTS: Said("a list", "une liste"),
}
_KEEPABLE = Said("a value that can be kept", "une valeur qui se garde")
_PAIRS = Pairs(ATTRIBUTE_NAME, attribute, VALUE)


@dataclass(frozen=True, slots=True)
class Attributes:
    """Attributes by name, each with an expression."""

    are_numbers: bool = False

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        found = _PAIRS.read(value, reading, key)
        if not isinstance(value, Table):
            return found
        names = {written: attribute(written) for written in value}
        fit = [
            is_known(name, place_of(value, written), key, reading, is_number=self.are_numbers)
            for written, name in names.items()
            if name is not None
        ]
        if not all(fit) or found is WRONG:
            return WRONG
        suits = [
            self._suits(name, found[name], value[written], key, reading) for written, name in names.items() if name
        ]
        return found if all(suits) else WRONG

    def _suits(self, name: str, given: Expression, at: Any, key: str, reading: Reading) -> bool:
        """Return whether an attribute can be given this; one that nobody declared takes whatever can be kept."""
        kind = Kind.NUMBER if self.are_numbers else (reading.names.vocabulary.attributes or {}).get(name, Kind.ANY)
        if given.kind is Kind.ANY or given.kind in _TAKES.get(kind, (kind,)):
            return True
        said = _SAID.get(kind, _KEEPABLE)
        reading.wrong(at, key, Said(f"{said.en} for contact.{name}", f"{said.fr} pour contact.{name}").in_)
        return False

    def json(self) -> Json:
        return _PAIRS.json()

    def told(self, language: str) -> str:
        return _PAIRS.told(language)


def is_known(name: str, at: Place, key: str, reading: Reading, *, is_number: bool = False) -> bool:
    """Return whether there is such an attribute, and a number if it must be one; what is wrong is noted."""
    known = reading.names.vocabulary.attributes
    if known is None:
        return True
    written = text_at(f"contact.{name}", at)
    if name not in known:
        names = frozenset(f"contact.{one}" for one in known)
        reading.unknown(written, key, Said("a known attribute", "un attribut connu").in_, names)
        return False
    if is_number and known[name] not in (Kind.NUMBER, Kind.ANY):
        reading.wrong(written, key, Said("an attribute that is a number", "un attribut qui est un nombre").in_)
        return False
    return True
