"""What may be done by one process only, whatever their number: a lease in the database, and a takeover when its holder is gone.

The instants are the database's own. Whoever holds stops well before others may take over, so two never work at once, save one that
the operating system froze: what it then does must be harmless, as asking for updates is, or be refused by a peer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from profiles.store import AlreadyThere, Store, Unavailable

log = logging.getLogger("profiles.sole")

LEASES = "leases"
HELD_SECONDS = 15.0
RENEW_SECONDS = 4.0
STOP_AFTER_SECONDS = 11.0  # without a renewal: others may take over after HELD_SECONDS

Work = Callable[[], Awaitable[None]]


class Sole:
    """Runs `work` in one process of all, from `start` to `close`; again from its beginning when it ends or breaks."""

    def __init__(
        self, store: Store, name: str, work: Work, *, process: str, renew_seconds: float = RENEW_SECONDS
    ) -> None:
        self.holder = ""
        """The process that works, as far as is known; empty: nobody."""
        self._store, self._name, self._work, self._process = store, name, work, process
        self._renew = renew_seconds
        self._keeping: asyncio.Task[None] | None = None
        self._working: asyncio.Task[None] | None = None

    @property
    def is_ours(self) -> bool:
        """Whether this process works."""
        return self._working is not None

    async def start(self) -> None:
        """Begin to ask for the lease."""
        self._keeping = asyncio.create_task(self._keep(), name=f"sole {self._name}")

    async def close(self) -> None:
        """Stop, and let another take over at once. Safe to repeat."""
        keeping, self._keeping = self._keeping, None
        if keeping is None:
            return
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await self._rest()
        with suppress(Unavailable):
            await self._store.remove(LEASES, {"_id": self._name, "holder": self._process})

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        held_at = loop.time()
        while True:
            asked_at = loop.time()
            try:
                self.holder = await self._ask()
                if self.holder == self._process:
                    held_at = asked_at
            except Unavailable as error:
                log.warning("sole.lease failed name=%s reason=%s", self._name, error)
            if self.holder == self._process and loop.time() - held_at < STOP_AFTER_SECONDS:
                self._begin()
            elif self.is_ours:
                log.warning("sole.lost name=%s", self._name)
                await self._rest()
            await asyncio.sleep(self._renew)

    async def _ask(self) -> str:
        """Take or renew the lease where it is free or ours, and return who holds it."""
        mine = {"$eq": ["$holder", self._process]}
        where = {"_id": self._name, "$expr": {"$or": [mine, {"$lte": ["$until", "$$NOW"]}]}}
        until = {"$add": ["$$NOW", int(HELD_SECONDS * 1000)]}
        take = [{"$set": {"holder": self._process, "until": until}}]
        held = await self._store.change(LEASES, where, take) or await self._store.get(LEASES, self._name)
        if held is None:  # the first to ask of all
            with suppress(AlreadyThere):
                await self._store.insert(LEASES, {"_id": self._name, "holder": ""})
            held = await self._store.change(LEASES, where, take)
        return str(held["holder"]) if held else ""

    def _begin(self) -> None:
        if self._working is None or self._working.done():
            log.info("sole.works name=%s", self._name)
            self._working = asyncio.create_task(self._toil(), name=self._name)

    async def _toil(self) -> None:
        try:
            await self._work()
        except Unavailable as error:
            log.warning("sole.work failed name=%s reason=%s", self._name, error)
        except Exception as error:  # noqa: BLE001 (it is begun again with the next renewal)
            log.error("sole.work broke name=%s error=%s", self._name, type(error).__name__, exc_info=error)

    async def _rest(self) -> None:
        working, self._working = self._working, None
        if working:
            working.cancel()
            await asyncio.wait([working])  # not `await working`: who is cancelled while waiting must notice


async def release(store: Store, process: str) -> None:
    """Free what a process held that is dead."""
    await store.remove(LEASES, {"holder": process})
