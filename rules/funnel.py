"""Who is inside a rule, at which step; and how far those who came through it got, by variant, against those held out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from profiles.store import Store
from rules.applying import RUNS
from rules.lift import Lift, Share, lift
from rules.run import FOR_EVER

Expression = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """How many contacts stand at one step."""

    step: str
    contacts: int
    held: int = 0
    """Of them, those whom a gate keeps waiting."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way through a rule: a variant, or those held out (`is_ghost`), to whom the message would have gone."""

    variant: str
    is_ghost: bool
    entered: int
    sent: int
    delivered: int
    opened: int
    clicked: int
    goals: int
    value: float

    @property
    def goal(self) -> Share:
        """Return the share that reached the goal of those written to, or who would have been."""
        return Share(min(self.goals, self.sent), self.sent)


@dataclass(frozen=True, slots=True)
class Funnel:
    """The ways through a rule, and what writing brought about."""

    arms: tuple[Arm, ...]
    whole: Arm
    """All who were written to, whatever their variant."""
    held_out: Arm | None
    lift: Lift | None


async def standing(store: Store, rule: str) -> tuple[Standing, ...]:
    """Return who is inside a rule now, by step. Raises Unavailable."""
    rows = await store.aggregate(
        RUNS,
        [
            {"$match": {"rule": {"$eq": rule}, "watch_until": FOR_EVER}},
            {"$unwind": "$tokens"},
            {
                "$group": {
                    "_id": "$tokens.at",
                    "n": {"$sum": 1},
                    "held": {"$sum": {"$cond": [{"$gt": ["$tokens.held", None]}, 1, 0]}},
                }
            },
            {"$sort": {"_id": 1}},
        ],
    )
    return tuple(Standing(str(row["_id"]), int(row["n"]), int(row["held"])) for row in rows)


async def funnel(store: Store, rule: str, since: datetime) -> Funnel:
    """Return how far those got who came into a rule since an instant. Raises Unavailable."""
    rows = await store.aggregate(RUNS, [{"$match": {"rule": {"$eq": rule}, "started_at": {"$gte": since}}}, *_COUNTED])
    arms = tuple(_arm(row) for row in rows)
    live, ghosts = [arm for arm in arms if not arm.is_ghost], [arm for arm in arms if arm.is_ghost]
    whole, held_out = _sum(live, is_ghost=False), _sum(ghosts, is_ghost=True) if ghosts else None
    return Funnel(
        tuple(sorted((arm for arm in live if arm.variant), key=lambda arm: arm.variant)),
        whole,
        held_out,
        lift(whole.goal, held_out.goal) if held_out else None,
    )


def _any(reaction: str) -> Expression:
    seen = {"$map": {"input": "$sends", "in": {"$gt": [f"$$this.reactions.{reaction}", None]}}}
    return {"$cond": [{"$anyElementTrue": [seen]}, 1, 0]}


_VARIANT = {"$first": {"$filter": {"input": "$sends.variant", "cond": {"$gt": ["$$this", None]}}}}
_COUNTED: list[Mapping[str, Any]] = [
    {
        "$project": {
            "is_ghost": 1, "goal_at": 1, "goal_value": 1,
            "sends": {"$map": {"input": {"$objectToArray": {"$ifNull": ["$sends", {}]}}, "in": "$$this.v"}},
        }
    },
    {
        "$group": {
            "_id": {"ghost": {"$eq": ["$is_ghost", True]}, "variant": {"$ifNull": [_VARIANT, ""]}},
            "entered": {"$sum": 1},
            "sent": {"$sum": {"$cond": [{"$gt": [{"$size": "$sends"}, 0]}, 1, 0]}},
            **{name: {"$sum": _any(name)} for name in ("delivered", "opened", "clicked")},
            "goals": {"$sum": {"$cond": [{"$gt": ["$goal_at", None]}, 1, 0]}},
            "value": {"$sum": {"$ifNull": ["$goal_value", 0]}},
        }
    },
    {"$sort": {"_id.ghost": 1, "_id.variant": 1}},
]  # fmt: skip


def _arm(row: Mapping[str, Any]) -> Arm:
    counted = {name: int(row[name]) for name in ("entered", "sent", "delivered", "opened", "clicked", "goals")}
    return Arm(str(row["_id"]["variant"]), bool(row["_id"]["ghost"]), **counted, value=float(row["value"]))


def _sum(arms: list[Arm], *, is_ghost: bool) -> Arm:
    names = ("entered", "sent", "delivered", "opened", "clicked", "goals")
    counted = {name: sum(getattr(arm, name) for arm in arms) for name in names}
    return Arm("", is_ghost, **counted, value=sum(arm.value for arm in arms))
