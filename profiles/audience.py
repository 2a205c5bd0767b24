"""Who is in an audience: their ids in order, in chunks that can be taken up again behind the last one, and how many."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from profiles.duration import Duration
from profiles.expression import Needs, Sent
from profiles.expression_audience import WENT_OUT, Audience
from profiles.profile import Profile
from profiles.record import from_document
from profiles.store import Document, Store, ascending
from profiles.timeline import Event

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


@dataclass(frozen=True, slots=True)
class Past:
    """What Facts must hold of one profile's past."""

    history: Mapping[str, tuple[Event, ...]] = field(default_factory=dict)
    sent: tuple[Sent, ...] = ()


async def past_of(store: Store, needs: Needs, profiles: Sequence[Profile], now: datetime) -> dict[str, Past]:
    """Return, per profile id, all that `needs` asks of its past, in at most two reads: no future event, newest last."""
    owners = {
        id: profile.id for profile in profiles for id in (profile.id, *profile.absorbed) if not profile.merged_into
    }
    history: dict[str, dict[str, list[Event]]] = {profile.id: {} for profile in profiles}
    sent: dict[str, list[Sent]] = {profile.id: [] for profile in profiles}
    if needs.events:
        asked = [{"name": name, "happened_at": _since(window, now)} for name, window in sorted(needs.events.items())]
        where = {"profile": {"$in": list(owners)}, "$or": asked}
        for document in await store.find("events", where, sort=[("happened_at", 1), ("_id", 1)]):
            event = from_document(Event, document)
            history[owners[event.profile]].setdefault(event.name, []).append(event)
    if needs.sent:
        where = {"profile": {"$in": list(owners)}, "at": _since(needs.sent_within, now), "direction": "outbound",
                 "delivery.state": {"$in": list(WENT_OUT)}, "metadata.rule": {"$gt": ""}}  # fmt: skip
        for document in await store.find(
            "messages", where, sort=[("at", 1)], only=("profile", "at", "channel", "metadata")
        ):
            sent[owners[document["profile"]]].append(sent_of(document))
    return {id: Past({name: tuple(events) for name, events in history[id].items()}, tuple(sent[id])) for id in history}


def sent_of(message: Mapping[str, Any]) -> Sent:
    """Return what `sent(...)` sees of a rule's message, from its document."""
    metadata = message["metadata"]
    labels = tuple(str(label) for label in metadata.get("labels", ()))
    return Sent(message["at"], message["channel"], str(metadata["rule"]), str(metadata.get("topic", "")), labels)


def _since(window: Duration | None, now: datetime) -> Document:
    return {"$gte": window.before(now.astimezone(UTC)), "$lte": now} if window else {"$lte": now}


def _in_order(audience: Audience, after: str, until: str) -> list[Document]:
    bounds = {**({"$gt": after} if after else {}), **({"$lte": until} if until else {})}
    behind: list[Document] = [{"$match": {"_id": bounds}}] if bounds else []
    order: Document = {"$sort": {"_id": 1}}
    if not audience.pipeline:
        return [{"$match": audience.filter}, *behind, order, {"$project": {"_id": 1}}]
    if audience.collection == "profiles":
        return [*behind, *audience.pipeline, order]
    return [*audience.pipeline, *behind, order]
