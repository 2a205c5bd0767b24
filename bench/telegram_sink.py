"""`python -m bench.telegram_sink`: a Bot API that takes every message and keeps none, in a process of its own; it prints its port.

It counts: GET answers how many messages it took since it began, so that a benchmark can tell that none was lost on the way.
"""

import asyncio
import json
from typing import cast

import uvloop

from bench.bot_api import ME

SENT = {"message_id": 7, "date": 1790000000, "chat": {"id": 1, "type": "private", "first_name": "Anna"}, "text": "ok"}


class Sink(asyncio.Protocol):
    """One connection."""

    taken = 0

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
            self._answer(head.partition(b"\r\n")[0], body)

    def _answer(self, line: bytes, body: bytes) -> None:
        if line.startswith(b"get / "):
            self._write(Sink.taken)
        elif b"/sendmessage" in line:
            is_right = b"chat_id" in body and b"text" in body
            Sink.taken += is_right
            self._write({"ok": is_right, "result": SENT})
        else:
            self._write({"ok": True, "result": ME if b"/getme" in line else True})

    def _write(self, said: object) -> None:
        text = json.dumps(said).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text)
        self._transport.write(head + text)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
