"""Whom a rule lets in, under which limits, and what it wants to happen (docs/rules.md). Pure data."""

from dataclasses import dataclass
from datetime import time
from typing import Literal

from profiles.duration import Duration
from profiles.expression import Expression
from rules.rule_trigger import Days, EventMatch


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
