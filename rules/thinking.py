"""What news and the hour mean to one contact, over all rules: runs that end, move or begin. Pure; no rule knows another."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from profiles.expression import Expression
from profiles.record import replace
from profiles.swift import swift
from profiles.timeline import Event
from rules.entry import Occasion, enter, name_of, restarted
from rules.graph import Graph
from rules.journey import advance, end
from rules.membership import Crossing, crossings
from rules.moves import Ask, Begin, Decision, Move, Outcome, Skipped
from rules.person import Person
from rules.rule import Rule
from rules.run import Run
from rules.signals import exit_of, with_goal, with_reactions, with_run
from rules.triggers import begins, begun_by

UNTOLD = frozenset({"audience", "draft", "paused", "not_tester"})
"""Reasons for not entering that hold for nearly everybody: told when somebody asks, not stored."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of a rule, ready to be walked."""

    rule: Rule
    graph: Graph


class Editions:
    """The rules as thinking needs them: those that new runs begin with, and any older version that a run began with."""

    def __init__(
        self,
        current: Mapping[str, Edition],
        older: Callable[[str, str], Edition | None] = lambda rule, version: None,
        *,
        control: float = 0.0,
        segments: Mapping[str, Expression] | None = None,
    ) -> None:
        self.current, self._older, self.control = current, older, control
        self.segments: Mapping[str, Expression] = segments or {}
        """The conditions of the segments that some rule watches."""
        self._by_event: dict[str, list[Edition]] = {}
        for edition in current.values():
            for name in set(begun_by(edition.rule)):
                self._by_event.setdefault(name, []).append(edition)

    @property
    def every(self) -> tuple[Edition, ...]:
        """Return the current edition of each rule."""
        return tuple(self.current.values())

    def begun_by(self, event: str) -> Iterable[Edition]:
        """Return the current editions that an event of this name may begin: of fifty rules most are about something else."""
        return self._by_event.get(event, ())

    def of(self, run: Run) -> Edition | None:
        """Return what this run goes on with: as `on edit` says, the version it began with or the current one."""
        now = self.current.get(run.rule)
        if now is None or now.rule.version == run.rule_version:
            return now or self._older(run.rule, run.rule_version)
        if now.rule.on_edit == "finish":
            return self._older(run.rule, run.rule_version) or now
        return now

    def only(self, edition: Edition) -> "Editions":
        """Return editions of this one rule: its older versions are known, runs of other rules are left alone."""
        return Editions(
            {edition.rule.id: edition},
            lambda rule, version: self._older(rule, version) if rule == edition.rule.id else None,
            control=self.control,
        )

    def rule_of(self, run: Run) -> Rule | None:
        """Return the rule as this run has it now."""
        edition = self.of(run)
        return edition.rule if edition else None


@swift
@dataclass(frozen=True, slots=True)
class Refused:
    """A rule that an occasion did not begin, and why."""

    rule: Rule
    occurrence: str
    reason: str


@swift
@dataclass(frozen=True, slots=True)
class Thought:
    """What came of it for one contact."""

    moves: tuple[Move, ...] = ()
    """One per run that is new or changed."""
    refused: tuple[Refused, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    """Segments that the contact is now in, or no longer in."""

    @property
    def asks(self) -> tuple[Ask, ...]:
        """Return the sends that wait for the gate's answer."""
        if len(self.moves) == 1:  # as for nearly everybody of a campaign, who is asked this three times
            return self.moves[0].asks
        return tuple(ask for move in self.moves for ask in move.asks)


def think(
    person: Person,
    editions: Editions,
    news: Iterable[Event] = (),
    occasions: Iterable[tuple[str, Occasion]] = (),
    outcomes: Mapping[str, Mapping[str, Outcome]] | None = None,
    segments: Mapping[str, Expression] | None = None,
) -> Thought:
    """Return what these events, and these occasions (rule id, what begins it), and the hour come to.

    `outcomes` (run id -> attempt -> outcome) answer the asks of an earlier thought of the same person and news; `segments`
    are those whose members are known, so that who differs has crossed.
    """
    mind = _Mind(person, editions, outcomes or {})
    for run in person.runs:
        mind.go_on(run)
    for event in sorted(news, key=lambda event: (event.happened_at, event.id)):
        for edition in editions.begun_by(event.name):
            if beginning := begins(edition.rule, event, person.facts):
                chain = chain_of(event)
                mind.begin(edition, Occasion(event.id, event.happened_at, beginning.key, event, chain))
    for rule, occasion in occasions:
        if known := editions.current.get(rule):
            mind.begin(known, occasion)
    mind.chains()
    found = crossings(segments or {}, person.segments, person.facts)
    return Thought(tuple(mind.moves.values()), tuple(mind.refused), found)


def answered(
    person: Person, editions: Editions, thought: Thought, outcomes: Mapping[str, Mapping[str, Outcome]]
) -> Thought | None:
    """Return what `think` would come to with these outcomes where that is plain to see; None: think again.

    It is plain for one run that has just begun where nothing else is under way, as for most contacts of a campaign: they enter
    as they did, and only the steps are walked again.
    """
    if person.runs or len(thought.moves) != 1:
        return None
    (move,) = thought.moves
    edition = editions.current.get(move.run.rule)
    if edition is None or move.before is None or any(one.rule.id == move.run.rule for one in thought.refused):
        return None
    again = advance(move.before, edition.rule, edition.graph, person.facts, outcomes.get(move.run.id))
    if any(isinstance(effect, Begin) for effect in again.effects):
        return None
    return replace(thought, moves=(again,))


def chain_of(event: Event) -> int:
    """Return how many rules stand behind this event: what a rule did carries `rule:<id>#<chain>` as who did it."""
    if not event.by.startswith("rule:"):
        return 0
    number = event.by.rpartition("#")[2]
    return int(number) + 1 if number.isdecimal() else 1


class _Mind:
    def __init__(self, person: Person, editions: Editions, outcomes: Mapping[str, Mapping[str, Outcome]]) -> None:
        self.person, self.editions, self.outcomes = person, editions, outcomes
        self.now = person.facts.now
        self.moves: dict[str, Move] = {}
        self.refused: list[Refused] = []
        self.known = {run.id: run.occurrence for run in person.runs} | dict(person.begun)

    def go_on(self, run: Run) -> None:
        """Move a run that was there before."""
        if run.watch_until is None or (not run.is_alive and run.watch_until < self.now):
            return
        edition = self.editions.of(run)
        if edition is None or edition.rule.state in ("draft", "paused"):
            return  # it waits where it stands until the rule is live again
        if edition.rule.version != run.rule_version:
            run = self._edited(run, edition)
        facts = with_run(self.person.facts, run)
        after = with_goal(with_reactions(run, facts), edition.rule, facts)
        if not after.is_alive:
            self._keep(run, Move(after))
            return
        facts = with_run(self.person.facts, after)
        reason = "exit:goal" if after.goal_at else exit_of(after, edition.rule, facts)
        if reason:
            told = Decision("", reason, self.now)
            self._keep(run, Move(end(after, edition.rule, reason, self.now), decisions=(told,)))
        else:
            self._keep(run, self._advance(after, edition))

    def begin(self, edition: Edition, occasion: Occasion) -> None:
        """Begin a rule, or note why not."""
        id = name_of(edition.rule, self.person.id, occasion)
        before = self.moves[id].run.occurrence if id in self.moves else self.known.get(id)
        if before is not None:
            if before != occasion.occurrence:  # else this very occasion began it before
                self.refused.append(Refused(edition.rule, occasion.occurrence, "again"))
            return
        person = self._person()
        replaced = restarted(edition.rule, person, occasion)
        if replaced:
            person = replace(person, runs=tuple(run for run in person.runs if run not in replaced))
        run = enter(edition.rule, edition.graph, person, occasion, control=self.editions.control)
        if isinstance(run, Skipped):
            self.refused.append(Refused(edition.rule, occasion.occurrence, run.reason))
            return
        for old in replaced:
            told = Decision("", "restarted", self.now)
            self.moves[old.id] = Move(end(old, edition.rule, "restarted", self.now), decisions=(told,))
        self.moves[run.id] = self._advance(run, edition)

    def chains(self) -> None:
        """Begin the rules that rules start. Each link is longer than the last, and `enter` ends the chain."""
        done: set[str] = set()
        while fresh := [move for id, move in self.moves.items() if id not in done]:
            for move in fresh:
                done.add(move.run.id)
                for effect in move.effects:
                    edition = self.editions.current.get(effect.rule) if isinstance(effect, Begin) else None
                    if edition:
                        occurrence = f"{move.run.id}/{effect.step}"
                        self.begin(edition, _started_by(move.run, occurrence, self.now))

    def _advance(self, run: Run, edition: Edition) -> Move:
        return advance(run, edition.rule, edition.graph, self.person.facts, self.outcomes.get(run.id))

    def _keep(self, before: Run, move: Move) -> None:
        if move.run != before or move.asks or move.effects or move.decisions:
            self.moves[before.id] = move

    def _person(self) -> Person:
        """The contact with what was thought so far: a run that has just begun counts for the next."""
        if not self.moves:
            return self.person
        runs = {run.id: run for run in self.person.runs} | {id: move.run for id, move in self.moves.items()}
        return replace(self.person, runs=tuple(runs.values()))

    def _edited(self, run: Run, edition: Edition) -> Run:
        """Put a run on the current version: where its step still stands it goes on, else it ends."""
        gone = any(token.at not in edition.graph.steps for token in run.tokens)
        if run.is_alive and (gone or edition.rule.on_edit == "stop"):
            return end(run, edition.rule, "edited", self.now)
        return replace(run, rule_version=edition.rule.version)


def _started_by(run: Run, occurrence: str, now: datetime) -> Occasion:
    return Occasion(occurrence, now, chain=run.chain + 1, facts=run.start)
