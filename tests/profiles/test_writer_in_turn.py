"""A group leaves before anybody is told of the last one, and of many who are about two groups take turns."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from profiles.snapshot import Changes, Done, Outcome
from profiles.store import Ahead, Plan, Store
from profiles.writer import HALF_GROUP, Writer
from tests.profiles.works import hears
from tests.waiting import until

MANY = 3 * HALF_GROUP


class Leaving:
    """Notes how many leave with each group, and when listeners are told; holds each group back until it is let go."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self.seen: list[str] = []
        self.sizes: list[int] = []
        self.may_land = asyncio.Semaphore(0)
        self._commit = store.commit
        writer.listen(self._told)

    async def commit(self, plan: Plan, *, ahead: Ahead | None = None) -> None:
        self.seen.append("leaves")
        self.sizes.append(len(plan.inserts["messages"]))
        await self.may_land.acquire()
        await self._commit(plan)

    def _told(self, changes: list[Changes]) -> None:
        self.seen.append("told")

    def let(self, groups: int) -> None:
        for _ in range(groups):
            self.may_land.release()


@pytest.fixture
def leaving(store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Leaving]:
    leaving = Leaving(store, writer)
    monkeypatch.setattr(store, "commit", leaving.commit)
    yield leaving
    leaving.let(MANY)  # of a test that failed nobody is left behind, for whom the writer would wait for ever


def offer(writer: Writer, *people: int) -> "list[asyncio.Task[Outcome]]":
    return [asyncio.create_task(writer.commit(hears(1, person=str(one)))) for one in people]


async def thought(writer: Writer, works: int) -> None:
    """Return when so many are aboard and have thought, and can only wait for those who left before."""
    await until(lambda: len(writer._aboard) == works and writer._is_idle)


async def test_the_next_group_leaves_before_anybody_is_told_of_the_last(
    writer: Writer, leaving: Leaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("profiles.writer.SMALL_GROUP", 1)  # nobody waits for company
    tasks = offer(writer, 1)
    await until(lambda: leaving.seen == ["leaves"])
    tasks += offer(writer, 2)
    await thought(writer, 1)
    leaving.let(2)
    assert all(isinstance(outcome, Done) for outcome in await asyncio.gather(*tasks))
    assert leaving.seen == ["leaves", "leaves", "told", "told"]


@pytest.mark.parametrize(
    ("writing", "sizes"), [(1.0, [1, MANY // 2 + 1, MANY // 2 - 1]), (0.0, [1, MANY])], ids=["slow", "quick"]
)
async def test_where_writing_takes_long_many_leave_in_two_groups(
    writer: Writer, leaving: Leaving, writing: float, sizes: list[int]
) -> None:
    writer._writing, writer._thinking = writing, 0.1
    tasks = offer(writer, 0)
    await until(lambda: leaving.sizes == [1])
    tasks += offer(writer, *range(1, MANY + 1))
    await thought(writer, sizes[1])
    leaving.let(3)
    assert all(isinstance(outcome, Done) for outcome in await asyncio.gather(*tasks))
    assert leaving.sizes == sizes


async def test_few_are_not_parted(writer: Writer, leaving: Leaving) -> None:
    writer._writing = 1.0
    tasks = offer(writer, 0)
    await until(lambda: leaving.sizes == [1])
    tasks += offer(writer, *range(1, 2 * HALF_GROUP - 2))
    await thought(writer, 2 * HALF_GROUP - 3)
    leaving.let(2)
    await asyncio.gather(*tasks)
    assert leaving.sizes == [1, 2 * HALF_GROUP - 3]


async def test_close_returns_when_the_last_have_been_told(
    writer: Writer, leaving: Leaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_tell = asyncio.Event()
    monkeypatch.setattr("profiles.committing._the_next_leaves", may_tell.wait)
    tasks: list[asyncio.Task[Any]] = [*offer(writer, 1)]
    await until(lambda: leaving.seen == ["leaves"])
    leaving.let(1)
    closing = asyncio.create_task(writer.close())
    await until(lambda: writer._flusher is not None and writer._flusher.done())
    assert not closing.done()
    may_tell.set()
    await closing
    assert leaving.seen == ["leaves", "told"]
    assert isinstance(await tasks[0], Done)


async def test_once_the_writer_closes_nobody_is_patient(
    writer: Writer, leaving: Leaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the back door's last notes are, which come while those before them are still on their way."""
    monkeypatch.setattr("profiles.writer.COMPANY_SECONDS", 30.0)
    tasks = offer(writer, 1)
    await until(lambda: leaving.seen == ["leaves"])
    closing = asyncio.create_task(writer.close())
    await asyncio.sleep(0)
    tasks.append(asyncio.create_task(writer.commit(hears(1, person="2"), patient=True)))
    await asyncio.sleep(0)
    leaving.let(2)
    await closing
    assert writer.tally.works == 2
    assert all(isinstance(outcome, Done) for outcome in await asyncio.gather(*tasks))
