"""A real Firefox, driven by WebDriver BiDi over its own socket (https://w3c.github.io/webdriver-bidi/): no geckodriver needed."""

import asyncio
import itertools
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.needed import firefox

START_SECONDS = 90


class Tab:
    """One tab of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._ids, self._context = socket, itertools.count(1), ""

    async def open(self) -> None:
        await self.call("session.new", capabilities={})
        tree = await self.call("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def goto(self, url: str) -> None:
        """Return when the page has loaded."""
        await self.call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def run(self, code: str) -> Any:
        """Return what this expression comes to, as after a click of the person: promises are waited for, the value is JSON."""
        result = await self.call(
            "script.evaluate", expression=f"(async () => JSON.stringify(await ({code})))()",
            target={"context": self._context}, awaitPromise=True, userActivation=True,
        )  # fmt: skip
        if result["type"] != "success":
            raise AssertionError(result["exceptionDetails"]["text"])
        text = result["result"].get("value")
        return json.loads(text) if text else None

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and return its result. Raises AssertionError for an error."""
        id = next(self._ids)
        await self._socket.send_json({"id": id, "method": method, "params": params})
        async with asyncio.timeout(60):
            while True:
                said = await self._socket.receive_json()
                if said.get("id") == id:
                    assert said["type"] == "success", said
                    result: dict[str, Any] = said["result"]
                    return result


@asynccontextmanager
async def open_firefox(profile: Path, port: int, preferences: dict[str, Any]) -> AsyncIterator[Tab]:
    """Run a headless Firefox with an empty profile and these preferences for the length of the block."""
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items()]
    (profile / "user.js").write_text("\n".join(lines))
    process = await asyncio.create_subprocess_exec(
        firefox(), "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", str(port),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile), "MOZ_DISABLE_CONTENT_SANDBOX": "1"},
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session:
            socket = await _connected(session, port)
            tab = Tab(socket)
            await tab.open()
            yield tab
            await socket.close()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _connected(session: aiohttp.ClientSession, port: int) -> aiohttp.ClientWebSocketResponse:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                return await session.ws_connect(f"ws://127.0.0.1:{port}/session", max_msg_size=0)
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(0.1)
