"""The API as a caller meets it: a real server on a real database, one key with every scope, and keys with fewer."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from admin.api import ROUTES, api
from admin.api_docs import docs
from admin.desk import Desk
from admin.keys import SCOPES, create_key
from admin.schema import Problem
from channels.channel import Limits
from profiles.consents import Consents
from profiles.conversation import Conversation
from profiles.indexes import INDEXES
from profiles.ledgers import Ledgers
from profiles.live import Feed
from profiles.permits import Permits
from profiles.profile import Profile
from profiles.snapshot import Changes, Work
from profiles.store import Store
from profiles.writer import Writer
from rules.choice import as_listed
from rules.options import RulesOptions
from rules.policy import Reach
from rules.running import open_rules
from tests.world import NOON

IDENTITY_SECRET = "what the shop's own server signs with"


@dataclass
class Line:
    """A channel that is connected: enough of one for the API."""

    name: str
    space: str
    limits: Limits = Limits()


class Clock:
    """The instant that the server believes it is."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> Any:
        return self.now

    def later(self, **length: float) -> None:
        """Let time pass."""
        self.now += timedelta(**length)


class Caller:
    """Somebody with a key."""

    def __init__(self, client: "TestClient[web.Request, web.Application]", desk: Desk, key: str) -> None:
        self.client, self.desk, self.key = client, desk, key

    async def as_one_who_may(self, *scopes: str) -> "Caller":
        """Return another caller, whose key has these scopes."""
        return Caller(self.client, self.desk, await create_key(self.desk.store, "few", scopes, now=NOON))

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> tuple[int, Any]:
        """Send a request and return (status, JSON). What a route answers well must have the shape that it promises."""
        status, _, answer = await self.whole(method, path, body, headers=headers, raw=raw)
        return status, answer

    async def whole(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> tuple[int, Mapping[str, str], Any]:
        """Send a request and return (status, headers, JSON)."""
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.client.request(method, f"/api/v1{path}", data=data, headers=sent) as response:
            answer = await response.json(content_type=None)
            if response.status >= 400:
                assert response.content_type == "application/problem+json", response.content_type
                assert answer["status"] == response.status
            else:
                _check_shape(method, path, response.status, answer)
            return response.status, response.headers, answer

    async def add(self, profile: Profile, *threads: Conversation) -> None:
        """Put a profile there, with its keys and conversations."""
        claims = {identity.key: profile.id for identity in profile.identities if identity.is_claimed}
        changes = Changes(profiles=(profile,), conversations=threads, claims=claims)
        await self.desk.writer.commit(Work(lambda snapshot: changes))


def _check_shape(method: str, path: str, status: int, answer: Any) -> None:
    """Fail unless some route of this method promises just this shape."""
    place = path.split("?")[0].strip("/").split("/")
    for route in ROUTES:
        parts = route.path.strip("/").split("/")
        fits = len(parts) == len(place) and all(a == b or a.startswith("{") for a, b in zip(parts, place, strict=True))
        if route.method == method and fits and route.reply:
            problems: list[Problem] = []
            route.reply.read(answer, "", problems)
            assert not problems, problems
            return
    raise AssertionError(f"{method} {path}")


@asynccontextmanager
async def caller_on(
    mongo_url: str,
    database_name: str,
    *,
    book: Path | None = None,
    clock: Clock | None = None,
    listeners: Sequence[Any] = (),
) -> AsyncIterator[Caller]:
    """Within the block, a server with the API on this database, and a caller who may do everything.

    With a `book` the server has rules; they work through what it is told, and look for nothing by themselves.
    """
    store = Store(mongo_url, database_name, listeners=listeners)
    await store.prepare(INDEXES)
    clock = clock or Clock()
    writer = Writer(store, process="p1", clock=clock)
    channels: Any = {"telegram": Line("telegram", "telegram"), "twilio": Line("twilio", "sms")}
    rules = None
    if book:
        reaches = [Reach(line.name, line.space) for line in channels.values()]
        rules = await open_rules(store, writer, reaches, as_listed, RulesOptions(str(book)), language="fr", clock=clock)
        rules.engine.begin()
    ledgers = Ledgers(store)
    consents = Consents(store, ledgers, Permits(store, ledgers, clock=clock))
    desk = Desk(
        store, writer, Feed(), clock, b"s" * 32, "https://shop.example", channels, rules=rules, consents=consents,
        identity_secrets=(IDENTITY_SECRET,),
    )  # fmt: skip
    app = web.Application()
    app.add_subapp("/api/v1", api(desk))
    app.add_subapp("/api/docs", docs(desk))
    async with TestClient(TestServer(app)) as client:
        yield Caller(client, desk, await create_key(store, "all", SCOPES, now=NOON))
    if rules:
        await rules.close()
    await writer.close()
    await store.close()
