"""A database of a benchmark's own, in a folder that goes away with it."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

from causerie.mongod import Mongod, StoreOptions, start


@asynccontextmanager
async def own_mongod(folder: str = "") -> AsyncIterator[Mongod]:
    """Start a database for as long as the block lasts, in this folder or in one of its own."""
    with tempfile.TemporaryDirectory(prefix="causerie-bench-") as own:
        mongod = await start(StoreOptions(folder=folder or own))
        try:
            yield mongod
        finally:
            await mongod.stop()


@asynccontextmanager
async def driver(url: str) -> AsyncIterator[AsyncIOMotorClient[dict[str, Any]]]:
    """Open the database by its driver alone, as whoever does without our store would."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(url, tz_aware=True)
    try:
        yield client
    finally:
        client.close()


@asynccontextmanager
async def database() -> AsyncIterator[tuple[str, int, Path]]:
    """Start a database in a folder; yield its address, its process and the folder, which may be used for other things too."""
    with tempfile.TemporaryDirectory(prefix="causerie-bench-") as folder:
        async with own_mongod(folder) as mongod:
            assert mongod.pid
            yield mongod.url, mongod.pid, Path(folder)
