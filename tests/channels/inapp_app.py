"""An app, or a page with the widget, in front of a real inbox: the server's doors on a real database, Anna behind them."""

import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels.channel import Door
from channels.inapp import InApp, Options, connect
from channels.inbound import FrontDoor
from channels.outbound import BackDoor
from channels.webchat_tokens import sign_identity, visitor_token
from profiles.indexes import INDEXES
from profiles.live import Feed
from profiles.profile import Identity, Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Done, Work
from profiles.store import Store
from profiles.timeline import Content, Delivery, Event, Message
from profiles.writer import Writer

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET, SHOP_SECRET = b"s" * 32, "what the shop's own server signs with"
SHOP = "https://shop.example"
ANNAS = "0123456789abcdef" * 2


def own_secret(secret: bytes) -> bytes:
    """Return what visitor tokens are signed with."""
    return hmac.digest(secret, b"webchat", "sha256")


class App:
    """Asks as an app or the widget does."""

    def __init__(self, client: "TestClient[web.Request, web.Application]", door: Door, channel: InApp) -> None:
        self.client, self.door, self.channel = client, door, channel
        self.now = NOON
        self.backdoor = BackDoor({"inapp": channel}, door.writer, clock=door.clock)

    # -- who asks

    def visitor(self, address: str = ANNAS) -> dict[str, str]:
        """Return the headers of the widget in this visitor's browser."""
        return {"Authorization": f"Bearer {visitor_token(address, own_secret(SECRET))}", "Origin": SHOP}

    def signed_in(self, subject: str = "c-1001", key: str = SHOP_SECRET, minutes: float = 10) -> dict[str, str]:
        """Return the headers of an app that somebody is signed in to."""
        token = sign_identity({"sub": subject}, key, now=NOON, valid_for=timedelta(minutes=minutes))
        return {"X-Identity": token}

    # -- what they ask

    async def inbox(self, headers: Mapping[str, str], query: str = "") -> tuple[int, Any]:
        """Return the status and what is in the inbox."""
        async with self.client.get(f"/channels/inapp/messages{query}", headers=headers) as answer:
            return answer.status, await answer.json()

    async def report(self, headers: Mapping[str, str], did: str, *ids: str) -> tuple[int, Any]:
        """Tell what was done with these messages."""
        body = {"messages": list(ids), "did": did}
        async with self.client.post("/channels/inapp/receipts", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    # -- what is there

    async def know(self, *keys: str, id: str = "anna", **attributes: Any) -> None:
        """Let this profile exist, with these identities."""
        identities = tuple(
            Identity(key.partition(":")[0], key.partition(":")[2], NOON, verified_at=NOON) for key in keys
        )
        profile = Profile(id, NOON, identities)
        for name, value in attributes.items():
            profile = profile.learn(name, value, source="declared", at=NOON)
        changes = Changes(profiles=(profile,), claims=dict.fromkeys(keys, id))
        assert isinstance(await self.door.writer.commit(Work(lambda _: changes)), Done)

    async def send(
        self, id: str, content: Content | None = None, *, profile: str = "anna", to: str = ANNAS, at: datetime = NOON,
        channel: str = "inapp", **metadata: Any,
    ) -> Message:  # fmt: skip
        """Commit a rule's message and let the back door send it."""
        content = content or Content("Votre commande est prête.", title="La boutique")
        known = {"rule": "ready", "step": "0", "class": "transactional", **metadata}
        message = Message(id, id, profile, channel, "outbound", "rule:ready", content, 1, at,
                          delivery=Delivery(f"{channel}:{to}"), metadata=known)  # fmt: skip
        await self.door.writer.commit(Work(lambda _: Changes(messages=(message,))))
        await self.backdoor._deliver(message)
        return message

    async def message(self, id: str) -> Message:
        """Return a message as it is on disk."""
        found = await self.door.store.get("messages", id)
        assert found
        return from_document(Message, found)

    async def events(self, name: str) -> list[Event]:
        """Return what happened of this name."""
        return [from_document(Event, row) for row in await self.door.store.find("events", {"name": name})]

    async def profile(self, id: str = "anna") -> Profile:
        """Return a profile as it is on disk."""
        found = await self.door.store.get("profiles", id)
        assert found
        return from_document(Profile, found)


@asynccontextmanager
async def app_on(url: str, name: str) -> AsyncIterator[App]:
    """Serve the inbox for the length of the block."""
    store = Store(url, name)
    await store.prepare(INDEXES)
    apps: list[App] = []

    def clock() -> datetime:
        return apps[0].now if apps else NOON

    writer, feed = Writer(store, process="p1", clock=clock), Feed()
    writer.listen(feed.announce)
    front = FrontDoor(writer, store, answer=_nobody, limits={})
    door = Door(
        front.receive, "https://causerie.example", clock, store, writer, feed, SECRET, identity_secrets=(SHOP_SECRET,)
    )
    channel = await connect(Options(enabled=True, origins=(SHOP,)), door)
    assert isinstance(channel, InApp)
    served, mounted = web.Application(), web.Application()
    mounted.add_routes(channel.routes())
    served.add_subapp("/channels/inapp", mounted)
    async with TestClient(TestServer(served)) as client:
        apps.append(App(client, door, channel))
        yield apps[0]
    await channel.close()
    await writer.close()
    await store.close()


def _nobody(*_: Any) -> Any:
    raise AssertionError("nobody writes in an inbox")
