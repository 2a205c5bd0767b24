"""Many ask for people's last slots while the primary is lost: no cap is exceeded.

Half of the times the others have stood still just before, so that what the primary took alone is lost with it for certain. The
checker counts what the askers were told: a slot that was granted and forgotten by the database is granted once more.
"""

import asyncio
import random
import signal
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from pymongo import WriteConcern

from profiles.calendar import utc_now
from profiles.caps import Cap, Slot
from profiles.indexes import INDEXES
from profiles.ledger_answer import Granted, Wanted
from profiles.ledgers import Ledgers
from profiles.store import Store, Unavailable
from tests.faults.figures import Figures
from tests.faults.journal import now
from tests.faults.mongods import Databases, databases, local
from tests.faults.patience import until
from tests.faults.serving import fast, is_secondary

CAP = Cap(2, timedelta(hours=1))  # longer than any run: every grant past it is one too many
PEOPLE, TASKS = 200, 12
ALONE_SECONDS = 1.0  # shorter than a primary without company takes to resign
PAUSE_SECONDS = 0.01
ASKING = ("--setParameter", "oplogFetcherUsesExhaust=false")
"""The others ask for each piece of news. Else it is pushed, and waits in their kernel until they move again."""


@dataclass(slots=True)
class Told:
    """What the askers were told: person -> the reservations that were granted."""

    tries: int = 0
    grants: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def granted(self) -> int:
        """Return how many slots were granted."""
        return sum(map(len, self.grants.values()))

    @property
    def over(self) -> int:
        """Return how many of them were too many."""
        return sum(max(len(rids) - CAP.at_most, 0) for rids in self.grants.values())


async def test_no_cap_is_exceeded_when_the_primary_is_lost(
    folder: Path, chance: random.Random, seconds: float, is_long: bool, figures: Figures
) -> None:
    if not is_long:
        pytest.skip("kills databases for a while. Run: make faults")
    async with databases(local(fast(folder), 3, more=ASKING)) as three:
        store = Store(three.url, "caps")
        await store.prepare({"ledgers": INDEXES["ledgers"]})
        end, alone = now() + seconds, True
        while alone or now() < end:
            told = await _raced(store, chance, await _losing(three, alone=alone))
            figures.add(attempts=told.tries, over=told.over, **{"killed_primary under caps": 1})
            assert told.over == 0
            assert told.granted >= PEOPLE * CAP.at_most * 0.9, "hardly anything was granted"
            alone = not alone
        store._database = store._database.with_options(write_concern=WriteConcern(w=1))
        told = await _raced(store, chance, await _losing(three, alone=True))
        figures.add_control(attempts=told.tries, over=told.over)
        assert told.over > 0, "who asks for no majority forgets no grant: this test can not see a cap exceeded"
        await store.close()


async def _raced(store: Store, chance: random.Random, lose: Callable[[], Awaitable[None]]) -> Told:
    """Let many ask for the slots of people that nobody asked for before, and lose the primary when a third is granted."""
    told, ledgers, over = Told(), Ledgers(store), asyncio.Event()
    people = [f"{chance.getrandbits(40):x}.{number}" for number in range(PEOPLE)]
    tasks = [asyncio.create_task(_ask(ledgers, told, people, over, f"{task}", chance)) for task in range(TASKS)]
    await until(lambda: told.granted > PEOPLE * CAP.at_most / 3)
    await lose()
    tried = told.tries
    await until(lambda: told.tries > tried + 6 * PEOPLE)
    over.set()
    await asyncio.gather(*tasks)
    return told


async def _ask(
    ledgers: Ledgers, told: Told, people: list[str], over: asyncio.Event, name: str, chance: random.Random
) -> None:
    number = 0
    while not over.is_set():
        number += 1
        person, slot = chance.choice(people), Slot(f"{name}.{number}", "email", "offers", "not_withdrawn")
        for _ in range(2):  # who was not answered asks for the same once more, as a rule does
            told.tries += 1
            try:
                at = utc_now()
                if isinstance(await ledgers.reserve(Wanted(person, slot, (CAP,), UTC, at), now=at), Granted):
                    told.grants[person].add(slot.rid)
                break
            except Unavailable:
                await asyncio.sleep(PAUSE_SECONDS)


async def _losing(three: Databases, *, alone: bool) -> Callable[[], Awaitable[None]]:
    """Return what kills the primary, after it was `alone` for a while; it comes back when the others have elected another."""
    primary = await three.primary()
    others = [node for node in three.nodes if node is not primary]

    async def lose() -> None:
        if alone:
            for node in others:
                node.signal(signal.SIGSTOP)
            await asyncio.sleep(ALONE_SECONDS)
        primary.kill()
        for node in others:
            node.signal(signal.SIGCONT)
        await three.primary(but=primary)
        primary.start()
        await until(lambda: asyncio.to_thread(is_secondary, primary))

    return lose
