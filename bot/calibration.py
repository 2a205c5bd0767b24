"""What held-out margins teach: the temperature that makes confidence honest (Guo et al., ICML 2017), and when to refuse."""

import numpy as np

from bot.descent import Floats, Numbers


def best_temperature(margins: Floats, classes: Numbers) -> tuple[float, float]:
    """Return the temperature that makes held-out sentences likeliest, and how unlikely they are then (mean log loss)."""
    temperatures = np.geomspace(0.04, 1.0, 24)
    losses = []
    for temperature in temperatures:
        scaled = (margins - margins.max(axis=1, keepdims=True)) / temperature
        chosen = scaled[np.arange(len(classes)), classes]
        losses.append(float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - chosen)))
    best = int(np.argmin(losses))
    return float(temperatures[best]), losses[best]


def best_gap(margins: Floats, classes: Numbers, foreign: int | None) -> float:
    """Return how far the best class must lie above the foreign one, so that strangers are best kept out."""
    if foreign is None or margins.shape[1] < 2:
        return -np.inf
    own = np.delete(margins, foreign, axis=1)
    gaps = own.max(axis=1) - margins[:, foreign]
    is_foreign = classes == foreign
    # Refusing a good question costs more than answering a strange one with "what I can do": weigh 2 to 1.
    candidates = np.linspace(-0.6, 0.6, 49)
    costs = [
        2 * float(np.mean(gaps[~is_foreign] < gap)) + float(np.mean(gaps[is_foreign] >= gap)) for gap in candidates
    ]
    return float(candidates[int(np.argmin(costs))])


def guesses_of(
    margins: Floats, labels: tuple[str, ...], foreign: int | None, temperature: float, least_gap: float
) -> tuple[tuple[str, float], ...]:
    """Return what each held-out sentence was taken for, and how surely."""
    scaled = np.exp((margins - margins.max(axis=1, keepdims=True)) / temperature)
    shares = scaled / scaled.sum(axis=1, keepdims=True)
    own = margins.copy()
    if foreign is not None and len(labels) > 1:
        own[:, foreign] = -np.inf
    best = own.argmax(axis=1)
    rows = np.arange(len(best))
    if foreign is not None:
        best = np.where(own[rows, best] - margins[rows, foreign] < least_gap, foreign, best)
    return tuple((labels[k], share) for k, share in zip(best.tolist(), shares[rows, best].tolist(), strict=True))
