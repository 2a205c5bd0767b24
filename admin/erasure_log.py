"""The log of erasures, taken out of the database and carried out again on a restored backup: the erased stay erased.

A line of it is a JSON object of keyed hashes: worth nothing without this installation's secret and a list of people.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from admin.erasing import Erasing
from admin.erasure import ERASING, LOG, begin
from profiles.erased import Hashes
from profiles.profile import Profile
from profiles.record import from_document
from profiles.seals import sealable
from profiles.snapshot import Refusal
from profiles.store import Store
from profiles.writer import Writer

MOST_TRIES = 120  # one a second


@dataclass(frozen=True, slots=True)
class Entry:
    """One erasure, as the log tells it."""

    id: str
    at: datetime
    by: str
    key: str
    """The fingerprint of the key that the hashes were made with."""
    profiles: tuple[str, ...]
    addresses: tuple[str, ...]

    def line(self) -> str:
        """Return it as a line of the log, without its end."""
        return json.dumps({**asdict(self), "at": self.at.isoformat()})


@dataclass(frozen=True, slots=True)
class Replayed:
    """What carrying out the log again came to."""

    erased: int
    entries: int
    entangled: tuple[str, ...] = ()
    """Profiles that were erased by themselves and are here a part of somebody who was not: a person has to part them first."""
    left: int = 0
    """How many are still to be erased: to them something is being sent."""


async def entries(store: Store) -> AsyncIterator[Entry]:
    """Yield the erasures of a database, the first one first."""
    async for rows in store.stream(LOG, [{"$match": {"kind": "erasure"}}, {"$sort": {"_id": 1}}]):
        for row in rows:
            yield _entry({**row, "id": row["_id"]})


def read(lines: Iterable[str]) -> list[Entry]:
    """Return the entries of a log that was written into a file. Raises ValueError with the first line that is none."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            found.append(_entry({**row, "at": datetime.fromisoformat(row["at"])}))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"line {number}: expected an erasure as `causerie erase --log` writes it") from error
    return found


async def replay(log: list[Entry], store: Store, writer: Writer, erasing: Erasing, hashes: Hashes) -> Replayed:
    """Erase again all who are in the log and in this database, and keep the log itself here. May be repeated at any time.

    Raises ValueError when the log was made with another key than this database has.
    """
    if strange := next((entry for entry in log if entry.key != hashes.fingerprint), None):
        raise ValueError(
            f"the log is of another installation: its key is {strange.key}, this one's {hashes.fingerprint}"
        )
    await _keep(log, store)
    whose = {hash: entry for entry in log for hash in entry.profiles}
    erased, entangled = 0, []
    async for profile in _profiles(store, whose, hashes):
        if profile.merged_into:
            if hashes.profile(profile.merged_into) not in whose:
                entangled.append(profile.id)
            continue  # it goes with the one that it is a part of
        work = await begin(store, profile, hashes, by=f"replay:{whose[hashes.profile(profile.id)].id}")
        erased += not isinstance(await writer.commit(work), Refusal)
    return Replayed(erased, len(log), tuple(entangled), await _carried_out(store, erasing))


async def _carried_out(store: Store, erasing: Erasing) -> int:
    """Carry out all that was begun, also what the backup says a process of then holds; return what is left after two minutes."""
    await erasing.take_over()
    for _ in range(MOST_TRIES):
        await erasing.look()
        left = await store.count(ERASING, {"is_gone": None})
        if not left:
            break
        await asyncio.sleep(1)  # a delivery that was on its way when the backup was made: at most as long as its lease
    return left


async def _keep(log: list[Entry], store: Store) -> None:
    """Keep what this database does not know of the log, and by which addresses the erased are recognised."""
    rows = [
        sealable({"_id": entry.id, "at": entry.at, "kind": "erasure", "by": entry.by, "key": entry.key,
                  "profiles": list(entry.profiles), "addresses": list(entry.addresses)})
        for entry in log
    ]  # fmt: skip
    marks = {mark: {"_id": mark, "profile": "", "since": entry.at} for entry in log for mark in entry.addresses}
    for collection, documents in ((LOG, rows), ("identities", list(marks.values()))):
        for first in range(0, len(documents), 1_000):
            await store.insert_missing(collection, documents[first : first + 1_000])


async def _profiles(store: Store, whose: Mapping[str, Entry], hashes: Hashes) -> AsyncIterator[Profile]:
    """Yield the profiles of this database that the log names: found by hashing the id of each."""
    async for rows in store.stream("profiles", [{"$sort": {"_id": 1}}, {"$project": {"_id": 1}}], at_once=2_000):
        ids = [str(row["_id"]) for row in rows if hashes.profile(str(row["_id"])) in whose]
        for document in await store.get_many("profiles", ids) if ids else ():
            yield from_document(Profile, document)


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(str(row["id"]), row["at"], str(row["by"]), str(row["key"]), tuple(map(str, row["profiles"])),
                 tuple(map(str, row["addresses"])))  # fmt: skip
