"""What a run does, step by step (docs/rules.md). Pure data, and how to walk it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Literal, TypeAlias

from profiles.duration import Duration
from profiles.expression import Expression
from rules.rule_trigger import Days, EventMatch

LONGEST = timedelta(days=400)
"""No wait, window or time limit in a rule is longer: a run does not outlive its reason."""


@dataclass(frozen=True, slots=True)
class Winner:
    """How a test of variants ends: the best by this measure after so many sends takes all that follow."""

    by: Literal["goal", "opened", "clicked"]
    after: int


@dataclass(frozen=True, slots=True)
class Fallback:
    """Another channel when there was no reaction within a time."""

    unless: Literal["delivered", "opened", "clicked"]
    within: Duration
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a template: on the first channel possible of a list, on the contact's preferred one, or on all."""

    id: str
    channels: tuple[str, ...]
    """("preferred",) for the contact's most reactive channel."""
    template: str
    mode: Literal["first", "all"] = "first"
    variants: Mapping[str, int] = field(default_factory=dict)
    """variant -> its share, in parts of their sum."""
    winner: Winner | None = None
    fallback: Fallback | None = None
    urgency: Literal["low", "normal", "high"] = "normal"


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait a length, then until a local hour, then until a weekday: whichever are given, in this order."""

    id: str
    length: Duration | None = None
    at: time | None = None
    days: Days | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a contact did with a message of this run."""

    what: Literal["delivered", "opened", "clicked", "replied"]
    step: str


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Wait until any of these (or all) has happened or is true, at most so long."""

    id: str
    signals: tuple[EventMatch | Reaction | Expression, ...]
    every: bool
    at_most: Duration
    reached: tuple["Step", ...] = ()
    otherwise: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class If:
    """Two ways."""

    id: str
    condition: Expression
    then: tuple["Step", ...] = ()
    otherwise: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Switch:
    """Many ways: the first case that holds (next best action)."""

    id: str
    cases: tuple[tuple[Expression, tuple["Step", ...]], ...]
    otherwise: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Parallel:
    """Several branches at once; the run goes on when all have ended."""

    id: str
    branches: tuple[tuple["Step", ...], ...]


@dataclass(frozen=True, slots=True)
class SetValue:
    """Give attributes of the profile a value (inferred), or add to a number."""

    id: str
    put: Mapping[str, Expression] = field(default_factory=dict)
    add: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tag:
    """Add and remove labels of the profile."""

    id: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HandOver:
    """Give the contact's conversation to people; `note` is a template text that the agent reads."""

    id: str
    team: str | None = None
    agent: str | None = None
    note: str = ""
    open: bool = False
    """Open the conversation for people even when the bot has it at rest."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """Issue a wallet pass to the contact, or update it, on every device and both wallets."""

    id: str
    card: str
    put: Mapping[str, str] = field(default_factory=dict)
    """pass field -> template text; `message` is told on the lock screen."""
    ends: bool = False
    """The pass is worth nothing from now on."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Tell another system: a signed POST of the run's facts."""

    id: str
    url: str
    body: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Start:
    """Start another rule for the same contact; a chain of starts is bounded."""

    id: str
    rule: str


@dataclass(frozen=True, slots=True)
class Emit:
    """Put an event on the contact's timeline."""

    id: str
    name: str
    properties: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stop:
    """End the run here."""

    id: str
    reason: str = "stopped"


Step: TypeAlias = (
    Send
    | Wait
    | WaitUntil
    | If
    | Switch
    | Parallel
    | SetValue
    | Tag
    | HandOver
    | Wallet
    | Webhook
    | Start
    | Emit
    | Stop
)
"""`id` is the file's own, else its place such as `2.otherwise.0`; unique within the rule."""


def walk(steps: tuple[Step, ...]) -> "tuple[Step, ...]":
    """Return these steps and all within them, in reading order."""
    found: list[Step] = []
    for step in steps:
        found.append(step)
        for branch in branches(step):
            found.extend(walk(branch))
    return tuple(found)


def branches(step: Step) -> "tuple[tuple[Step, ...], ...]":
    """Return the ways that lead on inside this step."""
    match step:
        case WaitUntil(reached=reached, otherwise=otherwise):
            return (reached, otherwise)
        case If(then=then, otherwise=otherwise):
            return (then, otherwise)
        case Switch(cases=cases, otherwise=otherwise):
            return (*(steps for _, steps in cases), otherwise)
        case Parallel(branches=ways):
            return ways
        case _:
            return ()
