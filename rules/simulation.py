"""Who would get what, when, and which limit would stop whom: the engine itself on a virtual clock, over contacts in memory.

Time jumps from one thing that happens to the next: an event, a firing of a schedule, a run that comes due.
"""

import heapq
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import count
from typing import Any

from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.timeline import Event
from rules.choice import Prefers
from rules.gatekeeper import Gatekeeper, Renders
from rules.memory import Contacts, MemoryLedgers, MemoryReader, MemoryWriter
from rules.occasions import is_for, occasion, scheduled
from rules.policy import Policy, Reaches
from rules.reaction import NUDGES, Reaction, Watch
from rules.reading import zone_of
from rules.schedule import firings
from rules.thinking import Editions
from rules.turn import News, Turn


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
        reader = MemoryReader(contacts, zone=policy.zone)
        self._heard: list[News] = []
        self._turn = Turn(reader, self._writer, gatekeeper, clock=self._clock)
        self._turn.use(editions)
        reaction.watch = Watch.of(edition.rule for edition in editions.every)
        self._writer.listen(self._hear)
        self._order = count()
        self._coming: list[tuple[datetime, int, Event | News]] = []

    @property
    def decisions(self) -> list[Mapping[str, Any]]:
        """Return the decisions taken so far: rows as they are stored."""
        return self.contacts.decisions

    def expect(self, events: Iterable[Event]) -> None:
        """Have these events happen when it is their time."""
        for event in events:
            self._push(event.happened_at, event)

    async def run(self, until: datetime) -> None:
        """Let time pass, and everything happen that happens until then."""
        self._schedule(until)
        while True:
            due = self._due()
            following = min((at for at in (self._coming[0][0] if self._coming else None, due) if at), default=None)
            if following is None or following > until:
                break
            self.now = max(self.now, following)
            await self._happen()
        self.now = max(self.now, until)

    async def _happen(self) -> None:
        while self._coming and self._coming[0][0] <= self.now:
            _, _, thing = heapq.heappop(self._coming)
            if isinstance(thing, News):
                self._heard.append(thing)
            else:
                await self._writer.commit(_work(thing))
        for run in self.contacts.runs():
            if run.is_alive and run.due_at and run.due_at <= self.now:
                self._heard.append(News(run.profile, run=run.id))
        while self._heard:
            news, self._heard = self._heard, []
            await self._turn.work(news)

    def _schedule(self, until: datetime) -> None:
        for edition in self._turn.editions.every:
            trigger = scheduled(edition.rule)
            if trigger is None:
                continue
            for profile in self.contacts.profiles.values():
                zone = zone_of(profile, self._policy.zone)
                for firing in firings(trigger, zone, self.now, until):
                    if is_for(trigger, firing, profile):
                        news = News(profile.id, occasion=(edition.rule.id, occasion(firing)))
                        self._push(firing.at, news)

    def _due(self) -> datetime | None:
        alive = (run.due_at for run in self.contacts.runs() if run.is_alive and run.due_at)
        return min(alive, default=None)

    def _hear(self, committed: list[Changes]) -> None:
        for changes in committed:
            told = {row["_id"] for collection, row in changes.records if collection == NUDGES}
            self._heard += [News(event.profile, event.id, event=event) for event in changes.events if event.id in told]

    def _push(self, at: datetime, thing: Event | News) -> None:
        heapq.heappush(self._coming, (at, next(self._order), thing))

    def _clock(self) -> datetime:
        return self.now


def _work(event: Event) -> Work:
    def think(snapshot: Snapshot) -> Changes | Refusal:
        return Changes(events=(event,))

    return Work(think)
