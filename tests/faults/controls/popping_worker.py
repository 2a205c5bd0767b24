"""`python -m tests.faults.controls.popping_worker MONGO PROVIDER`: sends what waits in a queue, the usual way.

A message is taken with a visibility timeout, handed over, and marked as sent. Whoever dies in between, or is frozen for longer
than the timeout, or loses an answer, makes somebody send it again: at least once, which is what queues promise.
"""

import asyncio
import sys
from datetime import timedelta
from typing import Any

import aiohttp
from motor.motor_asyncio import AsyncIOMotorClient

from profiles.calendar import utc_now

Document = dict[str, Any]
VISIBLE_AGAIN = timedelta(seconds=1)
PATIENCE = aiohttp.ClientTimeout(total=1)
TASKS = 4


async def main(mongo: str, provider: str) -> None:
    """Send until killed."""
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(mongo, w="majority", journal=True, tz_aware=True)
    queue = client["popping"]["queue"]

    async def send(session: aiohttp.ClientSession) -> None:
        while True:
            now = utc_now()
            taken = await queue.find_one_and_update(
                {"sent": False, "visible_at": {"$lte": now}}, {"$set": {"visible_at": now + VISIBLE_AGAIN}}
            )
            if taken is None:
                await asyncio.sleep(0.05)
                continue
            try:
                async with session.post(f"{provider}/sendMessage", json=taken["say"]) as answer:
                    accepted = answer.status == 200
            except (aiohttp.ClientError, TimeoutError):
                accepted = False
            if accepted:
                await queue.update_one({"_id": taken["_id"]}, {"$set": {"sent": True}})

    async with aiohttp.ClientSession(timeout=PATIENCE) as session:
        await asyncio.gather(*(send(session) for _ in range(TASKS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
