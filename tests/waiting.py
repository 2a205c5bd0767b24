"""Waiting in tests: for a condition with a deadline, never for a time."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


async def until(claim: Callable[[], Any], *, within_seconds: float = 20.0) -> Any:
    """Return what `claim` (plain or async) gives as soon as it is true. Raises AssertionError after the deadline."""
    deadline = time.monotonic() + within_seconds
    while True:
        answer = claim()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer
        assert time.monotonic() < deadline, f"did not come true within {within_seconds} s: {claim}"
        await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether this process lives (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def is_stopped(pid: int) -> bool:
    """Whether every thread of this process stands still after SIGSTOP: on a busy machine that takes a moment."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(thread.read_text().rsplit(")", 1)[1].split()[0] == "T" for thread in threads)
