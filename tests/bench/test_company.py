"""The second process hears of every message in what it has open, by either way, and the writer counts honestly."""

from typing import Any

import pytest

from bench import company
from bench.company import WAYS, report


async def test_a_short_run_hears_all_and_stays_within_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company, "CLIENTS", 32)
    figures: dict[str, Any] = await report(seconds=0.5, rounds=1)
    assert figures["all_heard"]
    assert all(figures[way]["a_second"] > 0 and figures[way]["commands"] > 0 for way in WAYS)
    assert figures["alone"]["listener_us"] == 0
    assert figures["bulletins"]["commands"] > figures["alone"]["commands"], "bulletins are not free"
