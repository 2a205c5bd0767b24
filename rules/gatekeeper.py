"""Between a run that wants to send and the message that goes out: gates, channel, reserved slot, rendered text. In bulk.

The pure gates (rules/gates.py, each asked of a case of rules/case.py) come first, for they cost nothing; what they let through is
reserved in the ledgers, which decide for good; only what is reserved is rendered. A text that can not be rendered gives its slot
back.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from profiles.brakes import Brakes
from profiles.caps import Cap, Slot
from profiles.ledger_answer import Answer, Wanted
from profiles.record import replace
from profiles.timeline import Content
from profiles.topics import Basis
from rules import gates
from rules.case import basis_of, case_of
from rules.chance import variant
from rules.choice import PREFERRED, Prefers, Target, targets
from rules.gates import Case, Fallback, Hold, Send, Skip
from rules.moves import Ask, Granted, Held, Missed, Outcome, Skipped
from rules.person import Person
from rules.policy import Policy, Reach, Reaches
from rules.rule import Rule
from rules.rule_step import Send as Step
from rules.run import Run, message_id, reservation, reservation_id
from rules.tracking import Tracker

log = logging.getLogger("rules.gatekeeper")

LOOK_AGAIN = timedelta(minutes=15)
"""A hold that only a change ends is asked again this often: not every condition makes news."""
ELSEWHERE = frozenset({"no_address", "not_on_channel"})
ELSEWHERE_WORDS = ("suppressed:", "opted_out:", "no_consent:", "unconfirmed:")
"""Reasons that speak of one channel only: the next of the step's list is tried."""
FULL_WORDS = ("capped:channel:", "grace:channel:")
"""So do these where the contact's preferred channel is asked for: it is one that is under its cap."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message, and the fields that this contact lacks: what a preview shows and a sending refuses."""

    content: Content
    language: str = ""
    """The one that it is written in, which need not be the contact's; empty: not known."""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unrendered:
    """Why a template gave no message: an unknown template, a field that this contact lacks, a text too long."""

    reason: str
    detail: str = ""


class Renders(Protocol):
    """Makes the message of a template for one contact on one channel."""

    def __call__(self, template: str, reach: Reach, person: Person, run: Run, variant: str) -> Letter | Unrendered: ...


class Chooses(Protocol):
    """Knows which variant of a step won its test: rules/winner.py."""

    def winner(self, rule: Rule, step: Step) -> str: ...


class Reserves(Protocol):
    """Takes slots for good: profiles/ledgers.py, or the same in memory."""

    async def reserve_each(self, wanted: Sequence[Wanted], *, now: datetime) -> list[Answer]: ...

    async def reserve_all(
        self,
        profiles: Sequence[str],
        slot: Slot,
        caps: Sequence[Cap],
        *,
        zones: Mapping[str, tzinfo],
        now: datetime,
        by_name: bool = False,
    ) -> dict[str, Answer]: ...

    async def release(self, profile: str, rid: str) -> None: ...


@dataclass(slots=True)
class _Request:
    """One ask on its way through the gates."""

    ask: Ask
    rule: Rule
    person: Person
    left: list[Target]
    granted: list[Target]
    basis: Basis
    reason: Skipped | None = None
    held: Held | None = None
    missed: list[Missed] = field(default_factory=list)
    """Where all channels are wanted: those that say no, or not now."""

    @property
    def wants_all(self) -> bool:
        return self.ask.step.mode == "all" and self.ask.attempt == ""


class Gatekeeper:
    """Answers the asks of many runs with few commands."""

    def __init__(
        self,
        ledgers: Reserves,
        renders: Renders,
        reaches: Reaches,
        *,
        policy: Policy,
        prefers: Prefers,
        tracker: Tracker | None = None,
        winners: Chooses | None = None,
        brakes: Brakes | None = None,
    ) -> None:
        self.policy, self.reaches, self.brakes = policy, reaches, brakes
        self._tracker, self._winners = tracker, winners
        self._ledgers, self._renders, self._prefers = ledgers, renders, prefers

    async def answer(self, asked: Iterable[tuple[Ask, Rule, Person]]) -> dict[str, dict[str, Outcome]]:
        """Return run id -> attempt -> outcome. What is granted is reserved and rendered."""
        requests = [self._request(ask, rule, person) for ask, rule, person in asked]
        open_ones = requests
        while open_ones := [request for request in open_ones if request.left]:
            trying = [(request, request.left.pop(0)) for request in open_ones]
            cases = [self._case(request, target) for request, target in trying]
            decisions = [gates.decide(case) for case in cases]
            free = [place for place, decision in enumerate(decisions) if isinstance(decision, Send)]
            answers = await self._reserve([(cases[place], trying[place][0]) for place in free])
            for place, answer in zip(free, answers, strict=True):
                if answer is not None:
                    decisions[place] = gates.after(cases[place], answer)
            for (request, target), decision in zip(trying, decisions, strict=True):
                _note(request, target, decision)
        found: defaultdict[str, dict[str, Outcome]] = defaultdict(dict)
        for request in requests:
            found[request.ask.run.id][request.ask.name] = await self._outcome(request)
        return dict(found)

    def _request(self, ask: Ask, rule: Rule, person: Person) -> _Request:
        channels = ask.step.fallback.channels if ask.attempt and ask.step.fallback else ask.step.channels
        left = list(targets(person, channels, self.reaches, self._prefers))
        none = None if left else Skipped("no_channel")
        return _Request(ask, rule, person, left, [], basis_of(rule, person, self.policy), none)

    def _case(self, request: _Request, target: Target) -> Case:
        return case_of(
            request.ask,
            request.rule,
            request.person,
            target,
            basis=request.basis,
            policy=self.policy,
            brakes=self.brakes,
        )

    async def _reserve(self, cases: Sequence[tuple[Case, _Request]]) -> list[Answer | None]:
        """Take the slots of marketing, those of one occurrence in one update; other classes take none."""
        answers: list[Answer | None] = [None] * len(cases)
        alike: defaultdict[tuple[str, Basis, tuple[Cap, ...]], list[int]] = defaultdict(list)
        single: list[int] = []
        for place, (case, request) in enumerate(cases):
            if case.kind != "marketing":
                continue
            if request.ask.run.profile != case.ledger.profile:
                single.append(place)  # merged meanwhile: the run goes by its old name
                continue
            common = reservation(request.ask.run, f"{request.ask.name}:{case.slot.channel}")
            alike[common, case.slot.basis, case.caps].append(place)
        for (common, _, caps), places in alike.items():
            if len(places) == 1:
                single += places
                continue
            zones = {cases[place][0].ledger.profile: cases[place][0].zone for place in places}
            slot = replace(cases[places[0]][0].slot, rid=common)
            got = await self._ledgers.reserve_all(
                list(zones), slot, caps, zones=zones, now=cases[places[0]][0].now, by_name=True
            )
            for place in places:
                answers[place] = got[cases[place][0].ledger.profile]
        if single:
            wanted = [_wanted(cases[place][0]) for place in single]
            got_each = await self._ledgers.reserve_each(wanted, now=cases[single[0]][0].now)
            for place, answer in zip(single, got_each, strict=True):
                answers[place] = answer
        return answers

    async def _outcome(self, request: _Request) -> Outcome:
        if not request.granted:
            return request.held or request.reason or Skipped("no_channel")
        ask, run = request.ask, request.ask.run
        chosen = self._variant(request)
        if run.is_ghost:
            return Granted(tuple(target.reach.space for target in request.granted), variant=chosen)
        made: list[tuple[Target, Content, str]] = []
        failed: Unrendered | None = None
        for target in request.granted:
            letter = self._renders(ask.step.template, target.reach, request.person, run, chosen)
            if isinstance(letter, Unrendered):
                failed = letter
                request.missed.append(Missed(target.reach.channel, f"template:{letter.reason}", letter.detail))
                await self._give_back(request, target)
            else:
                made.append((target, self._tracked(letter.content, request, target, chosen), letter.language))
        if not made and failed:
            log.warning(
                "rules.render failed rule=%s reason=%s detail=%s", request.rule.name, failed.reason, failed.detail
            )
            return Skipped(f"template:{failed.reason}")
        return Granted(
            channels=tuple(target.reach.channel for target, _, _ in made),
            messages=tuple(message_id(run, ask.name, target.reach.space) for target, _, _ in made),
            variant=chosen,
            to=tuple(target.identity.key for target, _, _ in made if target.identity),
            contents=tuple(content for _, content, _ in made),
            languages=tuple(language for _, _, language in made),
            basis=request.basis,
            missed=tuple(request.missed),
        )

    def _variant(self, request: _Request) -> str:
        """Return the variant this contact had before, else the one that won, else their own by chance."""
        rule, step, run = request.rule, request.ask.step, request.ask.run
        if len(step.variants) < 2:
            return variant(rule.id, step.id, run.profile, step.variants)
        before = sorted(request.person.runs_of(rule.id), key=lambda one: one.started_at, reverse=True)
        had = _had(step, run, *before)
        won = self._winners.winner(rule, step) if self._winners and not had else ""
        return had or won or variant(rule.id, step.id, run.profile, step.variants)

    def _tracked(self, content: Content, request: _Request, target: Target, chosen: str) -> Content:
        if self._tracker is None:
            return content
        id = message_id(request.ask.run, request.ask.name, target.reach.space)
        return self._tracker.track(
            content, id, rule=request.rule, house=self.policy.tracking, reach=target.reach,
            to=request.person.facts.profile, variant=chosen,
        )  # fmt: skip

    async def _give_back(self, request: _Request, target: Target) -> None:
        if request.rule.kind == "marketing":
            rid = reservation_id(request.ask.run, f"{request.ask.name}:{target.reach.space}")
            await self._ledgers.release(request.person.id, rid)


def _note(request: _Request, target: Target, decision: gates.Decision) -> None:
    """Note what the gates said of one channel, and whether the next is to be tried."""
    if request.wants_all and (missed := _missed(target, decision)):
        request.missed.append(missed)
    match decision:
        case Send():
            request.granted.append(target)
            if not request.wants_all:
                request.left.clear()
        case Skip("holdout"):
            request.granted.append(target)  # of a ghost: the message that would have gone out
            request.left.clear()
        case Hold(until, reason):
            now = request.person.facts.now
            request.held = request.held or Held(until or now + LOOK_AGAIN, reason)
            if not request.wants_all:
                request.left.clear()
        case Skip(reason, ("late" | "expired") as too_late):  # by when it could leave; until then it would have waited
            request.reason = request.reason or Skipped(too_late, reason)
            if not request.wants_all:
                request.left.clear()
        case Skip(reason, detail):
            request.reason = request.reason or Skipped(reason, detail)
            if not (request.wants_all or _is_of_one_channel(reason, request)):
                request.left.clear()
        case Fallback(reason):
            request.reason = request.reason or Skipped(reason)


def _missed(target: Target, decision: gates.Decision) -> Missed | None:
    """Return what is told of a channel that says no, once another has gone ahead."""
    match decision:
        case Skip("holdout"):
            return None
        case Skip(reason, ("late" | "expired") as too_late):
            return Missed(target.reach.channel, too_late, reason)
        case Skip(reason, detail):
            return Missed(target.reach.channel, reason, detail)
        case Fallback(reason):
            return Missed(target.reach.channel, reason)
        case Hold(_, reason):  # of one channel alone only by a limit: hours and holds are those of all
            return Missed(target.reach.channel, reason)
    return None


def _is_of_one_channel(reason: str, request: _Request) -> bool:
    if reason in ELSEWHERE or reason.startswith(ELSEWHERE_WORDS):
        return True
    return PREFERRED in request.ask.step.channels and reason.startswith(FULL_WORDS)


def _had(step: Step, *runs: Run) -> str:
    """Return the variant of this step in the first of these runs that has one of those there are today."""
    had = (run.sends[step.id].variant for run in runs if step.id in run.sends)
    return next((name for name in had if name in step.variants), "")


def _wanted(case: Case) -> Wanted:
    return Wanted(case.ledger.profile, case.slot, case.caps, case.zone, case.planned)
