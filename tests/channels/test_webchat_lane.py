"""A lane: all that is taken is done in order, by a task that is gone when there is nothing to do."""

import asyncio

from channels.webchat_lane import Lane


class Work:
    """Does things when it is let to, one at a time."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.go = asyncio.Event()

    async def do(self, thing: int) -> None:
        await self.go.wait()
        self.done.append(thing)


async def test_what_is_put_is_done_in_order_and_then_no_task_is_left() -> None:
    work, before = Work(), asyncio.all_tasks()
    work.go.set()
    lane = Lane(work.do, 9)
    for turn in (range(3), range(3, 5)):
        assert all([lane.put(number) for number in turn])
        await asyncio.wait(asyncio.all_tasks() - before)
    assert work.done == [0, 1, 2, 3, 4]
    assert asyncio.all_tasks() == before


async def test_a_full_lane_takes_nothing_until_there_is_room() -> None:
    work = Work()
    lane = Lane(work.do, 2)
    assert [lane.put(number) for number in range(3)] == [True, True, False]
    await asyncio.wait_for(lane.room(), 5)  # the first is in hand, so one may come
    assert [lane.put(2), lane.put(3)] == [True, False]
    work.go.set()
    await lane.finish(within_seconds=5)
    assert work.done == [0, 1, 2]
    assert not lane.put(4)


async def test_what_is_not_done_in_time_is_dropped() -> None:
    work = Work()
    lane = Lane(work.do, 9)
    lane.put(1)
    await lane.finish(within_seconds=0.01)
    work.go.set()
    await asyncio.sleep(0)
    assert (work.done, lane.has_ended) == ([], True)


async def test_whoever_waits_for_room_is_let_go_when_the_lane_ends() -> None:
    work = Work()
    lane = Lane(work.do, 1)
    lane.put(0)
    await asyncio.sleep(0)
    lane.put(1)
    waiting = asyncio.create_task(lane.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    lane.end()
    await asyncio.wait_for(waiting, 5)
    assert not lane.put(2)


async def test_one_that_ends_the_lane_comes_to_its_own_end() -> None:
    done = []

    async def do(thing: int) -> None:
        lane.end()
        await asyncio.sleep(0)
        done.append(thing)

    lane = Lane(do, 9)
    before = asyncio.all_tasks()
    lane.put(1)
    lane.put(2)
    await asyncio.wait(asyncio.all_tasks() - before)
    assert done == [1]
