"""Every commit is heard in order by all who want it, and a slow listener is cut off alone."""

import asyncio

import pytest

from profiles.live import LAG_LIMIT, Feed, Lagging
from profiles.snapshot import Changes
from profiles.timeline import Event
from tests.world import NOON


def change(number: int, profile: str = "P1") -> Changes:
    return Changes(events=(Event(str(number), profile, "x.y", NOON),))


def everything(changes: Changes) -> bool:
    return True


async def test_changes_are_heard_in_order() -> None:
    feed = Feed()
    with feed.listen(everything) as changes:
        feed.announce([change(1), change(2)])
        feed.announce([change(3)])
        heard = [(await anext(changes)).events[0].id for _ in range(3)]
    assert heard == ["1", "2", "3"]


async def test_only_what_is_wanted_is_heard() -> None:
    feed = Feed()
    with feed.listen(lambda changes: changes.events[0].profile == "P2") as changes:
        feed.announce([change(1), change(2, "P2"), change(3)])
        assert (await anext(changes)).events[0].id == "2"


async def test_nothing_is_heard_after_the_block() -> None:
    feed = Feed()
    with feed.listen(everything) as changes:
        pass
    feed.announce([change(1)])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(changes), 0.05)


async def test_a_slow_listener_reads_what_it_has_and_is_told_that_it_lags() -> None:
    feed = Feed()
    with feed.listen(everything) as slow, feed.listen(everything) as fast:
        for number in range(LAG_LIMIT + 5):
            feed.announce([change(number)])
            assert (await anext(fast)).events[0].id == str(number)
        for number in range(LAG_LIMIT):
            assert (await anext(slow)).events[0].id == str(number)
        with pytest.raises(Lagging):
            await anext(slow)


async def test_one_who_hands_on_hears_everything_until_they_stop() -> None:
    feed = Feed()
    heard: list[str] = []
    stop = feed.hear(lambda changes: heard.append(changes.events[0].id))
    feed.announce([change(number) for number in range(LAG_LIMIT * 2)])
    stop()
    feed.announce([change(-1)])
    assert heard == [str(number) for number in range(LAG_LIMIT * 2)]


async def test_a_listener_that_breaks_harms_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    def broken(changes: Changes) -> bool:
        raise RuntimeError("oops")

    feed = Feed()
    heard: list[str] = []
    feed.hear(lambda changes: heard.append(changes.events[0].id))
    with feed.listen(broken), feed.listen(everything) as changes:
        feed.announce([change(1)])
        assert (await anext(changes)).events[0].id == "1"
    assert heard == ["1"]
    assert "feed.listener broke" in caplog.text
