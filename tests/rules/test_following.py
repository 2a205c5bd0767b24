"""What is saved through one machine's console is written into the folders of the others, unless somebody knows better there."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from profiles.calendar import utc_now
from profiles.hints import Hints
from profiles.indexes import INDEXES
from profiles.store import Store
from rules.book import Surroundings
from rules.bookcase import VERSIONS, Bookcase
from rules.following import Following
from tests.waiting import until

RULE = "rule: one\nstate: draft\nwhen: {event: a.b}\npriority: 10\nsteps:\n  - wait: 1h\n"
LATER = RULE.replace("10", "20")


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


class Machine:
    """One server with a folder of its own; its files were written a day ago."""

    def __init__(self, folder: Path, store: Store, *, empty: bool = False) -> None:
        folder.mkdir()
        self.folder, self.file = folder, folder / "one.yml"
        if not empty:
            self.writes(RULE, timedelta(days=1))
        self.case = Bookcase(folder, store, Surroundings(), clock=utc_now)
        self.hints = Hints()
        self.following = Following(self.case, store, self.hints)

    def writes(self, text: str, ago: timedelta = timedelta(0)) -> None:
        self.file.write_text(text, encoding="utf-8")
        at = (utc_now() - ago).timestamp()
        os.utime(self.file, (at, at))

    async def opens(self) -> "Machine":
        await self.case.open()
        await self.following.look()
        return self

    @property
    def priority(self) -> int:
        return self.case.book.rules["one"].priority


async def test_a_rule_saved_here_serves_there(tmp_path: Path, store: Store) -> None:
    here, there = await Machine(tmp_path / "a", store).opens(), await Machine(tmp_path / "b", store).opens()
    assert await here.case.save("one.yml", LATER, by="noor") == ()
    assert (here.priority, there.priority) == (20, 10)
    assert await there.following.look() == 1
    assert there.priority == 20 and there.file.read_text() == LATER
    assert await there.following.look() == 0 and await here.following.look() == 0


async def test_it_is_followed_as_soon_as_the_hint_comes(tmp_path: Path, store: Store) -> None:
    here, there = await Machine(tmp_path / "a", store).opens(), await Machine(tmp_path / "b", store).opens()
    here.hints.send = lambda name, value: there.hints.take("here", name, value)
    await there.following.start()
    await asyncio.sleep(0)
    await here.case.save("one.yml", LATER, by="noor")
    await until(lambda: there.priority == 20, within_seconds=10)
    await there.following.close()


async def test_a_new_rule_reaches_the_others(tmp_path: Path, store: Store) -> None:
    here, there = await Machine(tmp_path / "a", store).opens(), await Machine(tmp_path / "b", store).opens()
    await here.case.save("two.yml", RULE.replace("one", "two"), by="noor")
    await there.following.look()
    assert "two" in there.case.book.rules


async def test_a_server_that_was_down_catches_up_when_it_starts(tmp_path: Path, store: Store) -> None:
    here = await Machine(tmp_path / "a", store).opens()
    await here.case.save("one.yml", LATER, by="noor")
    assert (await Machine(tmp_path / "b", store).opens()).priority == 20


async def test_what_was_taken_away_while_a_server_was_down_stays_away(tmp_path: Path, store: Store) -> None:
    here = await Machine(tmp_path / "a", store).opens()
    await here.case.save("one.yml", LATER, by="noor")
    there = await Machine(tmp_path / "b", store, empty=True).opens()
    assert there.case.book.rules == {} and not there.file.exists()


async def test_what_a_server_saves_whose_clock_is_slow_is_not_passed_over(tmp_path: Path, store: Store) -> None:
    here, there = await Machine(tmp_path / "a", store).opens(), await Machine(tmp_path / "b", store).opens()
    slow = await Machine(tmp_path / "c", store).opens()
    await here.case.save("two.yml", RULE.replace("one", "two"), by="noor")
    assert await there.following.look() == 1
    slow.case._clock = lambda: utc_now() - timedelta(minutes=5)
    await slow.case.save("one.yml", LATER, by="noor")
    assert await there.following.look() == 1 and there.priority == 20
    (there.folder / "two.yml").unlink()
    assert await there.following.look() == 0, "what was taken away by hand is not brought back"


async def test_a_server_catches_up_with_all_that_was_ever_saved_at_its_first_look(tmp_path: Path, store: Store) -> None:
    here = await Machine(tmp_path / "a", store).opens()
    old, ago = RULE.replace("one", "gone"), utc_now() - timedelta(days=2)
    await store.insert_missing(
        VERSIONS,
        [{"_id": f"gone.yml:{number}", "file": "gone.yml", "text": f"{old}# {number}", "at": ago, "first_at": ago,
          "saved_at": ago} for number in range(2_100)],
    )  # fmt: skip
    await here.case.save("one.yml", LATER, by="noor")
    there = await Machine(tmp_path / "b", store).opens()
    assert there.priority == 20, "at the first look, not at the second"
    await there.following.look()
    assert not (there.folder / "gone.yml").exists(), "it was taken away while this server was down"


async def test_a_change_by_hand_that_is_later_is_left_alone(tmp_path: Path, store: Store) -> None:
    here, there = await Machine(tmp_path / "a", store).opens(), await Machine(tmp_path / "b", store).opens()
    await here.case.save("one.yml", LATER, by="noor")
    there.writes(RULE.replace("10", "30"), timedelta(hours=-1))
    await there.following.look()
    assert there.file.read_text() == RULE.replace("10", "30")


async def test_a_folder_that_can_not_be_written_is_said(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    here, there = await Machine(tmp_path / "a", store).opens(), await Machine(tmp_path / "b", store).opens()
    await here.case.save("one.yml", LATER, by="noor")
    monkeypatch.setattr("rules.following.write", refuse)
    assert await there.following.look() == 0
    assert "book.follow broke file=one.yml" in caplog.text
