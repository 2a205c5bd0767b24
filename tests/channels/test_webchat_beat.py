"""The one clock of all sockets: whom it asks, whom it lets go, and that one who breaks does not stop it."""

import asyncio
from datetime import datetime

import pytest

from channels.webchat_beat import ASK_AFTER, GONE_AFTER, Beat, due
from profiles.calendar import utc_now


class Page:
    def __init__(self, *, breaks: bool = False) -> None:
        self.breaks, self.ticks = breaks, 0

    def tick(self, now: datetime) -> None:
        if self.breaks:
            raise RuntimeError("told to")
        self.ticks += 1


def test_a_silent_page_is_asked_once_and_let_go_when_it_does_not_answer() -> None:
    said = {silent: due(silent) for silent in range(GONE_AFTER + 2)}
    assert [silent for silent, what in said.items() if what == "ask"] == [ASK_AFTER]
    assert [silent for silent, what in said.items() if what == "gone"] == [GONE_AFTER, GONE_AFTER + 1]
    assert GONE_AFTER < 60, "a proxy closes after a minute"


def test_one_that_breaks_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    pages = [Page(), Page(breaks=True), Page()]
    assert Beat(lambda: pages, clock=utc_now).tick() == 3
    assert [page.ticks for page in pages] == [1, 0, 1]
    assert "webchat.beat broke error=RuntimeError" in caplog.text


async def test_it_ticks_while_somebody_listens_and_then_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.webchat_beat.TICK_SECONDS", 0.0)
    page = Page()
    pages = [page]
    beat, before = Beat(lambda: pages if page.ticks < 3 else [], clock=utc_now), asyncio.all_tasks()
    for _ in range(2):
        page.ticks = 0
        beat.start()
        beat.start()
        (only,) = asyncio.all_tasks() - before
        await asyncio.wait_for(only, 5)
        assert page.ticks == 3
