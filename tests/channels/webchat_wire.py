"""A TCP relay that can fall silent in one direction, as a network does under a sleeping laptop: nothing is closed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Relay:
    """Forwards `port` to another port. What `mute` swallows ("up": to the server, "down": from it) is gone for good."""

    target: int
    port: int = 0
    muted: set[tuple[int, str]] = field(default_factory=set)
    _count: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def mute(self, direction: str) -> None:
        """Swallow this direction of all connections that are open now; new ones work."""
        self.muted |= {(number, direction) for number in range(1, self._count + 1)}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count += 1
        number = self._count
        try:
            inner, outer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        pumps = [
            asyncio.create_task(self._pump(reader, outer, (number, "up"))),
            asyncio.create_task(self._pump(inner, writer, (number, "down"))),
        ]
        self._tasks.update(pumps)
        await asyncio.wait(pumps)
        for end in (outer, writer):
            end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: tuple[int, str]) -> None:
        with contextlib.suppress(ConnectionError):
            while content := await reader.read(65_536):
                if name not in self.muted:
                    writer.write(content)
                    await writer.drain()
        if name not in self.muted:
            with contextlib.suppress(OSError):
                writer.write_eof()


@asynccontextmanager
async def relay(target: int) -> AsyncIterator[Relay]:
    """Run a relay to this loopback port for the length of the block."""
    running = Relay(target)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    yield running
    server.close()
    for task in running._tasks:
        task.cancel()
