"""Three databases: the primary is killed, or cut off from the others; nothing acknowledged is lost, and it goes on by itself."""

import asyncio
import random
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from profiles.store import Store
from tests.faults.crowd import Crowd, crowd, kept
from tests.faults.figures import Figures
from tests.faults.journal import now
from tests.faults.mongods import Client, Databases, Node, databases, local
from tests.faults.patience import until
from tests.faults.provider import provider
from tests.faults.servers import Nursery, server
from tests.needed import namespaces

SUBNET = "10.213.77"
CUT_SECONDS = 6.0


async def test_the_primary_is_killed_again_and_again(
    nursery: Nursery, folder: Path, chance: random.Random, seed: int, seconds: float, figures: Figures
) -> None:
    async with (
        databases(local(_fast(folder), 3)) as three,
        _serving(nursery, folder, three, seed, figures) as writing,
    ):
        failovers, end = 0, now() + seconds
        while failovers == 0 or now() < end:
            await asyncio.sleep(chance.uniform(0.5, 2))
            primary, moment = await three.primary(), now()
            primary.kill()
            await three.primary(but=primary)
            figures.took("stall of a failover", await _stall(writing, moment))
            primary.start()
            await until(lambda primary=primary: asyncio.to_thread(_is_secondary, primary))  # type: ignore[misc]
            failovers += 1
        figures.add(**{"killed_primary": failovers})


async def test_the_primary_is_cut_off_from_the_others_but_not_from_us(
    nursery: Nursery, folder: Path, seed: int, figures: Figures
) -> None:
    namespaces()
    with _network(3) as names:
        hosts = [f"{SUBNET}.{place + 1}" for place in range(3)]
        before = [("ip", "netns", "exec", name) for name in names]
        nodes = [
            Node(_fast(folder) / f"node{place}", host, 27_017, before=before[place]) for place, host in enumerate(hosts)
        ]
        async with databases(nodes) as three, _serving(nursery, folder, three, seed, figures) as writing:
            old = await three.primary()
            name, others = names[nodes.index(old)], [host for host in hosts if host != old.host]
            moment = now()
            _cut(name, others)
            unsafe = asyncio.create_task(asyncio.to_thread(_writes_to, old, CUT_SECONDS))
            await three.primary(but=old)
            figures.took("stall of a failover", await _stall(writing, moment))
            acknowledged = await unsafe
            _mend(name, others)
            await until(lambda: asyncio.to_thread(_is_secondary, old))
            there = await asyncio.to_thread(_there, three)
        lost = len(set(acknowledged) - there)
        figures.add(**{"cut_off primary": 1})
        figures.add_control(acknowledged=len(acknowledged), lost=lost)
        assert lost > 0, "whoever asks for no majority loses what the old primary took: this test can not see a loss"


@asynccontextmanager
async def _serving(
    nursery: Nursery, folder: Path, three: Databases, seed: int, figures: Figures
) -> AsyncIterator[Crowd]:
    """Within the block a server works on these databases and people write; at the end all that was acknowledged is there."""
    async with provider(folder / "provider.journal") as telegram:
        here = server(nursery, folder, database_url=three.url, provider=telegram.url)
        await here.start()
        try:
            async with crowd([here.port], folder / "acknowledged.journal", seed=seed) as writing:
                await until(lambda: writing.read() > 50)
                yield writing
                before = writing.read()
                await until(lambda: writing.read() > before + 50)
            store = Store(three.url, "causerie")
            found = await kept(store, writing)
            await store.close()
        finally:
            await here.stop()
    figures.add(acknowledged=found.acknowledged, lost=found.lost)
    assert (found.lost, found.gaps, found.unanswered, found.doubly_answered) == (0, 0, 0, 0), found


async def _stall(writing: Crowd, moment: float) -> float:
    """Wait until people are answered again, and return for how long nobody was."""
    back = now()
    await until(lambda: writing.read() and writing.first_after(back) < float("inf"))
    return writing.longest_silence(moment, back + writing.first_after(back))


def _is_secondary(node: Node) -> bool:
    answer = node.ask("hello")
    return bool(answer and (answer.get("secondary") or answer.get("isWritablePrimary")))


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


@contextmanager
def _network(count: int) -> Iterator[list[str]]:
    """Within the block there are so many network namespaces on one bridge, and we are on it too."""
    names, bridge = [f"faults{place}" for place in range(count)], "faultsbr"
    _clean(names, bridge)
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{SUBNET}.254/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for place, name in enumerate(names):
            _ip("netns", "add", name)
            _ip("link", "add", f"fv{place}", "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", f"fv{place}", "master", bridge, "up")
            _ip("-n", name, "addr", "add", f"{SUBNET}.{place + 1}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield names
    finally:
        _clean(names, bridge)


def _cut(name: str, others: list[str]) -> None:
    for other in others:
        _ip("-n", name, "route", "add", "blackhole", f"{other}/32")


def _mend(name: str, others: list[str]) -> None:
    for other in others:
        _ip("-n", name, "route", "del", "blackhole", f"{other}/32")


def _clean(names: list[str], bridge: str) -> None:
    for name in names:
        _ip("netns", "del", name, check=False)
    _ip("link", "del", bridge, check=False)


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, stderr=None if check else subprocess.DEVNULL)


def _fast(folder: Path) -> Path:
    found = folder / "databases"
    found.mkdir(exist_ok=True)
    return found
