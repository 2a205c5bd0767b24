"""A book rehearsed: what its rules would do to contacts in memory, told row by row. Nothing is written, nothing is sent."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from profiles.expression_tree import Kind
from profiles.timeline import Event
from rules.book import Book
from rules.choice import Prefers
from rules.entry import Occasion
from rules.gatekeeper import Renders
from rules.memory import Contacts
from rules.policy import Reaches
from rules.recall import Recalled
from rules.rule import Rule
from rules.rule_trigger import OnChange, OnConversation, OnEvent, OnSegment, OnThreshold, Trigger
from rules.running import editions_of
from rules.simulation import Passing, Simulation
from rules.tallies import WAITING
from rules.thinking import Editions
from rules.triggers import CHANGED, CONVERSATION, ENTERED, LEFT
from rules.turn import News

Verdict = Literal["sent", "waits", "not sent", "ended"]
ENDING = ("exit", "restarted", "edited", "stopped", "done")


@dataclass(frozen=True, slots=True)
class Told:
    """One decision about one contact: what a row of a report says."""

    at: datetime
    profile: str
    name: str
    rule: str
    step: str
    reason: str
    verdict: Verdict
    channel: str = ""
    variant: str = ""
    title: str = ""
    text: str = ""
    """What would be said, where something is."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of it."""

    told: tuple[Told, ...]
    contacts: int
    events: int

    def of_rule(self, rule: str) -> Mapping[str, Mapping[str, int]]:
        """Return verdict -> reason -> how often, of one rule."""
        found: dict[str, Counter[str]] = {}
        for row in self.told:
            if row.rule == rule:
                found.setdefault(row.verdict, Counter())[row.reason] += 1
        return found


@dataclass(frozen=True, slots=True)
class Stage:
    """What a rehearsal is played with."""

    book: Book
    reaches: Reaches
    renders: Renders
    prefers: Prefers

    def editions(self, rule: str = "") -> Editions:
        """Return the rules that play: those that are live, and this one whatever its state."""
        rules = {id: one for id, one in self.book.rules.items() if one.state == "live" or id == rule}
        if rule in rules:
            rules[rule] = replace(rules[rule], state="live")
        return editions_of(replace(self.book, rules=rules))


async def replayed(
    stage: Stage,
    editions: Editions,
    recalled: Recalled,
    *,
    since: datetime,
    until: datetime,
    rule: str = "",
    passing: Passing = lambda now: None,
) -> Rehearsed:
    """Return what these rules would have done between two instants; of `rule` alone when one is named."""
    simulation = _simulation(stage, editions, recalled.contacts, since)
    simulation.expect(recalled.events)
    await simulation.run(until, passing)
    told = tuple(row for row in _told(recalled.contacts, simulation.decisions) if not rule or row.rule == rule)
    return Rehearsed(told, len(recalled.contacts.profiles), len(recalled.events))


async def tried(stage: Stage, contacts: Contacts, rule: str, *, now: datetime, ahead: timedelta) -> Rehearsed:
    """Return what would come of it if the rule began now for each of these contacts.

    What begins it is the contact's own last such event, else one made up: with every property that the vocabulary names.
    That this very event began it before is passed over: else a rule at work could never be tried.
    """
    contacts.let_again(rule)
    simulation = _simulation(stage, stage.editions(rule), contacts, now)
    one = stage.book.rules[rule]
    for profile in contacts.profiles.values():
        event = _beginning(one, profile.id, contacts, stage.book, now)
        if event:
            simulation.expect([event])
        else:
            simulation.tell(News(profile.id, occasion=(rule, Occasion("preview", now, facts={"name": "preview"}))))
    await simulation.run(now + ahead)
    told = tuple(row for row in _told(contacts, simulation.decisions) if row.rule == rule)
    return Rehearsed(told, len(contacts.profiles), len(contacts.profiles))


def start_of(rule: Rule, book: Book, now: datetime) -> Mapping[str, Any]:
    """Return what `start` and `event` would say in this rule, made up: every property that the vocabulary names."""
    found = _event_of(rule.trigger)
    return _made_up(found[0], book, now) if found else {}


def verdict_of(reason: str, *, is_held: bool = False) -> Verdict:
    """Return what a reason means: sent, waits (and may be sent yet), the run is over, or not sent."""
    word = reason.partition("->")[0].partition(":")[0]
    if word == "sent":
        return "sent"
    if is_held or "->" in reason or word in WAITING:
        return "waits"
    return "ended" if word in ENDING else "not sent"


def _simulation(stage: Stage, editions: Editions, contacts: Contacts, start: datetime) -> Simulation:
    return Simulation(
        contacts, editions, policy=stage.book.policy, reaches=stage.reaches, renders=stage.renders,
        prefers=stage.prefers, start=start,
    )  # fmt: skip


def _told(contacts: Contacts, decisions: Iterable[Mapping[str, Any]]) -> Iterable[Told]:
    for row in decisions:
        profile = contacts.profiles[row["profile"]]
        said = [contacts.messages[id].content for id in row.get("messages", ()) if id in contacts.messages]
        yield Told(
            at=row["at"],
            profile=profile.id,
            name=profile.name or profile.id,
            rule=row["rule"],
            step=row.get("step", ""),
            reason=row["reason"],
            verdict=verdict_of(row["reason"]),
            channel=row.get("channel", ""),
            variant=row.get("variant", ""),
            title=said[0].title if said else "",
            text=said[0].text if said else "",
        )


# -- what begins a rule that is only tried


def _beginning(rule: Rule, profile: str, contacts: Contacts, book: Book, now: datetime) -> Event | None:
    found = _event_of(rule.trigger)
    if found is None:
        return None
    name, properties = found
    last = next((event for event in reversed(contacts.events.get(profile, [])) if event.name == name), None)
    if isinstance(rule.trigger, OnEvent):
        properties = dict(last.properties) if last else _made_up(name, book, now)
    thread = next(iter(contacts.threads_of(profile)), None)
    return Event(
        f"preview-{profile}", profile, name, now, properties=properties, conversation=thread.id if thread else None
    )


def _event_of(trigger: Trigger) -> tuple[str, dict[str, Any]] | None:
    match trigger:
        case OnEvent(match=match):
            return match.name, {}
        case OnChange(attribute=attribute):
            return CHANGED, {"attribute": attribute, "before": None, "after": "preview"}
        case OnThreshold(attribute=attribute, value=value, direction="down"):
            return CHANGED, {"attribute": attribute, "before": value + 1, "after": value - 1}
        case OnThreshold(attribute=attribute, value=value):
            return CHANGED, {"attribute": attribute, "before": value - 1, "after": value}
        case OnSegment(segment=segment, change=change):
            return ENTERED if change == "entered" else LEFT, {"segment": segment}
        case OnConversation(state=state):
            return CONVERSATION[state][0], {}
        case _:
            return None


def _made_up(name: str, book: Book, now: datetime) -> dict[str, Any]:
    """Return properties of an event that nobody has told of yet, one of each kind the vocabulary names."""
    known = (book.words.events or {}).get(name)
    samples: dict[Kind, Any] = {
        Kind.NUMBER: 100,
        Kind.INSTANT: now + timedelta(days=2),
        Kind.DATE: f"{now + timedelta(days=2):%Y-%m-%d}",
        Kind.FLAG: True,
    }
    return {one: samples.get(kind, f"<{one}>") for one, kind in known.properties.items()} if known else {}
