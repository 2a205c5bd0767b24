"""Is a process gone? Told at once on the same machine, never of one that is only frozen, never across machines."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator

import pytest

from channels.pulse import is_gone, ourselves
from tests.waiting import until

SAY = "from channels.pulse import ourselves; import json; print(json.dumps(ourselves()), flush=True); input()"


@pytest.fixture
async def child() -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SAY, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    yield process
    if process.returncode is None:
        process.kill()
    await process.wait()


async def pulse_of(child: asyncio.subprocess.Process) -> dict[str, object]:
    assert child.stdout
    found: dict[str, object] = json.loads(await child.stdout.readline())
    return found


async def test_a_killed_process_is_gone_at_once(child: asyncio.subprocess.Process) -> None:
    pulse = await pulse_of(child)
    assert pulse["pid"] == child.pid and not is_gone(pulse)
    child.kill()
    await until(lambda: is_gone(pulse))


async def test_a_frozen_process_is_not_gone(child: asyncio.subprocess.Process) -> None:
    pulse = await pulse_of(child)
    child.send_signal(signal.SIGSTOP)
    assert not is_gone(pulse)


@pytest.mark.parametrize("elsewhere", [{"where": "another boot"}, {"where": ""}, {"pid": None}, {"pid": "1"}])
async def test_nothing_is_known_of_a_process_elsewhere(
    child: asyncio.subprocess.Process, elsewhere: dict[str, object]
) -> None:
    pulse = {**await pulse_of(child), **elsewhere}
    child.kill()
    await child.wait()
    assert not is_gone(pulse)


def test_a_number_used_again_is_another_process() -> None:
    assert is_gone({**ourselves(), "began": "1"})
    assert not is_gone(ourselves()) and not is_gone({})
