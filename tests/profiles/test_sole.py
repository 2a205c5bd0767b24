"""One process of all does it; another takes over when that one closes, dies, or can not renew."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from profiles import sole
from profiles.indexes import INDEXES
from profiles.sole import LEASES, Sole, release
from profiles.store import Store, Unavailable
from tests.waiting import until


class Worker:
    """Counts who works at once."""

    def __init__(self) -> None:
        self.at_work: list[str] = []
        self.most = 0

    def of(self, store: Store, process: str) -> Sole:
        async def work() -> None:
            self.at_work.append(process)
            self.most = max(self.most, len(self.at_work))
            try:
                await asyncio.Event().wait()
            finally:
                self.at_work.remove(process)

        return Sole(store, "poll", work, process=process, renew_seconds=0.05)


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


async def test_of_three_processes_one_works_and_all_know_which(store: Store) -> None:
    worker = Worker()
    three = [worker.of(store, name) for name in "abc"]
    for one in three:
        await one.start()
    await until(lambda: worker.at_work)
    await until(lambda: len({one.holder for one in three}) == 1)
    assert worker.at_work == [three[0].holder]
    for one in three:
        await one.close()
    assert worker.most == 1


async def test_another_takes_over_when_the_holder_closes(store: Store) -> None:
    worker = Worker()
    first, second = worker.of(store, "a"), worker.of(store, "b")
    await first.start()
    await until(lambda: worker.at_work == ["a"])
    await second.start()
    await first.close()
    await until(lambda: worker.at_work == ["b"], within_seconds=5)
    await second.close()
    assert worker.most == 1 and worker.at_work == []
    assert await store.find(LEASES, {}) == []


async def test_what_a_dead_process_held_is_free_once_it_is_buried(store: Store) -> None:
    worker = Worker()
    await store.change(
        LEASES, {"_id": "poll"}, [{"$set": {"holder": "dead", "until": {"$add": ["$$NOW", 900_000]}}}], upsert=True
    )
    heir = worker.of(store, "b")
    await heir.start()
    await until(lambda: heir.holder == "dead")
    assert not heir.is_ours
    await release(store, "dead")
    await until(lambda: worker.at_work == ["b"], within_seconds=5)
    await heir.close()


async def test_a_lease_that_ran_out_is_taken(store: Store) -> None:
    worker = Worker()
    await store.change(
        LEASES, {"_id": "poll"}, [{"$set": {"holder": "dead", "until": {"$add": ["$$NOW", -1]}}}], upsert=True
    )
    heir = worker.of(store, "b")
    await heir.start()
    await until(lambda: worker.at_work == ["b"], within_seconds=5)
    await heir.close()


async def test_one_who_can_not_renew_stops_before_others_may_begin(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker()
    one = worker.of(store, "a")
    await one.start()
    await until(lambda: worker.at_work == ["a"])
    assert sole.STOP_AFTER_SECONDS < sole.HELD_SECONDS
    monkeypatch.setattr(sole, "STOP_AFTER_SECONDS", 0.2)

    async def silent(*_: object, **__: object) -> None:
        raise Unavailable("no database")

    monkeypatch.setattr(store, "change", silent)
    await until(lambda: worker.at_work == [], within_seconds=5)
    monkeypatch.undo()
    await until(lambda: worker.at_work == ["a"], within_seconds=5)
    await one.close()


async def test_work_that_breaks_is_begun_again(store: Store) -> None:
    begun: list[int] = []

    async def work() -> None:
        begun.append(1)
        raise RuntimeError("oops")

    one = Sole(store, "poll", work, process="a", renew_seconds=0.02)
    await one.start()
    await until(lambda: len(begun) >= 3)
    await one.close()


async def test_it_closes_while_its_work_takes_long_to_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ending, may_end = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ending.set()
            await may_end.wait()

    one = Sole(store, "poll", work, process="a", renew_seconds=0.02)
    await one.start()
    await until(lambda: one.is_ours)
    monkeypatch.setattr(sole, "STOP_AFTER_SECONDS", 0.0)
    await ending.wait()  # it lost the lease and waits for its work
    closing = asyncio.create_task(one.close())
    await asyncio.sleep(0)
    may_end.set()
    done, _ = await asyncio.wait([closing], timeout=2)
    assert done
