"""A sentence as the classifier sees it: its words, pairs of words, and pieces of 2 to 4 characters inside words."""

import re

from bot.finders import fold

Tokens = list[str]

_WORD = re.compile(r"[^\W\d_]+")
_PIECES = (2, 3, 4)


def words_of(text: str) -> Tokens:
    """Return the words in small letters without accents; numbers, emoji and punctuation say nothing of what is wanted."""
    return _WORD.findall(fold(text))


def word_grams(words: Tokens) -> list[str]:
    """Return the words and the pairs of neighbours; the sentence's first and last word have its edge as a neighbour."""
    return words + [f"{one} {two}" for one, two in zip(["", *words], [*words, ""], strict=True)]


def piece_grams(words: Tokens) -> list[str]:
    """Return the pieces of the words, a space standing for a word's edge."""
    pieces: list[str] = []
    for word in words:
        edged = f" {word} "
        for size in _PIECES:
            pieces += [edged[start : start + size] for start in range(len(edged) - size + 1)]
    return pieces
