"""The past of some profiles as conditions ask for it, read back from the database: what the test in memory is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from profiles.duration import Duration
from profiles.expression import Needs, Sent
from profiles.expression_audience import WENT_OUT
from profiles.profile import Profile
from profiles.record import from_document
from profiles.store import Document, Store
from profiles.timeline import Event


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
            sent[owners[document["profile"]]].append(_sent(document))
    return {id: Past({name: tuple(events) for name, events in history[id].items()}, tuple(sent[id])) for id in history}


def _sent(message: Mapping[str, Any]) -> Sent:
    """Return what `sent(...)` sees of a rule's message, from its document."""
    metadata = message["metadata"]
    labels = tuple(str(label) for label in metadata.get("labels", ()))
    return Sent(message["at"], message["channel"], str(metadata["rule"]), str(metadata.get("topic", "")), labels)


def _since(window: Duration | None, now: datetime) -> Document:
    return {"$gte": window.before(now.astimezone(UTC)), "$lte": now} if window else {"$lte": now}
