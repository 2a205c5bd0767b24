"""How many commands did the database run? Counted by the database itself (serverStatus metrics.commands).

Not the opcounters: those count documents of an insert and statements of an update, and a command is what costs. And not a
listener in the driver: it would slow down what is measured, and see only one process.
"""

from collections.abc import Mapping
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

COUNTED = (
    "find", "getMore", "aggregate", "insert", "update", "delete", "findAndModify", "commitTransaction", "abortTransaction",
)  # fmt: skip
Counts = dict[str, int]


async def counted(client: AsyncIOMotorClient[dict[str, Any]]) -> Counts:
    """Return how often each kind of command has run since the database started."""
    only = dict.fromkeys(("opcounters", "wiredTiger", "repl", "locks", "tcmalloc", "network", "asserts"), 0)
    status: Mapping[str, Any] = await client.admin.command({"serverStatus": 1, **only})
    commands: Mapping[str, Any] = status["metrics"]["commands"]
    return {name: int(commands.get(name, {}).get("total", 0)) for name in COUNTED}


def between(before: Counts, after: Counts) -> Counts:
    """Return how many of each ran between the two counts, those that ran at all."""
    return {name: after[name] - before[name] for name in COUNTED if after[name] != before[name]}
