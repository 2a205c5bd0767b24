"""A large group is written while the one before it waits for the disk: nobody hears of what may still be lost."""

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from profiles.snapshot import Changes, Done, Duplicate, Outcome, Refusal, Work
from profiles.store import Interrupted, Store, Unavailable, Unstorable
from profiles.writer import Writer
from tests.profiles.works import counts, gives, hears
from tests.waiting import until


class Disk:
    """Holds back each confirmation by the disk until it is let through, or made to fail once the disk had it."""

    def __init__(self, store: Store) -> None:
        self.asked = self.over = 0
        self.before_failing: Callable[[], None] = lambda: None
        self.failing: dict[int, Exception] = {}
        self._turns: dict[int, threading.Event] = {}
        self._finish, self._write, self._open = store._transactions._finish, store._transactions._write, False
        self.may_commit = threading.Event()

    def write(self, plan: Any, session: Any) -> None:
        self._write(plan, session)
        self.may_commit.wait(20)

    def finish(self, session: Any) -> None:
        self.asked += 1
        number, turn = self.asked, self._turns.setdefault(self.asked, threading.Event())
        while not (self._open or turn.wait(0.01)):
            pass
        self._finish(session)
        self.over += 1
        if number in self.failing:
            self.before_failing()
            raise self.failing[number]

    def let(self, number: int) -> None:
        self._turns.setdefault(number, threading.Event()).set()

    def open(self) -> None:
        self._open = True


@pytest.fixture
def disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    monkeypatch.setattr("profiles.writer.SMALL_GROUP", 2)
    monkeypatch.setattr("profiles.store_transactions.SLOW_DISK_SECONDS", 0.0)
    disk = Disk(store)
    monkeypatch.setattr(store._transactions, "_finish", disk.finish)
    monkeypatch.setattr(store._transactions, "_write", disk.write)
    yield disk
    disk.open()


async def overtaken(writer: Writer, disk: Disk, *later: Work) -> "tuple[list[asyncio.Task[Outcome]], ...]":
    """Return those of a first group, written but not on disk, and those of a second that has been written upon it."""
    first = [asyncio.create_task(writer.commit(work)) for work in (hears(1), hears(2))]
    await until(lambda: writer._flight is not None)
    second = [asyncio.create_task(writer.commit(work)) for work in later]
    await until(writer._is_busy)
    disk.may_commit.set()
    await until(lambda: disk.asked == 2)
    return first, second


async def test_the_next_group_is_written_while_one_waits_for_the_disk(store: Store, writer: Writer, disk: Disk) -> None:
    first, second = await overtaken(writer, disk, hears(3), hears(4))
    assert not any(task.done() for task in first + second)
    disk.open()
    outcomes = await asyncio.gather(*first, *second)
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert [m["seq"] for m in await store.find("messages", {}, sort=[("seq", 1)])] == [1, 2, 3, 4]
    assert writer.tally.conflicts == 0


async def test_nobody_is_told_before_the_group_that_theirs_rests_on(store: Store, writer: Writer, disk: Disk) -> None:
    """A duplicate of what waits for the disk, and a refusal, are answers too."""
    first, second = await overtaken(writer, disk, hears(1), gives(Refusal("no")), hears(3))
    heard: list[int] = []
    writer.listen(lambda changes: heard.append(len(changes)))
    disk.let(2)
    await until(lambda: disk.over == 1)
    assert not any(task.done() for task in first + second)
    disk.let(1)
    assert [type(outcome) for outcome in await asyncio.gather(*first)] == [Done, Done]
    disk.open()
    assert await asyncio.gather(*second[:2]) == [Duplicate("telegram:42/1"), Refusal("no")]
    assert isinstance(await second[2], Done)
    assert heard == [2, 1]


async def test_when_one_is_not_confirmed_nobody_who_rests_on_it_is_answered_done(
    store: Store, writer: Writer, disk: Disk
) -> None:
    disk.failing[1] = Unavailable("gone")
    first, second = await overtaken(writer, disk, hears(3), hears(4))
    third = asyncio.create_task(writer.commit(hears(5)))
    disk.open()
    outcomes = await asyncio.gather(*first, *second, return_exceptions=True)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert isinstance(await third, Done)  # thought anew, upon what is really there
    again = await asyncio.gather(*(writer.commit(hears(number)) for number in (1, 2, 3, 4)))
    assert all(isinstance(outcome, Duplicate) for outcome in again)  # the disk had them: only nobody knew
    assert [m["seq"] for m in await store.find("messages", {}, sort=[("seq", 1)])] == [1, 2, 3, 4, 5]


async def test_who_was_cut_off_from_a_mistake_waits_for_the_group_before_as_well(writer: Writer, disk: Disk) -> None:
    disk.failing[1] = Unavailable("gone")
    first, second = await overtaken(writer, disk, hears(3, text="\ud800"), hears(4))
    disk.open()
    outcomes = await asyncio.gather(*first, *second, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable, Unstorable, Unavailable]


async def test_what_was_rolled_back_is_written_again_or_asked_for_again(
    store: Store, writer: Writer, disk: Disk
) -> None:
    """As after a failover: what had been seen is gone, and so is what was written upon it."""
    disk.failing[1] = Interrupted("stepped down")

    def roll_back() -> None:
        for collection in ("messages", "profiles", "conversations", "identities", "words"):
            store._client[store.name][collection].delete_many({})

    first, second = await overtaken(writer, disk, hears(3), hears(4))
    disk.let(2)
    await until(lambda: disk.over == 1)
    disk.before_failing = roll_back
    disk.open()
    assert all(isinstance(outcome, Done) for outcome in await asyncio.gather(*first))
    refused = await asyncio.gather(*second, return_exceptions=True)
    assert all(isinstance(outcome, Unavailable) for outcome in refused)
    assert all(isinstance(outcome, Done) for outcome in await asyncio.gather(*map(writer.commit, (hears(3), hears(4)))))
    assert [m["seq"] for m in await store.find("messages", {}, sort=[("seq", 1)])] == [1, 2, 3, 4]


async def test_a_small_group_does_not_overtake(store: Store, writer: Writer, disk: Disk) -> None:
    """It would cost its commands for few; those who come while the disk is waited for leave together."""
    first = [asyncio.create_task(writer.commit(work)) for work in (hears(1), hears(2))]
    await until(lambda: writer._flight is not None)
    lone = asyncio.create_task(writer.commit(hears(3)))
    await until(lambda: writer._aboard)
    disk.may_commit.set()
    await until(lambda: disk.asked == 1)
    assert writer._older is None
    disk.open()
    await asyncio.gather(*first, lone)
    assert writer.tally.groups == 2


async def test_whatever_the_disk_does_what_was_answered_is_there_once(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Confirmations that fail at random, everybody repeating what was not answered, as providers do."""
    monkeypatch.setattr("profiles.writer.SMALL_GROUP", 2)
    monkeypatch.setattr("profiles.store_transactions.SLOW_DISK_SECONDS", 0.0)
    monkeypatch.setattr("profiles.writer.LARGEST_GROUP", 8)
    finish, chance = store._transactions._finish, random.Random(7)
    failed = 0

    def unsteady(session: Any) -> None:
        nonlocal failed
        finish(session)
        if chance.random() < 0.2:
            failed += 1
            raise Unavailable("gone") if chance.random() < 0.5 else Interrupted("stepped down")

    store._transactions._finish = unsteady  # type: ignore[method-assign]

    async def until_heard(number: int) -> None:
        while True:
            try:
                assert isinstance(await writer.commit(hears(number, person=str(number % 5))), Done | Duplicate)
                return
            except Unavailable:
                continue

    await asyncio.gather(*(until_heard(number) for number in range(300)))
    assert failed > 5
    for person in range(5):
        messages = await store.find("messages", {"conversation": f"telegram:{person}"}, sort=[("seq", 1)])
        assert [message["seq"] for message in messages] == list(range(1, 61))
        profile = await store.get("profiles", f"P{person}")
        assert profile is not None and profile["attributes"]["count"]["value"] == 60


async def test_counts_without_a_key_are_never_counted_twice(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has no natural key is never written again by itself when it may be on disk already."""
    monkeypatch.setattr("profiles.writer.SMALL_GROUP", 2)
    monkeypatch.setattr("profiles.store_transactions.SLOW_DISK_SECONDS", 0.0)
    monkeypatch.setattr("profiles.writer.LARGEST_GROUP", 4)
    finish, chance = store._transactions._finish, random.Random(3)

    def unsteady(session: Any) -> None:
        finish(session)
        if chance.random() < 0.3:
            raise Unavailable("gone")

    await writer.commit(gives(Changes()))
    store._transactions._finish = unsteady  # type: ignore[method-assign]
    outcomes = await asyncio.gather(*(writer.commit(counts("P1")) for _ in range(80)), return_exceptions=True)
    done = sum(isinstance(outcome, Done) for outcome in outcomes)
    assert 0 < done < 80
    document = await store.get("profiles", "P1")
    assert document is not None and done <= document["attributes"]["count"]["value"] <= 80
