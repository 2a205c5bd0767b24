"""The end of tasks that run for as long as something else does."""

import asyncio

import pytest

from profiles.tasks import end


async def test_all_have_ended_when_it_returns() -> None:
    done: list[str] = []

    async def work(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            done.append(name)

    tasks = [asyncio.create_task(work(name)) for name in ("first", "second")]
    await asyncio.sleep(0)
    await end(*tasks)
    assert sorted(done) == ["first", "second"]
    await end()


async def test_what_one_broke_on_is_told_once_all_have_ended() -> None:
    async def breaks() -> None:
        raise LookupError("gone")

    broken, lasting = asyncio.create_task(breaks()), asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    with pytest.raises(LookupError, match="gone"):
        await end(broken, lasting)
    assert lasting.cancelled()


async def test_who_waits_for_the_end_can_be_stopped_too() -> None:
    may_end = asyncio.Event()

    async def is_slow_to_go() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await may_end.wait()

    slow = asyncio.create_task(is_slow_to_go())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(end(slow))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting], timeout=5)
    may_end.set()
    assert waiting.cancelled()
    with pytest.raises(asyncio.CancelledError):
        await slow
