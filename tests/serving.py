"""`causerie serve` as a process of its own, as operators run it: started, found ready, stopped politely where nobody killed it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.waiting import until

ROOT = Path(__file__).parents[1]
READY_WITHIN_SECONDS = 90.0  # it trains its bot first where the data folder is new


@asynccontextmanager
async def serving(
    folder: Path, port: int, *arguments: str, settings: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run it on this data folder and port until the block ends, with more arguments and settings (CAUSERIE_...)."""
    place = {"CAUSERIE_STORE__FOLDER": str(folder), "CAUSERIE_SERVER__PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "causerie", "serve", *arguments, cwd=ROOT, env={**os.environ, **place, **(settings or {})},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await until(lambda: healthy(port), within_seconds=READY_WITHIN_SECONDS)
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def healthy(port: int) -> bool:
    """Whether somebody is ready there."""
    try:
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/health") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


def children(parent: int) -> set[int]:
    """Return the workers of this parent that live."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "status").read_text()
                line = (entry / "cmdline").read_text()
            except OSError:
                continue
            if f"PPid:\t{parent}\n" in status and "--worker\0" in line and "State:\tZ" not in status:
                found.add(int(entry.name))
    return found
