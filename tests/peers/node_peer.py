"""A peer that runs in Node.js: started by the test, told what to do and heard by lines of JSON."""

import asyncio
import json
import os
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from tests.needed import node

WITHIN_SECONDS = 20.0
Event = dict[str, Any]


class NodePeer:
    """One running script. `events` is all that happened; `event` waits for more. It is given its port, 0 for any."""

    def __init__(self, script: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self.events: list[Event] = []
        self.port = 0
        self._script, self._arguments, self._environment = script, arguments, environment or {}
        self._numbers = count(1)
        self._changed = asyncio.Condition()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it, or start it again on the port that it had."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            node(), str(self._script), str(self.port), *self._arguments, stdin=pipe, stdout=pipe,
            env={**os.environ, **self._environment},
        )  # fmt: skip
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

    async def _read(self) -> None:
        assert self._process and self._process.stdout
        async for line in self._process.stdout:
            async with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()
