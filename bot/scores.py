"""How often a guess is right, name by name: precision, recall and F1, and what is taken for what. Pure arithmetic."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Score:
    """How one name fares: how often it was wanted, how often it was guessed, how often both."""

    name: str
    wanted: int
    guessed: int
    right: int

    @property
    def precision(self) -> float:
        """Of the times it was guessed, the part that was right; 0 when it never was."""
        return self.right / self.guessed if self.guessed else 0.0

    @property
    def recall(self) -> float:
        """Of the times it was wanted, the part that was found; 0 when it never was."""
        return self.right / self.wanted if self.wanted else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / (self.wanted + self.guessed) if self.wanted + self.guessed else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """How all names fare together."""

    total: int
    right: int
    scores: tuple[Score, ...]
    """By name."""
    confusions: tuple[tuple[str, str, int], ...]
    """(wanted, guessed, how often), the most frequent first."""

    @property
    def accuracy(self) -> float:
        """The part that was right; 1 when nothing was asked."""
        return self.right / self.total if self.total else 1.0

    def as_json(self) -> Mapping[str, Any]:
        """Return it as plain values, in the names that Rasa's reports use."""
        return {
            "accuracy": round(self.accuracy, 4),
            "support": self.total,
            "labels": {
                score.name: {
                    "precision": round(score.precision, 4),
                    "recall": round(score.recall, 4),
                    "f1-score": round(score.f1, 4),
                    "support": score.wanted,
                }
                for score in self.scores
            },
            "confused_with": [
                {"expected": wanted, "predicted": guessed, "count": count} for wanted, guessed, count in self.confusions
            ],
        }


def figures_of(pairs: Iterable[tuple[str, str]]) -> Figures:
    """Return the figures of these pairs (wanted, guessed)."""
    counted = Counter(pairs)
    wanted, guessed, right = Counter[str](), Counter[str](), Counter[str]()
    for (one, other), count in counted.items():
        wanted[one] += count
        guessed[other] += count
        right[one] += count if one == other else 0
    names = sorted({*wanted, *guessed})
    wrong = [(one, other, count) for (one, other), count in counted.items() if one != other]
    return Figures(
        total=wanted.total(),
        right=right.total(),
        scores=tuple(Score(name, wanted[name], guessed[name], right[name]) for name in names),
        confusions=tuple(sorted(wrong, key=lambda row: (-row[2], row[0], row[1]))),
    )


def as_table(figures: Figures) -> list[str]:
    """Return the scores as lines of a table, the names that fare worst first."""
    width = max((len(score.name) for score in figures.scores), default=0)
    lines = [f"{'':{width}}  precision  recall      f1  messages"]
    for score in sorted(figures.scores, key=lambda score: (score.f1, score.name)):
        shares = f"{score.precision:9.3f} {score.recall:7.3f} {score.f1:7.3f}"
        lines.append(f"{score.name:{width}}  {shares} {score.wanted:9}")
    return lines
