"""What the inbound figures are to reach, and which did not. Told, never an exit code: that one is about what was lost."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

AT_MOST = ("p99_ms", "commands_per_message", "app_us", "start_seconds", "rss_idle_mb", "bot_turn_us")
"""Figures that are to be small; all others are to be large."""
BY_LEVEL: Mapping[tuple[str, int], Mapping[str, float]] = {
    ("levels", 1): {"ratio": 1.5},
    ("levels", 16): {"ratio": 4, "p99_ms": 60},
    ("levels", 128): {"ratio": 15, "p99_ms": 150, "cpu_ratio": 20, "commands_per_message": 0.1, "app_us": 250},
    ("bot", 128): {"ratio": 6, "cpu_ratio": 8},
}
"""(whose conversations, clients) -> what is asked of the figures at so many."""
ALONE = {"start_seconds": 3, "rss_idle_mb": 120, "bot_turn_us": 600}


def missed(figures: Mapping[str, Any]) -> list[str]:
    """Return the goals that these figures miss, a phrase each; what was not measured is not missed."""
    found = list(_short("", figures, ALONE))
    for (part, clients), goals in BY_LEVEL.items():
        levels: Sequence[Mapping[str, Any]] = figures.get(part, ())
        whose = "agent" if part == "levels" else part
        for level in levels:
            if level["clients"] == clients:
                found += _short(f"{whose} {clients} clients: ", level, goals)
    return found


def _short(where: str, figures: Mapping[str, Any], goals: Mapping[str, float]) -> Iterator[str]:
    for name, goal in goals.items():
        value = figures.get(name)
        if value is None:
            continue
        if value > goal if name in AT_MOST else value < goal:
            yield f"{where}{name} {value} (goal {goal:g})"
