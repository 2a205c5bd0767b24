"""What did a rule bring about? The share that reached its goal among those written to, against those held out.

Both are counted from the moment of the message that was sent, or would have been. The interval of the difference is
Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10): it keeps its promise with small groups and shares
near 0, where the usual one does not.
"""

from dataclasses import dataclass
from math import sqrt

Z = 1.959964
"""Of the normal distribution, for 95 %."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    reached: int
    of: int

    @property
    def rate(self) -> float:
        """Return the share, 0 to 1; of nobody it is 0."""
        return self.reached / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Return Wilson's score interval of the share, 95 %."""
        if not self.of:
            return 0.0, 1.0
        n, p = self.of, self.rate
        middle, width = p + Z * Z / (2 * n), Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        return max(0.0, (middle - width) / (1 + Z * Z / n)), min(1.0, (middle + width) / (1 + Z * Z / n))


@dataclass(frozen=True, slots=True)
class Lift:
    """By how much one share is above another, as shares (0.02 is two points), with its 95 % interval."""

    difference: float
    low: float
    high: float

    @property
    def is_certain(self) -> bool:
        """Return whether the interval leaves 0 out: chance alone would rarely do this."""
        return self.low > 0 or self.high < 0


def lift(written_to: Share, held_out: Share) -> Lift | None:
    """Return by how much those written to are above those held out; None while one of the two is empty."""
    if not (written_to.of and held_out.of):
        return None
    first, second = written_to.rate, held_out.rate
    low_1, high_1 = written_to.interval
    low_2, high_2 = held_out.interval
    difference = first - second
    low = difference - sqrt((first - low_1) ** 2 + (high_2 - second) ** 2)
    high = difference + sqrt((high_1 - first) ** 2 + (second - low_2) ** 2)
    return Lift(difference, max(-1.0, low), min(1.0, high))
