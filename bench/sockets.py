"""What does a visitor cost who only has the chat open, and do ten thousand of them slow those who talk?

Two processes: the server, and the visitors here. Some talk at first alone (the control), then beside all who are idle. Memory
is the server's resident memory before and after, over the sockets opened between.
"""

import asyncio
import resource
import time
from contextlib import AsyncExitStack
from typing import Any

from bench import cpu
from bench.chat_server import chat_server
from bench.console_door import percentile_ms
from bench.database import own_mongod
from bench.visitors import Idle, browsers, talk

WANTED_KIB = 20
FIRST = 200  # sockets opened before memory is read: what a first one brings in is not what each costs
HEARTBEATS_SECONDS = 22.0  # the server pings every 20 s: whoever does not answer is let go
SPARE = 500  # file descriptors that are not sockets of visitors


async def report(idle: int, talking: int, seconds: float) -> dict[str, Any]:
    """Hold `idle` sockets while `talking` visitors talk, and return the figures. Raises OSError where files are too few."""
    _allow(idle + FIRST + talking + SPARE)
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(own_mongod())
        server = await opened.enter_async_context(chat_server(database.url, "sockets"))
        http = await opened.enter_async_context(browsers())
        silent = Idle(http, server.socket)
        opened.push_async_callback(silent.close)
        await talk(http, server.socket, talking, seconds / 4)  # warm
        await silent.open(FIRST)
        alone = await talk(http, server.socket, talking, seconds)
        before, began = cpu.resident_mb(server.pid), time.perf_counter()
        await silent.open(idle)
        took = time.perf_counter() - began
        print(f"{idle:,} sockets opened in {took:.0f} s", flush=True)
        beside = await talk(http, server.socket, talking, seconds)
        await asyncio.sleep(max(0.0, HEARTBEATS_SECONDS - seconds))
        after, spent = cpu.resident_mb(server.pid), cpu.seconds_of(server.pid)
        await asyncio.sleep(min(seconds, 5.0))
        spent = (cpu.seconds_of(server.pid) - spent) / min(seconds, 5.0)
        held = silent.held()
    figures: dict[str, Any] = {"idle": idle, "held": held - FIRST, "talking": talking, "machine": cpu.machine()}
    figures["kib_per_socket"] = round((after - before) * 1e6 / 1024 / idle, 1)
    figures["idle_cpu_percent"] = round(spent * 100, 1)
    figures["opened_per_second"] = round(idle / took)
    for name, seconds_each in (("alone", alone), ("beside", beside)):
        figures[f"{name}_messages"] = len(seconds_each)
        figures[f"{name}_p50_ms"], figures[f"{name}_p99_ms"] = (
            percentile_ms(seconds_each, share) for share in (0.5, 0.99)
        )
    figures["p50_ratio"] = round(figures["beside_p50_ms"] / figures["alone_p50_ms"], 2)
    figures["p99_ratio"] = round(figures["beside_p99_ms"] / figures["alone_p99_ms"], 2)
    figures["all_held"] = held == idle + FIRST
    figures["small_enough"] = figures["kib_per_socket"] <= WANTED_KIB
    return figures


def _allow(files: int) -> None:
    """Let this process, and the server that it starts, have so many files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < files:
        raise OSError(f"{files} files must be open at once and {hard} may be. Hint: ulimit -Hn {files}, as root")
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
