"""What one rule file says, parsed: when, for whom, under which limits, then the steps (docs/rules.md). Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from profiles.expression import Expression
from rules.languages import Spoken, said_in
from rules.rule_step import Send, Step, walk
from rules.rule_terms import Entry, Goal, Pressure, Timing, Tracking
from rules.rule_trigger import EventMatch, Trigger

State = Literal["draft", "test", "live", "paused"]
Class = Literal["marketing", "service", "transactional"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file, counted from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the book, at one version."""

    id: str
    trigger: Trigger
    steps: tuple[Step, ...]
    title: Spoken = field(default_factory=dict)
    """What people call it; empty: by its id."""
    about: Spoken = field(default_factory=dict)
    owner: str = ""
    state: State = "draft"
    kind: Class = "marketing"
    topic: str = ""
    labels: tuple[str, ...] = ()
    priority: int = 50
    valid_from: date | None = None
    valid_until: date | None = None
    """Inclusive, in the rule's zone."""
    audience: Expression | None = None
    entry: Entry = Entry()
    holds: tuple[Expression, ...] = ()
    exits: tuple[EventMatch | Expression, ...] = ()
    goal: Goal | None = None
    timing: Timing = Timing()
    pressure: Pressure = Pressure()
    tracking: Tracking = Tracking()
    testers: tuple[str, ...] = ()
    """Profile ids, or identity keys such as email:anna@example.org, who alone get a rule in state `test`."""
    on_edit: Literal["finish", "migrate", "stop"] = "finish"
    version: str = ""
    """12 hex digits of the hash of its content."""
    text: str = ""
    """The file as read."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """step id or key -> where it stands."""

    @property
    def name(self) -> str:
        """Return what is logged: id@version."""
        return f"{self.id}@{self.version}" if self.version else self.id

    def called(self, language: str) -> str:
        """Return what people who read this language call it."""
        return said_in(self.title, language) or self.id

    def told(self, language: str) -> str:
        """Return the sentence about it in this language; empty when there is none."""
        return said_in(self.about, language)


def tests_of(rule: Rule) -> tuple[Send, ...]:
    """Return the steps that test variants until one wins."""
    sends = (step for step in walk(rule.steps) if isinstance(step, Send))
    return tuple(step for step in sends if step.winner and len(step.variants) > 1)
