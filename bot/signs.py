"""What a message without a word means (a bare number, a date, an emoji), by the bot's own examples without words.

The classifier reads words alone; bots written for Rasa teach `- 12` or `- 👍` all the same. A sign is its skeleton, every
run of digits being one, and how many digits it has: `12/03/2024` is `0/0/0` and 8.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Ranking = tuple[tuple[str, float], ...]

_EACH_DIGIT = 1 / 3
"""What remains of an example for each digit that it has more or less."""
_NOBODY = 0.05
"""What weighs against all intents, so that a number of 9 digits is hardly what `- 3` is an example of."""
_SPACE_OR_TONE = re.compile("[\\s\ufe0f\U0001f3fb-\U0001f3ff]")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[.,'’](?=\d)")
_DIGITS = re.compile(r"\d+")
_REPEATED = re.compile(r"(.)\1+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Signs:
    """All examples without words: by skeleton, how often each number of digits means each intent."""

    known: Mapping[str, Mapping[tuple[int, str], int]] = field(default_factory=dict)

    def rank(self, text: str) -> Ranking:
        """Return the likeliest intents and their shares; empty when no example looks like it."""
        skeleton, digits = _shape(text)
        weights: dict[str, float] = {}
        for (count, label), often in self.known.get(skeleton, {}).items():
            weights[label] = weights.get(label, 0.0) + often * _EACH_DIGIT ** abs(count - digits)
        whole = sum(weights.values()) + _NOBODY
        return tuple(sorted(((label, weight / whole) for label, weight in weights.items()), key=lambda row: -row[1]))


def learn_signs(examples: Iterable[tuple[str, str]]) -> Signs:
    """Return what these (text, intent) say, none of them holding a word."""
    known: dict[str, Counter[tuple[int, str]]] = {}
    for text, label in examples:
        skeleton, digits = _shape(text)
        known.setdefault(skeleton, Counter())[digits, label] += 1
    return Signs({skeleton: dict(counts) for skeleton, counts in known.items()})


def _shape(text: str) -> tuple[str, int]:
    """Return the skeleton and the number of digits."""
    signs = _SPACE_OR_TONE.sub("", unicodedata.normalize("NFKC", text))
    digits = sum(map(len, _DIGITS.findall(signs)))
    if not digits:
        return _REPEATED.sub(r"\1", signs), 0
    return _DIGITS.sub("0", _BETWEEN_DIGITS.sub("", signs.strip(".,;:!?"))), digits
