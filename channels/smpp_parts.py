"""Messages of several parts, remembered in the database: received ones until they are whole, sent ones until all arrived.

Each received part is acknowledged, so each is stored first. What stays incomplete is given over as it is after a time.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from channels.smpp_wire import Address, Part
from profiles.store import AlreadyThere, Store, Unavailable

RECEIVED = "smpp_received"
SENT = "smpp_sent"
MISSING = "[…]"
REMEMBERED = timedelta(
    minutes=10
)  # a part delivered again within it is known; a phone's reference is not reused sooner

ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Gathered:
    """A longer message as far as it is here: its parts (octets, data coding) by number."""

    key: str
    """The id of its record; `id` is the message's own."""
    id: str
    source: Address
    destination: Address
    total: int
    started_at: datetime
    parts: Mapping[int, tuple[bytes, int]]

    @property
    def is_whole(self) -> bool:
        """Whether no part is missing."""
        return len(self.parts) == self.total

    def runs(self) -> list[tuple[bytes, int] | None]:
        """Return the parts in order, neighbours of one coding joined (a character may be cut between them); None: missing."""
        joined: list[tuple[bytes, int] | None] = []
        for number in range(1, self.total + 1):
            part = self.parts.get(number)
            last = joined[-1] if joined else None
            if part and last and part[1] == last[1]:
                joined[-1] = (last[0] + part[0], part[1])
            elif part or last or not joined:
                joined.append(part)
        return joined


class Parts:
    """Gathers parts, for all processes of this installation alike."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def gather(
        self, source: Address, destination: Address, part: Part, octets: bytes, coding: int, now: datetime
    ) -> Gathered:
        """Keep this part, on disk, and return the message it belongs to. Raises Unavailable."""
        key = _key(source, destination, part)
        told = {"octets": octets, "coding": coding}
        fresh = {"_id": key, "started_at": {"$gt": now - REMEMBERED}}
        fits = {"$or": [{f"parts.{part.number}": {"$exists": False}}, {f"parts.{part.number}": told}]}
        for _ in range(ATTEMPTS):
            found = await self._store.change(RECEIVED, {**fresh, **fits}, {"$set": {f"parts.{part.number}": told}})
            if found:
                return _gathered(found)
            old = await self._store.get(RECEIVED, key)
            if old and _has_room(old, part, told, now):
                continue  # it was begun this very moment
            if old:  # of long ago, or the phone has used the reference again
                await self._put_aside(old)
            try:
                await self._store.insert(
                    RECEIVED,
                    {
                        "_id": key, "source": _address(source), "destination": _address(destination), "total": part.total,
                        "started_at": now, "parts": {str(part.number): told},
                    },
                )  # fmt: skip
            except AlreadyThere:
                continue  # another part of it came at the same time
            return Gathered(key, _id(key, now), source, destination, part.total, now, {part.number: (octets, coding)})

        raise Unavailable(f"a part met others {ATTEMPTS} times")

    async def overdue(self, now: datetime, after: timedelta) -> AsyncIterator[Gathered]:
        """Yield the messages that were not whole in this time; forget what is whole or long past."""
        await self._store.remove(RECEIVED, {"started_at": {"$lt": now - max(after, REMEMBERED)}, "given_over": True})
        where = {"started_at": {"$lt": now - after}, "given_over": {"$ne": True}}
        for document in await self._store.find(RECEIVED, where, limit=500):
            yield _gathered(document)

    async def given_over(self, gathered: Gathered) -> None:
        """Remember that this message reached the front door, so that it is not given over as incomplete."""
        where = {"_id": gathered.key, "started_at": gathered.started_at}
        await self._store.change(RECEIVED, where, {"$set": {"given_over": True}})

    async def _put_aside(self, old: Mapping[str, Any]) -> None:
        """Make room under its key; unless it was given over it stays, to be given over as it is."""
        if not old.get("given_over"):
            aside = {**old, "_id": f"{old['_id']}.{int(old['started_at'].timestamp() * 1000)}", "key": old["_id"]}
            with suppress(AlreadyThere):
                await self._store.insert(RECEIVED, aside)
        await self._store.remove(RECEIVED, {"_id": old["_id"], "started_at": old["started_at"]})


async def remember_sent(store: Store, ids: list[str], now: datetime) -> None:
    """Keep which ids the parts of one message have; the first is the message's own."""
    try:
        await store.insert(SENT, {"_id": ids[0], "ids": ids, "delivered": [], "at": now})
    except AlreadyThere:
        await store.change(SENT, {"_id": ids[0]}, {"$set": {"ids": ids, "delivered": [], "at": now}})


async def arrived(store: Store, id: str) -> tuple[str, bool]:
    """Note that this part arrived; return the message's own id, and whether all of it has."""
    found = await store.change(SENT, {"ids": id}, {"$addToSet": {"delivered": id}})
    return (str(found["_id"]), len(found["delivered"]) == len(found["ids"])) if found else (id, True)


async def whole_of(store: Store, id: str) -> str:
    """Return the own id of the message that this part belongs to."""
    found = await store.first(SENT, {"ids": id})
    return str(found["_id"]) if found else id


def _has_room(document: Mapping[str, Any], part: Part, told: Mapping[str, Any], now: datetime) -> bool:
    there = document["parts"].get(str(part.number))
    return document["started_at"] > now - REMEMBERED and (there is None or there == told)


def _key(source: Address, destination: Address, part: Part) -> str:
    return hashlib.sha256(f"{source.text}\0{destination.text}\0{part.reference}\0{part.total}".encode()).hexdigest()[
        :32
    ]


def _id(key: str, started_at: datetime) -> str:
    return f"{key}.{int(started_at.timestamp() * 1000)}"


def _address(address: Address) -> dict[str, Any]:
    return {"ton": address.ton, "npi": address.npi, "text": address.text}


def _gathered(document: Mapping[str, Any]) -> Gathered:
    return Gathered(
        key=document["_id"],
        id=_id(document.get("key") or document["_id"], document["started_at"]),
        source=Address(**document["source"]),
        destination=Address(**document["destination"]),
        total=document["total"],
        started_at=document["started_at"],
        parts={int(number): (bytes(told["octets"]), told["coding"]) for number, told in document["parts"].items()},
    )
