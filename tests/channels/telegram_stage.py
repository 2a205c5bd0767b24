"""A connected Telegram channel for tests: the played Bot API on one side, a recording front door on the other."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from aiohttp import web

from channels import telegram
from channels.channel import Door, Outbound, Sending
from channels.telegram_channel import Telegram
from profiles.calendar import utc_now
from profiles.live import Feed
from profiles.secret import Secret
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer
from tests.channels.kits.kit import Recorder
from tests.peers.bot_api import BotApi, bot_api

SECRET = "a-secret_token"


@dataclass
class Stage:
    """What a test plays with."""

    channel: Telegram
    server: BotApi
    recorder: Recorder
    store: Store
    url: str

    async def send(self, content: Content | str, *, to: str = "5", id: str = "m1", seq: int = 1) -> Sending:
        """Hand over one message."""
        content = Content(content) if isinstance(content, str) else content
        return await self.channel.send(Outbound(id, to, content, f"telegram:{to}", seq))

    async def post(self, body: Any, *, secret: str | None = SECRET) -> aiohttp.ClientResponse:
        """Call the webhook as somebody on the network; bytes go as they are, anything else as JSON."""
        headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
        given = {"data": body} if isinstance(body, bytes) else {"json": body}
        url = f"{self.url}/channels/telegram/webhook"
        async with aiohttp.request("POST", url, headers=headers, **given) as answer:
            await answer.read()
            return answer


@asynccontextmanager
async def stage(mongo_url: str, database_name: str, **options: Any) -> AsyncIterator[Stage]:
    """Connect the channel (webhook unless told otherwise) and serve its routes."""
    recorder, store = Recorder(), Store(mongo_url, database_name)
    async with bot_api() as server:
        chosen = telegram.Options(
            enabled=True,
            token=Secret(server.token),
            webhook=True,
            secret_token=Secret(SECRET),
            api_url=server.url,
            timeout_seconds=0.8,
        )
        listening = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        writer = Writer(store, process="p1")
        door = Door(recorder.receive, url, utc_now, store, writer, Feed(), b"s" * 32)
        channel = await telegram.connect(replace(chosen, **options), door)
        assert isinstance(channel, Telegram)
        runner = await _serve(channel, listening)
        try:
            yield Stage(channel, server, recorder, store, url)
        finally:
            await channel.close()
            await runner.cleanup()
            await store.close()


async def _serve(channel: Telegram, listening: socket.socket) -> web.AppRunner:
    app, mounted = web.Application(), web.Application()
    mounted.add_routes(channel.routes())
    app.add_subapp("/channels/telegram", mounted)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    return runner
