"""After a crash: deliveries whose holder is gone are found by their lease and sent by whoever finds them.

Every process shows a pulse, by the database's clock, which is the same for all; one that has shown none for PULSE_DEAD_AFTER is
gone, and what it held is free at once. One that died on this machine is gone at the next look (channels/pulse.py).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from channels.backlog import is_ours
from channels.outbound import BackDoor
from channels.pulse import is_gone, ourselves
from profiles.calendar import Clock
from profiles.crash import crash_point
from profiles.every import Every
from profiles.plan import LEASE_FOR
from profiles.record import from_document
from profiles.store import Document, Store, Unavailable
from profiles.timeline import Message

log = logging.getLogger("channels.sweeper")

EVERY_SECONDS = 2.0
PULSE_DEAD_AFTER = timedelta(seconds=8)
MARGIN_SECONDS = 2.0  # between our own last send and the instant others may call us dead
ATTEMPTS = 10
FORGOTTEN_AFTER = timedelta(seconds=10)
"""What we have leased so long ago and our back door does not hold, it let go; what was just committed it will hold in a moment."""
BATCH, BATCHES = 500, 4
"""So many in one command, and so often at each look while the back door has room: what waits longer is fed by the backlog."""


class Sweeper:
    """Shows this process's pulse and takes over what dead processes held."""

    def __init__(self, store: Store, back_door: BackDoor, *, process: str, clock: Clock) -> None:
        self._store, self._back_door, self._process, self._clock = store, back_door, process, clock
        self._who = ourselves()
        self._sweeping = Every(EVERY_SECONDS, self.sweep, name="sweeper")
        self.on_look: list[Callable[[list[str]], None]] = []
        """Called with the processes that live, at every look: who else is there concerns others, too."""
        self._bury: list[Callable[[str], Awaitable[object]]] = []

    def bury(self, bury: Callable[[str], Awaitable[object]]) -> None:
        """Call this with the name of each process that died, so that what else it held is free too. It may hear of one twice."""
        self._bury.append(bury)

    async def start(self) -> None:
        """Begin to sweep every 2 seconds."""
        await self._sweeping.start()

    async def close(self) -> None:
        """Stop, and say so: what this process held is free at once."""
        await self._sweeping.close()
        with suppress(Unavailable):
            await self._store.remove("pulse", {"_id": self._process})

    async def sweep(self) -> int:
        """Show the pulse, take over what is free, and return how many messages that was."""
        living = await self._living()
        for tell in self.on_look:
            tell(living)
        taken = 0
        for _ in range(BATCHES):
            more = await self._take_free(living)
            taken += more
            if more < BATCH or self._back_door.is_behind:
                break
        return taken

    async def _take_free(self, living: list[str]) -> int:
        now = self._clock()
        free = _free(now, living, [] if self._back_door.is_behind else [self._forgotten(now)])
        found = await self._store.find("messages", free, sort=[("delivery.lease_until", 1)], limit=BATCH, only=["_id"])
        ids = {"_id": {"$in": [one["_id"] for one in found if not self._back_door.holds(one["_id"])]}}
        if not ids["_id"]["$in"]:
            return 0
        lease = {"delivery.leased_by": self._process, "delivery.lease_until": now + LEASE_FOR}
        await self._store.change_many("messages", {**ids, **free}, {"$set": lease, "$inc": {"delivery.attempts": 1}})
        crash_point("sweep.leased")
        ours = await self._store.find("messages", {**ids, **lease}, sort=[("_id", 1)])
        for document in ours:
            await self._take(from_document(Message, document))
        return len(ours)

    def _forgotten(self, now: datetime) -> Document:
        """Return the filter of what we hold and do not send. While the backlog holds some, that is what is meant."""
        forgotten = {"delivery.lease_until": {"$lte": now + LEASE_FOR - FORGOTTEN_AFTER}}
        return {**forgotten, "delivery.leased_by": self._process, "_id": {"$nin": self._back_door.held()}}

    async def _living(self) -> list[str]:
        """Show our pulse and return whose is fresh; the others are buried. While the clock leaps all are taken to live."""
        before, asked = asyncio.get_running_loop().time(), self._store.steady.asks()
        shows = [{"$set": {"at": "$$NOW", **self._who}}]
        ours = await self._store.change("pulse", {"_id": self._process}, shows, upsert=True)
        assert ours
        self._store.steady.read(ours["at"], asked)
        self._back_door.stay_alive(before + PULSE_DEAD_AFTER.total_seconds() - MARGIN_SECONDS)
        even, living = self._store.steady.was_even_for(PULSE_DEAD_AFTER.total_seconds()), list[str]()
        for pulse in await self._store.find("pulse", {}):
            if is_gone(pulse) or (even and abs(ours["at"] - pulse["at"]) >= PULSE_DEAD_AFTER):
                await self._mourn(pulse)
            else:
                living.append(str(pulse["_id"]))
        return living

    async def _mourn(self, pulse: Document) -> None:
        for bury in self._bury:
            await bury(str(pulse["_id"]))
        await self._store.remove("pulse", {"_id": pulse["_id"], "at": pulse["at"]})
        log.info("sweeper.buried process=%s", pulse["_id"])

    async def _take(self, message: Message) -> None:
        assert message.delivery
        if message.delivery.attempts > ATTEMPTS:
            # whoever had it died while it did, and may have sent it
            gave_up = {"delivery.state": "unknown", "delivery.reason": "gave_up"}
            drop = {"delivery.lease_until": "", "delivery.leased_by": ""}
            await self._store.change("messages", {"_id": message.id}, {"$set": gave_up, "$unset": drop})
            log.error("sweeper.gave_up message=%s attempts=%d", message.id, message.delivery.attempts)
            return
        log.info("sweeper.took_over message=%s state=%s", message.id, message.delivery.state)
        self._back_door.send(message, partial(is_ours, self._store, self._process, message.id))


def _free(now: datetime, alive: list[str], also: list[Document]) -> Document:
    """Return the filter of deliveries that nobody alive holds: due and let go, held by the dead, or what is named."""
    held = {"$exists": True}
    return {
        "$or": [
            {"delivery.lease_until": {"$lte": now}, "delivery.leased_by": {"$exists": False}},
            {"delivery.lease_until": held, "delivery.leased_by": {**held, "$nin": alive}},
            *also,
        ]
    }
