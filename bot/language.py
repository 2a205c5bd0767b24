"""Which of the bot's languages is this written in? Counted on the bot's own sentences; no list of languages needed.

Naive Bayes over words and pieces of words. Switching has hysteresis: one clear sentence, or two less clear ones in a row,
so that `ok` or a product's name never turns a French conversation English.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log

from bot.ngrams import Tokens, piece_grams

SURE = 12.0
"""Difference of log-likelihood at which one sentence suffices."""
LIKELY = 4.0
"""And at which two in a row do."""


class Languages:
    """The bot's languages, by what their sentences are made of."""

    __slots__ = ("_odds", "default", "names")

    def __init__(self, sentences: Mapping[str, Sequence[Tokens]], default: str) -> None:
        self.names = tuple(sorted(sentences))
        self.default = default if default in self.names or not self.names else self.names[0]
        counts = {name: Counter(g for words in sentences[name] for g in _grams(words)) for name in self.names}
        totals = {name: sum(counts[name].values()) for name in self.names}
        known = set().union(*counts.values()) if counts else set()
        self._odds: dict[str, tuple[float, ...]] = {}
        for gram in known:
            shares = [(counts[name][gram] + 0.5) / (totals[name] + 0.5 * len(known)) for name in self.names]
            highest = max(shares)
            self._odds[gram] = tuple(log(share / highest) for share in shares)

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
        totals = [0.0] * len(self.names)
        for gram in _grams(words):
            odds = self._odds.get(gram)
            if odds is not None:
                for number, value in enumerate(odds):
                    totals[number] += value
        ranked = sorted(range(len(totals)), key=lambda number: -totals[number])
        return self.names[ranked[0]], totals[ranked[0]] - totals[ranked[1]]


def _grams(words: Tokens) -> list[str]:
    return words + [piece for piece in piece_grams(words) if len(piece) < 4]
