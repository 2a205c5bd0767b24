"""Repairs slips of the keyboard: a word never seen in training becomes the one seen word that is one slip away.

A deletion index (as in SymSpell, wolfgarbe/SymSpell) finds candidates with a few dictionary look-ups. Words under four letters and
words with digits are left alone. Nobody mistypes a word's first letter often: another first letter is another word.
"""

from collections import Counter
from collections.abc import Iterable

from bot.ngrams import Tokens

_SHORTEST = 4
_LONGEST = 24


class Speller:
    """The words a bot was trained on."""

    __slots__ = ("_counts", "_index")

    def __init__(self, sentences: Iterable[Tokens]) -> None:
        self._counts = Counter(word for words in sentences for word in words)
        self._index: dict[str, list[str]] = {}
        for word in self._counts:
            if _SHORTEST <= len(word) <= _LONGEST and word.isalpha():
                for shorter in _deletions(word):
                    self._index.setdefault(shorter, []).append(word)

    def repair(self, words: Tokens) -> Tokens:
        """Return the words, unknown ones replaced by the nearest known one where there is one."""
        counts = self._counts
        return [word if word in counts else self._nearest(word) for word in words]

    def _nearest(self, word: str) -> str:
        if not _SHORTEST <= len(word) <= _LONGEST or not word.isalpha():
            return word
        near = {known for shorter in _deletions(word) for known in self._index.get(shorter, ())}
        near = {known for known in near if known[0] == word[0] and _one_slip(word, known)}
        return max(near, key=lambda known: (self._counts[known], known)) if near else word


def _deletions(word: str) -> set[str]:
    return {word, *(word[:cut] + word[cut + 1 :] for cut in range(len(word)))}


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter was added, dropped or replaced, or two neighbours swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    tail, other_tail = one[start:], other[start:]
    if len(one) != len(other):
        longer, shorter = (tail, other_tail) if len(one) > len(other) else (other_tail, tail)
        return longer[1:] == shorter
    return tail[1:] == other_tail[1:] or (tail[:2] == other_tail[:2][::-1] and tail[2:] == other_tail[2:])
