"""What has happened to a contact, as a run asks it: events of its history, and reactions to its messages."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from profiles.expression import Facts
from profiles.record import replace
from profiles.timeline import Event
from rules.rule import Rule
from rules.rule_trigger import EventMatch
from rules.run import Run, Sent

REACTIONS: Mapping[str, str] = {
    "message.delivered": "delivered",
    "message.read": "opened",
    "message.clicked": "clicked",
    "message.answered": "replied",
}
"""event name -> the reaction it is; the event's `message` names the message."""

IMPLIED: Mapping[str, tuple[str, ...]] = {
    "opened": ("delivered",), "clicked": ("delivered", "opened"), "replied": ("delivered", "opened"),
}  # fmt: skip
"""Who clicked or replied has seen it, and what was seen has arrived, though no provider said so."""


def happened(match: EventMatch, facts: Facts, *, after: datetime, until: datetime | None = None) -> Event | None:
    """Return the first event that matches, after an instant (and up to another), or None."""
    for event in facts.history.get(match.name, ()):
        if event.happened_at <= after or (until and event.happened_at > until):
            continue
        if match.where is None or match.where.test(replace(facts, event=event)):
            return event
    return None


def exit_of(run: Run, rule: Rule, facts: Facts) -> str:
    """Return the reason why this run ends now, or an empty text."""
    for way in rule.exits:
        if isinstance(way, EventMatch):
            if happened(way, facts, after=run.started_at):
                return f"exit:{way.name}"
        elif way.test(facts):
            return "exit:condition"
    return ""


def with_goal(run: Run, rule: Rule, facts: Facts) -> Run:
    """Return the run with its goal reached, when it was: within the goal's time after one of the run's messages."""
    if rule.goal is None or run.goal_at:
        return run
    for sent in sorted(run.sends.values(), key=lambda sent: sent.at):
        until = rule.goal.within.after(sent.at)
        event = happened(rule.goal.match, facts, after=sent.at, until=until)
        if event:
            value = rule.goal.value.value(replace(facts, event=event)) if rule.goal.value else None
            number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
            return replace(run, goal_at=event.happened_at, goal_value=number)
    return run


def with_reactions(run: Run, facts: Facts) -> Run:
    """Return the run knowing what came back to its messages."""
    sends = dict(run.sends)
    for name, what in REACTIONS.items():
        for event in facts.history.get(name, ()):
            step = _step_of(run, str(event.properties.get("message", "")))
            if step and what not in sends[step].reactions:
                sends[step] = _reacted(sends[step], what, event.happened_at)
    return replace(run, sends=sends) if sends != run.sends else run


def with_run(facts: Facts, run: Run) -> Facts:
    """Return the facts as a step of this run sees them: with the event that began it, and its messages' reactions."""
    return replace(
        facts,
        start=start_of(run),
        opened=frozenset(_steps_with(run, "opened")),
        clicked=frozenset(_steps_with(run, "clicked")),
    )


def start_of(run: Run) -> Event:
    """Return the event that began the run, as far as the run remembers it."""
    properties = dict(run.start)
    name, at = str(properties.pop("name", "")), properties.pop("at", run.started_at)
    return Event(id=run.occurrence, profile=run.profile, name=name, happened_at=at, properties=properties)


def _steps_with(run: Run, what: str) -> Iterator[str]:
    return (name.partition("/")[0] for name, sent in run.sends.items() if what in sent.reactions)


def _step_of(run: Run, message: str) -> str | None:
    return next((step for step, sent in run.sends.items() if message in sent.messages), None)


def _reacted(sent: Sent, what: str, at: datetime) -> Sent:
    known = {**sent.reactions, what: at}
    for other in IMPLIED.get(what, ()):
        known.setdefault(other, at)
    return replace(sent, reactions=known)
