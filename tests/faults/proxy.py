"""A TCP road to a provider on which things go wrong.

A mood is rolled for each piece that the client sends, which with small requests is each request. `pass` lets it through.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Literal

Mood = Literal["pass", "refuse", "swallow", "half_open", "reset", "reset_after", "cut", "drip"]
"""refuse: hung up on before anything is read. swallow: read and not passed on, nothing comes back. half_open: passed on, nothing
comes back. reset: read, not passed on, torn down. reset_after: passed on, then torn down. cut: the answer ends in its middle.
drip: the answer comes byte by byte."""
ARRIVES = frozenset({"pass", "half_open", "reset_after", "cut", "drip"})
CUT_AFTER = 30
DRIP_SECONDS = 0.002


class Proxy:
    """`moods` are chances, the rest passes; `met` counts them."""

    def __init__(self, host: str, port: int, *, seed: int, moods: Mapping[Mood, float]) -> None:
        self.port, self.met = 0, Counter[str]()
        self.moods = dict(moods)
        self._to, self._chance = (host, port), random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Leave, and hang up on everybody."""
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            with suppress(ConnectionError):
                await self._carry(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._to)
        try:
            while piece := await reader.read(65_536):
                mood = self._roll()
                if mood == "refuse" or mood == "reset":
                    return _tear(writer)
                if mood in ARRIVES:
                    there_writer.write(piece)
                    await there_writer.drain()
                if mood in ("swallow", "half_open"):
                    await reader.read()  # until the client gives up
                    return None
                answer = await there_reader.read(65_536)
                if mood == "reset_after":
                    return _tear(writer)
                if mood == "cut":
                    writer.write(answer[:CUT_AFTER])
                    await writer.drain()
                    return None
                await _answer(writer, answer, drips=mood == "drip")
        finally:
            there_writer.close()

    def _roll(self) -> Mood:
        roll = self._chance.random()
        for mood, share in self.moods.items():
            roll -= share
            if roll < 0:
                self.met[mood] += 1
                return mood
        return "pass"


async def _answer(writer: asyncio.StreamWriter, answer: bytes, *, drips: bool) -> None:
    if not drips:
        writer.write(answer)
    for place in range(len(answer) if drips else 0):
        writer.write(answer[place : place + 1])
        await asyncio.sleep(DRIP_SECONDS)
    await writer.drain()


def _tear(writer: asyncio.StreamWriter) -> None:
    """End it with a reset, not with a goodbye."""
    writer.transport.abort()


@asynccontextmanager
async def proxy(to: str, *, seed: int, moods: Mapping[Mood, float]) -> AsyncIterator[Proxy]:
    """Within the block, a road to http://host:port."""
    host, _, port = to.removeprefix("http://").partition(":")
    opened = Proxy(host, int(port), seed=seed, moods=moods)
    await opened.start()
    try:
        yield opened
    finally:
        await opened.stop()
