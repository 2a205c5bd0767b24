"""A server under test in a process of its own.

It reads what it is to be, one line of JSON, from its stdin, says its port, and stops when its stdin ends. Not from the command
line: the order holds the database's password.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from causerie.garbage import collect_seldom
from causerie.threads import switch_soon

READY_WITHIN_SECONDS = 60.0
STOPS_WITHIN_SECONDS = 30.0


@asynccontextmanager
async def under_test(*module: str, order: object) -> AsyncIterator[tuple[int, int]]:
    """Within the block `python -m module` serves what is ordered; its process id and port are given."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin and process.stdout
    try:
        process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(READY_WITHIN_SECONDS):
            line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server under test ({' '.join(module)}) did not start; see its error above")
        yield process.pid, int(line)
    finally:
        process.stdin.close()  # the sign to stop
        try:
            async with asyncio.timeout(STOPS_WITHIN_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def serve_as_ordered(build: Callable[[Any], Awaitable[web.Application]]) -> None:
    """Be the server under test: build it from the order, and serve until stdin ends."""
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(
        await build(json.loads(await loop.run_in_executor(None, sys.stdin.readline))), access_log=None
    )
    collect_seldom()  # as `causerie serve` does, for a control too
    switch_soon()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(runner.addresses[0][1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    await runner.cleanup()
