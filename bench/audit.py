"""Is every acknowledged message in the database exactly once, and its answer too? Are seq and unread right?"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found wrong; all zero is right."""

    sent: int
    lost: int
    """Acknowledged and not stored."""
    unknown: int
    """Stored and never sent."""
    unanswered: int
    answered_twice: int
    gaps: int
    """Conversations whose messages are not numbered 1, 2, 3 ... up to their seq."""

    @property
    def is_right(self) -> bool:
        """Return whether nothing is wrong."""
        return not any(getattr(self, one.name) for one in fields(self) if one.name != "sent")


async def audit(
    database: "AsyncIOMotorDatabase[Document]", sent: Mapping[int, tuple[int, bytes]], *, answered: bool
) -> Audit:
    """Compare what was acknowledged (all that was sent: a refusal stops a run) with what is stored."""
    expected = {f"telegram:{customer}.{number}" for number, (customer, _) in sent.items()}
    stored = {one["_id"] async for one in database["messages"].find({"direction": "inbound"}, {"_id": 1})}
    replies = [
        one["reply_to"] async for one in database["messages"].find({"direction": "outbound"}, {"reply_to": 1, "_id": 0})
    ]
    first = [f"{id}:1" for id in expected] if answered else []
    has_first = {one["_id"] async for one in database["messages"].find({"direction": "outbound"}, {"_id": 1})}
    return Audit(
        sent=len(expected),
        lost=len(expected - stored),
        unknown=len(stored - expected),
        unanswered=len(set(first) - has_first),
        answered_twice=len(replies) - len(set(replies)),
        gaps=await _gaps(database),
    )


async def _gaps(database: "AsyncIOMotorDatabase[Document]") -> int:
    counted: list[Document] = [
        {"$group": {"_id": "$conversation", "count": {"$sum": 1}, "last": {"$max": "$seq"}}},
        {"$lookup": {"from": "conversations", "localField": "_id", "foreignField": "_id", "as": "of"}},
        {"$match": {"$expr": {"$or": [{"$ne": ["$count", "$last"]}, {"$ne": [{"$first": "$of.seq"}, "$last"]}]}}},
        {"$count": "wrong"},
    ]
    async for found in database["messages"].aggregate(counted):
        return int(found["wrong"])
    return 0
