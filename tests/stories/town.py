"""The whole server in a test, and the people who write to it: each speaks by their own channel and hears what comes back."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.answering import BotOptions
from bot.llm_options import LlmOptions
from causerie.app import STORE, WRITER, build
from causerie.options import Options, ServerOptions
from channels import telegram, twilio, webchat
from profiles.secret import Secret
from profiles.store import Store
from profiles.writer import Writer
from rules.options import RulesOptions
from tests.peers.bot_api import TOKEN, BotApi, bot_api
from tests.waiting import until

IDENTITY_SECRET = "a shop's own secret of enough length"


@dataclass
class Town:
    """One server with web chat and Telegram, over a database of its own."""

    url: str
    store: Store
    writer: Writer
    telegram: BotApi
    options: Options
    app: web.Application


@asynccontextmanager
async def town(
    mongo_url: str,
    database: str,
    port: int,
    bot: BotOptions | None = None,
    llm: LlmOptions | None = None,
    edits: Path | None = None,
    rules: RulesOptions | None = None,
) -> AsyncIterator[Town]:
    """Start it on this port, stop it at the end."""
    async with bot_api() as telegrams:
        options = Options(
            server=ServerOptions(port=port),
            bot=bot or BotOptions(),
            llm=llm or LlmOptions(),
            rules=rules or RulesOptions(),
            channels={
                "webchat": webchat.Options(enabled=True, demo=True, identity_secret=Secret(IDENTITY_SECRET)),
                "telegram": telegram.Options(enabled=True, token=Secret(TOKEN), api_url=telegrams.url, poll_seconds=1),
                "twilio": twilio.Options(),
            },
            database=database,
            edits=edits,
        )
        app = await build(options, mongo_url)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield Town(f"http://127.0.0.1:{port}", app[STORE], app[WRITER], telegrams, options, app)
        finally:
            await runner.cleanup()


@dataclass
class OnTelegram:
    """A person with a telephone."""

    api: BotApi
    chat: int = 5

    async def says(self, text: str) -> None:
        """Write to the bot."""
        await self.api.says(text, by=self.chat)

    async def presses(self, title: str) -> None:
        """Press the newest key of this title."""
        await self.api.presses(title, by=self.chat)

    async def hears(self, *words: str) -> str:
        """Wait for the newest message to hold all these words and return it."""
        await until(lambda: self.last and all(word in self.last for word in words))
        return self.last

    @property
    def heard(self) -> list[str]:
        """All that was said to this person."""
        return [said.text for said in self.api.said if said.chat == str(self.chat)]

    @property
    def last(self) -> str:
        """The newest message, or nothing."""
        return self.heard[-1] if self.heard else ""


@dataclass
class Visitor:
    """A browser with the widget's memory: it reconnects with the last seq it saw and says again what was not acknowledged."""

    url: str
    language: str = "fr"
    token: str = ""
    last_seq: int = 0
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    acked: set[str] = field(default_factory=set)
    unacked: dict[str, dict[str, Any]] = field(default_factory=dict)
    times_seen: dict[int, int] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _session: aiohttp.ClientSession | None = None
    _socket: aiohttp.ClientWebSocketResponse | None = None
    _reading: asyncio.Task[None] | None = None

    async def opens(self, identity: str = "") -> "Visitor":
        """Open the widget, or come back to it."""
        self._session = aiohttp.ClientSession()
        self._socket = await self._session.ws_connect(
            f"{self.url}/channels/webchat/socket", headers={"Origin": self.url}
        )
        hello = {"type": "hello", "token": self.token, "identity": identity, "last_seq": self.last_seq}
        await self._socket.send_json({**hello, "language": self.language, "page": self.url})
        self._reading = asyncio.create_task(self._read())
        await until(lambda: self.token)
        for frame in list(self.unacked.values()):
            await self._socket.send_json(frame)
        return self

    async def leaves(self) -> None:
        """Close the page."""
        if self._reading:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        if self._session:
            await self._session.close()

    async def says(self, text: str) -> str:
        """Type and send; return the client's id of the message."""
        id = f"client-{next(self._numbers):08d}"
        frame = {"type": "say", "id": id, "text": text}
        self.unacked[id] = frame
        if self._socket and not self._socket.closed:
            await self._socket.send_json(frame)
        return id

    async def hears(self, *words: str) -> str:
        """Wait for the newest message that is not the visitor's own to hold all these words and return it."""
        await until(lambda: self.last and all(word in self.last for word in words))
        return self.last

    @property
    def last(self) -> str:
        """The newest message that somebody else wrote, after which the visitor said nothing more."""
        spoken = [self.messages[seq] for seq in sorted(self.messages)]
        return spoken[-1].get("text", "") if spoken and spoken[-1]["author"] != "customer" else ""

    @property
    def transcript(self) -> list[tuple[str, str]]:
        """(author, text) of everything, in order."""
        return [(self.messages[seq]["author"], self.messages[seq].get("text", "")) for seq in sorted(self.messages)]

    async def _read(self) -> None:
        assert self._socket
        async for raw in self._socket:
            if raw.type is aiohttp.WSMsgType.TEXT:
                self._take(raw.json())

    def _take(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "message":
                self._show(frame)
            case "ack":
                self.acked.add(frame["id"])
                self.unacked.pop(frame["id"], None)
            case _:
                self.token = frame.get("token") or self.token
                for message in frame.get("messages", []):
                    self._show(message)

    def _show(self, message: dict[str, Any]) -> None:
        self.times_seen[message["seq"]] = self.times_seen.get(message["seq"], 0) + 1
        self.messages[message["seq"]] = message
        self.last_seq = max(self.last_seq, message["seq"])
