"""Two servers on one database: visitors and agents meet whichever of them each is connected to, and nothing needs to stick."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from admin import acts, agents, sessions
from admin.agents import Agent
from admin.live import LIVE
from causerie.app import DESK
from causerie.data_folder import free_port as any_free_port
from causerie.ground import GROUND
from profiles.calendar import utc_now
from profiles.snapshot import Done
from profiles.store import Plan
from profiles.timeline import Content
from tests.stories.town import Town, Visitor, town
from tests.waiting import until


@dataclass
class Colleague:
    """An agent's open page on one server: what it shows, and what it was told."""

    here: Town
    agent: Agent
    frames: list[dict[str, Any]] = field(default_factory=list)
    socket: aiohttp.ClientWebSocketResponse | None = None

    async def sits_down(self, http: aiohttp.ClientSession, session: str, **shows: Any) -> "Colleague":
        """Open a page of the console with a session that may have been begun on another server."""
        desk = self.here.app[DESK]
        headers = {"Origin": self.here.url, "Cookie": f"{sessions.cookie_name(desk)}={session}"}
        self.socket = await http.ws_connect(f"{self.here.url}/console/live", headers=headers)
        await self.socket.send_json({"view": "all", **shows, "begins": True})
        return self

    async def reads(self) -> None:
        """Take in what the page is told, for ever."""
        assert self.socket
        async for raw in self.socket:
            self.frames.append(json.loads(raw.data))

    async def shows(self, **what: Any) -> None:
        """Say what the page shows now, or that its agent writes."""
        assert self.socket
        await self.socket.send_json(what)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """Return the frames of this kind so far."""
        return [frame for frame in self.frames if frame["kind"] == kind]

    async def replies(self, conversation: str, text: str) -> None:
        """Answer as an agent, through this server."""
        outcome = await self.here.writer.commit(
            acts.reply(conversation, Content(text), self.agent, client_id=f"r-{text}")
        )
        assert isinstance(outcome, Done)


@asynccontextmanager
async def at_work(here: Town, name: str = "maya", begun_at: Town | None = None) -> AsyncIterator[Colleague]:
    """Let an agent open a page here; the session may have begun at another server."""
    agent = Agent(name, f"{name}@example.org", name.title(), "agent", utc_now(), capacity=1)
    if await agents.by_id(here.store, name) is None:
        plan = Plan()
        plan.update("agents", agents.born(agent))
        await here.store.commit(plan)
    session = await sessions.begin((begun_at or here).app[DESK], name, ip="127.0.0.1", browser="Test")
    async with aiohttp.ClientSession() as http:
        colleague = await Colleague(here, agent).sits_down(http, session)
        reading = asyncio.create_task(colleague.reads())
        await until(lambda: colleague.heard("hello"))
        yield colleague
        reading.cancel()
        assert colleague.socket
        await colleague.socket.close()


@pytest.fixture
async def two(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[tuple[Town, Town]]:
    async with (
        town(mongo_url, database_name, free_port) as one,
        town(mongo_url, database_name, any_free_port()) as other,
    ):
        neighbours = [place.app[GROUND].neighbours for place in (one, other)]
        await until(lambda: all(len(place.others) == 1 and place.told for place in neighbours))
        yield one, other


async def test_an_agent_here_sees_what_a_visitor_there_writes_and_answers(two: tuple[Town, Town]) -> None:
    here, there = two
    visitor = await Visitor(there.url).opens()
    async with at_work(here, begun_at=there) as maya:
        await visitor.says("je veux parler à un conseiller")
        await until(lambda: any(row["owner"] == "agent" and row["assignee"] == "maya" for row in maya.heard("row")))
        thread = maya.heard("row")[-1]["id"]
        profile = (await here.store.first("conversations", {"_id": thread}) or {})["profile"]
        await maya.shows(looks_at=thread, profiles=[profile])
        await visitor.says("vous êtes là ?")
        item = await until(lambda: [one for one in maya.heard("item") if "vous êtes là" in one["html"]])
        assert item[0]["by_customer"]
        await maya.replies(thread, "Je suis là.")
        await visitor.hears("Je suis là.")
        await until(lambda: any("Je suis là." in one["html"] for one in maya.heard("item")))
    seqs = sorted(visitor.messages)
    assert seqs == list(range(1, len(seqs) + 1)) and set(visitor.times_seen.values()) == {1}
    await visitor.leaves()


async def test_colleagues_see_each_other_across_servers(two: tuple[Town, Town]) -> None:
    here, there = two
    async with at_work(here) as maya:
        async with at_work(there, "samir") as samir:
            await until(lambda: maya.heard("presence") and len(maya.heard("presence")[-1]["here"]) == 2)
            await until(lambda: samir.heard("presence") and len(samir.heard("presence")[-1]["here"]) == 2)
            await maya.shows(looks_at="webchat:v1")
            await samir.shows(looks_at="webchat:v1")
            await until(lambda: [one["id"] for one in maya.heard("presence")[-1]["looking"]] == ["samir"])
            await samir.shows(typing=True)
            await until(lambda: [one["typing"] for one in maya.heard("presence")[-1]["looking"]] == [True])
        await until(lambda: len(maya.heard("presence")[-1]["here"]) == 1)


async def test_the_visitor_sees_an_agent_of_another_server_typing(two: tuple[Town, Town]) -> None:
    here, there = two
    shown: list[dict[str, Any]] = []
    visitor = Visitor(there.url)
    take = visitor._take

    def note(frame: dict[str, Any]) -> None:
        shown.append(frame)
        take(frame)

    visitor._take = note  # type: ignore[method-assign]
    await visitor.opens()
    await visitor.says("bonjour")
    await until(lambda: visitor.last)
    (thread,) = await here.store.find("conversations", {})
    async with at_work(here) as maya:
        await maya.shows(looks_at=thread["_id"])
        await maya.shows(typing=True)
        await until(lambda: any(frame["type"] == "typing" for frame in shown))
    await visitor.leaves()


async def test_a_visitor_goes_on_at_the_other_server(two: tuple[Town, Town]) -> None:
    here, there = two
    visitor = await Visitor(here.url).opens()
    await visitor.says("bonjour")
    await until(lambda: visitor.last)
    await visitor.leaves()
    visitor.url = there.url
    await visitor.opens()
    await visitor.says("quels sont vos horaires ?")
    await until(lambda: visitor.last and len(visitor.transcript) >= 4)
    assert len(await there.store.find("conversations", {})) == 1, "the same person, the same conversation"
    await visitor.leaves()


async def test_nobody_is_given_more_than_their_capacity_by_two_servers(two: tuple[Town, Town]) -> None:
    here, there = two
    async with at_work(here), at_work(there, "samir"):
        known = [place.app[DESK].presence for place in two]
        await until(lambda: all(len(presence.agents()) == 2 for presence in known))
        visitors = [await Visitor(place.url).opens() for place in (here, there) for _ in range(3)]
        await asyncio.gather(*(visitor.says("je veux parler à un conseiller") for visitor in visitors))
        await until(lambda: here.store.count("conversations", {"owner": "agent"}))

        async def all_given() -> bool:
            found = await here.store.find("conversations", {"owner": {"$in": ["agent", "queue"]}})
            return len(found) == 6 and sum(one["owner"] == "agent" for one in found) >= 2

        await until(all_given)
        given = await here.store.find("conversations", {"owner": "agent"})
        assert sorted(one["assignee"] for one in given) == ["maya", "samir"], "one each: both have room for one"
        for visitor in visitors:
            await visitor.leaves()


async def test_a_session_revoked_at_one_server_ends_at_the_other_at_once(two: tuple[Town, Town]) -> None:
    here, there = two
    async with at_work(there) as maya:
        console = next(app for app in here.app._subapps if LIVE in app)
        console[LIVE].end("maya")
        assert maya.socket
        await until(lambda: maya.socket and maya.socket.closed, within_seconds=10)
