"""Waiting until a server under test has finished what it began: every answer's delivery recorded."""

import asyncio
import time
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase

LOOK_EVERY_SECONDS = 0.1
WITHIN_SECONDS = 60.0
_OPEN = {"delivery.lease_until": {"$exists": True}}


async def settle(database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
    """Return when no delivery is open. Raises TimeoutError."""
    until = time.monotonic() + WITHIN_SECONDS
    while await database["messages"].find_one(_OPEN, {"_id": 1}):
        if time.monotonic() > until:
            raise TimeoutError("deliveries are still open")
        await asyncio.sleep(LOOK_EVERY_SECONDS)
