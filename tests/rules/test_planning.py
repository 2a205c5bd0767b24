"""Which firings of a schedule become rows: those since the last look, of rules that are at work, in the zones they are for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.stage import Clock, Stage, stage, write_book
from profiles.indexes import INDEXES
from profiles.store import Store
from rules.walking import LONGEST_OUTAGE

DAILY = """
rule: sales
state: live
topic: offers
when: {schedule: "every day 09:00", zone: UTC}
for: contact.country == "FR"
steps:
  - send: {channel: email, template: sales}
"""
DAY = timedelta(days=1)


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    opened = Store(mongo_url, database_name)
    await opened.prepare(INDEXES)
    yield opened
    await opened.close()


@asynccontextmanager
async def begun(store: Store, folder: Path, rule: str, *, process: str = "P1") -> AsyncIterator[Stage]:
    """Open a process whose clock stands at the next noon, when it has looked for the first time."""
    write_book(folder / "book", {"sales": rule})
    now = datetime.now(UTC)
    noon = (now + DAY).replace(hour=12, minute=0, second=0, microsecond=0)
    async with stage(store.url, store.name, folder / "book", process=process, clock=Clock(noon - now)) as opened:
        assert await opened.rules.occurrences.plan() == 0
        yield opened


async def test_a_schedule_fires_for_each_day_since_the_last_look(store: Store, tmp_path: Path) -> None:
    async with begun(store, tmp_path, DAILY) as process:
        process.clock.ahead += 3 * DAY
        assert await process.rules.occurrences.plan() == 3
        assert await process.rules.occurrences.plan() == 0


async def test_after_a_month_away_a_week_is_made_up_for(store: Store, tmp_path: Path) -> None:
    async with begun(store, tmp_path, DAILY) as process:
        process.clock.ahead += 30 * DAY
        assert await process.rules.occurrences.plan() == LONGEST_OUTAGE.days


async def test_a_clock_behind_the_others_turns_back_nothing(store: Store, tmp_path: Path) -> None:
    async with begun(store, tmp_path, DAILY) as process:
        process.clock.ahead += 3 * DAY
        await process.rules.occurrences.plan()
        looked = await store.find("planned", {})
        process.clock.ahead -= 2 * DAY
        assert await process.rules.occurrences.plan() == 0
        assert await store.find("planned", {}) == looked


async def test_a_paused_rule_fires_for_no_day(store: Store, tmp_path: Path) -> None:
    async with begun(store, tmp_path, DAILY.replace("live", "paused")) as process:
        process.clock.ahead += 3 * DAY
        assert await process.rules.occurrences.plan() == 0
        assert await store.find("planned", {}) == []


async def test_a_zone_that_is_named_is_the_only_one(store: Store, tmp_path: Path) -> None:
    lives = {"zone": {"value": "Asia/Tokyo", "source": "declared", "at": datetime.now(UTC)}}
    await store.insert("profiles", {"_id": "yuki", "version": 1, "attributes": lives})
    async with begun(store, tmp_path, DAILY.replace("UTC", "Asia/Kolkata")) as process:
        process.clock.ahead += DAY
        assert await process.rules.occurrences.plan() == 1
    (row,) = await store.find("occurrences", {})
    assert (row["zone"], row["at"].hour, row["at"].minute) == ("Asia/Kolkata", 3, 30)


async def test_what_a_dead_process_walked_is_free_and_the_others_keep_theirs(store: Store, tmp_path: Path) -> None:
    async with begun(store, tmp_path, DAILY) as process:
        process.clock.ahead += 2 * DAY
        await process.rules.occurrences.plan()
        mine = await process.rules.occurrences.walker._claim()
        async with stage(store.url, store.name, tmp_path / "book", process="P10", clock=process.clock) as other:
            theirs = await other.rules.occurrences.walker._claim()
            assert mine and theirs
            await other.rules.occurrences.bury("P1")
        assert await store.get("occurrences", theirs["_id"]) == theirs
        freed = await store.get("occurrences", mine["_id"])
        assert freed and freed.keys().isdisjoint({"leased_by", "lease_until"})
