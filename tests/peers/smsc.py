"""An SMSC: the npm package `smpp`, started by the test, spoken to by lines of JSON (tests/peers/smsc.js)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.needed import node, node_package

SCRIPT = Path(__file__).with_name("smsc.js")
SYSTEM_ID, PASSWORD = "causerie", "secret"
WITHIN_SECONDS = 20.0
Event = dict[str, Any]


class Smsc:
    """One running SMSC. `events` is all that happened; `event` waits for more."""

    def __init__(self, tls: str = "") -> None:
        self.events: list[Event] = []
        self.port = 0
        self._tls, self._numbers = tls, count(1)
        self._changed = asyncio.Condition()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        node_package("smpp")
        arguments = [str(SCRIPT), str(self.port), *([self._tls] if self._tls else [])]
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(node(), *arguments, stdin=pipe, stdout=pipe)
        self._reader = asyncio.create_task(self._read())
        before = len(self.of("listening"))
        self.port = (await self.event("listening", after=before))["port"]

    async def stop(self) -> None:
        """End it as a crash would: no goodbye."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._reader:
            await self._reader

    def of(self, kind: str) -> list[Event]:
        """Return the events of this kind so far."""
        return [event for event in self.events if event["event"] == kind]

    async def event(self, kind: str, *, after: int = 0, **fields: Any) -> Event:
        """Return the first event of this kind with these fields, beyond the first `after` such; waits for it."""

        def found() -> list[Event]:
            return [event for event in self.of(kind) if fields.items() <= event.items()][after:]

        async with asyncio.timeout(WITHIN_SECONDS), self._changed:
            await self._changed.wait_for(found)
        return found()[0]

    async def order(self, do: str, **fields: Any) -> None:
        """Tell it to do something, and return when it has."""
        assert self._process and self._process.stdin
        number = next(self._numbers)
        self._process.stdin.write(json.dumps({"do": do, "number": number, **fields}).encode() + b"\n")
        await self._process.stdin.drain()
        await self.event("done", number=number)

    async def deliver(self, **fields: Any) -> int:
        """Deliver a message to us and return the status of our answer."""
        tag = next(self._numbers)
        await self.order("deliver", tag=tag, **fields)
        return int((await self.event("answer", tag=tag))["status"])

    async def _read(self) -> None:
        assert self._process and self._process.stdout
        async for line in self._process.stdout:
            async with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()


@asynccontextmanager
async def running_smsc(tls: str = "") -> AsyncIterator[Smsc]:
    """Start an SMSC for the length of the block."""
    smsc = Smsc(tls)
    await smsc.start()
    try:
        yield smsc
    finally:
        await smsc.stop()
