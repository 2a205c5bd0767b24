"""kill -9 of the server and of its database while people write: what was acknowledged is there, and it is back in seconds."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from motor.motor_asyncio import AsyncIOMotorClient

from causerie.data_folder import address_in_use, free_port
from profiles.store import Store
from tests.faults.crowd import Crowd, crowd, kept
from tests.faults.figures import Figures
from tests.faults.journal import now
from tests.faults.patience import until
from tests.faults.provider import provider
from tests.faults.servers import ROOT, Alone, Nursery, alone, mongod_of

RECOVERS_WITHIN_SECONDS = 10.0
LIVES_SECONDS = (1.0, 3.0)


async def test_nothing_acknowledged_is_lost_to_kill_minus_nine(
    nursery: Nursery, folder: Path, chance: random.Random, seed: int, seconds: float, is_long: bool, figures: Figures
) -> None:
    async with provider(folder / "provider.journal") as telegram:
        server = alone(nursery, folder, provider=telegram.url)
        await server.start()
        try:
            async with crowd([server.port], folder / "acknowledged.journal", seed=seed) as writing:
                await until(lambda: writing.read() > 50)
                killed, end = list[str](), now() + seconds
                while now() < end or {"server", "mongod"} - set(killed):
                    killed.append(_next(killed, chance))
                    await asyncio.sleep(chance.uniform(*LIVES_SECONDS))
                    figures.took("recovery after kill -9", await _kill(killed[-1], server, writing))
            store = Store(address_in_use(server.settings["CAUSERIE_STORE__FOLDER"]) or "", "causerie")
            found = await kept(store, writing)
            await store.close()
        finally:
            await server.stop()
    figures.add(acknowledged=found.acknowledged, lost=found.lost)
    figures.add(**{f"killed_{target}": killed.count(target) for target in set(killed)})
    assert found.acknowledged > 100
    assert (found.lost, found.gaps, found.unanswered, found.doubly_answered) == (0, 0, 0, 0), found
    if is_long and figures.is_timed:  # on a machine of its own; one that is shared says little of time
        assert max(figures.times["recovery after kill -9"]) < RECOVERS_WITHIN_SECONDS


def _next(killed: list[str], chance: random.Random) -> str:
    """Both at first, then by chance."""
    missing = [target for target in ("mongod", "server") if target not in killed]
    return missing[0] if missing else chance.choice(["server", "mongod"])


async def _kill(target: str, server: Alone, writing: Crowd) -> float:
    """Kill it, and return for how long nobody was acknowledged. The server is started again; nothing else needs a hand."""
    moment, old = now(), mongod_of(server)
    assert old, "the database does not run"
    if target == "server":
        server.kill()
        await server.dies()
        await server.start()
    else:
        os.kill(old, signal.SIGKILL)
    await until(lambda: mongod_of(server) not in (old, None))
    back = now()
    await until(lambda: writing.read() and writing.first_after(back) < float("inf"))
    return writing.longest_silence(moment, back + writing.first_after(back))


async def test_control_who_answers_before_it_stores_loses_messages(
    mongo_url: str, folder: Path, seed: int, figures: Figures
) -> None:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.controls.hasty_server", str(port), mongo_url], cwd=ROOT
    )
    async with crowd([port], folder / "acknowledged.journal", seed=seed) as writing:
        await until(lambda: writing.read() > 300)
        server.kill()
        server.wait()
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(mongo_url)
    there = {row["_id"] async for row in client["hasty"]["messages"].find({})}
    await client.drop_database("hasty")
    client.close()
    lost = len(set(writing.ids) - there)
    figures.add_control(acknowledged=len(writing.ids), lost=lost)
    assert lost > 0, "this test can not see a loss"
