"""Do the inbox and a conversation open as fast among a million conversations as among ten thousand? Over HTTP, with a control.

Every size has a database and a server of its own, all on one MongoDB, and they are asked turn about. The control is the same
list without an index: the database reads every conversation and sorts what is open.
"""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from statistics import median
from typing import Any

from admin.inbox import PAGE
from admin.paging import Key
from bench import cpu
from bench.archive import LATEST, OPEN_OF, fill, key
from bench.console_door import Ask, console, percentile_ms
from bench.database import driver, own_mongod

MESSAGES_EACH = 10
FLAT_WITHIN = 1.5
CONTROLS = 5
WARM = 5
Document = dict[str, Any]
Took = dict[str, list[float]]


async def report(sizes: Sequence[int], pages: int) -> dict[str, Any]:
    """Fill a database of each size, ask each for so many of each page, and return the figures."""
    levels: list[dict[str, Any]] = []
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(own_mongod())
        client = await opened.enter_async_context(driver(database.url))
        for size in sizes:
            began = time.perf_counter()
            await fill(client[f"console_{size}"], database.url, [MESSAGES_EACH] * size, _tell)
            print(
                f"{size:,} conversations, {size * MESSAGES_EACH:,} messages in {time.perf_counter() - began:.0f} s",
                flush=True,
            )
        asks = [(size, await opened.enter_async_context(console(database.url, f"console_{size}"))) for size in sizes]
        took = await _asked(asks, pages)
        for size in sizes:
            levels.append(_level(size, took[size]) | {"control_ms": await _control(client[f"console_{size}"])})
            print(levels[-1], flush=True)
    figures: dict[str, Any] = {"pages": pages, "levels": levels, "machine": cpu.machine()}
    for name in PAGES:
        for share in ("p50", "p99"):
            figures[f"{name}_{share}_ratio"] = round(
                levels[-1][f"{name}_{share}_ms"] / levels[0][f"{name}_{share}_ms"], 2
            )
    figures["control_ratio"] = round(levels[-1]["control_ms"] / levels[0]["control_ms"], 1)
    # by the median: the slowest pages of a hundred tell what else the machine did in that moment
    figures["flat"] = all(figures[f"{name}_p50_ratio"] <= FLAT_WITHIN for name in PAGES)
    return figures


def _tell(line: str) -> None:
    print(line, flush=True)


PAGES: dict[str, Callable[[int, random.Random], str]] = {
    "inbox": lambda size, pick: "/inbox/all",
    "mine": lambda size, pick: "/inbox/mine",
    "deep": lambda size, pick: f"/rows/all?after={_deep(size)}",
    "opened": lambda size, pick: f"/conversations/{key(pick.randrange(size))}",
}
"""The inbox of all that is open; one agent's; the list's rows from its middle on; a conversation, each time another."""


async def _asked(asks: Sequence[tuple[int, Ask]], pages: int) -> dict[int, Took]:
    pick = random.Random(6)  # noqa: S311 (a load, not a secret)
    took: dict[int, Took] = {size: {name: [] for name in PAGES} for size, _ in asks}
    for number in range(pages + WARM):
        for name, path in PAGES.items():
            for size, ask in asks:
                seconds = await ask(path(size, pick))
                if number >= WARM:
                    took[size][name].append(seconds)
    return took


def _level(size: int, took: Took) -> dict[str, Any]:
    level: dict[str, Any] = {"conversations": size, "messages": size * MESSAGES_EACH}
    for name, seconds in took.items():
        level[f"{name}_p50_ms"], level[f"{name}_p99_ms"] = (percentile_ms(seconds, share) for share in (0.5, 0.99))
    return level


def _deep(size: int) -> str:
    """Return the place of the open conversation in the middle of the archive."""
    number = size // 2 // OPEN_OF * OPEN_OF
    return str(Key(LATEST - timedelta(seconds=30 * number), key(number)))


async def _control(database: Any) -> float:
    took = []
    for _ in range(CONTROLS):
        began = time.perf_counter()
        found = database["conversations"].find({"status": None}).hint([("$natural", 1)])
        rows = await found.sort([("active_at", -1), ("_id", 1)]).limit(PAGE + 1).to_list(None)
        took.append(time.perf_counter() - began)
        assert rows[0]["_id"] == key(0), rows[0]["_id"]
    return round(median(took) * 1000, 1)
