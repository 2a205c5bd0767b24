"""What a text could say in its place, so that an SMS travels in GSM-7 and needs fewer segments. Pure.

One curly double quote makes a whole message UCS-2: 160 characters to a segment become 70.
"""

from dataclasses import dataclass

from profiles.gsm import alphabet, count
from profiles.text import unaccented

LONGEST = 30_000  # characters: within the 255 segments that can be counted
_INSTEAD = {
    "‘": "'", "‚": "'", "`": "'", "´": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "…": "...", "–": "-", "—": "-", "‑": "-", "•": "-", "œ": "oe", "Œ": "OE", "×": "x", "\t": " ",
}  # fmt: skip
_JOINERS = "\u200b\u200c\u200d\ufe0e\ufe0f"  # seen by nobody where what they join is gone
_PLAIN = dict.fromkeys(map(ord, "\u00a0\u202f\u2009\u200a\u2007"), " ") | {ord("’"): "'"}


@dataclass(frozen=True, slots=True)
class Advice:
    """What to write instead in one text, and what that saves."""

    instead: tuple[tuple[str, str], ...]
    """(character, what to write), in the order of the text; an empty one: leave it out."""
    segments: int
    fewer: int
    """Segments that it would be, less than `segments`."""

    def told(self, language: str) -> str:
        """Return it as the middle of a sentence: ’ as ', 🙂 left out."""
        left, as_ = ("à retirer", "en") if language.startswith("fr") else ("left out", "as")
        return ", ".join(f"{char} {as_} {other}" if other else f"{char} {left}" for char, other in self.instead)


def advice(text: str) -> Advice | None:
    """Return what would save segments; None where nothing does, or where it is written in a script that GSM-7 has not."""
    text = spaced(text)[:LONGEST]
    if alphabet(text) == "gsm7":
        return None
    foreign = [char for char in dict.fromkeys(text) if alphabet(char) == "ucs2"]
    if any(char.isalpha() and not _instead(char) for char in foreign):
        return None
    other = "".join(_instead(char) if char in foreign else char for char in text)
    segments, fewer = count(text), count(other)
    if fewer >= segments:
        return None
    return Advice(tuple((char, _instead(char)) for char in foreign if char not in _JOINERS), segments, fewer)


def spaced(text: str) -> str:
    """Return the text with the spaces and the apostrophe that GSM-7 lacks as plain ones: they read the same, and cost half.

    The French € of `money` stands behind such a space, and French that is well set is full of such apostrophes.
    """
    return text.translate(_PLAIN)


def _instead(char: str) -> str:
    if char in _INSTEAD:
        return _INSTEAD[char]
    bare = unaccented(char)
    return bare if alphabet(bare) == "gsm7" else ""
