"""A plan may be written while the one before it waits for the disk."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pymongo.monitoring
import pytest

from profiles.store import Ahead, AlreadyThere, Plan, Stale, Store, Unavailable, Update
from tests.profiles.works import Commands
from tests.wire import by_road, road_to


class Commits(Commands):
    """Keeps the write concern of every commit that reaches the database."""

    def __init__(self) -> None:
        super().__init__()
        self.concerns: list[Any] = []

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        super().started(event)
        if event.command_name == "commitTransaction":
            self.concerns.append(dict(event.command["writeConcern"]))


@pytest.fixture(autouse=True)
def a_slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of the machine that runs this may be quick, and then nobody goes ahead."""
    monkeypatch.setattr("profiles.store_transactions.SLOW_DISK_SECONDS", 0.0)


def plan_of(version: int, *, language: str = "fr") -> Plan:
    plan = Plan()
    plan.insert("messages", {"_id": f"m{version}", "conversation": "c", "seq": version})
    plan.update("profiles", Update("P1", version, {"language": language}))
    return plan


def letting(go: Callable[[], None], *, wanted: bool = True) -> Ahead:
    return Ahead(lambda: wanted, go)


DURABLE = {"w": "majority", "j": True}


async def test_it_is_seen_then_others_go_then_it_is_on_disk(mongo_url: str, database_name: str) -> None:
    commits = Commits()
    store = Store(mongo_url, database_name, listeners=[commits])
    seen: list[list[Any]] = []
    await store.commit(plan_of(0), ahead=letting(lambda: seen.append(list(commits.concerns))))
    assert seen == [[{"w": 1}]], "told once, between the two"
    assert commits.concerns == [{"w": 1}, DURABLE]
    await store.close()


async def test_when_nobody_waits_it_is_one_commit_and_nobody_is_told(mongo_url: str, database_name: str) -> None:
    commits = Commits()
    store = Store(mongo_url, database_name, listeners=[commits])
    told: list[bool] = []
    await store.commit(plan_of(0), ahead=letting(lambda: told.append(True), wanted=False))
    await store.commit(plan_of(1))
    assert commits.concerns == [DURABLE, DURABLE]
    assert told == []
    await store.close()


async def test_the_next_builds_upon_one_that_waits_for_the_disk(store: Store) -> None:
    held, finish = threading.Event(), store._transactions._finish

    def slow(session: Any) -> None:
        held.wait(20)
        finish(session)

    store._transactions._finish = slow  # type: ignore[method-assign]
    gone = asyncio.Event()
    first = asyncio.create_task(store.commit(plan_of(0), ahead=letting(gone.set)))
    await asyncio.wait_for(gone.wait(), 10)
    store._transactions._finish = finish  # type: ignore[method-assign]
    await asyncio.wait_for(store.commit(plan_of(1, language="en")), 10)
    assert not first.done()
    held.set()
    await first
    assert await store.get("profiles", "P1") == {"_id": "P1", "language": "en", "version": 2}


@pytest.mark.parametrize("times", [3, 1_000])
async def test_a_lost_answer_of_the_disk_is_asked_for_again(
    mongo_url: str, database_name: str, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    if times > 3:
        monkeypatch.setattr("profiles.store_transactions.COMMIT_WITHIN_SECONDS", 0.2)
    port = int(mongo_url.split("@127.0.0.1:")[1].split("/")[0])
    async with road_to(port) as road:
        far = Store(by_road(mongo_url, road.port), database_name)
        await far.commit(plan_of(0))
        commit = far.commit(plan_of(1), ahead=letting(lambda: road.cut("commitTransaction", "after", times=times)))
        if times == 3:
            await commit
        else:
            with pytest.raises(Unavailable):
                await commit
        road.left = 0
        assert road.cuts >= (3 if times == 3 else 1)
        with pytest.raises(AlreadyThere):  # it was written, whoever heard of it
            await far.commit(plan_of(1))
        await far.close()


async def test_what_fails_lets_nobody_go(store: Store) -> None:
    told: list[bool] = []
    with pytest.raises(Stale):
        await store.commit(plan_of(7), ahead=letting(lambda: told.append(True)))
    assert told == []
    await store.commit(plan_of(0))


async def test_nobody_goes_ahead_of_a_quick_disk(
    mongo_url: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs a command more: only a disk, or a majority, that takes long is worth it."""
    monkeypatch.setattr("profiles.store_transactions.SLOW_DISK_SECONDS", 0.03)
    commits = Commits()
    store = Store(mongo_url, database_name, listeners=[commits])
    finish, takes = store._transactions._confirm, 0.0

    def timed(session: Any) -> None:
        finish(session)
        threading.Event().wait(takes)

    store._transactions._confirm = timed  # type: ignore[method-assign]
    store._transactions._disk_seconds = 0.0
    await store.commit(plan_of(0), ahead=letting(lambda: None))
    assert commits.concerns == [DURABLE]
    takes = 0.5
    await store.commit(plan_of(1), ahead=letting(lambda: None))  # now it is known to be slow
    await store.commit(plan_of(2), ahead=letting(lambda: None))
    assert commits.concerns == [DURABLE, DURABLE, {"w": 1}, DURABLE]
    await store.close()
