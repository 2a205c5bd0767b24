"""The whole server with every door open that a shop may open, behind https and one proxy, and those who knock at them.

Each request comes from an address of its own unless it says otherwise, so that what is counted by address counts only where a
test means it to.
"""

import io
import itertools
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from admin import agents, sessions
from admin.agents import Agent
from admin.desk import Desk
from admin.keys import create_key
from admin.roles import Role
from admin.tracker import TrackerOptions
from bot.answering import BotOptions
from causerie.app import CHANNELS, DESK, STORE, WRITER, build
from causerie.logs import configure
from causerie.options import Options, ServerOptions
from causerie.serving import runner_of
from channels import email, inapp, telegram, twilio, wallet, webchat, webpush
from profiles.calendar import utc_now
from profiles.personal_links import PersonalLinks
from profiles.secret import Secret
from profiles.snapshot import Changes, Work
from profiles.store import Plan, Store
from profiles.writer import Writer
from rules.options import RulesOptions
from tests.admin.market import shelve
from tests.admin.office import PASSWORD, anna, boris, chloe
from tests.peers.bot_api import TOKEN as BOT_TOKEN
from tests.peers.bot_api import BotApi, bot_api
from tests.peers.twilio_rest import ACCOUNT, FROM, TwilioRest
from tests.peers.twilio_rest import TOKEN as TWILIO_TOKEN

PUBLIC_URL = "https://shop.example"
"""How the world reaches the server; on this machine it listens without TLS, as behind a proxy."""
IDENTITY_SECRET = "the shop's own identity secret, long enough"
HOOK_SECRET = "telegram-hook-secret-0123456789"
RASA_TOKEN = "rasa-endpoint-token-0123456789"
MAILGUN_KEY, SNS_TOPIC = "mailgun-signing-key-0123456789", "arn:aws:sns:eu-west-1:123456789012:mail"
REPORTER_SECRET = "reporter-secret-0123456789"
WEBHOOK_SECRET = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


@dataclass
class Answer:
    """What came back, read."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


@dataclass
class Fortress:
    """The running server, and shortcuts to knock at it."""

    url: str
    app: web.Application
    options: Options
    telegram: BotApi
    twilio: TwilioRest
    book: Path
    http: aiohttp.ClientSession
    log: io.StringIO
    _addresses: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def store(self) -> Store:
        """Its database."""
        return self.app[STORE]

    @property
    def desk(self) -> Desk:
        """What its console works at."""
        return self.app[DESK]

    @property
    def writer(self) -> Writer:
        """Its one writer."""
        return self.app[WRITER]

    @property
    def links(self) -> PersonalLinks:
        """What makes links to people's own pages, with addresses of this machine."""
        return PersonalLinks(self.desk.secret, self.url)

    @property
    def channels(self) -> Mapping[str, Any]:
        """Its connected channels."""
        return self.app[CHANNELS]

    async def ask(
        self,
        method: str,
        path: str,
        *,
        by: Mapping[str, str] | None = None,
        address: str = "",
        data: Any = None,
        json: Any = None,
        **more: Any,
    ) -> Answer:
        """Send one request, following nothing; `by` are the headers of who asks."""
        headers = {"X-Forwarded-For": address or self.new_address(), **(by or {}), **more.pop("headers", {})}
        url = path if path.startswith("http") else self.url + path
        async with self.http.request(
            method, url, headers=headers, data=data, json=json, allow_redirects=False, **more
        ) as answer:
            return Answer(answer.status, answer.headers, (await answer.read()).decode("utf-8", "replace"))

    def new_address(self) -> str:
        """Return a public internet address that nobody has come from yet."""
        number = next(self._addresses)
        return f"9.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    async def agent(self, role: Role = "agent", name: str = "", **more: Any) -> Agent:
        """Make somebody of this role who may sign in with the tests' PASSWORD."""
        name = name or f"{role.title()} Lindqvist"
        id = name.split()[0].casefold()
        password = await self.desk.passwords.hash(PASSWORD)
        made = Agent(id, f"{id}@example.org", name, role, utc_now(), password=password, **more)
        plan = Plan()
        plan.update("agents", agents.born(made))
        await self.store.commit(plan)
        return made

    async def signed_in(self, agent: Agent) -> dict[str, str]:
        """Return the headers of a browser in which this agent is signed in, on a page of our own."""
        token = await sessions.begin(self.desk, agent.id, ip="9.9.9.9", browser="Test")
        cookie = {"Cookie": f"{sessions.cookie_name(self.desk)}={token}", "Origin": PUBLIC_URL}
        session = await sessions.find(self.desk, token)
        assert session
        return {**cookie, "X-CSRF": sessions.csrf_token(self.desk, session.id)}

    async def key(self, *scopes: str) -> dict[str, str]:
        """Return the headers of a program with a key of these scopes."""
        return {"Authorization": f"Bearer {await create_key(self.store, 'test', scopes, now=utc_now())}"}

    async def people(self) -> None:
        """Let Anna, Boris and Chloé have written."""
        for change in (anna(utc_now()), boris(utc_now()), chloe(utc_now())):
            await self.writer.commit(Work(lambda snapshot, change=change: change))  # type: ignore[misc]

    async def commit(self, changes: Changes) -> None:
        """Write these changes."""
        await self.writer.commit(Work(lambda snapshot: changes))

    @asynccontextmanager
    async def socket(self, path: str, **headers: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a WebSocket. Raises WSServerHandshakeError when it is refused."""
        headers = {"X-Forwarded-For": self.new_address(), **headers}
        async with self.http.ws_connect(self.url + path, headers=headers) as opened:
            yield opened

    @asynccontextmanager
    async def visitor(self, **hello: Any) -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse, dict[str, Any]]]:
        """Open the web chat and return the socket and the welcome."""
        async with self.socket("/channels/webchat/socket", Origin=PUBLIC_URL) as socket:
            await socket.send_json({"type": "hello", "language": "fr", **hello})
            yield socket, await socket.receive_json()


@asynccontextmanager
async def fortress(
    mongo_url: str, database: str, port: int, folder: Path, *, log_level: str = "INFO", **changed: Any
) -> AsyncIterator[Fortress]:
    """Start it on this port with all its doors open, and stop it at the end; `changed` are options of the server."""
    book = folder / "book"
    book.mkdir()
    async with bot_api() as telegrams, _twilio() as twilios, aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar()
    ) as http:  # fmt: skip
        options = Options(
            server=ServerOptions(port=port, public_url=PUBLIC_URL),
            bot=BotOptions(endpoint_token=Secret(RASA_TOKEN)),
            rules=RulesOptions(str(shelve(book)), Secret(WEBHOOK_SECRET)),
            tracker=TrackerOptions(enabled=True),
            channels=_channels(telegrams, twilios),
            database=database,
            edits=folder / "bot",
            **changed,
        )
        with _logged(log_level, options) as log:
            app = await build(options, mongo_url)
            runner = runner_of(app, shutdown_timeout=1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            try:
                yield Fortress(f"http://127.0.0.1:{port}", app, options, telegrams, twilios, book, http, log)
            finally:
                await runner.cleanup()


def _channels(telegrams: BotApi, twilios: TwilioRest) -> dict[str, Any]:
    return {
        "webchat": webchat.Options(enabled=True, demo=True, identity_secret=Secret(IDENTITY_SECRET), proxies=1),
        "telegram": telegram.Options(
            enabled=True, token=Secret(BOT_TOKEN), api_url=telegrams.url, webhook=True, secret_token=Secret(HOOK_SECRET)
        ),
        "twilio": twilio.Options(
            enabled=True, account_sid=ACCOUNT, auth_token=Secret(TWILIO_TOKEN), from_number=FROM, api_url=twilios.url,
            patience_seconds=0.0,
        ),
        "webpush": webpush.Options(enabled=True, proxies=1),
        "inapp": inapp.Options(enabled=True, proxies=1),
        "wallet": wallet.Options(enabled=True, proxies=1),
        "email": email.Options(
            enabled=True, host="127.0.0.1", port=1, tls="none", from_address="news@shop.example", sns_topic=SNS_TOPIC,
            mailgun_key=Secret(MAILGUN_KEY), reporter="postmark", reporter_secret=Secret(REPORTER_SECRET),
        ),
    }  # fmt: skip


@asynccontextmanager
async def _twilio() -> AsyncIterator[TwilioRest]:
    peer = TwilioRest()
    await peer.start()
    yield peer
    await peer.stop()


class _logged:  # noqa: N801 (reads as a word where it is used)
    """Within the block, all logs go to a stream as the server writes them; it is given."""

    def __init__(self, level: str, options: Options) -> None:
        self._level = level
        groups = (options.bot, options.rules, *options.channels.values())
        values = (getattr(group, name) for group in groups for name in group.__dataclass_fields__)
        self._secrets = [value for value in values if isinstance(value, Secret)]

    def __enter__(self) -> io.StringIO:
        root = logging.getLogger()
        self._before = root.handlers[:], root.level
        stream = io.StringIO()
        configure(self._level, self._secrets, stream)
        return stream

    def __exit__(self, *_: object) -> None:
        root = logging.getLogger()
        root.handlers[:], level = self._before
        root.setLevel(level)
        logging.captureWarnings(False)
