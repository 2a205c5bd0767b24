"""The engine's look at its schedules, as the server stops."""

import asyncio
import logging
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from profiles.calendar import utc_now
from profiles.store import Store
from rules.occurrences import Occurrences


async def test_a_look_under_way_is_ended_not_cut_off(
    mongo_url: str, database_name: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(mongo_url, database_name)
    occurrences = Occurrences(store, cast(Any, None), process="P1", zone=ZoneInfo("Europe/Paris"), clock=utc_now)
    began, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def plan() -> int:
        began.set()
        await may_end.wait()
        ended.set()
        return 0

    monkeypatch.setattr(occurrences, "plan", plan)
    monkeypatch.setattr(occurrences, "walk", lambda: asyncio.sleep(0))
    await occurrences.start()
    await began.wait()
    closing = asyncio.create_task(occurrences.close())
    await asyncio.sleep(0)
    may_end.set()
    await closing
    await store.close()
    assert ended.is_set()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
