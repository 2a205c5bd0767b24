"""How well does the bot understand sentences it has not seen? Intents beside two controls, strangers, confidence, names."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.bot_sets import IntentSet
from bot import tagger
from bot.classifier import NO_INTENT, Ranking, train
from bot.ngrams import Tokens, words_of
from bot.spelling import Speller
from bot.training import Mark
from bot.understanding import background_of

Marked = Sequence[tuple[str, tuple[Mark, ...]]]
_BINS = 10


@dataclass(frozen=True, slots=True)
class Heard:
    """What was made of a set: figures in per cent, times in seconds and microseconds."""

    name: str
    figures: dict[str, float]

    def line(self) -> str:
        """Return the figures for a person."""
        return f"{self.name:22s} " + ", ".join(f"{name} {value:g}" for name, value in self.figures.items())


def intents(tried: IntentSet, language: str) -> Heard:
    """Return how the set's test sentences were heard by a model of its other sentences."""
    background = [*map(words_of, tried.refused)] or background_of(language)
    taught = [(words_of(text), intent) for text, intent in tried.train]
    rows = [*taught, *((words, NO_INTENT) for words in background)]
    began = time.process_time()
    model, speller = train([words for words, _ in rows], [intent for _, intent in rows]), Speller(w for w, _ in taught)
    seconds = time.process_time() - began
    ask = time.process_time()
    ranked = [model.rank(speller.repair(words_of(text))) for text, _ in tried.test]
    each_us = (time.process_time() - ask) / len(ranked) * 1e6
    strange = [model.rank(speller.repair(words_of(text))) for text in tried.strangers]
    wanted = [intent for _, intent in tried.test]
    figures = {
        "accuracy": _percent(_best(one) == want for one, want in zip(ranked, wanted, strict=True)),
        "control_overlap": _percent(_overlaps(tried)),
        "control_majority": _majority(tried),
        "calibration_error": round(100 * calibration_error(ranked, wanted), 1),
        **_refusing(ranked, wanted, strange),
        "train_seconds": round(seconds, 2),
        "hear_us": round(each_us),
    }
    return Heard(tried.name, figures)


def mean_of(heard: Sequence[Heard]) -> Heard:
    """Return the mean of what came of several draws of one set."""
    figures = {name: round(sum(one.figures[name] for one in heard) / len(heard), 2) for name in heard[0].figures}
    return Heard(heard[0].name, figures)


def calibration_error(ranked: Sequence[Ranking], wanted: Sequence[str]) -> float:
    """Return the expected calibration error (Guo et al., ICML 2017): ten bins of confidence, weighted by their size."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for one, want in zip(ranked, wanted, strict=True):
        share = one.intents[0][1] if one.intents else 0.0
        bins[min(_BINS - 1, int(share * _BINS))].append((share, _best(one) == want))
    gaps = [abs(sum(share for share, _ in bin) - sum(right for _, right in bin)) for bin in bins.values()]
    return sum(gaps) / len(ranked)


def names(train_rows: Marked, test_rows: Marked) -> dict[str, float]:
    """Return how exactly what test sentences name was found: place, entity and role all right."""
    began = time.process_time()
    model = tagger.train(train_rows)
    seconds = time.process_time() - began
    ask = time.process_time()
    found = [set(model.find(text)) for text, _ in test_rows]
    each_us = (time.process_time() - ask) / len(test_rows) * 1e6
    return {**span_f1(found, [set(marks) for _, marks in test_rows]), "train_seconds": round(seconds, 2),
            "tag_us": round(each_us)}  # fmt: skip


def folded_names(rows: Marked, folds: int = 5) -> dict[str, float]:
    """Return the same over all sentences, each tried by a model that has not seen it or its fold."""
    found: list[set[Mark]] = []
    marked: list[set[Mark]] = []
    for fold in range(folds):
        model = tagger.train([row for number, row in enumerate(rows) if number % folds != fold])
        for text, marks in rows[fold::folds]:
            found.append(set(model.find(text)))
            marked.append(set(marks))
    return span_f1(found, marked)


def span_f1(found: Sequence[set[Mark]], marked: Sequence[set[Mark]]) -> dict[str, float]:
    """Return exact-span F1, and how it comes about, in per cent."""
    right = sum(len(one & two) for one, two in zip(found, marked, strict=True))
    precision, recall = right / max(1, sum(map(len, found))), right / max(1, sum(map(len, marked)))
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"f1": round(100 * f1, 1), "precision": round(100 * precision, 1), "recall": round(100 * recall, 1)}


def _refusing(ranked: Sequence[Ranking], wanted: Sequence[str], strange: Sequence[Ranking]) -> dict[str, float]:
    """Return how many strangers are refused, at the in-scope accuracy that refusing leaves."""
    if not strange:
        return {}
    kept = [not one.is_foreign and _best(one) == want for one, want in zip(ranked, wanted, strict=True)]
    return {
        "in_scope_accuracy_while_refusing": _percent(kept),
        "strangers_refused": _percent(one.is_foreign for one in strange),
    }


def _best(one: Ranking) -> str | None:
    return one.intents[0][0] if one.intents else None


def _percent(claims: Any) -> float:
    rows = list(claims)
    return round(100 * sum(rows) / len(rows), 2) if rows else 0.0


def _overlaps(tried: IntentSet) -> list[bool]:
    """Return, for each test sentence, whether the example that shares most words with it (Jaccard) has its intent."""
    examples = [(set(words_of(text)), intent) for text, intent in tried.train]
    holding: dict[str, list[int]] = defaultdict(list)
    for number, (words, _) in enumerate(examples):
        for word in words:
            holding[word].append(number)
    return [_nearest(words_of(text), examples, holding) == intent for text, intent in tried.test]


def _nearest(words: Tokens, examples: list[tuple[set[str], str]], holding: dict[str, list[int]]) -> str | None:
    asked = set(words)
    shared = Counter(number for word in asked for number in holding.get(word, ()))
    if not shared:
        return None
    best = max(shared, key=lambda number: (shared[number] / len(asked | examples[number][0]), -number))
    return examples[best][1]


def _majority(tried: IntentSet) -> float:
    commonest = Counter(intent for _, intent in tried.train).most_common(1)[0][0]
    return _percent(intent == commonest for _, intent in tried.test)
