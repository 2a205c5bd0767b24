"""Who would get what, when, and which limit would stop whom: the engine itself on a virtual clock, over contacts in memory.

Time jumps from one thing that happens to the next: an event, a firing of a schedule, a run that comes due. That it decides as the
live engine does is held by tests/rules/test_simulation.py, which plays the same days through both.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from profiles.profile import Profile
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.timeline import Event
from rules.choice import Prefers
from rules.gatekeeper import Gatekeeper, Renders
from rules.memory import Contacts, MemoryLedgers, MemoryReader, MemoryWriter
from rules.occasions import Scheduled, is_for, occasion, scheduled
from rules.policy import Policy, Reaches
from rules.reaction import NUDGES, Reaction, Watch
from rules.reading import zone_of
from rules.rule import Rule
from rules.schedule import Firing, firings
from rules.thinking import Editions
from rules.triggers import CHANGED
from rules.turn import News, Turn

SWEEP_EVERY = timedelta(hours=6)
"""Live it is ten minutes (rules/membership.py): here it decides how long a month takes."""
Passing = Callable[[datetime], None]
"""Told what time it is each time the clock moves."""


@dataclass(frozen=True, slots=True)
class _Fired:
    """A schedule that fires in one zone; whom it is for is asked when it does."""

    rule: Rule
    zone: tzinfo
    firing: Firing


@dataclass(frozen=True, slots=True)
class _Sweep:
    """The hour at which all are asked who has entered or left a segment by time alone."""


class Simulation:
    """Contacts, rules, and a clock that only we move."""

    def __init__(
        self,
        contacts: Contacts,
        editions: Editions,
        *,
        policy: Policy,
        reaches: Reaches,
        renders: Renders,
        prefers: Prefers,
        start: datetime,
    ) -> None:
        self.contacts, self.now = contacts, start
        self._policy = policy
        reaction = Reaction("memory")
        self._writer = MemoryWriter(contacts, reaction, self._clock)
        gatekeeper = Gatekeeper(MemoryLedgers(contacts), renders, reaches, policy=policy, prefers=prefers)
        self._reader = MemoryReader(contacts, zone=policy.zone)
        self._heard: list[News] = []
        self._turn = Turn(self._reader, self._writer, gatekeeper, clock=self._clock)
        self._turn.use(editions)
        reaction.watch = Watch.of((edition.rule for edition in editions.every), editions.segments.values())
        self._reader.baseline(editions.segments, start)
        self._turn.baselined = frozenset(editions.segments)
        self._writer.listen(self._hear)
        self._order = count()
        self._coming: list[tuple[datetime, int, Event | News | _Fired | _Sweep]] = []

    @property
    def decisions(self) -> list[Mapping[str, Any]]:
        """Return the decisions taken so far: rows as they are stored."""
        return self.contacts.decisions

    def expect(self, events: Iterable[Event]) -> None:
        """Have these events happen when it is their time."""
        for event in events:
            self._push(event.happened_at, event)

    def tell(self, news: News) -> None:
        """Have this thought about now: an occasion that no event and no clock brings."""
        self._push(self.now, news)

    async def run(self, until: datetime, passing: Passing = lambda now: None) -> None:
        """Let time pass, and everything happen that happens until then."""
        self._schedule(until)
        while True:
            coming = self._coming[0][0] if self._coming else None
            following = min((at for at in (coming, self.contacts.next_due()) if at), default=None)
            if following is None or following > until:
                break
            self.now = max(self.now, following)
            passing(self.now)
            await self._happen()
        self.now = max(self.now, until)

    async def _happen(self) -> None:
        while self._coming and self._coming[0][0] <= self.now:
            match heapq.heappop(self._coming)[2]:
                case News() as news:
                    self._heard.append(news)
                case _Fired() as fired:
                    self._heard += self._meant(fired)
                case _Sweep():
                    self._heard += [News(profile) for profile in self.contacts.profiles]
                case Event() as event:
                    self._learn(event)
                    await self._writer.commit(_work(event))
        self._heard += [News(run.profile, run=run.id) for run in self.contacts.take_due(self.now)]
        while heard := self._heard:
            self._heard = []
            await self._turn.work(heard)

    def _learn(self, event: Event) -> None:
        """Let an attribute become what the event of its change says, as it did when that was recorded."""
        profile = self.contacts.profiles.get(event.profile)
        if event.name == CHANGED and profile:
            self.contacts.profiles[profile.id] = with_value(
                profile, str(event.properties.get("attribute", "")), event.properties.get("after"), self.now
            )

    # -- schedules

    def _schedule(self, until: datetime) -> None:
        sweep = self.now + SWEEP_EVERY
        while self._turn.segments and sweep <= until:
            self._push(sweep, _Sweep())
            sweep += SWEEP_EVERY
        for edition in self._turn.editions.every:
            trigger = scheduled(edition.rule)
            if trigger is None or edition.rule.state not in ("live", "test"):
                continue
            for zone in self._zones(trigger):
                for firing in firings(trigger, zone, self.now, until):
                    self._push(firing.at, _Fired(edition.rule, zone, firing))

    def _zones(self, trigger: Scheduled) -> list[tzinfo]:
        if trigger.zone != "contact":
            return [ZoneInfo(trigger.zone)]
        return list({str(zone): zone for zone in map(self._zone_of, self.contacts.profiles.values())}.values())

    def _meant(self, fired: _Fired) -> Iterator[News]:
        """Yield the contacts of a firing: of its zone, with such a date, in the rule's audience."""
        trigger = scheduled(fired.rule)
        assert trigger
        for profile in self.contacts.profiles.values():
            if not is_for(trigger, fired.firing, fired.zone, profile):
                continue
            if trigger.zone == "contact" and str(self._zone_of(profile)) != str(fired.zone):
                continue
            if self._is_in_audience(profile, fired.rule):
                yield News(profile.id, occasion=(fired.rule.id, occasion(fired.firing)))

    def _is_in_audience(self, profile: Profile, rule: Rule) -> bool:
        return rule.audience is None or rule.audience.test(self._reader.person(profile, self.now).facts)

    def _zone_of(self, profile: Profile) -> tzinfo:
        return zone_of(profile, self._policy.zone)

    # -- what happens

    def _hear(self, committed: list[Changes]) -> None:
        for changes in committed:
            told = {row["_id"] for collection, row in changes.records if collection == NUDGES}
            self._heard += [News(event.profile, event.id, event=event) for event in changes.events if event.id in told]

    def _push(self, at: datetime, thing: Event | News | _Fired | _Sweep) -> None:
        heapq.heappush(self._coming, (at, next(self._order), thing))

    def _clock(self) -> datetime:
        return self.now


def with_value(profile: Profile, attribute: str, value: Any, at: datetime) -> Profile:
    """Return the profile with this value in place of whatever was known; None takes the attribute away."""
    if value is None or not attribute:
        return profile.forget(attribute)
    known = profile.attributes.get(attribute)
    bare = profile.forget(attribute).learn(attribute, value, source=known.source if known else "inferred", at=at)
    return replace(bare, version=profile.version)


def _work(event: Event) -> Work:
    def think(snapshot: Snapshot) -> Changes | Refusal:
        return Changes(events=(event,))

    return Work(think)
