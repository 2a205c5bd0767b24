"""What it costs that a second process hears of each message: nothing said, our bulletins, a change stream (docs/decisions/0030)."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench import cpu
from bench.commands import counted
from bench.company_listener import OPEN
from bench.database import database
from profiles.append import begin, heard
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.live import Feed
from profiles.neighbours import PULSES, Neighbours
from profiles.profile import Identity, Profile
from profiles.snapshot import Changes, Snapshot, Work
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer

CLIENTS = 128
WAYS = ("alone", "bulletins", "stream")
COMMANDS_AT_MOST = 0.1  # a message, of both processes together


@dataclass(slots=True)
class Round:
    """One way for some seconds; microseconds and commands a message."""

    messages: int
    a_second: float
    db_us: float
    app_us: float
    listener_us: float
    commands: float
    """Of both processes, as the database counts them."""
    said_there: int
    """Messages in the conversations that the listener has open."""
    heard_there: int


async def report(seconds: float, rounds: int) -> dict[str, Any]:
    """Measure the ways turn about and return the medians; `is_cheap` and `all_heard` are the claims."""
    measured: dict[str, list[Round]] = {way: [] for way in WAYS}
    async with database() as (url, pid, _):
        for number in range(rounds):
            for way in WAYS:
                measured[way].append(await _round(url, pid, way, f"{way}_{number}", seconds))
    figures: dict[str, Any] = {"machine": cpu.machine()}
    names = ("a_second", "db_us", "app_us", "listener_us", "commands")
    for way, found in measured.items():
        figures[way] = {name: round(median(getattr(one, name) for one in found), 4) for name in names}
    ours = figures["bulletins"]
    return figures | {
        "is_cheap": ours["commands"] <= COMMANDS_AT_MOST,
        "is_cheaper_than_a_stream": ours["db_us"] + ours["app_us"] + ours["listener_us"]
        < sum(figures["stream"][name] for name in ("db_us", "app_us", "listener_us")),
        "all_heard": all(one.heard_there == one.said_there for way in WAYS[1:] for one in measured[way]),
    }


async def _round(url: str, pid: int, way: str, name: str, seconds: float) -> Round:
    store = Store(url, name)
    await store.prepare(INDEXES)
    writer = Writer(store, process="writer")
    neighbours = Neighbours(store, writer, Feed(), clock=utc_now)
    await store.change(PULSES, {"_id": "writer"}, {"$set": {"at": utc_now()}}, upsert=True)
    async with _listener(url, name, way) as listener:
        if way == "bulletins":
            neighbours.see(["writer", "listener"])
            await asyncio.sleep(1.0)
        before = await _spent(store, pid)
        said = await _write(writer, seconds)
        after = await _spent(store, pid)
        await asyncio.sleep(1.5)  # what was told last arrives
        told = await _end(listener)
    await writer.close()
    await neighbours.close()
    await store.drop()
    await store.close()
    total = sum(said.values())
    spent = [later - earlier for earlier, later in zip(before, after, strict=True)]
    return Round(
        total, total / spent[3], spent[0] / total * 1e6, spent[1] / total * 1e6, told["cpu"] / total * 1e6,
        spent[2] / total, sum(said.get(id, 0) for id in OPEN), told["heard"],
    )  # fmt: skip


async def _spent(store: Store, pid: int) -> tuple[float, float, int, float]:
    """Return the CPU seconds of the database and of this process, the commands and the time so far."""
    commands = sum((await counted(store._motor)).values())
    return cpu.seconds_of(pid), time.process_time(), commands, time.perf_counter()


async def _write(writer: Writer, seconds: float) -> dict[str, int]:
    """Let 128 visitors write, each when the last was stored, and return how much each conversation holds."""
    until = time.perf_counter() + seconds
    said: dict[str, int] = {}

    async def client(number: int) -> None:
        id = f"webchat:v{number}"
        while time.perf_counter() < until:
            said[id] = said.get(id, 0) + 1
            await writer.commit(_says(id, said[id]))

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return said


def _says(id: str, number: int) -> Work:
    def think(snapshot: Snapshot) -> Changes:
        now, address = snapshot.now, id.partition(":")[2]
        profile = snapshot.holder(id)
        claims = {} if profile else {id: f"P{address}"}
        profile = profile or Profile(f"P{address}", now, (Identity("webchat", address, now),))
        thread = snapshot.conversations.get(id) or begin(
            id, profile, channel="webchat", address=address, identity=id, now=now
        )
        thread, message = heard(
            thread, Content(f"Bonjour, où est ma commande {number} ?"), id=f"{id}:{number}", now=now
        )
        return Changes((profile,), (thread,), claims, messages=(message,))

    return Work(think, identities=(id,), conversations=(id,), key=f"{id}:{number}")


@asynccontextmanager
async def _listener(url: str, database_name: str, way: str) -> AsyncIterator[asyncio.subprocess.Process | None]:
    if way == "alone":
        yield None
        return
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.company_listener", way, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "BENCH_URL": url, "BENCH_DATABASE": database_name},
    )  # fmt: skip
    assert process.stdout
    try:
        assert await process.stdout.readline() == b"up\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _end(listener: asyncio.subprocess.Process | None) -> dict[str, Any]:
    if listener is None:
        return {"heard": 0, "commands": 0, "cpu": 0.0}
    said, _ = await listener.communicate(b"")
    told: dict[str, Any] = json.loads(said)
    return told
