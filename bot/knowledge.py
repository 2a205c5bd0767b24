"""Which passage of the bot's documents answers a question? Words by BM25, and pieces of words for slips and endings.

The score is a share of what an ideal passage would reach: 1 when every telling word of the question stands in the passage,
near 0 when only words do that stand everywhere. That makes one threshold hold for short and long questions; figures are
printed by tests/bot/test_knowledge.py. Pure and in memory: it runs inside the commit.
BM25: Robertson and Zaragoza, The Probabilistic Relevance Framework (2009); headings count as in BM25F.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log

from bot.ngrams import Tokens, piece_grams, words_of
from bot.passages import Passage
from bot.spelling import Speller

SCORE_TO_ANSWER = 0.4
"""Below this the bot does not dare to answer."""
SCORE_NEAR = 0.3
"""Between the two a person may tell: the passage is named in the event `bot.unanswered`."""

_SATURATION = 0.6  # BM25's k1: a word that stands there twice says little more than once
_LENGTH = 0.3  # BM25's b: passages are short already, their length says little
_HEADING_WEIGHT = 3.0  # also that of the words under `also:`
_WORD_SHARE = 0.5
_SHARPNESS = 1.5  # how much more a rare word tells than a common one; chosen on our own test questions
_LONGEST_QUESTION = 60  # words; who writes more tells a story, not a question

Grams = Callable[[Tokens], list[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and how well it answers, from 0 to 1."""

    passage: Passage
    score: float

    @property
    def is_answer(self) -> bool:
        """Whether the bot dares to say it."""
        return self.score >= SCORE_TO_ANSWER


class Knowledge:
    """What the bot may answer from; immutable. `general` are sentences of each language that make its common words known."""

    __slots__ = ("_shelves",)

    def __init__(self, passages: Iterable[Passage] = (), general: Mapping[str, Sequence[Tokens]] | None = None) -> None:
        by_language: dict[str, list[Passage]] = {}
        for passage in passages:
            by_language.setdefault(passage.language, []).append(passage)
        self._shelves = {
            language: _shelf(found, (general or {}).get(language, ())) for language, found in by_language.items()
        }

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Everything that can be found."""
        return tuple(passage for shelf in self._shelves.values() for passage in shelf.passages)

    def search(self, question: str, language: str, most: int = 1) -> tuple[Found, ...]:
        """Return the best passages in this language, the best first; none that shares nothing with the question."""
        shelf = self._shelves.get(language)
        words = words_of(question)[:_LONGEST_QUESTION]
        if shelf is None or not words:
            return ()
        by_word = shelf.words.scores(shelf.speller.repair(words))
        by_piece = shelf.pieces.scores(words)
        both = [
            (_WORD_SHARE * by_word.get(number, 0.0) + (1 - _WORD_SHARE) * score, -number)
            for number, score in by_piece.items()
        ]
        best = sorted(both, reverse=True)[:most]
        return tuple(Found(shelf.passages[-number], round(score, 4)) for score, number in best)


@dataclass(frozen=True, slots=True)
class _Index:
    """Which passages hold a gram, and with what weight; `rarity` of a gram that stands nowhere is the highest."""

    grams: Grams
    weights: Mapping[str, Sequence[tuple[int, float]]]
    rarity: Mapping[str, float]
    rarest: float

    def scores(self, words: Tokens) -> dict[int, float]:
        """Return passage -> the share of the question that it holds."""
        total, reached = 0.0, Counter[int]()
        for gram in dict.fromkeys(self.grams(words)):
            rarity = self.rarity.get(gram, self.rarest)
            total += rarity
            for number, weight in self.weights.get(gram, ()):
                reached[number] += rarity * weight  # type: ignore[assignment]
        return {number: score / total for number, score in reached.items()} if total else {}


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The passages of one language."""

    passages: Sequence[Passage]
    words: _Index
    pieces: _Index
    speller: Speller = field(repr=False)


def _shelf(passages: Sequence[Passage], general: Sequence[Tokens]) -> _Shelf:
    parts = [(words_of(p.title), words_of(p.also), words_of(p.text)) for p in passages]
    known = [[*title, *also, *text] for title, also, text in parts]
    return _Shelf(
        passages,
        _index(parts, general, _single_words),
        _index(parts, general, piece_grams),
        Speller([*known, *general]),
    )


def _single_words(words: Tokens) -> list[str]:
    return words


def _index(parts: Sequence[tuple[Tokens, Tokens, Tokens]], general: Sequence[Tokens], grams: Grams) -> _Index:
    counted = [_weighted(part, grams) for part in parts]
    average = sum(sum(counts.values()) for counts in counted) / len(counted)
    weights: dict[str, list[tuple[int, float]]] = {}
    for number, counts in enumerate(counted):
        length = 1 - _LENGTH + _LENGTH * sum(counts.values()) / average if average else 1.0
        for gram, count in counts.items():
            saturated = min(1.0, count * (_SATURATION + 1) / (count + _SATURATION * length))
            weights.setdefault(gram, []).append((number, saturated))
    rarity, rarest = _rarities([*counted, *map(Counter, map(grams, general))])
    return _Index(grams, weights, rarity, rarest)


def _weighted(part: tuple[Tokens, Tokens, Tokens], grams: Grams) -> dict[str, float]:
    title, also, text = part
    counts: dict[str, float] = {}
    for words, weight in ((title, _HEADING_WEIGHT), (also, _HEADING_WEIGHT), (text, 1.0)):
        for gram in grams(words):
            counts[gram] = counts.get(gram, 0.0) + weight
    return counts


def _rarities(counted: Sequence[Iterable[str]]) -> tuple[dict[str, float], float]:
    """Return for each gram how much it tells: nothing when it stands in half of all, most when in one alone."""
    seen = Counter(gram for counts in counted for gram in counts)
    all = len(counted) + 1
    telling = {gram: max(0.0, log(all / (2 * count))) ** _SHARPNESS for gram, count in seen.items()}
    return telling, log(all) ** _SHARPNESS
