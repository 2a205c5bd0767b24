"""The soak: a server under visitors for some seconds, and a verdict that sees each kind of leak."""

from dataclasses import replace

import pytest

from bench import soak
from bench.soak import Look, slope_per_hour, verdict

STEADY = [Look(minute, 120.0, 40, 0.5, 0, 100) for minute in range(0, 61, 2)]


async def test_visitors_come_and_go_and_the_server_stays_as_it_was() -> None:
    found = await soak.report(0.05)
    assert found["messages"] >= soak.TALKING
    assert found["sockets_left"] == 0
    assert found["sockets_end"] and found["files_are_level"] and found["queue_moves"]
    assert "memory_is_level" not in found  # three seconds tell nothing


def test_a_steady_hour_keeps_every_promise() -> None:
    found = verdict(STEADY)
    promises = {name: it for name, it in found.items() if isinstance(it, bool)}
    assert promises == {"memory_is_level": True, "files_are_level": True, "queue_moves": True, "sockets_end": True}


@pytest.mark.parametrize(
    ("promise", "leak"),
    [
        ("memory_is_level", lambda look: replace(look, resident_mb=120 + look.minute)),
        ("files_are_level", lambda look: replace(look, files=40 + int(look.minute))),
        ("queue_moves", lambda look: replace(look, queue_age_seconds=look.minute)),
        ("sockets_end", lambda look: replace(look, sockets=int(look.minute > 50))),
    ],
)
def test_each_leak_is_seen(promise: str, leak: object) -> None:
    found = verdict([leak(look) for look in STEADY])  # type: ignore[operator]
    assert [name for name, it in found.items() if it is False] == [promise]


def test_the_slope_is_that_of_the_line() -> None:
    looks = [replace(STEADY[0], minute=minute, resident_mb=100 + minute / 2) for minute in (0.0, 10.0, 20.0)]
    assert slope_per_hour(looks) == pytest.approx(30)
