"""What the gates must know of one message, gathered from the rule, the contact, the run and the house. Pure."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from profiles.brakes import Brakes
from profiles.caps import Cap, Slot
from profiles.reactivity import best_hour
from profiles.topics import Basis, Topic, basis
from rules.choice import Target
from rules.gates import Case
from rules.moves import Ask
from rules.person import Person
from rules.policy import Policy
from rules.rule import Rule
from rules.run import reservation_id
from rules.signals import with_run


def case_of(
    ask: Ask, rule: Rule, person: Person, target: Target, *, basis: Basis, policy: Policy, brakes: Brakes | None
) -> Case:
    """Return what the gates ask of this message on this channel."""
    run = ask.run
    facts = with_run(person.facts, run) if rule.holds else person.facts
    topic = _topic(rule, policy)
    space = target.reach.space
    slot = Slot(
        rid=reservation_id(run, f"{ask.name}:{space}"),
        channel=space,
        topic=topic.id,
        basis=basis,
        rule=rule.id,
        labels=rule.labels,
        priority=rule.priority,
    )
    zone = rule.timing.zone
    return Case(
        now=facts.now,
        planned=ask.planned,
        zone=facts.zone,
        kind=rule.kind,
        slot=slot,
        ledger=facts.ledger,
        identity=target.identity,
        caps=(*policy.caps, *_own_caps(rule)),
        is_sent_here=topic.is_sent_on(space),
        is_erased=bool(facts.profile.erasing),
        braked_until=brakes.until(f"rule:{rule.id}") if brakes else None,
        valid_from=_begin(rule.valid_from, facts.zone),
        valid_until=_begin(rule.valid_until, facts.zone, days=1),
        late_after=rule.timing.late_after.at_most if rule.timing.late_after else None,
        holds=tuple(hold.source for hold in rule.holds if hold.test(facts)),
        is_held_out=run.is_ghost,
        quiet=policy.quiet,
        window=rule.timing.window,
        window_zone=None if zone == "contact" else ZoneInfo(zone),
        best_hour=_best_hour(person, policy) if rule.timing.best_hour else None,
        is_urgent=rule.pressure.urgent,
        on_cap=rule.pressure.on_cap,
        wait_at_most=rule.pressure.wait_at_most.at_most if rule.pressure.wait_at_most else None,
    )


def basis_of(rule: Rule, person: Person, policy: Policy) -> Basis:
    """Return the consent that this rule's messages need from this contact."""
    return basis(_topic(rule, policy), rule.kind, is_customer=_is_customer(person))


def _topic(rule: Rule, policy: Policy) -> Topic:
    return policy.topics.get(rule.topic) or Topic(rule.topic or "none")


def _own_caps(rule: Rule) -> tuple[Cap, ...]:
    at_most, per = rule.pressure.at_most, rule.pressure.per
    return (Cap(at_most, per.at_most, "rule", rule.id),) if at_most is not None and per else ()


def _is_customer(person: Person) -> bool:
    """Return whether this person has bought, as the house records it: an order was paid, or an attribute says so."""
    return bool(person.facts.history.get("order.paid")) or person.facts.profile.value("is_customer") is True


def _begin(day: date | None, zone: tzinfo, days: int = 0) -> datetime | None:
    """Return the instant at which a day begins; None also at either end of the calendar (9999-12-31), which bounds nothing."""
    if day is None:
        return None
    try:
        return datetime.combine(day + timedelta(days=days), time(), zone).astimezone(UTC)
    except OverflowError:
        return None


def _best_hour(person: Person, policy: Policy) -> time | None:
    """Return the hour at which this contact reacts most, else the house's, else none."""
    hour = best_hour(person.facts.profile.reactivity, person.facts.now)
    return policy.best_hour if hour is None else time(hour)
