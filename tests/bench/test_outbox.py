"""The benchmarks of the outbox and of Telegram: every message of every way is sent once and recorded."""

import pytest

from bench import outbox, telegram


async def test_every_message_of_the_outbox_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "collect_seldom", lambda: None)  # for this process is a test
    found = await outbox.report(60, 1)
    assert found["nothing_lost"] is True
    assert min(found["ours_cpu_us"], found["control_cpu_us"]) > 0
    assert found["fast_enough"] == (found["cpu_ratio"] >= outbox.WANTED_RATIO)


async def test_every_message_to_telegram_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram, "collect_seldom", lambda: None)
    found = await telegram.report(40, 1)
    assert found["nothing_lost"] is True
    assert min(found["ours_cpu_us"], found["control_cpu_us"]) > 0
    assert found["cheap_enough"] == (found["ours_cpu_us"] <= telegram.WANTED_CPU_US)
