"""A second process that walks the campaigns of the first: `python -m bench.walker URL DATABASE BOOK` until it is stopped."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import uvloop

from bench.stage import Clock, stage
from causerie.garbage import collect_seldom

AHEAD = timedelta(minutes=3)
BEFORE = timedelta(minutes=2)  # a campaign's hour, written in whole minutes: one at the least, to load its book in
LOOK_SECONDS = 0.05
READY = b"ready\n"


async def walk(url: str, database: str, book: Path) -> None:
    """Say when we are ready, then take whatever range nobody holds, for ever."""
    async with stage(url, database, book, process="second", clock=Clock(AHEAD)) as process:
        collect_seldom()
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        while True:
            await process.rules.occurrences.walk()
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def beside(url: str, database: str, book: Path) -> AsyncIterator[int]:
    """Run the second process, yield its process id once it waits for work, and end it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.walker", url, database, str(book), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout and await process.stdout.readline() == READY
        yield process.pid
    finally:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    uvloop.run(walk(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
