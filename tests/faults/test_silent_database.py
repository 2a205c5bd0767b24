"""The primary falls silent: its packets vanish, and nobody hangs up. `make faults` alone has the minutes for it.

The control is a client of the same driver with the driver's own limits: it still waits when we have long gone on.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pymongo.pool_shared
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.faults.crowd import Crowd
from tests.faults.figures import Figures
from tests.faults.journal import now
from tests.faults.load import SECRET_HEADER, update
from tests.faults.mongods import Client, Databases, databases
from tests.faults.network import US, apart, cut, mend
from tests.faults.patience import until
from tests.faults.servers import SECRET, Nursery
from tests.faults.serving import fast, is_secondary, serving, stall
from tests.needed import namespaces

GOES_ON_WITHIN_SECONDS = 20.0  # a write that nobody answers takes five twice, and a busy machine some more
STRANGER = 999_000_001
_DRIVERS_OWN = pymongo.pool_shared._set_keepalive_times
"""What profiles/store_limits.py puts ours in the place of, for the whole process: kept before any test has opened a store."""


@pytest.fixture(autouse=True)
def long(is_long: bool) -> None:
    """Half a minute of silence is too much for every run of the tests: tests/profiles/test_store_silence.py is for those."""
    if not is_long:
        pytest.skip("waits for half a minute of silence. Run: make faults")
    namespaces()


async def test_a_primary_that_vanishes_is_left_for_the_new_one(
    nursery: Nursery, folder: Path, seed: int, figures: Figures
) -> None:
    with apart(fast(folder)) as nodes:
        async with databases(nodes) as three, serving(nursery, folder, three, seed, figures) as writing:
            old = await three.primary()
            everybody = [US, *(node.host for node in nodes if node is not old)]
            async with _control(three) as control:
                moment = now()
                cut(old, everybody)
                await three.primary(but=old)
                figures.took("stall when the primary falls silent", took := await stall(writing, moment))
                assert control.answered_at < moment + 1, (
                    "the driver's own limits end it as soon: this test shows nothing"
                )
                mend(old, everybody)
            await until(lambda: asyncio.to_thread(is_secondary, old))
    figures.add(**{"silent primary": 1})
    assert took < GOES_ON_WITHIN_SECONDS or not figures.is_timed


async def test_who_writes_is_refused_while_the_only_road_is_silent_and_heard_when_it_is_back(
    nursery: Nursery, folder: Path, seed: int, figures: Figures
) -> None:
    with apart(fast(folder), 1) as nodes:
        async with (
            databases(nodes) as one,
            serving(nursery, folder, one, seed, figures) as writing,
            _control(one) as control,
        ):
            moment = now()
            cut(nodes[0], [US])
            status = await _written(writing)
            figures.took("refusal while the database is silent", refused := now() - moment)
            assert status == 503
            assert control.answered_at < moment + 1, "the driver's own limits end it as soon: this test shows nothing"
            moment = now()
            mend(nodes[0], [US])
            figures.took("return of a silent database", back := await stall(writing, moment))
    figures.add(**{"silent link": 1})
    assert (refused < GOES_ON_WITHIN_SECONDS and back < GOES_ON_WITHIN_SECONDS) or not figures.is_timed


@dataclass(slots=True)
class Control:
    """A client of the driver that writes one row after the other."""

    answered_at: float = 0.0
    is_over: bool = False

    def write(self, url: str) -> None:
        """Write until it is over."""
        client: Client = MongoClient(url)
        while not self.is_over:
            with suppress(PyMongoError):
                client["control"]["rows"].insert_one({})
            self.answered_at = now()
        client.close()


@asynccontextmanager
async def _control(databases: Databases) -> AsyncIterator[Control]:
    """Within the block a client with the driver's own limits writes."""
    control = Control()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pymongo.pool_shared, "_set_keepalive_times", _DRIVERS_OWN)
        writing = asyncio.create_task(asyncio.to_thread(control.write, databases.url))
        await until(lambda: control.answered_at)
        try:
            yield control
        finally:
            control.is_over = True
            await writing


async def _written(writing: Crowd) -> int:
    """Write one message as a stranger, and return what the server answered."""
    url = f"http://127.0.0.1:{writing.ports[0]}/channels/telegram/webhook"
    headers = {SECRET_HEADER: SECRET, "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=120)
    body = update(1, STRANGER, "Bonjour")
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        return answer.status
