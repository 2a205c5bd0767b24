"""One row walked by processes that come and go: who lost it stops, and a rule that is away waits with its contacts."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.campaign import EVERYBODY, RULE, balance
from bench.crowd import Crowd
from bench.stage import Clock, Stage, stage, write_book
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.store import Document, Store, Unavailable
from rules import walking
from rules.engine import Engine
from rules.walking import LEASE_FOR, LONGEST_OUTAGE, RANGES, Walker

CROWD = Crowd(100)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A campaign for everybody, whose hour comes in a minute at the least: it is written in whole minutes."""
    at = utc_now() + timedelta(minutes=2)
    write_book(tmp_path / "book", {"sales": RULE.format(at=f"{at:%Y-%m-%d %H:%M}", audience=EVERYBODY)})
    return tmp_path / "book"


@pytest.fixture
async def fired(mongo_url: str, database_name: str, book: Path) -> AsyncIterator[Stage]:
    """A process whose campaign has just fired; an audience of fifty is cut."""
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    await CROWD.seed(store, now=utc_now())
    await store.close()
    async with stage(mongo_url, database_name, book, clock=Clock()) as process:
        await process.rules.occurrences.plan()
        process.clock.ahead = timedelta(minutes=3)
        assert await process.rules.occurrences.plan() == 1
        process.rules.occurrences.walker.large = 50
        yield process


async def claimed(walker: Walker) -> Document:
    row = await walker._claim()
    assert row
    return row


def state(book: Path, now: str, then: str) -> None:
    """Let somebody write another state into the rule."""
    file = book / "sales.yml"
    file.write_text(file.read_text().replace(f"state: {now}", f"state: {then}"))


async def test_who_lost_the_lease_while_counting_an_audience_neither_cuts_nor_walks_it(fired: Stage) -> None:
    walker = fired.rules.occurrences.walker
    row = await claimed(walker)
    fired.clock.ahead += timedelta(minutes=2)
    theirs = await claimed(walker)
    assert (theirs["_id"], await walker.walk_one(row)) == (row["_id"], 0)
    assert await fired.store.find("occurrences", {}) == [theirs]
    assert await walker.walk_one(theirs) + await walker.walk() == CROWD.contacts
    assert (await balance(fired.store)).is_right(CROWD)


async def test_who_took_over_while_another_made_the_ranges_makes_the_same(
    fired: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    walker = fired.rules.occurrences.walker
    row, makes = await claimed(walker), Walker._make
    cut: list[str] = []

    async def slowly(self: Walker, row: Document, part: int, after: str, until: str) -> None:
        cut.append(after)
        if len(cut) == 3:  # its lease runs out: another takes the row up and cuts all of it
            fired.clock.ahead += timedelta(minutes=2)
            theirs = await claimed(walker)
            assert theirs["_id"] == row["_id"] and theirs["cuts"] == row["cuts"]
            await walker.walk_one(theirs)
        await makes(self, row, part, after, until)

    monkeypatch.setattr(Walker, "_make", slowly)
    await walker.walk_one(row)
    monkeypatch.undo()
    await walker.walk()
    rows = await fired.store.find("occurrences", {})
    assert len(rows) == RANGES and sum(one["contacts"] for one in rows) == CROWD.contacts
    assert (await balance(fired.store)).is_right(CROWD)


async def test_a_process_that_does_not_know_the_rule_leaves_its_campaign_to_one_that_does(
    fired: Stage, book: Path, tmp_path: Path
) -> None:
    write_book(tmp_path / "other", {})
    async with stage(fired.store.url, fired.store.name, tmp_path / "other", clock=fired.clock) as stranger:
        assert await stranger.rules.occurrences.walk() == 0
    assert await fired.rules.occurrences.walk() == CROWD.contacts
    assert (await balance(fired.store)).is_right(CROWD)


@pytest.mark.parametrize("away", ["paused", "gone"])
async def test_a_campaign_whose_rule_goes_away_on_the_way_goes_on_when_it_is_back(
    fired: Stage, book: Path, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    works, bookcase, text = Engine.work, fired.rules.bookcase, (book / "sales.yml").read_text()

    async def then_it_goes(self: Engine, news: Any) -> None:
        await works(self, news)
        state(book, "live", "paused") if away == "paused" else (book / "sales.yml").unlink()
        await bookcase.look(at_once=True)

    with monkeypatch.context() as leaving:
        leaving.setattr(Engine, "work", then_it_goes)
        await fired.rules.occurrences.walk()
    assert 0 < await fired.store.count("decisions", {}) < CROWD.contacts
    assert await fired.rules.occurrences.walk() == 0
    (book / "sales.yml").write_text(text)
    await bookcase.look(at_once=True)
    await fired.rules.occurrences.walk()
    assert not await fired.store.count("occurrences", {"open": True})
    assert (await balance(fired.store)).is_right(CROWD)


async def test_a_campaign_whose_rule_never_came_back_ends_after_a_week(fired: Stage, book: Path) -> None:
    (book / "sales.yml").unlink()
    await fired.rules.bookcase.look(at_once=True)
    fired.clock.ahead += timedelta(days=8)
    assert await fired.rules.occurrences.walk() == 0
    assert not await fired.store.count("occurrences", {"open": True})


async def test_of_a_row_taken_over_all_contacts_are_counted(fired: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    walker = fired.rules.occurrences.walker
    walker.large = CROWD.contacts + 1
    monkeypatch.setattr(walking, "AT_ONCE", 30)
    moves, moved_on = list[str](), Walker._move_on

    async def once(self: Walker, row: Document, cursor: str, walked: int) -> None:
        await moved_on(self, row, cursor, walked)
        moves.append(cursor)
        if len(moves) == 1:
            raise Unavailable("the database is gone for a moment")

    monkeypatch.setattr(Walker, "_move_on", once)
    await walker.walk()
    (row,) = await fired.store.find("occurrences", {})
    assert (row["contacts"], row["open"]) == (30, True)
    await walker.walk()
    (row,) = await fired.store.find("occurrences", {})
    assert (row["contacts"], "open" in row) == (CROWD.contacts, False)


async def test_who_walks_on_keeps_the_row_for_another_minute(fired: Stage) -> None:
    walker = fired.rules.occurrences.walker
    row = await claimed(walker)
    fired.clock.ahead += LEASE_FOR * 0.9
    await walker._move_on(row, row["cursor"], 0)
    fired.clock.ahead += LEASE_FOR * 0.9
    assert await walker._claim() is None


async def test_what_fired_longer_ago_than_a_week_is_closed_and_walked_by_nobody(fired: Stage) -> None:
    fired.clock.ahead += LONGEST_OUTAGE
    assert await fired.rules.occurrences.walk() == 0
    (row,) = await fired.store.find("occurrences", {})
    assert (row["contacts"], "open" in row, "done_at" in row) == (0, False, True)
