"""Two `causerie serve` on one database, as on two machines: live across them, and one of them killed."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from admin import agents, sessions
from admin.agents import Agent
from admin.desk import Desk
from causerie.data_folder import free_port as any_free_port
from profiles.calendar import utc_now
from profiles.live import Feed
from profiles.neighbours import RING
from profiles.store import Plan, Store
from profiles.writer import Writer
from tests.serving import serving
from tests.stories.town import Visitor
from tests.waiting import until

SEEN_WITHIN_SECONDS = 10.0  # some hundredths on a machine that has nothing else to do


def server(url: str, database: str, folder: Path, port: int) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """Run one, on a data folder that only holds what it learned."""
    settings = {
        "CAUSERIE_STORE__URL": url, "CAUSERIE_STORE__DATABASE": database, "CAUSERIE_CHANNELS__WEBCHAT__ENABLED": "true",
    }  # fmt: skip
    return serving(folder, port, settings=settings)


class Maya:
    """An agent with a page open, on whichever server."""

    def __init__(self, store: Store) -> None:
        self.desk = Desk(store, Writer(store, process="test"), Feed(), utc_now, b"", "http://127.0.0.1")
        self.cookie = ""
        self.frames: list[dict[str, Any]] = []

    async def signs_in(self) -> None:
        plan = Plan()
        plan.update("agents", agents.born(Agent("maya", "maya@example.org", "Maya", "agent", utc_now())))
        await self.desk.store.commit(plan)
        token = await sessions.begin(self.desk, "maya", ip="127.0.0.1", browser="Test")
        self.cookie = f"{sessions.cookie_name(self.desk)}={token}"

    @asynccontextmanager
    async def looking(self, port: int) -> AsyncIterator[None]:
        """Keep a page open on this server."""
        origin = f"http://127.0.0.1:{port}"
        headers = {"Origin": origin, "Cookie": self.cookie}
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{origin}/console/live", headers=headers) as socket,
        ):
            await socket.send_json({"view": "all", "begins": True})
            reading = asyncio.create_task(self._read(socket))
            await until(lambda: self.of("hello"))
            yield
            reading.cancel()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for raw in socket:
            self.frames.append(raw.json())

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["kind"] == kind]


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    yield store
    await store.close()


async def test_an_agent_at_one_sees_a_visitor_at_the_other_and_moves_over_when_theirs_is_killed(
    mongo_url: str, database_name: str, tmp_path: Path, free_port: int, store: Store
) -> None:
    other_port = any_free_port()
    async with AsyncExitStack() as running:
        here = await running.enter_async_context(server(mongo_url, database_name, tmp_path / "a", free_port))
        await running.enter_async_context(server(mongo_url, database_name, tmp_path / "b", other_port))
        maya, visitor = Maya(store), await Visitor(f"http://127.0.0.1:{other_port}").opens()
        await maya.signs_in()

        async def know_each_other() -> bool:
            """Each has greeted, so each hears; what is said before comes to a page as the word to load again."""
            return len({bulletin["process"] for bulletin in await store.find(RING, {})}) == 2

        await until(know_each_other)
        async with maya.looking(free_port):
            await visitor.says("bonjour")
            await until(lambda: visitor.acked)
            began = time.monotonic()
            await until(lambda: maya.of("row"), within_seconds=SEEN_WITHIN_SECONDS)
            sys.stdout.write(f"seen after {time.monotonic() - began:.3f} s\n")
            here.kill()
            await here.wait()
        maya.frames.clear()
        async with maya.looking(other_port):
            await visitor.says("je veux parler à un conseiller")
            await until(lambda: any(row["assignee"] == "maya" for row in maya.of("row")), within_seconds=30)

        async def is_buried() -> bool:
            return await store.count("pulse", {}) == 1

        await until(is_buried, within_seconds=30)
        await visitor.leaves()
