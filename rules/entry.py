"""May this contact enter this rule now? One pure answer: the run that begins, or the reason why none does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from profiles.expression import Facts
from profiles.record import replace
from profiles.swift import swift
from profiles.timeline import Event
from rules.chance import is_control, is_held_out
from rules.graph import Graph
from rules.moves import Skipped
from rules.person import Person
from rules.rule import Rule
from rules.rule_trigger import OnEvent
from rules.run import FOR_EVER, Run, Token, run_id
from rules.schedule import local_day

TOO_OLD = timedelta(days=1)
"""An event that happened so long ago begins nothing unless the rule says `late after`: an import of last year's orders."""
LONGEST_CHAIN = 5
"""How many rules may start one another; a rule that starts itself ends here."""


@swift
@dataclass(frozen=True, slots=True)
class Occasion:
    """What would begin a run: an event, a firing of a schedule, an API call, another rule."""

    occurrence: str
    planned: datetime
    """When it should begin: what `late after` is counted from."""
    key: str = ""
    event: Event | None = None
    chain: int = 0
    facts: Mapping[str, Any] | None = None
    """What `start.` reads when no event began it."""


def enter(rule: Rule, graph: Graph, person: Person, occasion: Occasion, *, control: float = 0.0) -> Run | Skipped:
    """Return the run that begins, or why none does. `control` is the share of contacts no marketing reaches."""
    now = person.facts.now
    reason = (
        _closed(rule, person, occasion, now) or _unwanted(rule, person, occasion) or _full(rule, person, occasion, now)
    )
    if reason:
        return Skipped(reason)
    first = (Token(graph.first, occasion.planned),) if graph.first else ()
    return Run(
        id=name_of(rule, person.id, occasion),
        rule=rule.id,
        rule_version=rule.version,
        profile=person.id,
        started_at=now,
        key=occasion.key,
        occurrence=occasion.occurrence,
        start=_start(occasion),
        tokens=first,
        is_ghost=_is_ghost(rule, person.id, control),
        watch_until=FOR_EVER,
        chain=occasion.chain,
    )


def is_once(rule: Rule) -> bool:
    """Return whether a key begins this rule once and for all: what brings the same key again is ignored, also after the run."""
    return isinstance(rule.trigger, OnEvent) and rule.trigger.key is not None and rule.trigger.again == "ignore"


def name_of(rule: Rule, profile: str, occasion: Occasion) -> str:
    """Return the id of the run that this occasion begins. Where a key begins it once, the key's: of two events one is first."""
    once = f"key {occasion.key}" if occasion.key and is_once(rule) else ""
    return run_id(rule.id, profile, once or occasion.occurrence)


def restarted(rule: Rule, person: Person, occasion: Occasion) -> tuple[Run, ...]:
    """Return the runs that a new one with the same key takes the place of."""
    if isinstance(rule.trigger, OnEvent) and rule.trigger.again == "restart":
        return tuple(run for run in person.runs_of(rule.id) if run.is_alive and run.key == occasion.key)
    return ()


def _closed(rule: Rule, person: Person, occasion: Occasion, now: datetime) -> str:
    if rule.state not in ("live", "test"):
        return rule.state
    if rule.state == "test" and not _is_tester(rule, person.facts):
        return "not_tester"
    if occasion.chain > LONGEST_CHAIN:
        return "loop"
    if rule.valid_from and local_day(now, person.facts.zone) < rule.valid_from:
        return "not_yet_valid"
    if rule.valid_until and local_day(now, person.facts.zone) > rule.valid_until:
        return "expired"
    late = rule.timing.late_after.after(occasion.planned) if rule.timing.late_after else occasion.planned + TOO_OLD
    return "late" if now > late else ""


def _unwanted(rule: Rule, person: Person, occasion: Occasion) -> str:
    if rule.audience is None:
        return ""
    facts = replace(person.facts, event=occasion.event, start=occasion.event) if occasion.event else person.facts
    return "" if rule.audience.test(facts) else "audience"


def _full(rule: Rule, person: Person, occasion: Occasion, now: datetime) -> str:
    runs = person.runs_of(rule.id)
    alive = [run for run in runs if run.is_alive]
    if isinstance(rule.trigger, OnEvent):
        if rule.trigger.again == "ignore" and any(run.key == occasion.key for run in alive):
            return "running"
    elif any(run.key == occasion.key or not occasion.key for run in alive):
        return "running"
    entry = rule.entry
    if entry.at_most is not None:
        since = entry.per.before(now) if entry.per else None
        entered = [run for run in runs if since is None or run.started_at > since]
        if len(entered) >= entry.at_most:
            return f"entry:{entry.at_most} per {entry.per}" if entry.per else f"entry:{entry.at_most}"
    if entry.grace:
        after = entry.grace.before(now)
        if any(run.sent_at and run.sent_at > after for run in runs):
            return "grace"
    return ""


def _is_ghost(rule: Rule, profile: str, control: float) -> bool:
    """Return whether nothing is sent, to measure by. What is transactional is owed to everybody."""
    if rule.kind == "transactional":
        return False
    spared = rule.kind == "marketing" and is_control(profile, control)
    return spared or is_held_out(rule.id, profile, rule.entry.holdout)


def _is_tester(rule: Rule, facts: Facts) -> bool:
    keys = {facts.profile.id, *(identity.key for identity in facts.profile.identities)}
    return not keys.isdisjoint(rule.testers)


def _start(occasion: Occasion) -> Mapping[str, Any]:
    if occasion.event:
        return {**occasion.event.properties, "name": occasion.event.name, "at": occasion.event.happened_at}
    return {**(occasion.facts or {}), "at": occasion.planned}
