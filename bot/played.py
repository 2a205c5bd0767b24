"""What came of playing a test dialogue: step by step what was expected and what was got. Read by reports and checks."""

from dataclasses import dataclass
from typing import Literal

from profiles.findings import ContentError
from profiles.written import Place

NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was expected: that a message means something, that the bot does something, or says something."""

    kind: Literal["intent", "entities", "actions", "words"]
    at: Place
    said: str
    """The customer's message that it follows."""
    expected: str
    got: str
    confidence: float | None = None
    """How sure the bot was of the intent."""

    @property
    def is_right(self) -> bool:
        """Whether it came as expected."""
        return self.expected == self.got


@dataclass(frozen=True, slots=True)
class Played:
    """One test dialogue, played to its end."""

    name: str
    at: Place
    steps: tuple[Step, ...]

    @property
    def is_right(self) -> bool:
        """Whether all of it came as expected."""
        return all(step.is_right for step in self.steps)

    @property
    def share(self) -> float:
        """How much of it came as expected, from 0 to 1."""
        return sum(step.is_right for step in self.steps) / len(self.steps) if self.steps else 1.0

    @property
    def differences(self) -> list[ContentError]:
        """Where it did not, each in words."""
        return [
            ContentError(step.at, f'tests: "{self.name}": {in_words(step)}.')
            for step in self.steps
            if not step.is_right
        ]


def in_words(step: Step) -> str:
    """Return what was expected and what was got in one line."""
    what = {"intent": "intent ", "entities": "entities ", "actions": "", "words": "words "}[step.kind]
    sure = f" ({step.confidence:.2f})" if step.confidence is not None else ""
    return f"expected {what}{step.expected or NOTHING}; got {step.got or NOTHING}{sure}"


def listed(entities: tuple[tuple[str, str], ...]) -> str:
    """Return (entity, value) pairs in words, always in the same order."""
    return ", ".join(f"{name}={value}" for name, value in sorted(entities))
