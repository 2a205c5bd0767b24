"""Which words of a sentence name something? Learned from the bot's own marked examples: `to [Lyon](city)`.

An averaged structured perceptron (Collins, EMNLP 2002) over words and their neighbours, decoded with Viterbi. A label is B-
or I- and entity, role and group; O is none. It looks at what stands around a word as much as at the word, so names that no
example holds are found too. In training some words are hidden for the same reason, and half of the sentences are written
small, as people do who are in a hurry.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.finders import fold
from bot.models import Arrays, as_array, as_texts
from bot.training import Mark

_CLITICS = "je|tu|il|elle|on|nous|vous|ils|elles|le|la|les|moi|toi|lui|leur|en|y|ce|t|ci|là"
_TOKEN = re.compile(rf"[^\W_]+(?:-(?!(?:{_CLITICS})\b)[^\W_]+)*|[^\w\s]|_", re.IGNORECASE)
_EPOCHS = 12
_HIDDEN = 0.15
"""Share of words that are hidden while learning, but for their shape and neighbours; chosen on our own set."""
_SMALL = 0.5
"""Share of sentences whose capitals are not seen while learning."""
_LEXICAL = 6
"""So many of a token's features hold the word itself."""
_OUTSIDE = "O"
_NEVER = np.float32(-1e9)

_Index = NDArray[np.int64]
_Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tagger:
    """A trained model; immutable. The last row of `weights` is that of features never seen: zeros."""

    labels: tuple[str, ...]
    features: dict[str, int]
    weights: _Floats
    steps: _Floats
    """What one label after another is worth; the last row is the sentence's beginning."""

    def find(self, text: str) -> list[Mark]:
        """Return what the text names, in order."""
        spans, rows = _read(text)
        if not spans:
            return []
        unknown = len(self.features)
        index = np.array([[self.features.get(feature, unknown) for feature in row] for row in rows], np.int64)
        return list(_marks(spans, [self.labels[k] for k in _decode(self.weights[index].sum(axis=1), self.steps)]))


def train(examples: Sequence[tuple[str, Sequence[Mark]]], seed: int = 0) -> Tagger:
    """Return the model of these sentences and what is marked in them."""
    read = [(*_read(text), _read(text.lower())[1], marks) for text, marks in examples]
    read = [(spans, rows, small, marks) for spans, rows, small, marks in read if spans and len(rows) == len(small)]
    features: dict[str, int] = {}
    for _, rows, small, _ in read:
        for row in (*rows, *small):
            for feature in row:
                features.setdefault(feature, len(features))
    written = [_written(spans, marks) for spans, _, _, marks in read]
    labels = tuple(sorted({_OUTSIDE, *(label for row in written for label in row), *_insides(written)}))
    position = {label: number for number, label in enumerate(labels)}
    indexes = [
        np.array([[[features[feature] for feature in row] for row in rows] for rows in (rows, small)], np.int64)
        for _, rows, small, _ in read
    ]
    gold = [np.array([position[label] for label in row], np.int64) for row in written]
    weights, steps = _learn(indexes, gold, size=len(features), labels=labels, seed=seed)
    return Tagger(labels, features, weights, steps)


def as_arrays(model: Tagger) -> Arrays:
    """Return the model as plain arrays, to be kept."""
    features = sorted(model.features, key=model.features.__getitem__)
    return {
        "labels": as_array(model.labels), "features": as_array(features), "weights": model.weights, "steps": model.steps,
    }  # fmt: skip


def from_arrays(kept: Arrays) -> Tagger:
    """Return the model that was kept. Raises KeyError or ValueError when that was something else."""
    features = as_texts(kept["features"])
    if len(kept["weights"]) != len(features) + 1:
        raise ValueError("not a tagger")
    known = {feature: number for number, feature in enumerate(features)}
    return Tagger(tuple(as_texts(kept["labels"])), known, kept["weights"], kept["steps"])


def _learn(
    indexes: list[_Index], gold: list[_Index], *, size: int, labels: tuple[str, ...], seed: int
) -> tuple[_Floats, _Floats]:
    draw = np.random.default_rng(seed)
    impossible = _impossible(labels)
    """Return the weights of features and steps. `indexes` hold every sentence twice: as it is written, and in small letters."""
    weights, steps = np.zeros((size + 1, len(labels)), np.float32), np.zeros((len(labels) + 1, len(labels)), np.float32)
    sum_weights, sum_steps = np.zeros_like(weights), np.zeros_like(steps)
    seen = 1
    for _ in range(_EPOCHS):
        for k in draw.permutation(len(indexes)).tolist():
            index, right = indexes[k][int(draw.random() < _SMALL)], gold[k]
            hidden = draw.random(len(right)) < _HIDDEN
            if hidden.any():
                index = index.copy()
                index[hidden, :_LEXICAL] = size
            guess = _decode(weights[index].sum(axis=1), steps + impossible)
            if not np.array_equal(guess, right):
                for path, sign in ((right, 1.0), (guess, -1.0)):
                    np.add.at(weights, (index, path[:, None]), sign)
                    np.add.at(sum_weights, (index, path[:, None]), sign * seen)
                    before = np.concatenate(([len(labels)], path[:-1]))
                    np.add.at(steps, (before, path), sign)
                    np.add.at(sum_steps, (before, path), sign * seen)
                weights[size] = 0
            seen += 1
    weights -= sum_weights / np.float32(seen)
    weights[size] = 0
    return weights, steps - sum_steps / np.float32(seen) + impossible


def _decode(emissions: _Floats, steps: _Floats) -> _Index:
    """Return the likeliest path through the labels (Viterbi)."""
    score = emissions[0] + steps[-1]
    between = steps[:-1]
    back = np.zeros(emissions.shape, np.int64)
    for place in range(1, len(emissions)):
        through = score[:, None] + between
        back[place] = through.argmax(axis=0)
        score = through.max(axis=0) + emissions[place]
    path = np.zeros(len(emissions), np.int64)
    path[-1] = score.argmax()
    for place in range(len(emissions) - 1, 0, -1):
        path[place - 1] = back[place, path[place]]
    return path


def _impossible(labels: tuple[str, ...]) -> _Floats:
    """Return -1e9 where a step makes no sense: an inside that does not follow its own beginning."""
    table = np.zeros((len(labels) + 1, len(labels)), np.float32)
    for after, label in enumerate(labels):
        if label.startswith("I-"):
            for before, other in enumerate((*labels, _OUTSIDE)):
                if other[2:] != label[2:]:
                    table[before, after] = _NEVER
    return table


def _read(text: str) -> tuple[list[tuple[int, int]], list[tuple[str, ...]]]:
    """Return the places of the words, and what each looks like."""
    found = list(_TOKEN.finditer(text))
    words = ["<", "<", *(fold(token[0]) for token in found), ">", ">"]
    rows = [_look(words[place : place + 5], token[0]) for place, token in enumerate(found)]
    return [token.span() for token in found], rows


def _look(around: Sequence[str], written: str) -> tuple[str, ...]:
    """Return the features of the word in the middle; the first `_LEXICAL` hold the word itself."""
    two, one, word, next, after = around
    return (
        f"w {word}", f"pw {one} {word}", f"wn {word} {next}", f"s2 {word[-2:]}", f"s3 {word[-3:]}", f"p3 {word[:3]}",
        f"p {one}", f"n {next}", f"pp {two} {one}", f"nn {next} {after}", f"pn {one} {next}",
        f"k {_shape(written)}", f"kp {_shape(written)} {one}", f"kn {_shape(written)} {next}", "all",
    )  # fmt: skip


def _shape(word: str) -> str:
    if word.isdigit():
        return f"0{min(len(word), 4)}"
    if not word[0].isalnum():
        return word
    kind = "Aa" if word[0].isupper() and not word.isupper() else "AA" if word.isupper() else "a"
    return f"{kind}{'0' if any(char.isdigit() for char in word) else ''}{'1' if len(word) < 4 else ''}"


def _written(spans: Sequence[tuple[int, int]], marks: Sequence[Mark]) -> list[str]:
    """Return the label of each word."""
    labels = [_OUTSIDE] * len(spans)
    for mark in marks:
        inside = [place for place, (start, end) in enumerate(spans) if start < mark.end and end > mark.start]
        name = json.dumps([mark.entity, mark.role, mark.group], ensure_ascii=False)
        for place in inside:
            labels[place] = f"{'B' if place == inside[0] else 'I'}-{name}"
    return labels


def _insides(written: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the inside of each beginning: names of one word alone may be longer elsewhere."""
    for row in written:
        yield from (f"I-{label[2:]}" for label in row if label != _OUTSIDE)


def _marks(spans: Sequence[tuple[int, int]], labels: Sequence[str]) -> Iterator[Mark]:
    place = 0
    while place < len(labels):
        start, name = place, labels[place][2:]
        place += 1
        if labels[start] != _OUTSIDE:
            while place < len(labels) and labels[place] == f"I-{name}":
                place += 1
            yield Mark(spans[start][0], spans[place - 1][1], *json.loads(name))
