"""A server that works while something is done to its three databases, and people who write to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from profiles.store import Store
from tests.faults.crowd import Crowd, crowd, kept
from tests.faults.figures import Figures
from tests.faults.journal import now
from tests.faults.mongods import Databases, Node
from tests.faults.patience import until
from tests.faults.provider import provider
from tests.faults.servers import Nursery, server


@asynccontextmanager
async def serving(
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


async def stall(writing: Crowd, moment: float) -> float:
    """Wait until people are answered again, and return for how long nobody was."""
    back = now()
    await until(lambda: writing.read() and writing.first_after(back) < float("inf"))
    return writing.longest_silence(moment, back + writing.first_after(back))


def is_secondary(node: Node) -> bool:
    """Return whether this node keeps up with a primary, or is one."""
    answer = node.ask("hello")
    return bool(answer and (answer.get("secondary") or answer.get("isWritablePrimary")))


def fast(folder: Path) -> Path:
    """Return the folder of the databases in a test's folder."""
    found = folder / "databases"
    found.mkdir(exist_ok=True)
    return found
