"""Postbox, the manual's imaginary provider, played by the rules that its example channel assumes."""

import asyncio
import hashlib
import hmac
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from channels.channel import Door
from profiles.secret import Secret

KEY = "postbox-key"


@asynccontextmanager
async def play(door: Door) -> AsyncIterator["PostboxKit"]:
    """Start the provider on a free port."""
    kit = PostboxKit(door)
    await kit.start()
    try:
        yield kit
    finally:
        await kit.vanish()


class PostboxKit:
    person = "anna"
    troubles = {"blocked": "gone", "throttled": "hurried", "silent": "asleep"}

    def __init__(self, door: Door) -> None:
        app = web.Application()
        app.router.add_post("/letters", self._take)
        self._door, self._runner, self._heard = door, web.AppRunner(app, shutdown_timeout=0.1), list[str]()

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        url = "http://{}:{}".format(*self._runner.addresses[0][:2])
        options = sys.modules["channels.postbox"].Options
        self.options = options(enabled=True, url=url, key=Secret(KEY), timeout_seconds=0.5)

    async def _take(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.Response(status=401)
        letter = await request.json()
        match letter["to"]:
            case "gone":
                return web.Response(status=410)
            case "hurried":
                return web.Response(status=429, headers={"Retry-After": "3"})
            case "asleep":
                await asyncio.sleep(30)
        self._heard.append(letter["text"])
        return web.json_response({"id": f"p{len(self._heard)}"}, status=202)

    async def connected(self) -> None:
        """There is nothing to wait for."""

    async def says(self, text: str, *, id: str) -> bool:
        raw = json.dumps({"id": id, "from": self.person, "text": text}).encode()
        signature = hmac.new(KEY.encode(), raw, hashlib.sha256).hexdigest()
        url = f"{self._door.public_url}/channels/postbox/letters"
        headers = {"Postbox-Signature": signature}
        async with aiohttp.request("POST", url, data=raw, headers=headers) as answer:
            return answer.status == 200

    async def heard(self) -> list[str]:
        return self._heard

    async def vanish(self) -> None:
        await self._runner.cleanup()
