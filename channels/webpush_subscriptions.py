"""The browsers that may be written to: one row each, under the digest of its endpoint, so the same browser twice is one row."""

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from profiles.record import from_document, to_document
from profiles.snapshot import Amend, Changes, Write
from profiles.store import Store

COLLECTION = "push_subscriptions"
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Subscription:
    """One browser's own address and keys (W3C Push API, PushSubscription)."""

    id: str
    """The address of its identity: webpush:<id>. Whoever knows an endpoint may write to it, so it stands nowhere else."""
    endpoint: str
    p256dh: bytes
    auth: bytes
    key: str
    """Our public key that it was made with."""
    origin: str
    """The site whose page it was made on."""
    at: datetime


def id_of(endpoint: str) -> str:
    """Return the id of the subscription with this endpoint."""
    return hashlib.sha256(endpoint.encode()).hexdigest()[:32]


def kept(subscription: Subscription) -> Amend:
    """Return the change that keeps it, or what has changed of it: made in the commit of its identity, so that none is ever left
    without one.
    """
    document = to_document(subscription)
    return Amend(document.pop("_id"), document, collection=COLLECTION, first={"first_at": subscription.at})


def in_place_of(before: str, subscription: Subscription) -> Changes:
    """Return the changes that keep it and forget the one that the browser had before."""
    return Changes(amends=(kept(subscription),), writes=(Write(COLLECTION, before, None),))


class Subscriptions:
    """Reads and keeps them. Those asked for while the database answers others are read together, in one command."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: list[tuple[str, asyncio.Future[Subscription | None]]] = []
        self._reading: asyncio.Task[None] | None = None

    async def get(self, id: str) -> Subscription | None:
        """Return this subscription, or None when there is none (any more). Raises Unavailable."""
        answer: asyncio.Future[Subscription | None] = asyncio.get_running_loop().create_future()
        self._asked.append((id, answer))
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="push subscriptions")
        return await answer

    async def forget(self, ids: Iterable[str]) -> None:
        """Remove these: nothing can be sent there again."""
        await self._store.remove(COLLECTION, {"_id": {"$in": list(ids)}})

    async def close(self) -> None:
        """Let the reading end."""
        if self._reading:
            await asyncio.wait([self._reading], timeout=5)

    async def _read(self) -> None:
        while self._asked:
            await asyncio.sleep(0)  # whoever is ready to ask asks now
            asked, self._asked = self._asked[:MOST_AT_ONCE], self._asked[MOST_AT_ONCE:]
            try:
                rows = await self._store.get_many(COLLECTION, {id for id, _ in asked})
                found = {row["_id"]: from_document(Subscription, row) for row in rows}
            except Exception as error:  # noqa: BLE001 (everybody who waits gets it, whatever it is)
                for _, answer in asked:
                    if not answer.done():  # who asked may have been called off
                        answer.set_exception(error)
                continue
            for id, answer in asked:
                if not answer.done():
                    answer.set_result(found.get(id))
        self._reading = None
