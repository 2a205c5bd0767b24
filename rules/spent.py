"""How much of their limits have contacts used? Their ledgers counted: messages of a week each, and who stands at which cap.

Ledgers have no index but their own id, for each would cost every reservation: a page reads at most 50,000 of those written to
lately, and says so when there are more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from profiles.caps import Cap
from profiles.ledger import COLLECTION
from profiles.store import Store

MOST_READ = 50_000
TOP = 10
HIGHEST = 12
"""The histogram's last column holds this many messages and more."""

Expression = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filled:
    """One cap of the house: how many contacts have none of it left, and how many have one."""

    cap: Cap
    full: int
    one_left: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent on contacts since an instant."""

    contacts: int
    """Those written to since then, as far as they were read."""
    is_whole: bool
    histogram: tuple[tuple[int, int], ...]
    """(messages, contacts), from 1 on without gaps."""
    top: tuple[tuple[str, int], ...]
    """(profile, messages): those who got most."""
    caps: tuple[Filled, ...]


async def spent(store: Store, caps: Sequence[Cap], since: datetime, now: datetime) -> Spent:
    """Return what contacts got since an instant; of caps those that count in rolling windows. Raises Unavailable."""
    rolling = [cap for cap in caps if isinstance(cap.within, timedelta) and not cap.is_grace]
    facets: dict[str, list[Mapping[str, Any]]] = {
        "histogram": [{"$group": {"_id": {"$min": ["$n", HIGHEST]}, "contacts": {"$sum": 1}}}],
        "top": [{"$sort": {"n": -1, "_id": 1}}, {"$limit": TOP}, {"$project": {"n": 1}}],
        "whole": [{"$count": "contacts"}],
    }
    for place, cap in enumerate(rolling):
        facets[f"cap{place}"] = _facet(cap, now)
    pipeline: list[Mapping[str, Any]] = [
        {"$match": {"h.0.t": {"$gte": since}, "into": None}},
        {"$limit": MOST_READ},
        {"$addFields": {"n": _size({"$gte": ["$$e.t", since]})}},
        {"$facet": facets},
    ]
    [found] = await store.aggregate(COLLECTION, pipeline)
    contacts = int(found["whole"][0]["contacts"]) if found["whole"] else 0
    counted = {int(row["_id"]): int(row["contacts"]) for row in found["histogram"]}
    return Spent(
        contacts,
        contacts < MOST_READ,
        tuple((number, counted.get(number, 0)) for number in range(1, max(counted, default=0) + 1)),
        tuple((str(row["_id"]), int(row["n"])) for row in found["top"]),
        tuple(_filled(cap, found[f"cap{place}"]) for place, cap in enumerate(rolling)),
    )


def _facet(cap: Cap, now: datetime) -> list[Mapping[str, Any]]:
    assert isinstance(cap.within, timedelta)
    conditions: list[Expression] = [{"$gt": ["$$e.t", now - cap.within]}]
    if cap.below is not None:
        conditions.append({"$lt": [{"$ifNull": ["$$e.y", 50]}, cap.below]})
    fields = {"channel": "$$e.c", "topic": "$$e.k", "rule": "$$e.u"}
    name = {"$literal": cap.name}
    if cap.scope == "label":
        conditions.append({"$in": [name, {"$ifNull": ["$$e.g", []]}]})
    elif cap.scope != "all":
        conditions.append({"$eq": [fields[cap.scope], name]})
    left = {"$subtract": [cap.at_most, _size({"$and": conditions})]}
    return [{"$group": {"_id": {"$max": [left, 0]}, "contacts": {"$sum": 1}}}, {"$match": {"_id": {"$lte": 1}}}]


def _size(condition: Expression) -> Expression:
    return {"$size": {"$filter": {"input": {"$ifNull": ["$h", []]}, "as": "e", "cond": condition}}}


def _filled(cap: Cap, rows: Sequence[Mapping[str, Any]]) -> Filled:
    counted = {int(row["_id"]): int(row["contacts"]) for row in rows}
    # a cap of 1 has one left for everybody: that is no news
    return Filled(cap, counted.get(0, 0), counted.get(1, 0) if cap.at_most > 1 else 0)
