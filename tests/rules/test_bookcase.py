"""The folder is watched: a valid file swaps in whole, an invalid one leaves what was there, also over a restart."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.store import Store
from rules.book import Book, Surroundings
from rules.bookcase import Bookcase, read_ahead

RULE = "rule: one\nstate: draft\nwhen: {event: a.b}\npriority: 10\nsteps:\n  - wait: 1h\n"


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


def write(folder: Path, text: str, name: str = "one.yml", *, old: bool = True) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    if old:  # settled: nobody is writing it any more
        stat = (folder / name).stat()
        os.utime(folder / name, ns=(stat.st_atime_ns, stat.st_mtime_ns - 10**9))


async def opened(folder: Path, store: Store | None = None) -> Bookcase:
    case = Bookcase(folder, store, Surroundings(), clock=utc_now)
    await case.open()
    return case


async def test_a_changed_file_swaps_in_and_listeners_are_told(tmp_path: Path) -> None:
    write(tmp_path, RULE)
    case = await opened(tmp_path)
    told: list[Book] = []
    case.listen(told.append)
    await case.look()
    assert told == []
    write(tmp_path, RULE.replace("10", "20"))
    await case.look()
    assert [book.rules["one"].priority for book in told] == [20]


async def test_an_invalid_file_leaves_the_version_that_was_live_and_shows_its_mistakes(tmp_path: Path) -> None:
    write(tmp_path, RULE)
    write(tmp_path, RULE.replace("one", "two"), "two.yml")
    case = await opened(tmp_path)
    write(tmp_path, RULE.replace("10", "ten"))
    write(tmp_path, RULE.replace("one", "two").replace("10", "30"), "two.yml")
    await case.look()
    assert (case.book.rules["one"].priority, case.book.rules["two"].priority) == (10, 30)
    assert [str(mistake.at) for mistake in case.book.mistakes] == ["one.yml:4:11"]
    write(tmp_path, RULE.replace("10", "40"))
    await case.look()
    assert case.book.rules["one"].priority == 40 and case.book.mistakes == ()


async def test_a_file_that_is_still_being_written_waits_for_the_next_look(tmp_path: Path) -> None:
    write(tmp_path, RULE)
    case = await opened(tmp_path)
    write(tmp_path, RULE.replace("10", "20"), old=False)
    await case.look()
    assert case.book.rules["one"].priority == 10
    write(tmp_path, RULE.replace("10", "20"))
    await case.look()
    assert case.book.rules["one"].priority == 20


async def test_a_file_that_was_taken_away_takes_its_rule_with_it(tmp_path: Path) -> None:
    write(tmp_path, RULE)
    case = await opened(tmp_path)
    (tmp_path / "one.yml").unlink()
    await case.look()
    assert case.book.rules == {}


async def test_bytes_that_are_no_text_leave_the_version_that_was_live(tmp_path: Path) -> None:
    write(tmp_path, RULE)
    case = await opened(tmp_path)
    (tmp_path / "one.yml").write_bytes(b"\xff\xfe\x00")
    await case.look(at_once=True)
    assert list(case.book.rules) == ["one"]
    assert [str(mistake) for mistake in case.book.mistakes] == [
        "one.yml:1:1: expected a text in UTF-8, got other bytes. Hint: save it as UTF-8"
    ]


async def test_a_copy_that_keeps_the_rules_name_takes_nothing_over(tmp_path: Path) -> None:
    write(tmp_path, RULE)
    case = await opened(tmp_path)
    for book in (case, await opened(tmp_path)):  # while it serves, and after a restart
        write(tmp_path, RULE.replace("10", "99"), "one - copy.yml")
        await book.look(at_once=True)
        assert book.book.rules["one"].priority == 10 and book.book.files["one"] == "one.yml"
        assert [str(mistake) for mistake in book.book.mistakes] == [
            'one - copy.yml:1:1: rule: expected each rule once, got "one", which one.yml has. Hint: give this one another name'
        ]


async def test_a_restart_with_a_broken_file_keeps_the_last_good_version(tmp_path: Path, store: Store) -> None:
    write(tmp_path, RULE)
    await opened(tmp_path, store)
    write(tmp_path, "rule: one\nnonsense\n")
    again = await opened(tmp_path, store)
    assert again.book.rules["one"].priority == 10
    assert [mistake.at.file for mistake in again.book.mistakes] == ["one.yml"]


async def test_the_last_good_version_is_the_one_used_last_not_the_one_made_last(tmp_path: Path, store: Store) -> None:
    for priority in ("10", "20", "10"):
        write(tmp_path, RULE.replace("10", priority))
        await opened(tmp_path, store)
    write(tmp_path, "nonsense\n")
    assert (await opened(tmp_path, store)).book.rules["one"].priority == 10


async def test_a_run_finds_the_version_it_began_with_also_after_a_restart(tmp_path: Path, store: Store) -> None:
    write(tmp_path, RULE)
    first = (await opened(tmp_path, store)).book.rules["one"]
    write(tmp_path, RULE.replace("1h", "2h"))
    case = await opened(tmp_path, store)
    assert case.book.rules["one"].version != first.version
    found = case.at("one", first.version)
    assert found is not None and (found.version, found.steps) == (first.version, first.steps)
    assert case.at("one", "nobody") is None
    assert [version.version for version in await case.versions("one")] == [
        case.book.rules["one"].version,
        first.version,
    ]


async def test_what_is_saved_is_used_at_once_and_whose_hand_it_was_is_known(tmp_path: Path, store: Store) -> None:
    write(tmp_path, RULE)
    case = await opened(tmp_path, store)
    assert await case.save("one.yml", RULE.replace("10", "50"), by="agent:anna") == ()
    assert case.book.rules["one"].priority == 50
    assert (tmp_path / "one.yml").read_text(encoding="utf-8") == RULE.replace("10", "50")
    assert [version.by for version in await case.versions("one")] == ["agent:anna", "file"]


async def test_what_is_wrong_is_not_saved(tmp_path: Path) -> None:
    write(tmp_path, RULE)
    case = await opened(tmp_path)
    assert [str(mistake.at) for mistake in await case.save("one.yml", RULE.replace("10", "x"), by="agent:anna")] == [
        "one.yml:4:11"
    ]
    assert (tmp_path / "one.yml").read_text(encoding="utf-8") == RULE


@pytest.mark.parametrize("name", ["../one.yml", "/etc/one.yml", "one.txt", ".one.yml", ""])
async def test_nothing_is_saved_outside_the_book(tmp_path: Path, name: str) -> None:
    case = await opened(tmp_path)
    assert len(await case.save(name, RULE, by="agent:anna")) == 1
    assert list(tmp_path.iterdir()) == []


async def test_a_book_that_was_read_ahead_is_used_as_it_is_unless_its_files_changed_since(tmp_path: Path) -> None:
    write(tmp_path, RULE)
    ahead = read_ahead(tmp_path, Surroundings())
    assert ahead
    same = Bookcase(tmp_path, None, Surroundings(), clock=utc_now, ahead=ahead)
    assert (await same.open()) is not ahead.book and same.book.rules is ahead.book.rules
    write(tmp_path, RULE.replace("10", "20"))
    changed = Bookcase(tmp_path, None, Surroundings(), clock=utc_now, ahead=ahead)
    assert (await changed.open()).rules["one"].priority == 20


async def test_a_broken_file_that_was_read_ahead_goes_on_with_its_last_good_text(tmp_path: Path, store: Store) -> None:
    write(tmp_path, RULE)
    await opened(tmp_path, store)
    write(tmp_path, RULE.replace("10", "ten"))
    ahead = read_ahead(tmp_path, Surroundings())
    assert ahead and ahead.book.rules == {}
    case = Bookcase(tmp_path, store, Surroundings(), clock=utc_now, ahead=ahead)
    assert (await case.open()).rules["one"].priority == 10


def test_a_folder_that_can_not_be_read_ahead_is_left_to_the_bookcase(tmp_path: Path) -> None:
    assert read_ahead(tmp_path / "nowhere", Surroundings()) is None
    (tmp_path / "one.yml").write_bytes(b"\xff")
    assert read_ahead(tmp_path, Surroundings()) is None
