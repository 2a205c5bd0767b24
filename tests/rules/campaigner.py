"""One process that plans and walks schedules until it is killed: arguments URL, DATABASE, BOOK, MINUTES_AHEAD, LARGE."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from bench.stage import Clock, stage

LOOK_SECONDS = 0.05


async def main(url: str, database: str, book: Path, ahead: timedelta, large: int) -> None:
    """Work for ever."""
    clock = Clock(ahead)
    async with stage(url, database, book, process=f"p{ahead.total_seconds()}", clock=clock) as process:
        process.rules.occurrences.walker.large = large
        while True:
            await process.rules.occurrences.plan()
            await process.rules.occurrences.walk()
            await asyncio.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    url, database, book, minutes, large = sys.argv[1:]
    asyncio.run(main(url, database, Path(book), timedelta(minutes=float(minutes)), int(large)))
