"""A crowd that writes (tests/faults/load.py) beside a test, and what it was told afterwards: the truth about what was promised."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from profiles.store import Store
from tests.faults.journal import facts
from tests.faults.load import Order, stored_id, written
from tests.faults.servers import ROOT, SECRET


@dataclass(slots=True)
class Crowd:
    """The journal of acknowledgements, while it is written and after."""

    path: Path
    ports: Sequence[int] = ()
    """Where they write to."""
    acknowledged: list[dict[str, Any]] = field(default_factory=list)

    def read(self) -> int:
        """Read the journal anew; return how many messages were acknowledged."""
        self.acknowledged = facts(self.path)
        return len(self.acknowledged)

    @property
    def ids(self) -> list[str]:
        """Return the ids under which acknowledged messages must be stored."""
        return [stored_id(one["number"], one["person"]) for one in self.acknowledged]

    def longest_silence(self, begun: float, ended: float) -> float:
        """Return the longest time within this stretch in which nothing was acknowledged (seconds)."""
        moments = [begun, *(one["at"] for one in self.acknowledged if begun <= one["at"] <= ended), ended]
        return max(later - earlier for earlier, later in zip(moments, moments[1:], strict=False))

    def first_after(self, moment: float) -> float:
        """Return how long after this instant the next message was acknowledged (seconds)."""
        return min((one["at"] for one in self.acknowledged if one["at"] > moment), default=float("inf")) - moment


@asynccontextmanager
async def crowd(ports: Sequence[int], journal: Path, *, seed: int, **how: int) -> AsyncIterator[Crowd]:
    """Within the block they write."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.load", cwd=ROOT, stdin=asyncio.subprocess.PIPE
    )
    assert process.stdin
    process.stdin.write(written(Order(tuple(ports), SECRET, str(journal), seed, **how)))
    await process.stdin.drain()
    found = Crowd(journal, ports)
    try:
        yield found
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(30):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        found.read()


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database has of what was acknowledged."""

    acknowledged: int
    lost: int
    """Acknowledged and not stored."""
    unanswered: int
    """Stored, owned by the bot, and no answer beside it."""
    doubly_answered: int
    gaps: int
    """Conversations whose messages are not numbered 1, 2, 3 ... up to their seq."""


async def kept(store: Store, crowd: Crowd) -> Kept:
    """Compare what was acknowledged with what is stored. `_id` is unique, so nothing can be stored twice."""
    rows = await store.find("messages", {}, only=["direction", "reply_to", "conversation", "seq"])
    there = {row["_id"] for row in rows if row["direction"] == "inbound"}
    answers = Counter(row["reply_to"] for row in rows if row.get("reply_to"))
    numbers: dict[str, list[int]] = {}
    for row in rows:
        numbers.setdefault(row["conversation"], []).append(row["seq"])
    heads = {row["_id"]: row["seq"] for row in await store.find("conversations", {}, only=["seq"])}
    ids = set(crowd.ids)
    return Kept(
        acknowledged=len(ids),
        lost=len(ids - there),
        unanswered=len(ids & there - answers.keys()),
        doubly_answered=sum(count > 1 for count in answers.values()),
        gaps=sum(sorted(seqs) != list(range(1, heads.get(id, 0) + 1)) for id, seqs in numbers.items()),
    )
