"""When too many people call our messages unwanted, sending pauses by itself: for a sending domain, and for a single rule.

Gmail and Yahoo ask senders to stay below 0.3 complaints in a hundred mails, and stop delivering above. Two collections:
`complaints` counts what was sent and complained about, by scope and day; `brakes` says until when a scope pauses. A scope is
`email:DOMAIN` or `rule:ID`.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from profiles.calendar import Clock
from profiles.store import Store, Unavailable

log = logging.getLogger("profiles.brakes")

COUNTS, BRAKES = "complaints", "brakes"
LOOK_SECONDS = 10.0
CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Bearable:
    """How many complaints are borne: `percent` of the messages of `days`, once those were `least`. 0 percent: any number."""

    percent: float = 0.3
    least: int = 1_000
    days: int = 7
    pause: timedelta = timedelta(hours=24)


class Brakes:
    """Which scopes pause, as last looked at."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._until: dict[str, datetime] = {}

    async def look(self) -> None:
        """Ask the database. Raises Unavailable."""
        found = await self._store.find(BRAKES, {"until": {"$gt": self._clock()}}, limit=1_000)
        self._until = {str(one["_id"]): one["until"] for one in found}

    def until(self, *scopes: str) -> datetime | None:
        """Return until when one of these pauses; None when none does."""
        if not self._until:
            return None
        now = self._clock()
        return max((end for scope in scopes if (end := self._until.get(scope)) and end > now), default=None)


class Complaints:
    """Counts what is sent and complained about, and pulls the brake. One for each process; the database adds them up.

    What was sent is counted in memory and written every ten seconds, with the next message or look: a process that is killed
    forgets at most that, and the rate seems a little higher than it is.
    """

    def __init__(self, store: Store, clock: Clock, bearable: Bearable) -> None:
        self.brakes = Brakes(store, clock)
        self._store, self._clock, self._bearable = store, clock, bearable
        self._sent: Counter[tuple[str, str]] = Counter()
        self._looked_at = float("-inf")

    def sent(self, *scopes: str) -> None:
        """Count one message of each scope."""
        if scopes:
            day = self._clock().date().isoformat()
            for scope in scopes:
                self._sent[scope, day] += 1

    async def look(self, *, at_once: bool = False) -> None:
        """Write what was counted and see who pauses, when that was long ago. Raises Unavailable."""
        now = asyncio.get_running_loop().time()
        if not at_once and now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        await self._write()
        await self.brakes.look()

    async def close(self) -> None:
        """Write what was counted; a database that is away is not waited for."""
        if self._sent:
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._write()

    async def complained(self, *scopes: str) -> Sequence[str]:
        """Count a complaint about each scope, and return those that pause from now on. Raises Unavailable."""
        await self._write()
        day = self._clock().date().isoformat()
        for scope in scopes:
            await self._add(scope, day, "complained", 1)
        stopped = [scope for scope in scopes if await self._is_too_much(scope)]
        for scope in stopped:
            until = self._clock() + self._bearable.pause
            await self._store.change(BRAKES, {"_id": scope}, {"$set": {"until": until}}, upsert=True)
            log.error("brakes.paused scope=%s until=%s", scope, until.isoformat())
        await self.brakes.look()
        return stopped

    async def _is_too_much(self, scope: str) -> bool:
        allowed = self._bearable
        since = (self._clock() - timedelta(days=allowed.days - 1)).date().isoformat()
        where = {"scope": {"$eq": scope}, "day": {"$gte": since}}
        days = await self._store.find(COUNTS, where, limit=allowed.days + 1)
        sent, complained = (sum(day.get(name, 0) for day in days) for name in ("sent", "complained"))
        return bool(allowed.percent) and sent >= allowed.least and complained * 100 > allowed.percent * sent

    async def _write(self) -> None:
        counted, self._sent = self._sent, Counter()
        for place, ((scope, day), number) in enumerate(counted.items()):
            try:
                await self._add(scope, day, "sent", number)
            except BaseException:
                self._sent.update(dict(list(counted.items())[place:]))
                raise

    async def _add(self, scope: str, day: str, name: str, number: int) -> None:
        first = {"scope": scope, "day": day, "at": self._clock()}
        change = {"$inc": {name: number}, "$setOnInsert": first}
        await self._store.change(COUNTS, {"_id": f"{scope}:{day}"}, change, upsert=True)
