"""The end of a test of variants: once enough was sent, the best takes all who have none yet. Decided once, among all processes.

Who had a variant keeps it. All variants are sent at the same times to contacts that chance alone tells apart, so their rates
compare although the last messages have had less time: what is decided is which is ahead after so many sends, as the rule asks.
A tie, or no reaction at all, decides nothing yet.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from profiles.calendar import Clock
from profiles.store import AlreadyThere, Store
from rules.lift import Lift, lift
from rules.rule import Rule, tests_of
from rules.rule_step import Send
from rules.variants import Measure, Tally, variants_of

log = logging.getLogger("rules.winner")

WINNERS = "winners"
PAUSE = timedelta(seconds=25)
"""Between two counts of one test; longer the more was sent without a decision, for a count reads every run of the rule."""


@dataclass(frozen=True, slots=True)
class Won:
    """How a test ended."""

    variant: str
    sent: int
    ahead: Lift | None
    """Over the second best; its interval says how sure that is."""


def decide(tallies: Mapping[str, Tally], measure: Measure, after: int) -> Won | None:
    """Return which variant won, or None while that is not decided."""
    sent = sum(tally.sent for tally in tallies.values())
    shares = {name: tally.by(measure) for name, tally in tallies.items()}
    first, second, *_ = sorted(shares, key=lambda name: (-shares[name].rate, name))
    if sent < after or shares[first].rate == shares[second].rate:
        return None
    return Won(first, sent, lift(shares[first], shares[second]))


class Winners:
    """The tests that have ended, known from memory; `look` ends those that are ripe and hears of what others ended."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._rules: tuple[Rule, ...] = ()
        self._won: dict[str, str] = {}
        self._again: dict[str, datetime] = {}

    def use(self, rules: Iterable[Rule]) -> None:
        """Watch the tests of these rules."""
        self._rules = tuple(rule for rule in rules if tests_of(rule))

    def winner(self, rule: Rule, step: Send) -> str:
        """Return the variant that won this step's test, or an empty text while it goes on."""
        return self._won.get(test_id(rule, step), "") if step.winner else ""

    async def look(self) -> int:
        """End the tests that are ripe; return how many this process ended."""
        open_ones = [(rule, step) for rule in self._rules for step in tests_of(rule) if not self.winner(rule, step)]
        ids = [test_id(rule, step) for rule, step in open_ones]
        for row in await self._store.get_many(WINNERS, ids) if ids else ():
            self._won[row["_id"]] = row["variant"]
        ended = 0
        for rule, step in open_ones:
            if not self.winner(rule, step) and rule.state in ("live", "test") and self._is_time(rule, step):
                ended += await self._count(rule, step)
        return ended

    def _is_time(self, rule: Rule, step: Send) -> bool:
        again = self._again.get(test_id(rule, step))
        return again is None or self._clock() >= again

    async def _count(self, rule: Rule, step: Send) -> int:
        assert step.winner
        tallies = await variants_of(self._store, rule.id, step.id, sorted(step.variants))
        if won := decide(tallies, step.winner.by, step.winner.after):
            return await self._keep(rule, step, won, tallies)
        many = sum(tally.sent for tally in tallies.values()) / step.winner.after
        self._again[test_id(rule, step)] = self._clock() + PAUSE * max(many, 1.0)
        return 0

    async def _keep(self, rule: Rule, step: Send, won: Won, tallies: Mapping[str, Tally]) -> int:
        id = test_id(rule, step)
        try:
            await self._store.insert(WINNERS, {"_id": id, **_row(rule, step, won, tallies, self._clock())})
        except AlreadyThere:  # another process was first, and perhaps counted otherwise: its word holds
            kept = await self._store.get(WINNERS, id)
            self._won[id] = kept["variant"] if kept else ""
            return 0
        self._won[id] = won.variant
        log.info("rules.winner rule=%s step=%s variant=%s sent=%d", rule.id, step.id, won.variant, won.sent)
        return 1


def test_id(rule: Rule, step: Send) -> str:
    """Return the name of a test: other variants, or another measure, make another test."""
    by = step.winner.by if step.winner else ""
    return "|".join((rule.id, step.id, by, *sorted(step.variants)))


def _row(rule: Rule, step: Send, won: Won, tallies: Mapping[str, Tally], now: datetime) -> Mapping[str, Any]:
    ahead = won.ahead
    counts = {
        name: {"sent": one.sent, "opened": one.opened, "clicked": one.clicked, "goal": one.goal}
        for name, one in tallies.items()
    }
    return {
        "rule": rule.id, "version": rule.version, "step": step.id, "variant": won.variant, "at": now, "sent": won.sent,
        "by": step.winner.by if step.winner else "", "counts": counts,
        "ahead": {"difference": ahead.difference, "low": ahead.low, "high": ahead.high} if ahead else {},
    }  # fmt: skip
