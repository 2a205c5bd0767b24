"""What people read, in their language: English in the code and the templates, French in admin/locales/fr.po, read at start.

No compiled catalogs: the .po file that a translator edits is the one that runs. tests/admin/test_texts.py fails when a
text has no French.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from babel.numbers import format_decimal

_WIDE = re.compile(r"(?<=«) | (?=[»€]|:(?![\w)(-]))")
_NARROW = re.compile(r" (?=[!?%]|;(?![\w)(-]))")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
LANGUAGES = {"en": "English", "fr": "Français"}
FOLDER = Path(__file__).parent / "locales"


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language. Call it with the English sentence; {names} are filled from the keywords.

    Where one English word needs two in French, what stands before "|" tells them apart: "many|Resolved" is "Résolues".
    """

    language: str
    _one: dict[str, str]
    _many: dict[str, tuple[str, ...]]
    _form: Callable[[float], int]

    def __call__(self, text: str, **names: Any) -> str:
        """Return the sentence in this language, or as it is where nobody translated it."""
        found = self._one.get(text) or text.rpartition("|")[2]
        return found.format(**names) if names else found

    def count(self, one: str, many: str, n: float) -> str:
        """Return the sentence for this many, {n} filled in; a part of one with one decimal: 1.4, 1,4 in French."""
        shown = str(n)
        if isinstance(n, float):
            n = round(n, 1)
            shown = self.number(n, 1)
        forms = self._many.get(one)
        if forms:
            return forms[min(self._form(n), len(forms) - 1)].format(n=shown)
        return (one if n == 1 else many).format(n=shown)

    def number(self, value: float, most: int, least: int = 0) -> str:
        """Return a number as this language writes it, with at most and at least so many decimals."""
        return format_decimal(value, "#,##0." + "0" * least + "#" * (most - least), locale=self.language)

    def share(self, value: float, decimals: int = 0) -> str:
        """Return a share of one as this language writes it: 69% in English, 69 % in French."""
        return self.number(100 * value, decimals, decimals) + ("\u202f%" if self.language == "fr" else "%")

    def size(self, bytes: int) -> str:
        """Return how large a file is, at least a thousand bytes: 3 kB, 1.4 MB; 3 ko, 1,4 Mo in French."""
        unit, letter = (1_000_000, "M") if bytes >= 999_500 else (1_000, "k")
        shown = self.number(max(bytes / unit, 1), 1 if letter == "M" else 0)
        return f"{shown}\u202f{letter}{'o' if self.language == 'fr' else 'B'}"

    def signed(self, value: float) -> str:
        """Return a number with its sign and one decimal."""
        return ("−" if value < 0 else "+") + self.number(abs(value), 1, 1)


@functools.cache
def texts(language: str) -> Texts:
    """Return the texts of a language; one that we do not speak gets English."""
    if language == "en" or language not in LANGUAGES:
        return Texts("en", {}, {}, lambda n: int(n != 1))
    with (FOLDER / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    one: dict[str, str] = {}
    many: dict[str, tuple[str, ...]] = {}
    for message in catalog:
        if isinstance(message.id, (tuple, list)):
            many[message.id[0]] = tuple(typeset(part, language) for part in message.string or ())
        elif message.id and message.string:
            one[message.id] = typeset(str(message.string), language)
    return Texts(language, one, many, lambda n: int(n >= 2) if language == "fr" else int(n != 1))


def typeset(text: str, language: str) -> str:
    """Return a text as it is printed: a French : ; ! ? » never begins a line, « never ends one, apostrophes are curved."""
    return bound(_APOSTROPHE.sub("’", text)) if language == "fr" else text


def bound(text: str) -> str:
    """Return a text whose spaces beside French marks break no line: narrow before ; ! ? %, whole before : » € and after «.

    So the Imprimerie nationale sets them, and % and € as Unicode's CLDR; without a space before the mark nothing changes.
    """
    return _NARROW.sub("\u202f", _WIDE.sub("\u00a0", text))


def preferred(header: str) -> str:
    """Return which of our languages an Accept-Language header asks for first."""
    for part in header.split(","):
        language = part.split(";")[0].strip()[:2].lower()
        if language in LANGUAGES:
            return language
    return "en"
