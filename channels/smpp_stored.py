"""After a crash: was this message stored by the run before, whose answers in doubt died with it?

A mark in the database stands while the channel runs. Found standing at the start, it says that the last run ended without
a goodbye, and for a short time what is delivered is compared with what that run stored last. Several processes share the
mark: when one of them is killed while others run, what it had in doubt may come twice.
"""

from datetime import datetime, timedelta

from profiles.calendar import Clock
from profiles.store import Store

STATE, RUN = "smpp_state", "run"
REDELIVERY = timedelta(minutes=2)  # from the start: an SMSC delivers again as soon as we are bound
LOOK_BACK = timedelta(minutes=10)


class Stored:
    """What the last run stored, when it crashed."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._started_at = clock()
        self._crashed = False
        self._claimed: set[str] = set()

    async def begin(self) -> None:
        """See whether the last run said goodbye, and set the mark."""
        before = await self._store.get(STATE, RUN)
        self._started_at = self._clock()
        self._crashed = bool(before and before.get("open"))
        await self._store.change(STATE, {"_id": RUN}, {"$set": {"open": True}}, upsert=True)

    async def end(self) -> None:
        """Take the mark away: nothing is in doubt."""
        await self._store.change(STATE, {"_id": RUN}, {"$set": {"open": False}})

    async def before(self, fingerprint: str, conversation: str, now: datetime) -> str | None:
        """Return the id under which the run before stored the same words of this person, each id once; mostly None."""
        if not self._crashed or now - self._started_at > REDELIVERY:
            return None
        where = {"conversation": conversation, "direction": "inbound"}
        for message in await self._store.find("messages", where, sort=[("seq", -1)], limit=20):
            id = str(message["_id"]).partition(":")[2]
            recent = self._started_at - LOOK_BACK < message["at"] < self._started_at
            if recent and id not in self._claimed and message.get("metadata", {}).get("fingerprint") == fingerprint:
                self._claimed.add(id)
                return id
        return None
