"""Visitors of a shop with the chat open: those who only have it open, and those who talk and wait for each acknowledgement."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector, WSMsgType

from bench.chat_server import ORIGIN

OPENING_AT_ONCE = 32
ANSWER_WITHIN_SECONDS = 60.0
SAYS_EVERY_SECONDS = 1.5  # the server takes 60 a minute from one visitor, after a burst of 60


@asynccontextmanager
async def browsers() -> AsyncIterator[ClientSession]:
    """Within the block: something that opens any number of sockets."""
    async with ClientSession(connector=TCPConnector(limit=0), headers={"Origin": ORIGIN}) as http:
        yield http


class Idle:
    """Sockets that are open and say nothing. They answer the server's pings, as browsers do."""

    def __init__(self, http: ClientSession, address: str) -> None:
        self._http, self._address = http, address
        self._sockets: list[ClientWebSocketResponse] = []
        self._listening: list[asyncio.Task[None]] = []

    async def open(self, count: int) -> None:
        """Open so many, each welcomed by the server. Raises when one is not."""
        left = iter(range(count))

        async def work() -> None:
            for _ in left:
                socket = await opened(self._http, self._address)
                self._sockets.append(socket)
                self._listening.append(asyncio.create_task(_listen(socket)))

        await asyncio.gather(*(work() for _ in range(OPENING_AT_ONCE)))

    def held(self) -> int:
        """Return how many are still open."""
        return sum(
            not socket.closed and not task.done() for socket, task in zip(self._sockets, self._listening, strict=True)
        )

    async def ended(self, count: int) -> None:
        """Wait until so many were let go by the server."""
        async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
            while len(self._listening) - self.held() < count:
                await asyncio.wait(
                    [task for task in self._listening if not task.done()], return_when=asyncio.FIRST_COMPLETED
                )

    async def close(self) -> None:
        """Close them all without a goodbye, as closed tabs do."""
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)


async def talk(http: ClientSession, address: str, visitors: int, seconds: float) -> list[float]:
    """Let so many visitors talk for so long; return how many seconds each message took to its acknowledgement."""
    took: list[float] = []
    async with AsyncExitStack() as stack:
        sockets = [await opened(http, address) for _ in range(visitors)]
        for socket in sockets:
            stack.push_async_callback(socket.close)
        await asyncio.gather(*(_talk(socket, place / visitors, seconds, took) for place, socket in enumerate(sockets)))
    return took


async def opened(http: ClientSession, address: str) -> ClientWebSocketResponse:
    """Return a socket that the server has welcomed. Raises RuntimeError, TimeoutError, aiohttp.ClientError."""
    socket = await http.ws_connect(address, max_msg_size=0)
    await socket.send_json({"type": "hello", "language": "en"})
    await _frame(socket, "welcome")
    return socket


async def _talk(socket: ClientWebSocketResponse, place: float, seconds: float, took: list[float]) -> None:
    until = time.perf_counter() + seconds
    await asyncio.sleep(place * SAYS_EVERY_SECONDS)  # not all at once
    number = 0
    while number == 0 or time.perf_counter() < until:
        began = time.perf_counter()
        await socket.send_json({"type": "say", "id": f"message-{number}", "text": "Hello, where is my order?"})
        await _frame(socket, "ack")
        took.append(time.perf_counter() - began)
        number += 1
        await asyncio.sleep(max(0.0, SAYS_EVERY_SECONDS - took[-1]))


async def _frame(socket: ClientWebSocketResponse, kind: str) -> None:
    """Read until a frame of this kind has come."""
    async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
        while True:
            raw = await socket.receive()
            if raw.type is not WSMsgType.TEXT:
                raise RuntimeError(f"expected {kind}, got the end of the socket: {raw.type.name} {raw.data}")
            found = raw.json()["type"]
            if found == kind:
                return
            if found in ("refused", "retry"):
                raise RuntimeError(f"expected {kind}, got {raw.data}")


async def _listen(socket: ClientWebSocketResponse) -> None:
    async for _ in socket:
        pass
