"""The second process of `python -m bench company`: it follows what the first commits, in one of two ways, and says what that cost.

Run as `python -m bench.company_listener bulletins|stream`, the database's address in BENCH_URL. It prints "up", then, when its
standard input ends, one line of JSON.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any

from profiles.calendar import utc_now
from profiles.live import Abroad, Feed
from profiles.neighbours import PULSES, Neighbours
from profiles.snapshot import Changes
from profiles.store import Store, Unavailable
from profiles.writer import Writer

OPEN = frozenset(f"webchat:v{number}" for number in range(5))
"""Conversations that somebody has open here."""
COLLECTIONS = ("profiles", "conversations", "messages", "events")


class Listener:
    """Counts the messages of the open conversations that it hears of."""

    def __init__(self, url: str, database: str) -> None:
        self.store = Store(url, database)
        self.heard = 0

    def take(self, changes: Changes) -> None:
        """Count what one commit said in an open conversation."""
        self.heard += sum(message.conversation in OPEN for message in changes.messages)

    async def by_bulletins(self) -> None:
        """Follow as a server does."""
        feed, writer = Feed(), Writer(self.store, process="listener")
        await self.store.change(PULSES, {"_id": "listener"}, {"$set": {"at": utc_now()}}, upsert=True)
        neighbours = Neighbours(self.store, writer, feed, clock=utc_now)
        await neighbours.start()
        feed.hear(self.take, abroad=Abroad(OPEN.__contains__, lambda conversation, _: conversation in OPEN))
        self._following: Any = neighbours

    async def by_stream(self) -> None:
        """Follow by a change stream on what is shown live, only the fields that say whose it is."""
        fields = ("ns", "documentKey", "fullDocument.conversation", "fullDocument.profile", "fullDocument.seq")
        pipeline: list[dict[str, Any]] = [
            {"$match": {"ns.coll": {"$in": list(COLLECTIONS)}}},
            {"$project": dict.fromkeys(fields, 1)},
        ]

        async def follow() -> None:
            try:
                async with self.store._database.watch(pipeline, max_await_time_ms=500) as stream:
                    async for entry in stream:
                        inserted = entry["ns"]["coll"] == "messages" and "fullDocument" in entry
                        self.heard += inserted and entry["fullDocument"].get("conversation") in OPEN
            except Unavailable:
                return

        self._following = asyncio.create_task(follow())


async def _main(way: str) -> None:
    listener = Listener(os.environ["BENCH_URL"], os.environ["BENCH_DATABASE"])
    await (listener.by_bulletins() if way == "bulletins" else listener.by_stream())
    await asyncio.sleep(1.0)  # what beginning costs is not counted
    cpu = time.process_time()
    print("up", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps({"heard": listener.heard, "cpu": time.process_time() - cpu}), flush=True)
    os._exit(0)  # a tail that waits in the driver's thread would hold us for a second


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
