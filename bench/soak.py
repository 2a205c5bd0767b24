"""Does a server that works for an hour stay as it was? Memory, file descriptors, the queue's age and open sockets, lap by lap.

Each lap some visitors talk to the bot and some open the chat and vanish without a goodbye; at its end all are gone and the
server is looked at from outside (/proc, /metrics). The first third of the laps warms: caches fill to their bounds there.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import ClientSession

from bench import cpu
from bench.chat_server import Served, chat_server
from bench.database import own_mongod
from bench.visitors import Idle, browsers, talk

TALKING, VANISHING = 10, 20
LAP_SECONDS = 30.0
GONE_WITHIN_SECONDS = 15.0
MOST_MB_PER_HOUR = 20.0
MOST_QUEUE_SECONDS = 30.0
SPARE_FILES = 10
JUDGED_FROM_MINUTES = 20.0
"""A shorter run tells nothing of memory: the start's own garbage would be a slope. It is judged by the rest."""


@dataclass(frozen=True, slots=True)
class Look:
    """The server at the end of a lap, all visitors gone."""

    minute: float
    resident_mb: float
    files: int
    queue_age_seconds: float
    sockets: int
    messages: int
    """Acknowledged in this lap."""


async def report(minutes: float) -> dict[str, Any]:
    """Let visitors come and go for so long and return what was seen, with the verdict of each promise."""
    looks: list[Look] = []
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(own_mongod())
        server = await opened.enter_async_context(chat_server(database.url, "soak"))
        http = await opened.enter_async_context(browsers())
        began = time.monotonic()
        while not looks or time.monotonic() - began < minutes * 60:
            said = await _lap(http, server, min(LAP_SECONDS, minutes * 60))
            looks.append(await _look(http, server, (time.monotonic() - began) / 60, said))
            print(looks[-1], flush=True)
    return verdict(looks) | {"machine": cpu.machine()}


def verdict(looks: Sequence[Look]) -> dict[str, Any]:
    """Return the figures of these laps and, as booleans, whether each promise was kept."""
    later = looks[len(looks) // 3 :]
    before, after = later[: (len(later) + 1) // 2], later[len(later) // 2 :]
    slope = slope_per_hour(later)
    found: dict[str, Any] = {
        "minutes": round(looks[-1].minute, 1),
        "laps": len(looks),
        "messages": sum(look.messages for look in looks),
        "resident_mb": [round(looks[0].resident_mb, 1), round(looks[-1].resident_mb, 1)],
        "mb_per_hour": round(slope, 1),
        "files": [looks[0].files, looks[-1].files],
        "queue_age_seconds": max(look.queue_age_seconds for look in looks),
        "sockets_left": max(look.sockets for look in looks),
    }
    if looks[-1].minute >= JUDGED_FROM_MINUTES:
        found["memory_is_level"] = slope <= MOST_MB_PER_HOUR
    files_before, files_after = (max(look.files for look in part) for part in (before, after))
    found["files_are_level"] = files_after <= files_before + SPARE_FILES
    found["queue_moves"] = found["queue_age_seconds"] <= MOST_QUEUE_SECONDS
    found["sockets_end"] = found["sockets_left"] == 0
    return found | {"last": asdict(looks[-1])}


def slope_per_hour(looks: Sequence[Look]) -> float:
    """Return by how many MB memory grows in an hour: the line of least squares through these looks."""
    hours, sizes = [look.minute / 60 for look in looks], [look.resident_mb for look in looks]
    middle, mean = sum(hours) / len(hours), sum(sizes) / len(sizes)
    spread = sum((hour - middle) ** 2 for hour in hours)
    return (
        sum((hour - middle) * (size - mean) for hour, size in zip(hours, sizes, strict=True)) / spread
        if spread
        else 0.0
    )


async def _lap(http: ClientSession, server: Served, seconds: float) -> int:
    vanishing = Idle(http, server.socket)
    await vanishing.open(VANISHING)
    took = await talk(http, server.socket, TALKING, seconds)
    await vanishing.close()
    return len(took)


async def _look(http: ClientSession, server: Served, minute: float, said: int) -> Look:
    until = time.monotonic() + GONE_WITHIN_SECONDS
    while True:
        figures = await _metrics(http, server)
        sockets = int(figures['causerie_sockets{kind="webchat"}'])
        if not sockets or time.monotonic() > until:
            break
        await asyncio.sleep(0.2)
    return Look(
        round(minute, 2),
        cpu.resident_mb(server.pid),
        cpu.files_of(server.pid),
        figures["causerie_queue_age_seconds"],
        sockets,
        said,
    )


async def _metrics(http: ClientSession, server: Served) -> dict[str, float]:
    async with http.get(f"http://127.0.0.1:{server.port}/metrics") as answer:
        answer.raise_for_status()
        lines = (await answer.text()).splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))
    }
