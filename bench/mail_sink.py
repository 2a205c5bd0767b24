"""`python -m bench.mail_sink`: an SMTP server that takes every mail and keeps none, in a process of its own; it prints its port.

It counts: QUIT answers how many mails it took since it began, so that a benchmark can tell that none was lost on the way.
"""

import asyncio
from typing import cast

import uvloop

END = b"\r\n.\r\n"


class Sink(asyncio.Protocol):
    """One connection."""

    taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport, self._buffer, self._is_mail = cast(asyncio.Transport, transport), b"", False
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer each command, and each mail at its end."""
        self._buffer += data
        answers = []
        while self._buffer:
            end, size = (END, 5) if self._is_mail else (b"\r\n", 2)
            at = self._buffer.find(end)
            if at < 0:
                break
            line, self._buffer = self._buffer[:at], self._buffer[at + size :]
            answers.append(self._answer(line))
        self._transport.write(b"".join(answers))

    def _answer(self, line: bytes) -> bytes:
        if self._is_mail:
            self._is_mail = False
            Sink.taken += 1
            return b"250 2.0.0 Ok\r\n"
        word = line[:4].upper()
        if word == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        if word == b"DATA":
            self._is_mail = True
            return b"354 go on\r\n"
        return b"221 %d\r\n" % Sink.taken if word == b"QUIT" else b"250 2.1.0 Ok\r\n"


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
