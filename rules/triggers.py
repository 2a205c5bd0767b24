"""Which events begin which rules, and which events a rule must be told of."""

from collections.abc import Iterator
from dataclasses import dataclass

from profiles.expression import Expression, Facts
from profiles.record import replace
from profiles.timeline import Event
from rules.rule import Rule
from rules.rule_step import Reaction, WaitUntil, walk
from rules.rule_trigger import EventMatch, OnChange, OnConversation, OnEvent, OnSegment, OnThreshold
from rules.signals import REACTIONS

CHANGED = "profile.changed"
"""An attribute that some rule watches got another value; properties: attribute, before, after."""
ENTERED, LEFT = "segment.entered", "segment.left"
"""Property: segment."""
CONVERSATION = {
    "opened": ("conversation.opened", "conversation.reopened"),
    "handed_over": ("conversation.handed_over", "conversation.queued"),
    "assigned": ("conversation.assigned", "conversation.taken"),
    "snoozed": ("conversation.snoozed",),
    "resolved": ("conversation.resolved",),
}


@dataclass(frozen=True, slots=True)
class Beginning:
    """An event that begins a rule for a contact, and the matter it is about."""

    event: Event
    key: str = ""


def begins(rule: Rule, event: Event, facts: Facts) -> Beginning | None:
    """Return how this event begins the rule, or None if it does not. Whether the contact may enter is asked later."""
    seen = replace(facts, event=event)
    match rule.trigger:
        case OnEvent(match=EventMatch(name=name, where=where), key=key) if event.name == name and _holds(where, seen):
            return Beginning(event, _text(key.value(seen)) if key else "")
        case OnChange(attribute=attribute, where=where) if _is_of(event, CHANGED, attribute) and _holds(where, seen):
            return Beginning(event)
        case OnThreshold() as trigger if _is_of(event, CHANGED, trigger.attribute) and _crosses(trigger, event):
            return Beginning(event)
        case OnSegment(segment=segment, change=change):
            here = ENTERED if change == "entered" else LEFT
            return Beginning(event) if event.name == here and event.properties.get("segment") == segment else None
        case OnConversation(state=state, channel=channels) if event.name in CONVERSATION[state]:
            channel = (event.conversation or "").partition(":")[0]
            return Beginning(event) if not channels or channel in channels else None
        case _:
            return None


def begun_by(rule: Rule) -> Iterator[str]:
    """Yield the names of the events that may begin this rule."""
    match rule.trigger:
        case OnEvent(match=match):
            yield match.name
        case OnChange() | OnThreshold():
            yield CHANGED
        case OnSegment(change=change):
            yield ENTERED if change == "entered" else LEFT
        case OnConversation(state=state):
            yield from CONVERSATION[state]


def listens_to(rule: Rule) -> Iterator[str]:
    """Yield the names of the events that may begin this rule, end its runs, or move them."""
    yield from begun_by(rule)
    for way in rule.exits:
        yield from _names(way)
    if rule.goal:
        yield rule.goal.match.name
    for step in walk(rule.steps):
        if isinstance(step, WaitUntil):
            for signal in step.signals:
                yield from _names(signal)
    yield from REACTIONS


def watches(rule: Rule) -> Iterator[str]:
    """Yield the attributes whose change may begin this rule or end its runs."""
    if isinstance(rule.trigger, OnChange | OnThreshold):
        yield rule.trigger.attribute
    for condition in conditions(rule):
        yield from condition.needs.attributes


def conditions(rule: Rule) -> Iterator[Expression]:
    """Yield the conditions that may come true for a run by themselves: its exits and what it waits for."""
    yield from (way for way in rule.exits if not isinstance(way, EventMatch))
    for step in walk(rule.steps):
        if isinstance(step, WaitUntil):
            yield from (signal for signal in step.signals if not isinstance(signal, EventMatch | Reaction))


def _names(signal: EventMatch | Reaction | Expression) -> Iterator[str]:
    match signal:
        case EventMatch(name=name):
            yield name
        case Reaction():
            pass  # all reactions are listened to
        case _:
            yield from signal.needs.events
            if signal.needs.attributes:
                yield CHANGED


def _is_of(event: Event, name: str, attribute: str) -> bool:
    return event.name == name and event.properties.get("attribute") == attribute


def _crosses(trigger: OnThreshold, event: Event) -> bool:
    before, after = _number(event.properties.get("before")), _number(event.properties.get("after"))
    if after is None:
        return False
    before = 0.0 if before is None else before
    up = before < trigger.value <= after
    down = after < trigger.value <= before
    return {"up": up, "down": down, "both": up or down}[trigger.direction]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _holds(where: Expression | None, facts: Facts) -> bool:
    return where is None or where.test(facts)


def _text(value: object) -> str:
    return "" if value is None else str(value)[:200]
