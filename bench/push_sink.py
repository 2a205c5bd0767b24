"""`python -m bench.push_sink`: a push service that takes every message and keeps none, in a process of its own; it prints its port.

It counts: GET answers how many messages it took since it began, so that a benchmark can tell that none was lost on the way.
"""

import asyncio
from typing import cast

import uvloop


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
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"get "):
            said = b"%d" % Sink.taken
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))
            return
        is_right = b"content-encoding: aes128gcm" in head and b"authorization: vapid t=" in head and b"ttl: " in head
        Sink.taken += is_right
        self._transport.write(
            b"HTTP/1.1 201 Created\r\nLocation: http://127.0.0.1/m/1\r\nContent-Length: 0\r\n\r\n"
            if is_right
            else b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"
        )


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
