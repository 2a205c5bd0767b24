"""Workers replaced one after the other while people write: what was acknowledged is stored, once, and all come back alone."""

import asyncio
import random
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from causerie.data_folder import address_in_use
from profiles.store import Store
from tests.serving import children, serving
from tests.waiting import until

VISITORS = 8


@dataclass
class Chatter:
    """A browser that says a line as soon as the last was acknowledged, and comes back by itself whenever it is let go."""

    url: str
    name: str
    token: str = ""
    last_seq: int = 0
    said: int = 0
    acked: list[str] = field(default_factory=list)
    seen: Counter[int] = field(default_factory=Counter)
    closed_with: list[int | None] = field(default_factory=list)
    refused: int = 0
    stops: bool = False

    async def talks(self) -> None:
        """Go on until told to stop, and what was said last is acknowledged."""
        async with aiohttp.ClientSession() as http:
            while not self.is_done:
                try:
                    async with asyncio.timeout(20):
                        await self._one_socket(http)
                except (aiohttp.ClientError, TimeoutError):
                    self.refused += 1
                await asyncio.sleep(random.uniform(0.02, 0.2))

    @property
    def is_done(self) -> bool:
        """Whether nothing is owed to this visitor any more."""
        return self.stops and len(self.acked) == self.said

    async def _one_socket(self, http: aiohttp.ClientSession) -> None:
        async with http.ws_connect(
            f"{self.url}/channels/webchat/socket",
            headers={"Origin": self.url},
            timeout=aiohttp.ClientWSTimeout(ws_close=1),
        ) as socket:
            hello = {"type": "hello", "token": self.token, "identity": "", "last_seq": self.last_seq or None}
            await socket.send_json({**hello, "language": "fr", "page": self.url})
            while True:
                raw = await socket.receive()
                if raw.type is not aiohttp.WSMsgType.TEXT:
                    # the code of the frame, as browsers tell it: the client's own turns 1006 when its goodbye finds nobody
                    self.closed_with.append(raw.data if raw.type is aiohttp.WSMsgType.CLOSE else None)
                    return
                frame = raw.json()
                self._show(frame)
                if frame["type"] in ("welcome", "ack", "retry"):
                    if frame["type"] == "retry":
                        await asyncio.sleep(min(2.0, frame["after"]))
                    if self.is_done:
                        return
                    await self._says(socket)

    async def _says(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        if len(self.acked) == self.said and not self.stops:
            self.said += 1
        if len(self.acked) < self.said:
            await asyncio.sleep(0.05)
            with suppress(ConnectionError, aiohttp.ClientError):
                await socket.send_json({"type": "say", "id": f"{self.name}-line-{self.said:06d}", "text": "bonjour"})

    def _show(self, frame: dict[str, Any]) -> None:
        self.token = frame.get("token") or self.token
        if frame["type"] == "ack" and frame["id"] not in self.acked:
            self.acked.append(frame["id"])
        shown = [frame] if frame["type"] == "message" else frame.get("messages", [])
        for message in shown:
            self.seen[message["seq"]] += 1
            self.last_seq = max(self.last_seq, message["seq"])


async def test_a_rolling_restart_under_load_loses_nothing_and_says_nothing_twice(
    tmp_path: Path, free_port: int
) -> None:
    async with serving(tmp_path, free_port, "--demo", "--workers", "2") as parent:
        await until(lambda: len(children(parent.pid)) == 2, within_seconds=60)
        before = children(parent.pid)
        url = f"http://127.0.0.1:{free_port}"
        visitors = [Chatter(url, f"visitor{number}") for number in range(VISITORS)]
        talking = [asyncio.create_task(visitor.talks()) for visitor in visitors]
        await until(lambda: all(len(visitor.acked) >= 3 for visitor in visitors), within_seconds=60)
        parent.send_signal(signal.SIGHUP)
        await until(lambda: len(children(parent.pid)) == 2 and not children(parent.pid) & before, within_seconds=120)
        told = {visitor.name: len(visitor.acked) for visitor in visitors}
        await until(lambda: all(len(one.acked) > told[one.name] + 2 for one in visitors), within_seconds=60)
        for visitor in visitors:
            visitor.stops = True
        await asyncio.wait_for(asyncio.gather(*talking), 60)

        store = Store(address_in_use(str(tmp_path)) or "", "causerie")
        try:
            for visitor in visitors:
                await _check(store, visitor)
        finally:
            await store.close()
    codes = {code for visitor in visitors for code in visitor.closed_with}
    assert 1012 in codes and codes <= {1012, None}, codes
    assert all(set(visitor.seen.values()) == {1} for visitor in visitors), "nobody is shown anything twice"


async def _check(store: Store, visitor: Chatter) -> None:
    """What was acknowledged is stored, once, in order, and answered once."""
    mine = {"_id": {"$regex": f":{visitor.name}-line-"}, "direction": "inbound"}
    lines = await store.find("messages", mine, sort=[("seq", 1)])
    stored = [str(line["_id"]).rpartition(":")[2] for line in lines]
    assert stored == visitor.acked, visitor.name
    answers = await store.find("messages", {"reply_to": {"$in": [line["_id"] for line in lines]}})
    assert sorted(Counter(answer["reply_to"] for answer in answers).values()) == [1] * len(lines)
