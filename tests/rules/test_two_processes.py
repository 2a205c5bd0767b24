"""Several processes on one database, killed at any moment: a firing is one, a contact is decided once, the sums balance."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from bench.campaign import EVERYBODY, RULE, balance
from bench.crowd import Crowd
from bench.stage import Clock, stage, write_book
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.snapshot import Work
from profiles.store import Document, Store, Unavailable, Unstorable
from rules.walking import RANGES, Walker
from tests.waiting import until

ROOT = Path(__file__).parents[2]
CROWD = Crowd(3_000)
WHOLE, SHARED = 20_000, 1_000
"""From how many contacts on the audience is cut: this crowd is walked by one, or shared in ranges."""


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    opened = Store(mongo_url, database_name)
    await opened.prepare(INDEXES)
    await CROWD.seed(opened, now=utc_now())
    yield opened
    await opened.close()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A campaign for everybody, whose hour comes in a minute."""
    folder = tmp_path / "book"
    at = utc_now() + timedelta(minutes=1)
    write_book(folder, {"sales": RULE.format(at=f"{at:%Y-%m-%d %H:%M}", audience=EVERYBODY)})
    return folder


@pytest.fixture
async def seen(store: Store, book: Path) -> None:
    """The rule was live before its hour: a schedule does not fire for the time before."""
    async with stage(store.url, store.name, book) as process:
        await process.rules.occurrences.plan()


@asynccontextmanager
async def working(
    store: Store, book: Path, ahead: float, large: int = WHOLE
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run another process whose clock is so many minutes ahead; killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.rules.campaigner", store.url, store.name, str(book), str(ahead), str(large),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def _decided(store: Store) -> int:
    return await store.count("decisions", {})


async def _end_what_is_open(store: Store) -> None:
    """Have the database give up at once what a killed process left open; live it takes a minute, as long as a lease."""
    with suppress(OperationFailure):  # our own session is among those that end
        await asyncio.to_thread(store._client.admin.command, {"killSessions": []})


async def _is_over(store: Store) -> bool:
    rows = await store.find("occurrences", {})
    return bool(rows) and all("done_at" in row for row in rows)


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("large", [WHOLE, SHARED], ids=["whole", "in ranges"])
async def test_a_campaign_killed_again_and_again_decides_every_contact_once(
    store: Store, book: Path, large: int
) -> None:
    chance, kills = random.Random(7), 0
    for ahead in count(2, 2):  # past the lease of whoever was killed
        before, enough = await _decided(store), chance.randint(1, 400)
        async with working(store, book, ahead, large):

            async def far_enough(before: int = before, enough: int = enough) -> bool:
                return await _is_over(store) or await _decided(store) >= before + enough

            await until(far_enough, within_seconds=180)
            if await _is_over(store):
                break
        await _end_what_is_open(store)
        kills += 1
        assert kills < 30
    assert kills >= 2, "it was over before anybody was killed"
    assert (await balance(store)).is_right(CROWD)


@pytest.mark.usefixtures("seen")
async def test_three_processes_at_once_fire_one_campaign_once(store: Store, book: Path) -> None:
    async with working(store, book, 2), working(store, book, 2.1), working(store, book, 2.2):
        await until(lambda: _is_over(store), within_seconds=90)
    assert await store.count("occurrences", {}) == 1
    assert (await balance(store)).is_right(CROWD)


@pytest.mark.usefixtures("seen")
async def test_three_processes_share_a_large_audience(store: Store, book: Path) -> None:
    async with working(store, book, 2, SHARED), working(store, book, 2.1, SHARED), working(store, book, 2.2, SHARED):
        await until(lambda: _is_over(store), within_seconds=90)
    ranges = await store.find("occurrences", {})
    assert len(ranges) == RANGES and sum(row["contacts"] for row in ranges) == CROWD.contacts
    assert len({row["done_by"] for row in ranges}) > 1
    assert (await balance(store)).is_right(CROWD)


@pytest.mark.usefixtures("seen")
async def test_who_died_while_cutting_an_audience_left_no_range_out(
    store: Store, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(timedelta(minutes=2))
    async with stage(store.url, store.name, book, clock=clock) as process:
        walker = process.rules.occurrences.walker
        walker.large = SHARED
        await process.rules.occurrences.plan()
        with monkeypatch.context() as dying:
            dying.setattr(store.__class__, "insert", _dies)
            with pytest.raises(Unavailable):
                await walker.walk_one(await _claimed(walker))
        assert await store.count("occurrences", {}) == 1
        clock.ahead += timedelta(minutes=2)  # past the lease
        assert await walker.walk() == CROWD.contacts
    assert await store.count("occurrences", {}) == RANGES
    assert (await balance(store)).is_right(CROWD)


async def _dies(*args: Any, **more: Any) -> None:
    raise Unavailable("the process is dead")


async def _claimed(walker: Walker) -> Document:
    row = await walker._claim()
    assert row
    return row


@pytest.mark.usefixtures("seen")
async def test_two_who_hold_the_same_chunk_send_it_once(store: Store, book: Path) -> None:
    """The lease ran out while the first was busy: both walk the audience from its beginning."""
    clock = Clock(timedelta(minutes=2))
    async with (
        stage(store.url, store.name, book, process="p1", clock=clock) as first,
        stage(store.url, store.name, book, process="p2", clock=clock) as second,
    ):
        await first.rules.occurrences.plan()
        row = await store.first("occurrences", {})
        assert row
        walks = [
            process.rules.occurrences.walker.walk_one({**row, "leased_by": name})
            for process, name in _twice(first, second)
        ]
        await asyncio.gather(*walks)
        await store.change("occurrences", {"_id": row["_id"]}, {"$set": {"cursor": ""}, "$unset": {"lease_until": ""}})
        await second.rules.occurrences.walk()
    assert (await balance(store)).is_right(CROWD)


def _twice(first: Any, second: Any) -> list[tuple[Any, str]]:
    return [(first, "p1/x"), (second, "p2/x")]


@pytest.mark.usefixtures("seen")
async def test_who_died_between_the_slot_and_the_commit_has_spent_one_slot_and_sends_one_message(
    store: Store, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(timedelta(minutes=2))

    async def dies(*_: Any, **__: Any) -> Any:
        raise Unavailable("killed")

    async with stage(store.url, store.name, book, process="p1", clock=clock) as first:
        await first.rules.occurrences.plan()
        monkeypatch.setattr(first.writer, "commit", dies)
        await first.rules.occurrences.walk()
    assert await store.count("ledgers", {"h.u": "sales"}) > 0, "nobody had a slot"
    assert await store.count("messages", {}) == 0
    clock.ahead += timedelta(minutes=2)
    async with stage(store.url, store.name, book, process="p2", clock=clock) as second:
        await second.rules.occurrences.walk()
    assert (await balance(store)).is_right(CROWD)


@pytest.mark.usefixtures("seen")
async def test_a_walk_that_the_database_ended_is_taken_up_at_the_next_look(
    store: Store, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when its lease runs out: a dead process's transaction holds records for some seconds, and we live."""

    async def fails(*_: Any, **__: Any) -> Any:
        raise Unavailable("met another writer 20 times")

    async with stage(store.url, store.name, book, clock=Clock(timedelta(minutes=2))) as process:
        await process.rules.occurrences.plan()
        with monkeypatch.context() as broken:
            broken.setattr(process.writer, "commit", fails)
            await process.rules.occurrences.walk()
        assert await _decided(store) == 0
        await process.rules.occurrences.walk()
    assert (await balance(store)).is_right(CROWD)


@pytest.mark.usefixtures("seen")
async def test_one_contact_who_can_not_be_written_takes_nobody_with_them(
    store: Store, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(timedelta(minutes=2))
    async with stage(store.url, store.name, book, clock=clock) as process:
        await process.rules.occurrences.plan()
        writes = process.writer.commit

        async def stumbles(work: Work, **how: Any) -> Any:
            if "P0000100" in work.profiles:
                raise Unstorable("a document that can not be kept")
            return await writes(work, **how)

        monkeypatch.setattr(process.writer, "commit", stumbles)
        await process.rules.occurrences.walk()
    found = await balance(store)
    assert (sum(found.decisions.values()), found.decided_twice) == (CROWD.contacts - 1, 0)
