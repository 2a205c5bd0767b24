"""Telegram, played by the local Bot API server (tests/peers/bot_api.py), with a webhook."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from channels.channel import Door
from channels.telegram import Options
from profiles.secret import Secret
from tests.peers.bot_api import BotApi, bot_api
from tests.waiting import until


@asynccontextmanager
async def play(door: Door) -> AsyncIterator["TelegramKit"]:
    """Start the Bot API on a free port, with somebody for each trouble."""
    async with bot_api() as server:
        for chat, failure in ((6, "blocked"), (7, "flood"), (8, "hang")):
            server.fail_for(chat, failure)
        yield TelegramKit(server)


class TelegramKit:
    person = "5"
    troubles = {"blocked": "6", "throttled": "7", "silent": "8"}

    def __init__(self, server: BotApi) -> None:
        self._server = server
        self._updates: dict[str, dict[str, Any]] = {}
        token = Secret(server.token)
        self.options = Options(enabled=True, token=token, webhook=True, api_url=server.url, timeout_seconds=0.8)

    async def connected(self) -> None:
        await until(lambda: self._server.webhook)

    async def says(self, text: str, *, id: str) -> bool:
        known = self._updates.get(id)
        update = await (self._server.again(known) if known else self._server.says(text))
        self._updates[id] = update
        await self._server.settled()  # it repeats by itself what was not accepted
        return True

    async def heard(self) -> list[str]:
        mine = [said for said in self._server.said if said.chat == self.person]
        return ["\n".join([said.text, *(key["text"] for key in said.keys)]) for said in mine]

    async def vanish(self) -> None:
        await self._server.stop()
