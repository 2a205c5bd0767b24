"""Rows that nobody changes behind our back: the audit and the proofs of consent, sealed into a chain of hashes.

A row is written with the mark `unsealed`, in the commit of what it tells of. Soon afterwards a seal takes up the rows that wait:
the hash of each, and one over all of these and the seal before. Whoever changes, removes or slips in a row later breaks its seal,
or must make all seals anew, which shows beside any head that was kept elsewhere: the latest is logged after each look. The last
rows are not protected before they are sealed (SEAL_SECONDS).
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from profiles.calendar import Clock
from profiles.every import Every
from profiles.record import Document
from profiles.store import AlreadyThere, Store

log = logging.getLogger("profiles.seals")

COLLECTION = "seals"
SEALED = ("audit", "consents", "erasures")
"""The collections whose rows are only ever inserted. Those of a person who was erased are redacted (profiles/redaction.py)."""
SEAL_SECONDS = 30.0
ROWS = 500  # of one seal: 50 kB
REDACTIONS = "erasures"
"""Where redactions are told of: sealed itself, so none can be invented afterwards."""
_MARK = "unsealed"
_BEGINNING = "0" * 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the rows of one collection. `head` is that of the last seal: kept elsewhere, it vouches for all before."""

    kind: str
    seals: int
    rows: int
    waiting: int
    head: str
    broken: tuple[str, ...] = ()
    """What is wrong, one sentence each; empty: nothing is."""
    redacted: int = 0
    """How many rows an erasure took the personal data out of, and left its own account of."""


def sealable(row: Mapping[str, Any]) -> Document:
    """Return the row as it is to be inserted: it waits for its seal."""
    return {**row, _MARK: True}


class Seals:
    """Seals what waits, from `start` to `close`. Every process has one; a seal's number is taken by one of them."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._looking = Every(SEAL_SECONDS, self.look, name="seals")

    async def start(self) -> None:
        """Begin; rows from before there were seals are the first to be sealed."""
        for kind in SEALED:
            if await self._last(kind) is None:
                await self._store.change_many(kind, {_MARK: {"$exists": False}}, {"$set": {_MARK: True}})
        await self._looking.start()

    async def close(self) -> None:
        """Stop; what waits is sealed by the next process."""
        await self._looking.close()

    async def look(self) -> int:
        """Seal all that waits and return how many rows that was."""
        sealed = 0
        for kind in SEALED:
            added = 0
            while more := await self._seal(kind):
                added += more
            if added and (last := await self._last(kind)):  # one line: its head vouches for all seals before it
                log.info("seals.sealed kind=%s number=%d rows=%d head=%s", kind, last["number"], added, last["head"])
            sealed += added
        return sealed

    async def _seal(self, kind: str) -> int:
        last = await self._last(kind)  # read first: whoever seals what we read below takes the number that we want
        waiting = await self._store.find(kind, {_MARK: True}, sort=[("_id", 1)], limit=ROWS)
        known = {id for id, _ in last["rows"]} if last else set()
        rows = [[row["_id"], row_hash(row)] for row in waiting if row["_id"] not in known]
        if rows:
            number, before = (last["number"], last["head"]) if last else (0, _BEGINNING)
            head = head_of(before, number + 1, rows)
            seal = {"_id": f"{kind}:{number + 1:010d}", "kind": kind, "number": number + 1, "at": self._clock(),
                    "rows": rows, "before": before, "head": head}  # fmt: skip
            try:
                await self._store.insert(COLLECTION, seal)
            except AlreadyThere:
                return 0
        if waiting:
            ids = [row["_id"] for row in waiting]
            await self._store.change_many(kind, {"_id": {"$in": ids}}, {"$unset": {_MARK: ""}})
        return len(rows)

    async def _last(self, kind: str) -> Document | None:
        return await self._store.first(COLLECTION, {"kind": kind}, sort=[("number", -1)])


async def verify(store: Store, kind: str, heads: Mapping[int, str] | None = None) -> Verdict:
    """Recompute every seal of this collection and return what is wrong. `heads` are heads kept elsewhere, by their numbers."""
    waiting = await store.count(kind, {_MARK: True})
    settled = await store.count(
        kind, {_MARK: {"$exists": False}}
    )  # counted first: what is sealed meanwhile is no stranger
    walk = _Walk(heads or {}, await redacted(store, kind))
    async for seals in store.stream(COLLECTION, [{"$match": {"kind": kind}}, {"$sort": {"number": 1}}]):
        for seal in seals:
            walk.pass_by(seal, await store.get_many(kind, [id for id, _ in seal["rows"]]))
    return Verdict(kind, walk.number, walk.rows, waiting, walk.head, walk.end(settled), walk.redacted)


async def redacted(store: Store, kind: str) -> dict[tuple[str, str], str]:
    """Return what redactions say of the rows of a collection: (id, the hash that was sealed) -> the hash they have since."""
    found: dict[tuple[str, str], str] = {}
    async for rows in store.stream(REDACTIONS, [{"$match": {"of": kind}}, {"$sort": {"_id": 1}}]):
        found |= {(id, was): now for row in rows for id, was, now in row["rows"]}
    return found


@dataclass(slots=True)
class _Walk:
    """The chain from its beginning, seal by seal, and what was wrong so far."""

    heads: Mapping[int, str]
    redactions: Mapping[tuple[str, str], str]
    redacted: int = 0
    head: str = _BEGINNING
    number: int = 0
    rows: int = 0
    there: int = 0
    broken: list[str] = field(default_factory=list)

    def pass_by(self, seal: Document, found: Iterable[Document]) -> None:
        """Look at the next seal, and at those of its rows that are still there."""
        number, rows = seal["number"], seal["rows"]
        if (number, seal["before"]) != (self.number + 1, self.head):
            self.broken.append(f"seal {number} does not follow seal {self.number}")
        if seal["head"] != head_of(seal["before"], number, rows):
            self.broken.append(f"seal {number} was changed")
        if self.heads.get(number, seal["head"]) != seal["head"]:
            self.broken.append(f"seal {number} is not the one whose head was kept")
        hashes = {row["_id"]: row_hash(row) for row in found}
        self.broken += [f"row {id} was removed" for id, _ in rows if id not in hashes]
        changed = [(id, right) for id, right in rows if hashes.get(id, right) != right]
        self.broken += [
            f"row {id} was changed" for id, right in changed if self.redactions.get((id, right)) != hashes[id]
        ]
        self.redacted += sum(self.redactions.get((id, right)) == hashes[id] for id, right in changed)
        self.number, self.head = number, seal["head"]
        self.rows, self.there = self.rows + len(rows), self.there + len(hashes)

    def end(self, settled: int) -> tuple[str, ...]:
        """Return all that is wrong, when so many rows claim to be sealed."""
        missing = [f"seal {number} is missing" for number in self.heads if number > self.number]
        strangers = [f"{settled - self.there} rows were slipped in"] if settled > self.there else []
        return (*self.broken, *missing, *strangers)


def row_hash(row: Mapping[str, Any]) -> str:
    """Return the hash of a row, whether it waits or is sealed."""
    plain = {name: value for name, value in row.items() if name != _MARK}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=_plain).encode()).hexdigest()


def head_of(before: str, number: int, rows: Iterable[Iterable[str]]) -> str:
    """Return the hash of a seal: of its number, the head before it, and its rows."""
    return hashlib.sha256(json.dumps([before, number, [list(row) for row in rows]]).encode()).hexdigest()


def _plain(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else repr(value)
