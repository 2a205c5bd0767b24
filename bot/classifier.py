"""Which intent is a sentence? A linear classifier on word and character n-grams, trained when the bot is loaded.

Weights by bot/descent.py, honest confidence by bot/calibration.py. Where a semantic model is given (bot/semantic.py) its vectors
get weights of their own; how much they count beside the words is what makes held-out sentences likeliest.
`python -m bench bot --data` measures it: 74.1 % on BANKING77 with 10 examples an intent, 91.8 % with all (docs/benchmarks.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.calibration import best_gap, best_temperature, guesses_of
from bot.descent import Floats, Row, learn_margins
from bot.grams import Grams, read_grams
from bot.models import Arrays, as_array, as_texts
from bot.ngrams import Tokens

NO_INTENT = ""
"""The class of sentences that are none of the bot's business."""

_RANKED = 10
_SHARES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
"""How much the margins of meaning may count beside those of words."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Intents with calibrated confidence, the likeliest first; `is_foreign`: better none of them."""

    intents: tuple[tuple[str, float], ...]
    is_foreign: bool


@dataclass(frozen=True, slots=True)
class Sense:
    """What the vectors of a semantic model add to the margins."""

    weights: Floats
    bias: Floats
    share: float


@dataclass(frozen=True, slots=True)
class Classifier:
    """A trained model; immutable."""

    labels: tuple[str, ...]
    grams: Grams
    weights: Floats
    bias: Floats
    temperature: float
    least_gap: float
    """How far the best intent's margin must lie above that of no intent."""
    held_out: tuple[tuple[str, float], ...] = ()
    """For each sentence of the training, in order, what a copy that had not seen it took it for, and how surely."""
    sense: Sense | None = None

    def rank(self, words: Tokens, vector: Floats | None = None) -> Ranking:
        """Return the ten likeliest intents; none when no part of the sentence was ever seen.

        `vector` is what the semantic model makes of the sentence; without it words alone count.
        """
        row = self.grams.row(words)
        if row is None and (self.sense is None or vector is None):
            return Ranking((), True)
        index, value = row or _EMPTY
        margins = value @ self.weights.take(index, axis=0) + self.bias
        if self.sense is not None and vector is not None:
            margins = margins + np.float32(self.sense.share) * (vector @ self.sense.weights + self.sense.bias)
        return self._ranking(margins)

    def _ranking(self, margins: Floats) -> Ranking:
        """Return what the margins of all labels come to."""
        order = margins.argsort()[: -_RANKED - 2 : -1].tolist()
        scaled = np.exp((margins - margins[order[0]]) / self.temperature)
        shares = scaled * (1 / scaled.sum())
        labels = self.labels
        ranked = tuple((labels[k], float(shares[k])) for k in order if labels[k] != NO_INTENT)[:_RANKED]
        if not ranked or labels[0] != NO_INTENT:
            return Ranking(ranked, not ranked)
        best = order[0] or order[1]
        return Ranking(ranked, bool(margins[best] - margins[0] < self.least_gap))


def train(
    sentences: Sequence[Tokens], intents: Sequence[str], seed: int = 0, vectors: Floats | None = None
) -> Classifier:
    """Return the model of these sentences; NO_INTENT marks those that are none of the bot's business.

    `vectors` holds what a semantic model makes of each sentence, if there is one.
    """
    labels = tuple(sorted(set(intents)))
    position = {label: number for number, label in enumerate(labels)}
    classes = np.array([position[intent] for intent in intents], np.int64)
    grams = read_grams(sentences)
    rows = [grams.row(sentence) or _EMPTY for sentence in sentences]
    weights, held_out = learn_margins(rows, classes, size=len(grams.rarity), seed=seed)
    sense, held_out = _sense(vectors, held_out, classes, seed)
    foreign = position.get(NO_INTENT)
    temperature, _ = best_temperature(held_out, classes)
    least_gap = best_gap(held_out, classes, foreign)
    guesses = guesses_of(held_out, labels, foreign, temperature, least_gap)
    return Classifier(labels, grams, weights[:-1], weights[-1], temperature, least_gap, guesses, sense)


def _sense(
    vectors: Floats | None, held_out: Floats, classes: NDArray[np.int64], seed: int
) -> tuple[Sense | None, Floats]:
    """Return what meaning adds, None where words do better alone, and the held-out margins with it."""
    if vectors is None:
        return None, held_out
    all = np.arange(vectors.shape[1])
    weights, more = learn_margins([(all, vector) for vector in vectors], classes, size=len(all), seed=seed)
    losses = {share: best_temperature(held_out + np.float32(share) * more, classes)[1] for share in _SHARES}
    share = min(losses, key=losses.__getitem__)
    if not share:
        return None, held_out
    return Sense(weights[:-1], weights[-1], share), held_out + np.float32(share) * more


def as_arrays(model: Classifier) -> Arrays:
    """Return the model as plain arrays, to be kept."""
    sense = {"sense": model.sense.weights, "sense_bias": model.sense.bias} if model.sense else {}
    return {
        **sense,
        "labels": as_array(model.labels),
        "words": as_array(list(model.grams.words)),
        "words_at": np.array(list(model.grams.words.values()), np.int64),
        "pieces": as_array(list(model.grams.pieces)),
        "pieces_at": np.array(list(model.grams.pieces.values()), np.int64),
        "rarity": model.grams.rarity,
        "weights": model.weights,
        "bias": model.bias,
        "limits": np.array([model.temperature, model.least_gap, model.sense.share if model.sense else 0.0], np.float64),
        "guessed": np.array([model.labels.index(label) for label, _ in model.held_out], np.int64),
        "sure": np.array([share for _, share in model.held_out], np.float64),
    }


def from_arrays(kept: Arrays) -> Classifier:
    """Return the model that was kept. Raises KeyError, ValueError or IndexError when that was something else."""
    labels = _labels(kept["labels"])
    temperature, least_gap, share = kept["limits"].tolist()
    guessed, sure = kept["guessed"].tolist(), kept["sure"].tolist()
    return Classifier(
        labels,
        Grams(
            dict(zip(as_texts(kept["words"]), kept["words_at"].tolist(), strict=True)),
            dict(zip(as_texts(kept["pieces"]), kept["pieces_at"].tolist(), strict=True)),
            kept["rarity"],
        ),
        kept["weights"],
        kept["bias"],
        temperature,
        least_gap,
        tuple((labels[number], surely) for number, surely in zip(guessed, sure, strict=True)),
        Sense(kept["sense"], kept["sense_bias"], share) if share else None,
    )


def _labels(kept: NDArray[Any]) -> tuple[str, ...]:
    return tuple(as_texts(kept)) or (NO_INTENT,)


_EMPTY: Row = (np.zeros(0, np.int64), np.zeros(0, np.float32))
