"""Which of the bot's languages is this written in? Counted on the bot's own sentences; no list of languages needed.

Naive Bayes over words, and over pieces of words where the word was never seen. Switching has hysteresis: one clear
sentence, or two less clear ones in a row, so that `ok` or a product's name never turns a French conversation English.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log

from bot.ngrams import Tokens, piece_grams

SURE = 12.0
"""Difference of log-likelihood at which one sentence suffices: about two words that only one language has."""
LIKELY = 4.0
"""And at which two sentences in a row do."""
_SMOOTHING = 0.5
_WORD_WEIGHT = 2.5


class Languages:
    """The bot's languages, by what their sentences are made of. A known word counts as itself, an unknown one by its pieces."""

    __slots__ = ("_pieces", "_words", "default", "names")

    def __init__(self, sentences: Mapping[str, Sequence[Tokens]], default: str) -> None:
        self.names = tuple(sorted(sentences))
        self.default = default if default in self.names or not self.names else self.names[0]
        words = [Counter(word for row in sentences[name] for word in row) for name in self.names]
        pieces = [Counter(piece for row in sentences[name] for piece in piece_grams(row)) for name in self.names]
        self._words = {word: odds for word, odds in _odds(words, _WORD_WEIGHT).items() if word.isalpha()}
        self._pieces = _odds(pieces, 1.0)

    def decide(self, words: Tokens, current: str | None, doubt: int) -> tuple[str, str, int]:
        """Return the language of this message, that of the conversation from now on, and the doubt to remember."""
        if len(self.names) < 2:
            return self.default, self.default, 0
        current = current if current in self.names else None
        detected, evidence = self.detect(words)
        if current is None:
            settled = detected if evidence >= LIKELY / 2 else self.default
            return settled, settled, 0
        if detected == current or evidence < LIKELY:
            return current, current, 0 if detected == current else doubt
        if evidence >= SURE or doubt >= 1:
            return detected, detected, 0
        return detected, current, doubt + 1

    def detect(self, words: Tokens) -> tuple[str, float]:
        """Return the likeliest language and by how much it beats the next one."""
        rows: list[tuple[float, ...]] = []
        for word in words:
            known = self._words.get(word)
            if known:
                rows.append(known)
            elif word.isalpha():
                rows += filter(None, map(self._pieces.get, piece_grams([word])))
        totals = [sum(column) for column in zip(*rows, strict=True)] or [0.0] * len(self.names)
        ranked = sorted(range(len(totals)), key=lambda number: -totals[number])
        return self.names[ranked[0]], totals[ranked[0]] - totals[ranked[1]]


def _odds(counts: Sequence[Counter[str]], weight: float) -> dict[str, tuple[float, ...]]:
    """Return for each gram the log-likelihood in each language, that of the likeliest being 0."""
    known = set().union(*counts)
    sizes = [count.total() + _SMOOTHING * len(known) for count in counts]
    odds = {}
    for gram in known:
        shares = [(count[gram] + _SMOOTHING) / size for count, size in zip(counts, sizes, strict=True)]
        highest = max(shares)
        odds[gram] = tuple(weight * log(share / highest) for share in shares)
    return odds
