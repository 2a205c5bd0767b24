"""The disk fills up under the database: it may die, but what was acknowledged is there once it has room and is started again."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from profiles.store import Store
from tests.faults.crowd import crowd, kept
from tests.faults.figures import Figures
from tests.faults.mongods import databases, local
from tests.faults.patience import until
from tests.faults.provider import provider
from tests.faults.servers import Nursery, server
from tests.needed import mounts

DISK = "220m"
SMALL_LOGS = ("--wiredTigerEngineConfigString", "log=(file_max=1MB,prealloc=false)")  # so that it asks for room at once


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own that can be filled."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounts(folder)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_nothing_acknowledged_is_lost_to_a_full_disk(
    nursery: Nursery, folder: Path, disk: Path, seed: int, figures: Figures
) -> None:
    async with databases(local(disk, more=SMALL_LOGS)) as one, provider(folder / "provider.journal") as telegram:
        (node,) = one.nodes
        here = server(nursery, folder, database_url=one.url, provider=telegram.url)
        await here.start()
        try:
            async with crowd([here.port], folder / "acknowledged.journal", seed=seed) as writing:
                await until(lambda: writing.read() > 50)
                ballast = await asyncio.to_thread(_fill, disk)
                await until(lambda: not node.is_alive)
                assert not await here.is_ready(), "it says that it can not keep its promise"
                full = writing.read()
                ballast.unlink()
                node.start()
                await until(lambda: writing.read() > full + 50)
            store = Store(one.url, "causerie")
            found = await kept(store, writing)
            await store.close()
        finally:
            await here.stop()
    figures.add(acknowledged=found.acknowledged, lost=found.lost, **{"full disk": 1})
    assert (found.lost, found.gaps, found.unanswered, found.doubly_answered) == (0, 0, 0, 0), found


def _fill(disk: Path) -> Path:
    """Leave no room on this disk; return what takes it."""
    ballast, piece = disk / "ballast", b"\0" * 2**20
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(piece) == len(piece):
            pass
    return ballast
