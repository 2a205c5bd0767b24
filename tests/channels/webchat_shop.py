"""A whole web chat for tests: real server, real front door and database, a scripted bot, an agent; it can be restarted."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from aiohttp import web

from causerie.doors import show_inboxes
from channels import inapp, webchat
from channels.channel import Arrival, Channel, Door
from channels.inbound import FrontDoor
from channels.outbound import BackDoor
from channels.shedding import Busy
from channels.webchat import Options, Webchat
from profiles.answer import Answer
from profiles.append import noted, said
from profiles.calendar import utc_now
from profiles.conversation import Conversation, take
from profiles.indexes import INDEXES
from profiles.live import Feed
from profiles.profile import Profile
from profiles.secret import Secret
from profiles.snapshot import Changes, Outcome, Snapshot, Work
from profiles.store import Store, Unavailable
from profiles.timeline import Button, Content, Message
from profiles.writer import Writer

IDENTITY_SECRET = "the shop signs with thirty-two characters"
SECRET = b"s" * 32
MENU = Content("What may I show you?", buttons=(Button("Lamps", "/lamps"), Button("Opening hours", "/hours")))


def bot(snapshot: Snapshot, profile: Profile, conversation: Conversation, message: Message) -> Answer:
    """Answer "menu" with buttons, a payload with itself, "quiet..." with nothing, all else with an echo."""
    content = message.content
    if content.text.startswith("quiet") or content.attachments:
        says: tuple[Content, ...] = ()
    elif content.payload:
        says = (Content(f"You chose {content.payload}"),)
    else:
        says = (MENU,) if content.text == "menu" else (Content(f"You said: {content.text}"),)
    return Answer(profile, conversation, says)


@dataclass
class Shop:
    """The running server. `away` makes the database not answer; `offset` moves its clock."""

    store: Store
    options: Options
    port: int
    away: bool = False
    busy: bool = False
    broken: bool = False
    offset: Any = None
    answer: Any = bot
    has_inbox: bool = False
    """Whether the channel inapp is connected too, as causerie/parts.py does it."""
    channel: Webchat = field(init=False)
    writer: Writer = field(init=False)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def clock(self) -> Any:
        return utc_now() + self.offset if self.offset else utc_now()

    async def start(self) -> None:
        """Start on the same port as before."""
        self.writer, feed = Writer(self.store, process="test", clock=self.clock), Feed()
        self.writer.listen(feed.announce)
        front = FrontDoor(self.writer, self.store, answer=self.answer, limits={})

        async def receive(arrival: Arrival) -> Outcome:
            if self.broken:
                raise RuntimeError("told to")
            if self.busy:
                raise Busy
            if self.away:
                raise Unavailable("told to")
            return await front.receive(arrival)

        door = Door(receive, self.url, self.clock, self.store, self.writer, feed, SECRET,
                    identity_secrets=(IDENTITY_SECRET,))  # fmt: skip
        self.channel = await webchat.connect(self.options, door)
        connected: dict[str, Channel] = {"webchat": self.channel}
        app = web.Application()
        if self.has_inbox:
            connected["inapp"] = await inapp.connect(inapp.Options(enabled=True), door)
            show_inboxes(connected)
            mounted = web.Application()
            mounted.add_routes(connected["inapp"].routes())
            app.add_subapp("/channels/inapp", mounted)
        self._back = BackDoor(connected, self.writer, clock=self.clock)
        self.writer.listen(self._back.take)
        self._front = front
        routes = web.Application()
        routes.add_routes(self.channel.routes())
        app.add_subapp("/channels/webchat", routes)
        app.router.add_get("/host", _host_page)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def stop(self) -> None:
        """Stop as the server does: browsers are told to come back."""
        if self._runner:
            runner, self._runner = self._runner, None
            for site in list(runner.sites):
                await site.stop()
            await self.channel.close()
            await runner.cleanup()
            await self._back.close()
            await self._front.close()
            await self.writer.close()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def agent_says(self, conversation: str, content: Content | str, *, agent: str = "agent:lea") -> None:
        """Answer as an agent does from the console: it takes the conversation over."""
        spoken = Content(content) if isinstance(content, str) else content

        def think(snapshot: Snapshot) -> Changes:
            thread = take(snapshot.conversations[conversation], agent.removeprefix("agent:"))
            id = f"{agent}:{conversation}:{thread.seq}"
            thread, message = said(thread, spoken, id=id, author=agent, now=snapshot.now, to=conversation)
            return Changes(conversations=(thread,), messages=(message,))

        await self.writer.commit(Work(think, conversations=(conversation,)))

    async def agent_notes(self, conversation: str, text: str) -> None:
        def think(snapshot: Snapshot) -> Changes:
            thread = snapshot.conversations[conversation]
            thread, note = noted(thread, text, id=f"note:{thread.seq}", author="agent:lea", now=snapshot.now)
            return Changes(conversations=(thread,), messages=(note,))

        await self.writer.commit(Work(think, conversations=(conversation,)))

    async def agent_takes(self, conversation: str, *, unread: int = 0) -> None:
        def think(snapshot: Snapshot) -> Changes:
            thread = replace(take(snapshot.conversations[conversation], "lea"), unread=unread)
            return Changes(conversations=(thread,))

        await self.writer.commit(Work(think, conversations=(conversation,)))

    async def said(self) -> list[dict[str, Any]]:
        """Return all inbound messages that are on disk, in order."""
        return await self.store.find("messages", {"direction": "inbound"}, sort=[("at", 1), ("seq", 1)])


@asynccontextmanager
async def open_shop(url: str, database: str, port: int, **options: Any) -> AsyncIterator[Shop]:
    """Run a shop for the length of the block."""
    store = Store(url, database, listeners=options.pop("listeners", ()))
    await store.prepare(
        {name: INDEXES[name] for name in ("messages", "conversations", "visitors", "files", "profiles")}
    )
    defaults: dict[str, Any] = {"enabled": True, "identity_secret": Secret(IDENTITY_SECRET), "demo": True}
    has_inbox = options.pop("has_inbox", False)
    shop = Shop(store, Options(**{**defaults, **options}), port, has_inbox=has_inbox)
    await shop.start()
    try:
        yield shop
    finally:
        await shop.stop()
        await store.close()


class Browser:
    """What the widget does on the wire, by hand."""

    def __init__(self, session: aiohttp.ClientSession, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._session, self.ws = session, ws
        self.frames: list[dict[str, Any]] = []
        self.token = ""
        self.address = ""

    @property
    def conversation(self) -> str:
        return f"webchat:{self.address}"

    async def send(self, **frame: Any) -> None:
        await self.ws.send_json(frame)

    async def next(self, kind: str, *, within_seconds: float = 10) -> dict[str, Any]:
        """Return the next frame of this type, passing over others (kept in `frames`)."""
        async with asyncio.timeout(within_seconds):
            while True:
                message = await self.ws.receive()
                assert message.type is aiohttp.WSMsgType.TEXT, f"closed {self.ws.close_code} waiting for {kind}"
                frame: dict[str, Any] = message.json()
                self.frames.append(frame)
                if frame["type"] == kind:
                    return frame

    async def closed(self, *, within_seconds: float = 10) -> int | None:
        """Return the close code once the server has closed."""
        async with asyncio.timeout(within_seconds):
            while not self.ws.closed:
                await self.ws.receive()
        return self.ws.close_code

    async def says(self, text: str, *, id: str) -> dict[str, Any]:
        """Say this and return the ack."""
        await self.send(type="say", id=id, text=text)
        return await self.next("ack")

    async def messages_until(self, text: str) -> list[str]:
        """Return the texts that arrive as messages, up to and with this one."""
        texts: list[str] = []
        while text not in texts:
            texts.append((await self.next("message")).get("text", ""))
        return texts

    async def leave(self) -> None:
        await self.ws.close()
        await self._session.close()


@asynccontextmanager
async def browse(shop: Shop, *, origin: str | None = None, **hello: Any) -> AsyncIterator[Browser]:
    """Open a socket from an allowed page, say hello, and leave after the block."""
    browser = await knock(shop, origin=origin)
    try:
        await browser.send(type="hello", **hello)
        yield browser
    finally:
        with contextlib.suppress(ConnectionError):
            await browser.leave()


async def knock(shop: Shop, *, origin: str | None = None, **more: Any) -> Browser:
    """Open a socket without saying anything. Raises aiohttp.WSServerHandshakeError when refused."""
    session = aiohttp.ClientSession()
    try:
        headers = {"Origin": shop.url if origin is None else origin, **more.pop("headers", {})}
        ws = await session.ws_connect(f"{shop.url}/channels/webchat/socket", headers=headers, max_msg_size=0, **more)
    except BaseException:
        await session.close()
        raise
    return Browser(session, ws)


async def welcomed(browser: Browser) -> dict[str, Any]:
    """Return the welcome, remembering the token it gives."""
    frame = await browser.next("welcome")
    browser.token, browser.address = frame["token"], frame["address"]
    return frame


async def _host_page(request: web.Request) -> web.Response:
    """A shop's page in this language, with nothing but the widget."""
    language, accent = request.query.get("lang", "en"), request.query.get("accent", "")
    return web.Response(
        text=f'<!doctype html><html lang="{language}"><meta name="viewport" content="width=device-width">'
        '<title>Host</title><h1>A page of the shop</h1><button id="before">Before</button>'
        f'<script src="/channels/webchat/widget.js" data-accent="{accent}" defer></script>',
        content_type="text/html",
    )
