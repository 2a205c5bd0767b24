"""The web chat has no provider: a browser is its world, played here on the wire. Chromium itself plays in its own tests."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

from channels.channel import Door, Outbound
from channels.webchat import Options
from profiles.snapshot import Changes
from profiles.timeline import Message
from tests.channels.kits.kit import Trouble


@asynccontextmanager
async def play(door: Door) -> AsyncIterator["WebchatKit"]:
    """Get a browser ready."""
    kit = WebchatKit(door)
    try:
        yield kit
    finally:
        await kit.vanish()


class WebchatKit:
    options = Options(enabled=True)
    troubles: Mapping[Trouble, str] = {}
    person = ""
    """Given by the server with the first welcome."""

    def __init__(self, door: Door) -> None:
        self._door, self._session = door, aiohttp.ClientSession()
        self._frames: list[dict[str, Any]] = []
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def connected(self) -> None:
        url = self._door.public_url
        self._ws = await self._session.ws_connect(f"{url}/channels/webchat/socket", headers={"Origin": url})
        await self._ws.send_json({"type": "hello", "language": "fr"})
        self.person = (await self._ws.receive_json())["address"]
        await self._ws.receive_json()  # the history: from now on the socket follows the commits
        self._reading = asyncio.create_task(self._read())

    async def says(self, text: str, *, id: str) -> bool:
        known = len(self._frames)
        await self._ws.send_json({"type": "say", "id": f"contract-{id}", "text": text})
        while not (
            answers := [frame for frame in self._frames[known:] if frame["type"] in ("ack", "retry", "refused")]
        ):
            self._changed.clear()
            await self._changed.wait()
        return bool(answers[0]["type"] == "ack")

    def committed(self, outbound: Outbound) -> None:
        """Announce the message as the writer does before any channel is asked to send it."""
        message = Message(
            outbound.id, outbound.conversation, "p", "webchat", "outbound", "bot", outbound.content, outbound.seq,
            self._door.clock(),
        )  # fmt: skip
        self._door.feed.announce([Changes(messages=(message,))])

    async def heard(self) -> list[str]:
        said = [frame for frame in self._frames if frame["type"] == "message" and frame["author"] != "customer"]
        return ["\n".join([frame["text"], *(button["title"] for button in frame.get("buttons", ()))]) for frame in said]

    async def vanish(self) -> None:
        if self._reading:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        await self._session.close()

    async def _read(self) -> None:
        async for message in self._ws:
            self._frames.append(message.json())
            self._changed.set()
