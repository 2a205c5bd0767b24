"""Which goals a run of the inbound benchmark misses: by name, with the figure; and a page of results that repeats it."""

from datetime import UTC, datetime

import pytest

from bench.goals import missed
from bench.results import Ran, as_page

MET = {
    "levels": [
        {"clients": 1, "ratio": 1.5},
        {"clients": 16, "ratio": 4.0, "p99_ms": 60.0},
        {"clients": 128, "ratio": 15.0, "p99_ms": 150.0, "cpu_ratio": 20.0, "commands_per_message": 0.1, "app_us": 250},
    ],
    "bot": [{"clients": 128, "ratio": 6.0, "cpu_ratio": 8.0}],
    "start_seconds": 3.0, "rss_idle_mb": 120.0, "bot_turn_us": 600,
}  # fmt: skip


def test_what_reaches_every_goal_misses_none() -> None:
    assert missed(MET) == []


@pytest.mark.parametrize(
    ("part", "place", "figure", "value", "told"),
    [
        ("levels", 0, "ratio", 1.49, "agent 1 clients: ratio 1.49 (goal 1.5)"),
        ("levels", 2, "ratio", 9.79, "agent 128 clients: ratio 9.79 (goal 15)"),
        ("levels", 2, "commands_per_message", 0.11, "agent 128 clients: commands_per_message 0.11 (goal 0.1)"),
        ("bot", 0, "cpu_ratio", 7.9, "bot 128 clients: cpu_ratio 7.9 (goal 8)"),
    ],
)
def test_a_goal_that_is_missed_is_named_with_its_figure(
    part: str, place: int, figure: str, value: float, told: str
) -> None:
    levels = [dict(level) for level in MET[part]]  # type: ignore[attr-defined]
    levels[place][figure] = value
    assert missed({**MET, part: levels}) == [told]


def test_what_was_not_measured_is_not_missed() -> None:
    assert missed({"levels": [{"clients": 8, "ratio": 1.0}], "bot": [], "rss_idle_mb": 121.0}) == [
        "rss_idle_mb 121.0 (goal 120)"
    ]


def test_a_run_that_lost_nothing_and_missed_a_goal_was_not_as_claimed() -> None:
    ran = Ran("inbound", (), 0, 1.0, 0.5, {"nothing_lost": True, "goals_met": False, "missed": "ratio 9 (goal 15)"})
    page = as_page([ran], at=datetime(2026, 11, 22, tzinfo=UTC))
    assert "| `inbound` | **no** | nothing_lost yes, goals_met **no**, missed ratio 9 (goal 15) |" in page
    assert not ran.is_as_claimed
