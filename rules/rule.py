"""What one rule file says, parsed: when, for whom, under which limits, then the steps (docs/rules.md). Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias

from profiles.duration import Duration
from profiles.expression import Expression

State = Literal["draft", "test", "live", "paused"]
Class = Literal["marketing", "service", "transactional"]
Days: TypeAlias = frozenset[int]
"""Weekdays, Monday is 0."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file, counted from 1."""

    file: str
    line: int
    column: int


# -- when


@dataclass(frozen=True, slots=True)
class EventMatch:
    """An event by name, and what must be true of it. `start` in `where` is the event that began the run."""

    name: str
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class OnEvent:
    """Runs begin with an event; `key` tells one matter from another (one run per cart), `again` what a repeat does."""

    match: EventMatch
    key: Expression | None = None
    again: Literal["restart", "ignore", "parallel"] = "ignore"


@dataclass(frozen=True, slots=True)
class OnSchedule:
    """Runs begin at every local instant whose parts all match; `zone` is "contact" or an IANA name."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    """Days of the month, 1 to 31; -1 is the last."""
    months: frozenset[int]
    weekdays: Days
    zone: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Once:
    """Runs begin once, at this local date and hour; `zone` is "contact" or an IANA name."""

    at: datetime
    """Naive on purpose: it has an instant per zone."""
    zone: str


@dataclass(frozen=True, slots=True)
class OnDate:
    """Runs begin on the day of a date attribute shifted by `offset`, at a local hour; `yearly` keeps the day and month."""

    attribute: str
    at: time
    offset: Duration | None = None
    is_before: bool = False
    """Whether the offset lies before the date."""
    yearly: bool = True
    zone: str = "contact"


@dataclass(frozen=True, slots=True)
class OnSegment:
    """Runs begin when a contact enters or leaves a segment."""

    segment: str
    change: Literal["entered", "left"]


@dataclass(frozen=True, slots=True)
class OnChange:
    """Runs begin when an attribute gets another value; `where` sees event.before and event.after."""

    attribute: str
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class OnThreshold:
    """Runs begin when an attribute crosses a value: upwards (below to at least), downwards, or either way."""

    attribute: str
    value: float
    direction: Literal["up", "down", "both"] = "up"


@dataclass(frozen=True, slots=True)
class OnConversation:
    """Runs begin when a conversation comes into this state."""

    state: Literal["opened", "handed_over", "assigned", "snoozed", "resolved"]
    channel: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OnCall:
    """Runs begin when the API asks for it (or another rule's `start` step); the caller gets the decision."""


Trigger: TypeAlias = OnEvent | OnSchedule | Once | OnDate | OnSegment | OnChange | OnThreshold | OnConversation | OnCall


# -- for whom, under which limits


@dataclass(frozen=True, slots=True)
class Entry:
    """How often one contact may enter, and who stays outside to measure by."""

    at_most: int | None = None
    per: Duration | None = None
    """None with `at_most`: ever."""
    grace: Duration | None = None
    """No new run within this time after the last message of this rule."""
    holdout: float = 0.0
    """Share of contacts, 0 to 1, who run the rule as ghosts: decided and recorded, never sent."""


@dataclass(frozen=True, slots=True)
class Window:
    """Local hours on some weekdays; `until` before `since` ends on the next day."""

    days: Days
    since: time
    until: time


@dataclass(frozen=True, slots=True)
class Timing:
    """When messages may leave."""

    window: Window | None = None
    zone: str = "contact"
    best_hour: bool = False
    late_after: Duration | None = None
    """A step this late is not done any more: an outage never sends yesterday's message."""


@dataclass(frozen=True, slots=True)
class Pressure:
    """What happens over a cap."""

    on_cap: Literal["drop", "wait", "fallback"] = "drop"
    wait_at_most: Duration | None = None
    at_most: int | None = None
    """The rule's own cap for one contact, within `per`."""
    per: Duration | None = None
    urgent: bool = False
    """A service message that quiet hours do not hold."""


@dataclass(frozen=True, slots=True)
class Tracking:
    """What is counted of messages. None: of a rule, as the house says; of the house, yes and no parameters."""

    clicks: bool | None = None
    opens: bool | None = None
    utm: str | None = None
    """The utm_source that links get (with medium: the channel, campaign: the rule); `none`: no such parameters."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What the rule wants to happen; reached within the time after a message it counts for that message."""

    match: EventMatch
    within: Duration
    value: Expression | None = None


# -- the steps


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


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the book, at one version."""

    id: str
    trigger: Trigger
    steps: tuple[Step, ...]
    about: str = ""
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


LONGEST = timedelta(days=400)
"""No wait, window or time limit in a rule is longer: a run does not outlive its reason."""


def walk(steps: tuple[Step, ...]) -> "tuple[Step, ...]":
    """Return these steps and all within them, in reading order."""
    found: list[Step] = []
    for step in steps:
        found.append(step)
        for branch in branches(step):
            found.extend(walk(branch))
    return tuple(found)


def tests_of(rule: Rule) -> tuple[Send, ...]:
    """Return the steps that test variants until one wins."""
    sends = (step for step in walk(rule.steps) if isinstance(step, Send))
    return tuple(step for step in sends if step.winner and len(step.variants) > 1)


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
