"""A patient work is nobody's wait: it travels with the next group, and alone only after a while."""

import asyncio

import pytest

from profiles.snapshot import Done
from profiles.store import Store, Unavailable
from profiles.writer import COMPANY_SECONDS, Writer
from tests.profiles.works import hears


async def test_it_joins_the_next_group(store: Store, writer: Writer) -> None:
    patient = asyncio.create_task(writer.commit(hears(1), patient=True))
    await asyncio.sleep(0)
    assert writer.tally.groups == 0
    await writer.commit(hears(2))
    assert isinstance(await patient, Done)
    assert (writer.tally.groups, writer.tally.works) == (1, 2)


async def test_alone_it_is_written_after_a_while(store: Store, writer: Writer) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    outcomes = await asyncio.gather(*(writer.commit(hears(n), patient=True) for n in range(3)))
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert loop.time() - began >= COMPANY_SECONDS * 0.9
    assert await store.count("messages", {}) == 3


async def test_one_that_comes_while_a_group_ends_is_written_too(store: Store, writer: Writer) -> None:
    """As the back door does: it hears of a commit and at once has something to note."""
    noted: list[asyncio.Task[object]] = []
    writer.listen(
        lambda _: (
            noted.append(asyncio.create_task(writer.commit(hears(len(noted) + 100), patient=True)))
            if len(noted) < 5
            else None
        )
    )
    await writer.commit(hears(1))
    while len(noted) < 5:
        await noted[-1]
    assert all(isinstance(outcome, Done) for outcome in await asyncio.gather(*noted))
    assert await store.count("messages", {}) == 6


async def test_close_waits_for_it_without_its_patience(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiles.writer.COMPANY_SECONDS", 30.0)
    task = asyncio.create_task(writer.commit(hears(1), patient=True))
    await asyncio.sleep(0)
    await writer.close()
    assert writer.tally.works == 1
    assert isinstance(await task, Done)


async def test_a_writer_that_is_cancelled_tells_it(store: Store, writer: Writer) -> None:
    first = asyncio.create_task(writer.commit(hears(1)))
    await asyncio.sleep(0)
    patient = asyncio.create_task(writer.commit(hears(2), patient=True))
    await asyncio.sleep(0)
    assert writer._flusher is not None
    writer._flusher.cancel()
    outcomes = await asyncio.gather(first, patient, return_exceptions=True)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
