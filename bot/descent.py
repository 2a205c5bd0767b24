"""Linear margins for many classes, learned at once with their cross-validation.

One-vs-rest linear SVM with squared hinge loss by dual coordinate descent (Hsieh et al., ICML 2008), all classes in one
vector step. Five more copies of the classes are trained in the same pass, each without a fifth of the rows: their margins on
what they have not seen are the cross-validation, at little cost. To each class's weights comes a share of the mean of its
sentences, which steadies what was learned from a few (docs/decisions/0022 has what each part brings).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
Row = tuple[Numbers, Floats]
"""The features of a sentence by their numbers, and the weight of each."""

FOLDS = 5
_PENALTY = 1.0
_MEAN_SHARE = np.float32(0.3)
_EPOCHS = 10
_TOLERANCE = 0.02


def learn_margins(rows: list[Row], classes: Numbers, *, size: int, seed: int) -> tuple[Floats, Floats]:
    """Return the weights, the last row being the bias, and each row's margins by a copy that has not seen it.

    `size` is the number of features, `classes` the number of each row's class, counted from 0.
    """
    count = int(classes.max()) + 1
    folds = _fold_numbers(classes, seed)
    weights = _descend(rows, classes, folds, size=size, count=count, seed=seed)
    _add_means(weights, rows, classes, folds, count)
    return _held_out(weights, rows, folds, count)


def _fold_numbers(classes: Numbers, seed: int) -> Numbers:
    """Spread each class evenly over the folds."""
    folds = np.zeros(len(classes), np.int64)
    draw = np.random.default_rng(seed)
    for label in np.unique(classes):
        members = draw.permutation(np.flatnonzero(classes == label))
        folds[members] = np.arange(len(members)) % FOLDS
    return folds


def _descend(rows: list[Row], classes: Numbers, folds: Numbers, *, size: int, count: int, seed: int) -> Floats:
    """Return weights of shape (size + 1, 6 x count): the last row is the bias, the first block is the model itself."""
    draw = np.random.default_rng(seed)
    ridge = np.float32(1 / (2 * _PENALTY))
    blocks = FOLDS + 1
    weights = np.zeros((size + 1, blocks * count), np.float32)
    duals = np.zeros((len(rows), blocks * count), np.float32)
    rows = [(np.append(index, size), np.append(value, np.float32(1))) for index, value in rows]
    curvature = [np.float32(value @ value) + ridge for _, value in rows]
    signs, taught = _targets(classes, folds, count)
    for _ in range(_EPOCHS):
        worst = 0.0
        for k in draw.permutation(len(rows)).tolist():
            index, value = rows[k]
            local, sign = weights[index], signs[classes[k]]
            slope = sign * (value @ local) - 1 + duals[k] * ridge
            change = (np.maximum(duals[k] - slope / curvature[k], 0) - duals[k]) * taught[folds[k]]
            duals[k] += change
            weights[index] = local + value[:, None] * (change * sign)
            worst = max(worst, float(np.abs(change).max()))
        if worst < _TOLERANCE:
            break
    return weights


def _targets(classes: Numbers, folds: Numbers, count: int) -> tuple[Floats, Floats]:
    """Return, by class, +1 and -1 for every column, and by fold, which columns learn from its sentences."""
    blocks = FOLDS + 1
    signs = np.full((count, blocks * count), -1, np.float32)
    for label in range(count):
        signs[label, label::count] = 1
    taught = np.ones((FOLDS, blocks * count), np.float32)
    for fold in range(FOLDS):
        taught[fold, (fold + 1) * count : (fold + 2) * count] = 0
    return signs, taught


def _add_means(weights: Floats, rows: list[Row], classes: Numbers, folds: Numbers, count: int) -> None:
    """Add to each class's weights a share of the mean direction of those of its sentences that the block has seen."""
    size = len(weights) - 1
    for block in range(FOLDS + 1):
        means = np.zeros((size, count), np.float32)
        for (index, value), label, fold in zip(rows, classes, folds, strict=True):
            if fold + 1 != block:
                means[index, label] += value
        lengths = np.sqrt((means * means).sum(axis=0))
        weights[:size, block * count : (block + 1) * count] += (
            _MEAN_SHARE * means / np.maximum(lengths, np.float32(1e-9))
        )


def _held_out(weights: Floats, rows: list[Row], folds: Numbers, count: int) -> tuple[Floats, Floats]:
    """Return the model's own weights, and each sentence's margins by the copy that has not seen it."""
    margins = np.zeros((len(rows), count), np.float32)
    for k, (index, value) in enumerate(rows):
        block = slice((folds[k] + 1) * count, (folds[k] + 2) * count)
        margins[k] = value @ weights[index, block] + weights[-1, block]
    return np.ascontiguousarray(weights[:, :count]), margins
