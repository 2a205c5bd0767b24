"""The benchmark of events: both ways keep all that they answer, and the figures say what was measured."""

from pathlib import Path

import pytest

from bench import events


async def test_both_ways_are_measured_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "collect_seldom", lambda: None)  # for this process is a test
    monkeypatch.setattr(events, "switch_soon", lambda: None)
    found = await events.figures([50], rounds=1, seconds=0.2)
    (level,) = found["levels"]
    assert level["profiles"] == 50
    assert level["ours"] > 0 and level["control"] > 0
    assert found["nothing_lost"] is True
    assert found["cost_of_many_to_few"] == 1.0
