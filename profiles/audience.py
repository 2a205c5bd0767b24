"""Who is in an audience: their ids in order, in chunks that can be taken up again behind the last one, and how many."""

from collections.abc import AsyncIterator

from profiles.expression_audience import Audience
from profiles.store import Document, Store, ascending

MOST_AUDIENCE_INDEXES = 24
"""Beside our own: the database has room for 64 on a collection, and each costs every write of what it holds."""
_PREFIX = "audience_"


async def stream(
    store: Store, audience: Audience, *, after: str = "", until: str = "", at_once: int = 500
) -> AsyncIterator[tuple[str, ...]]:
    """Yield the profile ids of the audience in order, `at_once` at a time, behind `after` up to `until`. Raises Unavailable."""
    async for documents in store.stream(audience.collection, _in_order(audience, after, until), at_once=at_once):
        yield tuple(document["_id"] for document in documents)


async def sampled(store: Store, many: int = 400) -> list[str]:
    """Return the ids of so many profiles drawn at random, in order: where to cut the base into parts of like size."""
    drawn = await store.aggregate("profiles", [{"$sample": {"size": many}}, {"$project": {"_id": 1}}])
    return sorted({document["_id"] for document in drawn})


async def count(store: Store, audience: Audience, *, at_most: int = 0) -> int:
    """Return how many profiles are in the audience, counting no further than `at_most` (0: all). Raises Unavailable."""
    if not audience.pipeline:
        return await store.count("profiles", audience.filter, at_most=at_most)
    bound: list[Document] = [{"$limit": at_most}] if at_most else []
    found = await store.aggregate(audience.collection, [*audience.pipeline, *bound, {"$count": "n"}])
    return int(found[0]["n"]) if found else 0


async def make_index(store: Store, audience: Audience) -> bool:
    """Make the index that the audience asks for; False when there are too many already. Safe to repeat and to race."""
    if not audience.index:
        return True
    name = _PREFIX + "_".join(part.removeprefix("attributes.").removesuffix(".value") for part in audience.index)
    made = await store.index_names("profiles")
    if name not in made:
        if sum(one.startswith(_PREFIX) for one in made) >= MOST_AUDIENCE_INDEXES:
            return False
        held = {"partialFilterExpression": {audience.index[0]: {"$exists": True}}}
        await store.prepare({"profiles": [ascending(*audience.index, name=name, **held)]})
    return True


def _in_order(audience: Audience, after: str, until: str) -> list[Document]:
    bounds = {**({"$gt": after} if after else {}), **({"$lte": until} if until else {})}
    behind: list[Document] = [{"$match": {"_id": bounds}}] if bounds else []
    order: Document = {"$sort": {"_id": 1}}
    if not audience.pipeline:
        return [{"$match": audience.filter}, *behind, order, {"$project": {"_id": 1}}]
    if audience.collection == "profiles":
        return [*behind, *audience.pipeline, order]
    return [*audience.pipeline, *behind, order]
