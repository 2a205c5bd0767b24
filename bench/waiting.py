"""What do runs cost that wait for another day? The engine's look for what is due, with none and with a million of them."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from bench import cpu
from bench.crowd import SINCE, id_of
from bench.database import database
from bench.stage import stage, write_book
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.record import Document, to_document
from profiles.store import Store
from rules.run import FOR_EVER, Run, Token

LOOKS = 200
PORTION = 5_000
MOST_RATIO = 2.0
"""A look with a million waiting may take no longer than this many with none: the noise of a shared machine."""
RULE = """
rule: slow
state: live
class: transactional
when: {event: order.paid}
steps:
  - wait: 30d
  - send: {channel: email, template: slow}
"""


async def report(runs: int) -> dict[str, Any]:
    """Measure a look without runs, with runs that wait, and the control: a look without the index on when they are due."""
    async with database() as (url, pid, folder):
        store = Store(url, "waiting")
        await store.prepare(INDEXES)
        none = await _look_us(url, pid, folder / "none")
        for first in range(0, runs, PORTION):
            await store.insert_missing("runs", list(_waiting(range(first, min(first + PORTION, runs)))))
        print(f"{runs:,} runs wait", flush=True)
        waiting = await _look_us(url, pid, folder / "waiting")
        began = time.perf_counter()
        due = {"$expr": {"$lte": ["$due_at", utc_now()]}, "watch_until": {"$exists": True}}
        assert await store.count("runs", {"$and": [due, {"step": None}]}, at_most=1) == 0
        scan = time.perf_counter() - began
        await store.close()
    return {
        "machine": cpu.machine(),
        "runs": runs,
        "look_us_with_none": round(none),
        "look_us": round(waiting),
        "scan_us": round(scan * 1e6),
        "costs_nothing": waiting < none * MOST_RATIO,
    }


async def _look_us(url: str, database: int, folder: Path) -> float:
    """Return the CPU of one look, ours and the database's together, in us: the median of five rounds."""
    write_book(folder, {"slow": RULE})
    rounds = []
    async with stage(url, "waiting", folder) as process:
        for _ in range(5):
            before = cpu.seconds_of(os.getpid()) + cpu.seconds_of(database)
            for _ in range(LOOKS):
                assert await process.rules.engine.look() == 0
            rounds.append((cpu.seconds_of(os.getpid()) + cpu.seconds_of(database) - before) / LOOKS * 1e6)
    return median(rounds)


def _waiting(numbers: range) -> Iterator[Document]:
    """Yield runs that are due within the next month, none before tomorrow."""
    for number in numbers:
        due = utc_now() + timedelta(days=1, seconds=number % (30 * 86_400))
        token = Token("send-1", SINCE, due)
        run = Run(
            f"w{number}",
            "slow",
            "v",
            id_of(number),
            SINCE,
            tokens=(token,),
            due_at=due,
            watch_until=FOR_EVER,
            version=1,
        )
        yield to_document(run)
