"""Three databases: the primary is killed, or cut off from the others; nothing acknowledged is lost, and it goes on by itself."""

import asyncio
import random
from contextlib import suppress
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.faults.figures import Figures
from tests.faults.journal import now
from tests.faults.mongods import Client, Databases, Node, databases, local
from tests.faults.network import apart, cut, mend
from tests.faults.patience import until
from tests.faults.servers import Nursery
from tests.faults.serving import fast, is_secondary, serving, stall
from tests.needed import namespaces

CUT_SECONDS = 6.0


async def test_the_primary_is_killed_again_and_again(
    nursery: Nursery, folder: Path, chance: random.Random, seed: int, seconds: float, figures: Figures
) -> None:
    async with (
        databases(local(fast(folder), 3)) as three,
        serving(nursery, folder, three, seed, figures) as writing,
    ):
        failovers, end = 0, now() + seconds
        while failovers == 0 or now() < end:
            await asyncio.sleep(chance.uniform(0.5, 2))
            primary, moment = await three.primary(), now()
            primary.kill()
            await three.primary(but=primary)
            figures.took("stall when the primary is killed", await stall(writing, moment))
            primary.start()
            await until(lambda primary=primary: asyncio.to_thread(is_secondary, primary))  # type: ignore[misc]
            failovers += 1
        figures.add(**{"killed_primary": failovers})


async def test_the_primary_is_cut_off_from_the_others_but_not_from_us(
    nursery: Nursery, folder: Path, seed: int, figures: Figures
) -> None:
    namespaces()
    with apart(fast(folder)) as nodes:
        async with databases(nodes) as three, serving(nursery, folder, three, seed, figures) as writing:
            old = await three.primary()
            others = [node.host for node in nodes if node is not old]
            moment = now()
            cut(old, others)
            unsafe = asyncio.create_task(asyncio.to_thread(_writes_to, old, CUT_SECONDS))
            await three.primary(but=old)
            figures.took("stall when the primary is cut off", await stall(writing, moment))
            acknowledged = await unsafe
            mend(old, others)
            await until(lambda: asyncio.to_thread(is_secondary, old))
            there = await asyncio.to_thread(_there, three)
        lost = len(set(acknowledged) - there)
        figures.add(**{"cut_off primary": 1})
        figures.add_control(acknowledged=len(acknowledged), lost=lost)
        assert lost > 0, "whoever asks for no majority loses what the old primary took: this test can not see a loss"


def _writes_to(node: Node, seconds: float) -> list[int]:
    """Write for a while to this very node, asking for no majority; return what it acknowledged."""
    client: Client = MongoClient(node.host, node.port, directConnection=True, w=1, journal=False, retryWrites=False)
    taken, end = list[int](), now() + seconds
    while now() < end:
        with suppress(PyMongoError):
            client["control"]["rows"].insert_one({"_id": len(taken)})
            taken.append(len(taken))
    client.close()
    return taken


def _there(three: Databases) -> set[int]:
    client: Client = MongoClient(three.url)
    found = {int(row["_id"]) for row in client["control"]["rows"].find({})}
    client.close()
    return found
