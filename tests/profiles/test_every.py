"""Looking again and again: through failures, until it is told to stop."""

import asyncio
import logging

import pytest

from profiles.every import Every
from profiles.store import Unavailable
from tests.waiting import until


class Watch:
    """Counts its looks; the first ones go wrong as the test wants."""

    def __init__(self, *wrong: Exception) -> None:
        self.looks, self._wrong = 0, list(wrong)

    async def look(self) -> None:
        self.looks += 1
        if self._wrong:
            raise self._wrong.pop(0)


async def test_it_goes_on_after_an_absent_database_and_after_a_mistake(caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch(Unavailable("away"), KeyError("a bug"))
    every = Every(0.001, watch.look, name="watch")
    await every.start()
    await until(lambda: watch.looks > 4)
    await every.close()
    levels = [record.levelno for record in caplog.records if record.name == "profiles.every"]
    assert levels == [logging.WARNING, logging.ERROR]


async def test_who_hurries_it_is_looked_for_at_once_also_in_the_middle_of_a_look() -> None:
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks < 3:
            every.hurry()

    every = Every(1000, look, name="hurried")
    await every.start()
    await until(lambda: looks == 3)
    every.hurry()
    await until(lambda: looks == 4)
    await every.close()


async def test_it_stops_in_the_middle_of_a_look_and_may_be_stopped_twice() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def look() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    every = Every(1000, look, name="long")
    await every.start()
    await begun.wait()
    await every.close()
    await every.close()
    assert ended.is_set()


async def test_what_never_began_may_be_closed() -> None:
    watch = Watch()
    await Every(1, watch.look, name="idle").close()
    assert watch.looks == 0
