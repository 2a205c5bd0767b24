"""How soon a waiting thread runs, once the server is ready."""

import sys
import threading
import time
from collections.abc import Iterator

import pytest

from causerie.threads import SECONDS, switch_soon


@pytest.fixture(autouse=True)
def interval() -> Iterator[None]:
    """Leave the interval as it was for the other tests."""
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def test_a_thread_that_waits_gets_its_turn_sooner_from_one_that_is_busy() -> None:
    sys.setswitchinterval(0.005)  # Python's own
    before = _turns_beside_a_busy_thread()
    switch_soon()
    assert sys.getswitchinterval() == pytest.approx(SECONDS)
    assert any(_turns_beside_a_busy_thread() > 2 * before for _ in range(5)), "in one of five: others may be busy, too"


def _turns_beside_a_busy_thread() -> int:
    ended = threading.Event()
    turns = 0

    def count() -> None:
        nonlocal turns
        while not ended.is_set():
            time.sleep(0)  # as after an answer of the database: let go of Python, and ask for it again
            turns += 1

    waiting = threading.Thread(target=count)
    waiting.start()
    until = time.thread_time() + 0.2
    while time.thread_time() < until:
        pass
    ended.set()
    waiting.join()
    return turns
