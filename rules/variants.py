"""What the variants of a step came to, counted from the runs that met them; ghosts, who met none, do not count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from profiles.store import Store
from rules.applying import RUNS
from rules.lift import Share

Measure = Literal["goal", "opened", "clicked"]

FALLBACK = "/fallback"
"""A step's second attempt counts with its first: the contact met one variant."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Runs that were sent a variant, and how many of them did what."""

    sent: int = 0
    opened: int = 0
    clicked: int = 0
    goal: int = 0

    def by(self, measure: Measure) -> Share:
        """Return the share that one measure speaks of."""
        return Share({"goal": self.goal, "opened": self.opened, "clicked": self.clicked}[measure], self.sent)


async def variants_of(store: Store, rule: str, step: str, names: Sequence[str]) -> Mapping[str, Tally]:
    """Return the tally of each of these variants; of one that nobody was sent an empty one. Raises Unavailable."""
    rows = await store.aggregate(
        RUNS,
        [
            {"$match": {"rule": {"$eq": rule}, "is_ghost": {"$ne": True}}},
            # a step's id may hold dots, so it is a value here and never a path
            {"$project": {"goal_at": 1, "sends": {"$objectToArray": {"$ifNull": ["$sends", {}]}}}},
            {"$unwind": "$sends"},
            {"$match": {"sends.k": {"$in": [step, step + FALLBACK]}, "sends.v.variant": {"$in": list(names)}}},
            {
                "$group": {
                    "_id": {"run": "$_id", "variant": "$sends.v.variant"},
                    "opened": {"$max": _is_there("$sends.v.reactions.opened")},
                    "clicked": {"$max": _is_there("$sends.v.reactions.clicked")},
                    "goal": {"$max": _is_there("$goal_at")},
                }
            },
            {
                "$group": {
                    "_id": "$_id.variant",
                    "sent": {"$sum": 1},
                    **{name: {"$sum": f"${name}"} for name in ("opened", "clicked", "goal")},
                }
            },
        ],
    )
    found = {str(row.pop("_id")): Tally(**{name: int(count) for name, count in row.items()}) for row in rows}
    return {name: found.get(name, Tally()) for name in names}


def _is_there(path: str) -> Mapping[str, Any]:
    return {"$cond": [{"$gt": [path, None]}, 1, 0]}
