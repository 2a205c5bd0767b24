"""Schedules at work: every firing is a row, unique by rule, zone and local time, so that of N processes one acts, once.

APScheduler keeps time inside a process and wakes the planner; which firings there were since it last looked is worked out
from the clock and what was planned before, so an outage skips nothing silently: a late firing begins late, and `late after`
of each rule says what that is worth. An audience is walked in chunks behind a cursor, and taken up where it was left.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from profiles.calendar import Clock
from profiles.crash import crash_point
from profiles.record import Document
from profiles.store import AlreadyThere, Store, Unavailable
from profiles.tasks import end
from rules.engine import Engine
from rules.occasions import scheduled
from rules.rule import Rule
from rules.schedule import firings
from rules.walking import AT_WORK, LONGEST_OUTAGE, OCCURRENCES, Walker, zones

log = logging.getLogger("rules.occurrences")

PLANNED = "planned"
LOOK_SECONDS = 5
LAST_LOOK_SECONDS = 2.0  # that one under way may take to end when the server stops


class Occurrences:
    """Plans what fires, and walks the audience of what has fired."""

    def __init__(self, store: Store, engine: Engine, *, process: str, zone: tzinfo, clock: Clock) -> None:
        self._store, self._engine, self._process, self._zone, self._clock = store, engine, process, zone, clock
        self._scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
        self.walker = Walker(store, engine, process=process, zone=zone, clock=clock)
        self._walking: asyncio.Task[int] | None = None
        self._is_quiet = asyncio.Event()
        """Nobody looks right now."""
        self._is_quiet.set()

    async def start(self) -> None:
        """Begin to plan every 5 seconds."""
        self._scheduler.add_job(self.look, "interval", seconds=LOOK_SECONDS, next_run_time=self._clock())
        self._scheduler.start()

    async def close(self) -> None:
        """Stop; an audience half walked is taken up by the next process."""
        if self._scheduler.running:
            self._scheduler.remove_all_jobs()
            with suppress(TimeoutError):  # cut off, the scheduler would log it as an error
                await asyncio.wait_for(self._is_quiet.wait(), LAST_LOOK_SECONDS)
            self._scheduler.shutdown(wait=False)
        task, self._walking = self._walking, None
        if task:
            await end(task)

    async def look(self) -> None:
        """Plan what has fired, and walk on in the background if something has."""
        self._is_quiet.clear()
        try:
            await self.plan()
            if self._walking is None or self._walking.done():
                self._walking = asyncio.create_task(self.walk(), name="occurrences")
        except Unavailable as error:
            log.warning("occurrences.look failed reason=%s", error)
        finally:
            self._is_quiet.set()

    async def bury(self, process: str) -> None:
        """Free the audiences that this process walked: it is dead."""
        held = {"open": True, "leased_by": {"$regex": f"^{process}/"}}
        await self._store.change_many(OCCURRENCES, held, {"$unset": {"leased_by": "", "lease_until": ""}})

    async def plan(self) -> int:
        """Make a row for each firing since the last look, and return how many are new."""
        now, made = self._clock(), 0
        rules = [rule for rule in self._rules() if scheduled(rule)]
        if not rules:
            return 0
        lived_in = await zones(self._store) if any(_by_contact(rule) for rule in rules) else []
        seen = {row["_id"]: row for row in await self._store.get_many(PLANNED, [rule.id for rule in rules])}
        for rule in rules:
            known = seen.get(rule.id)
            # a schedule begins to count when its rule is first seen live; it does not fire for the time before
            after = max(known["until"], now - LONGEST_OUTAGE) if known else now
            for place in self._places(rule, lived_in):
                made += await self._plan(rule, place, after, now)
            await self._store.change(PLANNED, {"_id": rule.id}, {"$max": {"until": now}}, upsert=True)
        return made

    async def walk(self) -> int:
        """Walk the audiences of all that has fired and nobody holds, and return how many contacts that was."""
        return await self.walker.walk()

    # -- planning

    async def _plan(self, rule: Rule, place: tzinfo, after: datetime, now: datetime) -> int:
        trigger, made = scheduled(rule), 0
        assert trigger
        for firing in firings(trigger, place, after, now):
            row: Document = {
                "_id": f"{rule.id}|{place}|{firing.name}", "rule": rule.id, "zone": str(place), "local": firing.name,
                "at": firing.at, "made_at": now, "open": True, "cursor": "", "contacts": 0,
            }  # fmt: skip
            try:
                await self._store.insert(OCCURRENCES, row)
                crash_point("occurrence.made")
                made += 1
            except AlreadyThere:
                pass  # another process was first
        return made

    def _rules(self) -> Sequence[Rule]:
        return [edition.rule for edition in self._engine.editions.every if edition.rule.state in AT_WORK]

    def _places(self, rule: Rule, zones: Sequence[str]) -> list[tzinfo]:
        trigger = scheduled(rule)
        assert trigger
        if trigger.zone != "contact":
            return [ZoneInfo(trigger.zone)]
        return [self._zone, *(ZoneInfo(name) for name in zones if name != str(self._zone))]


def _by_contact(rule: Rule) -> bool:
    trigger = scheduled(rule)
    return trigger is not None and trigger.zone == "contact"
