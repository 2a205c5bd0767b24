"""Does a conversation with 50,000 messages open as fast as one with 50? Over HTTP, beside the obvious way: read it all.

The two conversations are opened turn about, so that whatever else the machine does meets both. The control reads every message
of the long one from the same database, as a page does that shows a conversation whole.
"""

import time
from contextlib import AsyncExitStack
from statistics import median
from typing import Any

from bench import cpu
from bench.archive import fill, key
from bench.console_door import console, percentile_ms
from bench.database import driver, own_mongod

SHORT = 50
FLAT_WITHIN = 1.5
CONTROLS = 3
Document = dict[str, Any]


async def report(long: int, pages: int) -> dict[str, Any]:
    """Open both conversations so many times and return the figures."""
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(own_mongod())
        client = await opened.enter_async_context(driver(database.url))
        await fill(client["history"], database.url, [SHORT, long])
        ask = await opened.enter_async_context(console(database.url, "history"))
        took: tuple[list[float], list[float]] = ([], [])
        for number in range(pages + 5):
            for which in (0, 1):
                seconds = await ask(f"/conversations/{key(which)}")
                if number >= 5:  # the first ones warm
                    took[which].append(seconds)
        whole = [await _whole(client["history"], key(1), long) for _ in range(CONTROLS)]
    figures: dict[str, Any] = {"messages": [SHORT, long], "pages": pages, "machine": cpu.machine()}
    for which, name in ((0, "short"), (1, "long")):
        figures[f"{name}_p50_ms"], figures[f"{name}_p99_ms"] = (percentile_ms(took[which], one) for one in (0.5, 0.99))
    figures["control_ms"] = round(median(whole) * 1000, 1)
    figures["ratio"] = round(figures["long_p50_ms"] / figures["short_p50_ms"], 2)
    figures["control_ratio"] = round(figures["control_ms"] / figures["long_p50_ms"], 1)
    figures["flat"] = figures["ratio"] <= FLAT_WITHIN
    return figures


async def _whole(database: Any, conversation: str, length: int) -> float:
    began = time.perf_counter()
    found = await database["messages"].find({"conversation": conversation}).sort("seq", 1).to_list(None)
    assert len(found) == length, (len(found), length)
    return time.perf_counter() - began
