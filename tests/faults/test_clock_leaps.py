"""The database's clock leaps an hour, ahead and back, while many ask for slots: no cap is exceeded. Nor by our own clocks.

The checker counts what the askers were told, by this machine's running time: a grant lies between its question and its answer, so
only what is certain counts as one too many.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from profiles.calendar import utc_now
from profiles.caps import Cap, Slot
from profiles.indexes import INDEXES
from profiles.ledger_answer import Granted, Wanted
from profiles.ledgers import Ledgers
from profiles.store import Store, Unavailable
from tests.faults.figures import Figures
from tests.faults.journal import now
from tests.faults.mongods import databases, local
from tests.needed import faketime

WITHIN = 30.0  # longer than a test lasts, so that each grant past the cap is certainly one too many
CAP = Cap(2, timedelta(seconds=WITHIN))
PEOPLE, TASKS = 10, 8
BEFORE, AFTER = 2.5, 1.5
OFF = (timedelta(0), timedelta(hours=1), timedelta(hours=-1), timedelta(days=400))
"""How wrong the clocks of the processes are that ask."""


@dataclass(slots=True)
class Told:
    """What the askers were told."""

    tries: int = 0
    grants: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    """Person -> (asked, answered) of each grant."""

    def over(self) -> int:
        """Return how many grants were certainly one too many."""
        found = 0
        for grants in self.grants.values():
            ordered = sorted(grants)
            found += sum(
                third[1] - first[0] < WITHIN for first, third in zip(ordered, ordered[CAP.at_most :], strict=False)
            )
        return found


@dataclass(slots=True)
class Database:
    """A database whose clock obeys."""

    store: Store
    clock: Path

    def leap(self, seconds: int) -> None:
        """Set its clock so far off."""
        self.clock.write_text(f"{seconds:+d}\n")


@asynccontextmanager
async def obeying(folder: Path) -> AsyncIterator[Database]:
    """Start it."""
    clock = folder / "clock"
    clock.write_text("+0\n")
    lies = {"LD_PRELOAD": faketime(), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}  # fmt: skip
    async with databases(local(folder, environment=lies)) as one:
        store = Store(one.url, "clocks")
        await store.prepare({"ledgers": INDEXES["ledgers"], "pulse": []})
        yield Database(store, clock)
        await store.close()


async def hammered(database: Database, leap: int, *, guarded: bool) -> Told:
    """Let many ask again and again, with a leap in the middle."""
    if guarded:
        await _read(database.store)  # as every server does when it starts
    told, end, ledgers = Told(), now() + BEFORE + AFTER, Ledgers(database.store)
    looking = asyncio.create_task(_look(database.store)) if guarded else None
    tasks = [asyncio.create_task(_ask(ledgers, told, task, end)) for task in range(TASKS)]
    await asyncio.sleep(BEFORE)
    database.leap(leap)
    await asyncio.gather(*tasks)
    if looking:
        looking.cancel()
    database.leap(0)
    return told


async def _ask(ledgers: Ledgers, told: Told, task: int, end: float) -> None:
    number = 0
    while now() < end:
        number += 1
        told.tries += 1
        person, wrong = f"p{(task + number) % PEOPLE}", utc_now() + OFF[task % len(OFF)]
        slot = Slot(f"{task}.{number}", "email", "offers", "not_withdrawn")
        asked = now()
        with suppress(Unavailable):  # the leap ends what the database is at: its time limits go by the same clock
            if isinstance(await ledgers.reserve(Wanted(person, slot, (CAP,), UTC, wrong), now=wrong), Granted):
                told.grants[person].append((asked, now()))


async def _look(store: Store) -> None:
    """Read the clock as the sweeper does; not oftener, so that the leap comes between two looks."""
    while True:
        await asyncio.sleep(2)
        with suppress(Unavailable):
            await _read(store)


async def _read(store: Store) -> None:
    pulse = await store.change("pulse", {"_id": "here"}, [{"$set": {"at": "$$NOW"}}], upsert=True)
    assert pulse
    store.steady.read(pulse["at"])


@pytest.mark.parametrize("leap", [3_600, -3_600])
async def test_no_cap_is_exceeded_when_the_clock_leaps(folder: Path, leap: int, figures: Figures) -> None:
    async with obeying(folder) as database:
        told = await hammered(database, leap, guarded=True)
    figures.add(attempts=told.tries, over=told.over(), **{"clock leaps": 1})
    assert told.over() == 0
    assert sum(len(grants) for grants in told.grants.values()) >= PEOPLE, "hardly anything was granted"


async def test_control_without_the_guard_a_leap_ahead_opens_every_cap(folder: Path, figures: Figures) -> None:
    async with obeying(folder) as database:
        told = await hammered(database, 3_600, guarded=False)
    figures.add_control(attempts=told.tries, over=told.over())
    assert told.over() > 0, "this test can not see a cap exceeded"
