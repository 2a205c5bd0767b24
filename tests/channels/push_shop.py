"""A shop with web push for tests: real server, front and back door, consents and database; the push service is a strict peer."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web

from channels import webchat, webpush
from channels.channel import Channel, Door
from channels.inbound import FrontDoor
from channels.outbound import BackDoor
from channels.webchat_tokens import demo_key, sign_identity
from channels.webpush_subscriptions import id_of
from profiles.answer import Answer
from profiles.calendar import utc_now
from profiles.consents import Consents
from profiles.ids import new_id
from profiles.indexes import INDEXES
from profiles.ledgers import Ledgers
from profiles.live import Feed
from profiles.permits import Permits
from profiles.record import from_document
from profiles.secret import Secret
from profiles.snapshot import Changes, Work
from profiles.store import Store
from profiles.timeline import Content, Delivery, Message
from profiles.topics import Topic
from profiles.writer import Writer
from tests.peers.push_service import Browser, PushService
from tests.waiting import until

SECRET = b"s" * 32
IDENTITY_SECRET = "the shop signs with thirty-two characters"
OFFERS = Topic(
    "offers", {"en": "Offers", "fr": "Offres"}, {"en": "I agree to offers.", "fr": "J'accepte les offres."}, "3"
)
LOYALTY = Topic(
    "loyalty", {"en": "Loyalty", "fr": "Fidélité"}, {"en": "I agree to news of my points.", "fr": "Mes points."}, "1",
    double_opt_in=True,
)  # fmt: skip
ON_PAPER = Topic("paper", {"en": "Letters"}, {"en": "By post."}, channels=("post",))
PAGE = """<!doctype html><html lang="{language}"><meta name="viewport" content="width=device-width"><title>Shop</title>
<style>body{{font:17px system-ui;color-scheme:light dark}}</style>
<h1>The shop</h1><button data-causerie-push hidden>Tell me about offers</button>
<script src="/channels/webpush/push.js" data-worker="/shop/worker.js" data-topics="{topics}" data-accent="{accent}" defer>
</script></html>"""
WORKER = (
    'self.causerie = new URL("/channels/webpush/", self.location).href;\nimportScripts(self.causerie + "worker.js");\n'
)


@dataclass
class PushShop:
    """The running server."""

    store: Store
    peer: PushService
    port: int
    options: webpush.Options
    now: Any = None
    topics: dict[str, Topic] = field(default_factory=lambda: {one.id: one for one in (OFFERS, LOYALTY, ON_PAPER)})
    channel: Channel = field(init=False)
    writer: Writer = field(init=False)
    consents: Consents = field(init=False)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def clock(self) -> Any:
        return self.now or utc_now()

    async def start(self) -> None:
        self.writer, feed = Writer(self.store, process="test", clock=self.clock), Feed()
        self.writer.listen(feed.announce)
        self._front = FrontDoor(self.writer, self.store, answer=_silent, limits={})
        ledgers = Ledgers(self.store)
        self._permits = Permits(self.store, ledgers, clock=self.clock)
        self.consents = Consents(self.store, ledgers, self._permits)
        door = Door(
            self._front.receive, self.url, self.clock, self.store, self.writer, feed, SECRET,
            identity_secrets=(IDENTITY_SECRET, demo_key(SECRET)), consents=self.consents, topics=lambda: self.topics,
        )  # fmt: skip
        self.channel = await webpush.connect(self.options, door)
        chat = await webchat.connect(
            webchat.Options(enabled=True, demo=True, identity_secret=Secret(IDENTITY_SECRET)), door
        )
        self._back = BackDoor({"webpush": self.channel}, self.writer, clock=self.clock, permits=self._permits)
        self.writer.listen(self._back.take)
        app = web.Application()
        for channel in (self.channel, chat):
            mounted = web.Application()
            mounted.add_routes(channel.routes())
            app.add_subapp(f"/channels/{channel.name}", mounted)
        app.router.add_get("/shop/worker.js", _worker)
        app.router.add_get("/shop/{language}", _page)
        self._chat = chat
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner:
            for site in list(self._runner.sites):
                await site.stop()
            await self._chat.close()
            await self.channel.close()
            await self._runner.cleanup()
            await self._back.close()
            await self._permits.close()
            await self._front.close()
            await self.writer.close()

    async def ask(
        self, path: str, *, origin: str | None = None, raw: bytes | None = None, **body: Any
    ) -> tuple[int, Any]:
        """Post as our script does; return the status and what came back."""
        headers = {"Origin": self.url if origin is None else origin, "Content-Type": "text/plain;charset=UTF-8"}
        async with aiohttp.ClientSession() as session:
            sent = json.dumps(body).encode() if raw is None else raw
            async with session.post(f"{self.url}/channels/webpush/{path}", data=sent, headers=headers) as answer:
                text = await answer.text()
                return answer.status, json.loads(text) if text.startswith("{") else None

    async def subscribed(self, name: str, **more: Any) -> tuple[str, str]:
        """Subscribe a played browser of this name; return the id of its subscription and its token."""
        browser = self.peer.browsers.get(f"/push/{name}") or self.peer.browser(name)
        status, told = await self.ask("subscriptions", subscription=browser.subscription(), **more)
        assert status == 200, told
        return id_of(browser.endpoint), told["token"]

    def browser(self, name: str) -> Browser:
        return self.peer.browsers[f"/push/{name}"]

    async def owner(self, id: str) -> dict[str, Any]:
        """Return the profile whose browser this is, once it is known: the subscription is kept first."""
        held = await until(lambda: self.store.get("identities", f"webpush:{id}"))
        found = await self.store.get("profiles", held["profile"])
        assert found
        return found

    async def send(self, id: str, content: Content, **metadata: Any) -> Message:
        """Commit a rule's message for this browser; the back door sends it."""
        owner, now = (await self.owner(id))["_id"], self.clock()
        message = f"rule:{new_id(now)}"
        rules_own = {"rule": "r", "step": "s", "class": "transactional", "topic": "offers", **metadata}
        notice = Message(
            message, message, owner, "webpush", "outbound", "rule:r", content, 1, now,
            delivery=Delivery(to=f"webpush:{id}"), metadata=rules_own,
        )  # fmt: skip
        await self.writer.commit(Work(lambda snapshot: Changes(messages=(notice,)), profiles=(owner,)))
        return notice

    async def message(self, id: str) -> Message:
        row = await self.store.get("messages", id)
        assert row
        return from_document(Message, row)

    async def state_of(self, id: str) -> str:
        delivery = (await self.message(id)).delivery
        assert delivery
        return delivery.state

    async def names(self) -> list[str]:
        """Return the names of all events, in order."""
        return [row["name"] for row in await self.store.find("events", {}, sort=[("happened_at", 1), ("_id", 1)])]

    async def proofs(self) -> list[Mapping[str, Any]]:
        return await self.store.find("consents", {}, sort=[("at", 1), ("_id", 1)])

    def identity(self, subject: str, **claims: str) -> str:
        """Return what the shop's own server signs for somebody who is signed in."""
        return sign_identity(
            {"sub": subject, **claims}, IDENTITY_SECRET, now=self.clock(), valid_for=timedelta(hours=1)
        )


@asynccontextmanager
async def push_shop(url: str, database: str, port: int, **options: Any) -> AsyncIterator[PushShop]:
    """Run a shop and its push service for the length of the block."""
    peer = PushService()
    await peer.start()
    store = Store(url, database)
    await store.prepare(
        {name: INDEXES[name] for name in ("messages", "identities", "visitors", "profiles", "consents")}
    )
    plain = webpush.Options(enabled=True, services=(peer.origin,), answer_seconds=2.0)
    shop = PushShop(store, peer, port, replace(plain, **options))
    try:
        await shop.start()
        yield shop
    finally:
        await shop.stop()
        await peer.stop()
        await store.close()


def _silent(snapshot: Any, profile: Any, conversation: Any, message: Any) -> Answer:
    return Answer(profile, conversation, ())


async def _page(request: web.Request) -> web.Response:
    asked = {name: request.query.get(name, "") for name in ("topics", "accent")}
    text = PAGE.format(language=request.match_info["language"], **asked)
    return web.Response(text=text, content_type="text/html")


async def _worker(request: web.Request) -> web.Response:
    return web.Response(text=WORKER, content_type="text/javascript")
