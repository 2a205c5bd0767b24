"""Sentences as rows of numbers: which known words, pairs of words and pieces of words they hold, and how telling each is.

Words and pieces are weighted by how rare they are (tf-idf to the power of 0.7, the count's logarithm), each of the two to length 1.
"""

from collections import Counter
from collections.abc import Sequence
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from bot.descent import Row
from bot.ngrams import Tokens, piece_grams, word_grams

_RARITY_POWER = 0.7  # rare words are often chance; chosen on parts of three public training sets (docs/decisions/0022)
_LOGS = np.array([0.0, *(1 + log(count) for count in range(1, 1001))])


class Grams:
    """The parts of sentences that a model knows: words, pairs of words and pieces of words, and how rare each is."""

    __slots__ = ("_inside", "pieces", "rarity", "words")

    def __init__(self, words: dict[str, int], pieces: dict[str, int], rarity: NDArray[np.float64]) -> None:
        self.words, self.pieces, self.rarity = words, pieces, rarity
        self._inside: dict[str, list[int]] = {}
        """The numbers of the pieces of each known word, found once: that is half of the work of reading a sentence."""

    def row(self, words: Tokens) -> Row | None:
        """Return the sentence's features and their weights; words and pieces each of length 1. None when all is unknown."""
        known = [number for number in map(self.words.get, word_grams(words)) if number is not None]
        inside: list[int] = []
        for word in words:
            inside += self._inside.get(word) or self._look_inside(word)
        if not known:
            return self._weighted(inside) if inside else None
        if not inside:
            return self._weighted(known)
        index, value = self._weighted(known)
        more, shares = self._weighted(inside)
        return np.concatenate((index, more)), np.concatenate((value, shares))

    def _look_inside(self, word: str) -> list[int]:
        found = [number for number in map(self.pieces.get, piece_grams([word])) if number is not None]
        if word in self.words:
            self._inside[word] = found
        return found

    def _weighted(self, numbers: list[int]) -> Row:
        counts = Counter(numbers)
        index = np.fromiter(counts, np.int64, len(counts))
        value = self.rarity[index]
        if len(counts) < len(numbers):
            value = value * _LOGS[np.minimum(np.fromiter(counts.values(), np.int64, len(counts)), 1000)]
        return index, (value / sqrt(value @ value)).astype(np.float32)


def read_grams(sentences: Sequence[Tokens]) -> Grams:
    """Return the parts of these sentences, and how rare each is among them."""
    words: dict[str, int] = {}
    pieces: dict[str, int] = {}
    seen: list[int] = []
    for sentence in sentences:
        for known, grams in ((words, word_grams(sentence)), (pieces, piece_grams(sentence))):
            for gram in dict.fromkeys(grams):
                number = known.setdefault(gram, len(seen))
                if number == len(seen):
                    seen.append(0)
                seen[number] += 1
    return Grams(
        words, pieces, np.array([(log((1 + len(sentences)) / (1 + count)) + 1) ** _RARITY_POWER for count in seen])
    )
