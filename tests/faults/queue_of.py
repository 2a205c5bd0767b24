"""The control's campaign: the same people in a queue that popping workers empty (tests/faults/controls/popping_worker.py)."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

from profiles.calendar import utc_now
from tests.faults.patience import until
from tests.faults.provider import TOKEN
from tests.faults.servers import ROOT


@dataclass(slots=True)
class Queue:
    """What waits, and who works at it."""

    mongo_url: str
    provider: str
    collection: Any
    workers: list["subprocess.Popen[bytes]"]

    def work(self) -> "subprocess.Popen[bytes]":
        """Start a worker."""
        where = f"{self.provider}/bot{TOKEN}"
        command = [sys.executable, "-m", "tests.faults.controls.popping_worker", self.mongo_url, where]
        self.workers.append(subprocess.Popen(command, cwd=ROOT))
        return self.workers[-1]

    async def emptied(self) -> None:
        """Wait until nothing waits any more."""
        await until(self._is_empty)

    async def _is_empty(self) -> bool:
        return bool(await self.collection.count_documents({"sent": False}) == 0)


@asynccontextmanager
async def queue_of(mongo_url: str, provider: str, people: int) -> AsyncIterator[Queue]:
    """Within the block everybody has one message waiting."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_url, tz_aware=True)
    collection = client["popping"]["queue"]
    say = [{"chat_id": number, "text": "Les soldes commencent"} for number in range(1, people + 1)]
    await collection.insert_many([{"say": one, "sent": False, "visible_at": utc_now()} for one in say])
    queue = Queue(mongo_url, provider, collection, [])
    try:
        yield queue
    finally:
        for worker in queue.workers:
            worker.kill()
            worker.wait()
        await client.drop_database("popping")
        client.close()
