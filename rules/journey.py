"""One contact walks through one rule, each step as far as it gets now. Pure: the same run, facts and outcomes, the same move.

A run stands on tokens, one per parallel branch. Steps form a tree, so a walk ends by itself. A send is asked of the gate outside:
the walk stops there, and is walked again from where it began once the outcome is known.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from profiles.expression import Expression, Facts
from profiles.record import replace
from rules.graph import Graph
from rules.moves import (
    Ask,
    Begin,
    Decision,
    Effect,
    Errand,
    Granted,
    Happened,
    Held,
    Know,
    Label,
    Move,
    Outcome,
    Skipped,
    ToPeople,
    asked,
)
from rules.rule import Rule
from rules.rule_step import (
    Emit,
    HandOver,
    If,
    Parallel,
    Reaction,
    Send,
    SetValue,
    Start,
    Stop,
    Switch,
    Tag,
    Wait,
    WaitUntil,
    Wallet,
    Webhook,
)
from rules.rule_trigger import EventMatch
from rules.run import FOR_EVER, Run, Sent, Token
from rules.signals import happened, with_run
from rules.waiting import wait_until

LONGEST_LOOK = timedelta(days=1)
"""A wait on a condition that no event tells of (the time of day, days since) is looked at again this often."""


def advance(run: Run, rule: Rule, graph: Graph, facts: Facts, outcomes: Mapping[str, Outcome] | None = None) -> Move:
    """Return the run moved on at `facts.now`, what it asks and wants done. An ended run stays where it is.

    `facts` are the contact's: what the run knows of itself is added where a step asks for it.
    """
    if not run.is_alive:
        return Move(run)
    walk = _Walk(run, rule, graph, facts, outcomes or {})
    walk.all()
    return walk.move()


def end(run: Run, rule: Rule, reason: str, now: datetime) -> Run:
    """Return the run ended. It is told what happens until its goal's time after its last message is over."""
    watch = rule.goal.within.after(run.sent_at) if rule.goal and run.sent_at and not run.goal_at else None
    return replace(
        run, tokens=(), due_at=None, ended_at=now, ended=reason, watch_until=watch, leased_by=None, lease_until=None
    )


class _Walk:
    def __init__(self, run: Run, rule: Rule, graph: Graph, facts: Facts, outcomes: Mapping[str, Outcome]) -> None:
        self.before = self.run = run
        self.rule, self.graph, self.facts, self.outcomes = rule, graph, facts, outcomes
        self.now = facts.now
        self.left = list(run.tokens)
        self.stay: list[Token] = []
        self.asks: list[Ask] = []
        self.effects: list[Effect] = []
        self.decisions: list[Decision] = []
        self.stopped = ""

    def all(self) -> None:
        while self.left and not self.stopped:
            self._step(self.left.pop(0))

    def move(self) -> Move:
        tokens = tuple(self.stay)
        if self.stopped or not tokens:
            run = end(self.run, self.rule, self.stopped or "done", self.now)
        else:
            due = min((token.due_at for token in tokens if token.due_at), default=None)
            run = replace(self.run, tokens=tokens, due_at=due, watch_until=FOR_EVER)
        return Move(run, self.before, tuple(self.asks), tuple(self.effects), tuple(self.decisions))

    def _step(self, token: Token) -> None:
        step = self.graph.steps[token.at]
        match step:
            case Send():
                self._send(token, step)
            case Wait():
                due = token.due_at or wait_until(step, token.since, self.facts.zone)
                self._stay(token, due) if due > self.now else self._next(token, since=due)
            case WaitUntil():
                self._wait_until(token, step)
            case If():
                self._into(token, step.then if self._holds(step.condition) else step.otherwise)
            case Switch():
                chosen = (way for condition, way in step.cases if self._holds(condition))
                self._into(token, next(chosen, step.otherwise))
            case Parallel():
                self._fork(token, step)
            case Stop():
                self.stopped = step.reason
            case _:
                self.effects.append(self._effect(step))
                self._next(token)

    # -- steps that are done at once

    def _effect(self, step: SetValue | Tag | HandOver | Wallet | Webhook | Start | Emit) -> Effect:
        match step:
            case SetValue():
                add = {name: self._value(value) for name, value in step.add.items()}
                put = {name: self._value(value) for name, value in step.put.items()}
                return Know(step.id, put, {name: by for name, by in add.items() if isinstance(by, int | float)})
            case Tag():
                return Label(step.id, step.add, step.remove)
            case HandOver():
                return ToPeople(step.id, step.team, step.agent, step.note, step.open)
            case Wallet():
                return Errand(step.id, "wallet", step.card, step.put, step.ends)
            case Webhook():
                return Errand(step.id, "webhook", step.url, step.body)
            case Start():
                return Begin(step.id, step.rule)
            case Emit():
                return Happened(step.id, step.name, {name: self._value(it) for name, it in step.properties.items()})

    def _value(self, expression: Expression) -> object:
        value = expression.value(self._facts())
        return value.isoformat() if type(value) is date else value  # a day is kept as 2026-11-30

    def _holds(self, condition: Expression) -> bool:
        return condition.test(self._facts())

    def _facts(self) -> Facts:
        return with_run(self.facts, self.run)

    # -- waiting

    def _wait_until(self, token: Token, step: WaitUntil) -> None:
        deadline = step.at_most.after(token.since)
        heard = [self._has_come(signal, token.since) for signal in step.signals]
        if all(heard) if step.every else any(heard):
            return self._into(token, step.reached, since=self.now)
        if self.now >= deadline:
            return self._into(token, step.otherwise, since=deadline)
        looks = any(isinstance(signal, Expression) for signal in step.signals)
        return self._stay(token, min(deadline, self.now + LONGEST_LOOK) if looks else deadline)

    def _has_come(self, signal: EventMatch | Reaction | Expression, since: datetime) -> bool:
        match signal:
            case EventMatch():
                return happened(signal, self._facts(), after=since) is not None
            case Reaction():
                return any(
                    signal.what in sent.reactions
                    for name, sent in self.run.sends.items()
                    if name.partition("/")[0] == signal.step
                )
            case _:
                return self._holds(signal)

    # -- sending

    def _send(self, token: Token, step: Send) -> None:
        if token.due_at and token.due_at > self.now and not self._has_reacted(step):
            return self.stay.append(token)
        if step.id not in self.run.sends:
            return self._attempt(token, step, "")
        second = asked(step.id, "fallback")
        if step.fallback is None or self._has_reacted(step) or second in self.run.sends:
            return self._next(token)
        return self._attempt(token, step, "fallback")

    def _attempt(self, token: Token, step: Send, attempt: str) -> None:
        name = asked(step.id, "fallback" if attempt else "")
        outcome = self.outcomes.get(name)
        match outcome:
            case None:
                # a message that was held is as late as it is since it should have left, not since it was last held
                planned = (token.due_at or token.since) if attempt else token.since
                self.asks.append(Ask(self.run, step, "fallback" if attempt else "", planned))
                self.stay.append(token)
            case Held(until, reason):
                if token.held != reason:
                    self._decide(name, reason)
                self.stay.append(replace(token, due_at=max(until, self.now), held=reason))
            case Skipped(reason, detail):
                self._decide(name, reason, detail=detail)
                self._next(token)
            case Granted():
                self._sent(token, step, name, outcome)

    def _sent(self, token: Token, step: Send, name: str, granted: Granted) -> None:
        reason = "holdout" if self.run.is_ghost else "sent"
        for place, channel in enumerate(granted.channels):
            messages = granted.messages[place : place + 1]
            self._decide(name, reason, messages=messages, channel=channel, variant=granted.variant)
        for missed in granted.missed:
            self._decide(name, missed.reason, detail=missed.detail, channel=missed.channel)
        sent = Sent(self.now, granted.messages, granted.channels, granted.variant)
        self.run = replace(self.run, sends={**self.run.sends, name: sent}, sent_at=self.now)
        if step.fallback and name == step.id and not self.run.is_ghost:
            due = step.fallback.within.after(self.now)
            self.stay.append(replace(token, due_at=due, held=""))
        else:
            self._next(replace(token, due_at=None))

    def _has_reacted(self, step: Send) -> bool:
        sent = self.run.sends.get(step.id)
        return bool(sent and step.fallback and step.fallback.unless in sent.reactions)

    def _decide(self, step: str, reason: str, **more: object) -> None:
        self.decisions.append(Decision(step, reason, self.now, **more))  # type: ignore[arg-type]

    # -- moving

    def _stay(self, token: Token, due: datetime | None) -> None:
        self.stay.append(replace(token, due_at=due))

    def _next(self, token: Token, since: datetime | None = None) -> None:
        self._go(token, self.graph.following[token.at], since)

    def _into(self, token: Token, branch: tuple[object, ...], since: datetime | None = None) -> None:
        self._go(token, self.graph.head(branch, token.at), since)  # type: ignore[arg-type]

    def _go(self, token: Token, to: str | None, since: datetime | None) -> None:
        planned = min(max(token.since, token.due_at or token.since), self.now)
        moved = Token(to or token.at, since or planned, within=token.within)
        if to is not None:
            self.left.insert(0, moved)
        elif token.within:
            self._join(moved)

    def _fork(self, token: Token, step: Parallel) -> None:
        within = (*token.within, step.id)
        heads = [branch[0].id for branch in step.branches if branch]
        self.left[:0] = [Token(head, token.since, within=within) for head in heads]
        if not heads:
            self._next(token)

    def _join(self, token: Token) -> None:
        """A branch ended here: the last one of its step leads on."""
        step = token.within[-1]
        if any(step in other.within for other in (*self.left, *self.stay)):
            return
        outer = replace(token, at=step, within=token.within[:-1])
        self._go(outer, self.graph.following[step], None)
