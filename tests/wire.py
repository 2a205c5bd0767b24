"""A TCP road to MongoDB that tests may cut: it passes bytes on until one of them carries a word, then hangs up, or falls silent."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

Cut = Literal["before", "after"]
"""before: the request with the word is lost. after: it arrives, and its answer is lost."""


class Road:
    """The address to use, and how often the road was cut."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cuts = 0
        self.word, self.where, self.left, self.silently = b"", "before", 0, False

    def cut(self, word: str, where: Cut, *, times: int = 1, silently: bool = False) -> None:
        """Hang up on the next requests that carry this word; `silently`, nobody is told and the connection stays."""
        self.word, self.where, self.left, self.silently = word.encode(), where, times, silently


def by_road(url: str, port: int) -> str:
    """Return the address of a database by the road that begins at this port."""
    direct = re.sub(r"@[^/]+/", f"@127.0.0.1:{port}/", url)
    return re.sub(r"replicaSet=\w+", "directConnection=true", direct)


@asynccontextmanager
async def road_to(port: int) -> AsyncIterator[Road]:
    """Within the block, a loopback port that leads to this one."""
    tasks: set[asyncio.Task[None]] = set()

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await _pass_on(road, port, reader, writer)
        writer.close()
        tasks.discard(task)

    server = await asyncio.start_server(passed, "127.0.0.1", 0)
    road = Road(server.sockets[0].getsockname()[1])
    try:
        yield road
    finally:
        server.close()
        for task in tasks:
            task.cancel()


async def _pass_on(road: Road, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    answers = asyncio.create_task(_copy(there_reader, writer))
    try:
        while True:
            head = await reader.readexactly(4)  # every wire message begins with its own length
            message = head + await reader.readexactly(int.from_bytes(head, "little") - 4)
            if road.left and road.word in message:
                road.left -= 1
                road.cuts += 1
                answers.cancel()
                await asyncio.wait({answers})
                if road.where == "after":
                    there_writer.write(message)
                    await there_reader.read(1)  # it was done there
                if road.silently:
                    await reader.read()  # until the other side gives up
                return
            there_writer.write(message)
            await there_writer.drain()
    finally:
        answers.cancel()
        there_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    writer.close()
