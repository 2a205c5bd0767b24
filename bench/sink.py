"""What takes everything and keeps nothing, in a process of its own: where channels and their controls are sent in benchmarks.

`python -m bench.push_sink` and its kind print their port. They count: so a benchmark can tell that nothing was lost on the way.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import aiohttp


class HttpSink(asyncio.Protocol):
    """One connection that asks by HTTP/1.1, one request after the other. `answer` is called with each once it is whole."""

    taken = 0
    """Of all connections of this kind: a GET of / answers it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen."""
        self._transport, self._buffer = cast(asyncio.Transport, transport), b""

    def data_received(self, data: bytes) -> None:
        """Answer each request once it is whole."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            if head.startswith(b"get / "):
                self.say(b"200 OK", b"%d" % type(self).taken)
            else:
                self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        """Say what becomes of this request; its head is in small letters."""
        raise NotImplementedError

    def say(self, status: bytes, body: bytes = b"", *fields: bytes) -> None:
        """Write an answer."""
        head = (b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *fields)
        self._transport.write(b"\r\n".join(head) + b"\r\n\r\n" + body)


async def serve(connection: Callable[[], asyncio.Protocol]) -> None:
    """Listen on a free port of this machine, print it, and take what comes until somebody ends this process."""
    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@asynccontextmanager
async def running(module: str) -> AsyncIterator[int]:
    """Run a module that serves a sink; yield its port, and end it."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout
        yield int(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


async def taken(origin: str) -> int:
    """Return how many messages the HTTP sink at this origin has taken."""
    async with aiohttp.ClientSession() as http, http.get(f"{origin}/") as answer:
        return int(await answer.text())
