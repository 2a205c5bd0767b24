"""What was said with and what happened to one person, across all channels, in order, paged by key from the latest back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from admin.paging import EPOCH
from admin.speech_words import DECIDED
from profiles.profile import Profile
from profiles.record import from_document
from profiles.store import Store
from profiles.timeline import Event, Message
from rules.applying import DECISIONS

PAGE = 50
MOST = 500  # items after a place: what a page that slept may have missed; beyond, it loads afresh
HIDDEN_EVENTS = ["message.edited", "message.delivered", "message.read", "message.scanned"]
"""The message itself says that it was edited, arrived or was read; a scanner's look is no news of the person."""
DECISION = "decision:"
AFTER_ALL = 10**12  # what one commit wrote has one instant: seq puts an answer after its question, an event comes last


class Place(NamedTuple):
    """Where on the timeline something stands; places compare in the order of reading."""

    at: datetime
    seq: int
    id: str

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(milliseconds=1)}~{self.seq}~{self.id}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of the timeline, oldest first, and the place to ask what came before it (None: it is the beginning)."""

    items: tuple[Message | Event, ...]
    before: Place | None


async def stretch(
    store: Store, profile: Profile, *, before: Place | None = None, after: Place | None = None
) -> Stretch:
    """Return the latest page of a person's timeline; the page before a place; or all (to 500 items) from a place on.

    What stands at `after` itself comes again: the page replaces what it has under the same id.
    """
    theirs = {"profile": {"$in": [profile.id, *profile.absorbed]}}
    limit = MOST if after else PAGE + 1
    messages = await store.find(
        "messages",
        {**theirs, **_messages_between(before, after)},
        sort=[("at", -1), ("seq", -1), ("_id", -1)],
        limit=limit,
    )
    events = await store.find(
        "events",
        {**theirs, "name": {"$nin": HIDDEN_EVENTS}, **_events_between(before, after)},
        sort=[("happened_at", -1), ("_id", -1)],
        limit=limit,
    )
    decisions = await store.find(
        DECISIONS,
        {**theirs, "reason": {"$ne": "sent"}, **_decisions_between(before, after)},
        sort=[("at", -1), ("_id", -1)],
        limit=limit,
    )
    items: list[Message | Event] = [from_document(Message, document) for document in messages]
    items += [from_document(Event, document) for document in events]
    items += [decided(document) for document in decisions]
    items.sort(key=place_of)
    if after:
        return Stretch(tuple(items), None)
    more = len(items) > PAGE
    items = items[-PAGE:]
    return Stretch(tuple(items), place_of(items[0]) if more else None)


def decided(row: Mapping[str, Any]) -> Event:
    """Return a rule's decision not to send, or to wait, as something that happened: why nothing came belongs to a timeline too."""
    about = {"rule": row["rule"], "reason": row["reason"], "step": row.get("step", ""), "on": row.get("channel", "")}
    return Event(
        f"{DECISION}{row['_id']}", row["profile"], DECIDED, row["at"], by=f"rule:{row['rule']}", properties=about
    )


async def some(store: Store, ids: Iterable[str]) -> list[Message]:
    """Return these messages, oldest first."""
    messages = [from_document(Message, document) for document in await store.get_many("messages", ids)]
    return sorted(messages, key=place_of)


def place_of(item: Message | Event) -> Place:
    """Return where on the timeline an item stands."""
    if isinstance(item, Message):
        return Place(item.at, item.seq, item.id)
    return Place(item.happened_at, AFTER_ALL, item.id)


def place_from(text: str | None) -> Place | None:
    """Return the place that a page's address carries, or None if it carries none that we made."""
    stamp, _, rest = (text or "").partition("~")
    seq, _, id = rest.partition("~")
    if not (id and _is_number(stamp) and _is_number(seq)):
        return None
    return Place(EPOCH + timedelta(milliseconds=int(stamp)), int(seq), id[:400])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 14


def _messages_between(before: Place | None, after: Place | None) -> dict[str, Any]:
    if after:
        return {"at": {"$gte": after.at}}
    if before is None:
        return {}
    earlier = [
        {"at": {"$lt": before.at}},
        {"at": before.at, "seq": {"$lt": before.seq}},
        {"at": before.at, "seq": before.seq, "_id": {"$lt": before.id}},
    ]
    return {"at": {"$lte": before.at}, "$or": earlier}  # the first gives the index its bound


def _decisions_between(before: Place | None, after: Place | None) -> dict[str, Any]:
    """Decisions stand among the events, under ids that begin alike, and are narrowed as those are."""
    if before is None or after:
        return {"at": {"$gte": after.at}} if after else {}
    earlier: list[dict[str, Any]] = [{"at": {"$lt": before.at}}]
    if before.seq == AFTER_ALL and before.id.startswith(DECISION):
        earlier.append({"at": before.at, "_id": {"$lt": before.id.removeprefix(DECISION)}})
    elif before.seq == AFTER_ALL and before.id > DECISION:
        earlier.append({"at": before.at})
    return {"at": {"$lte": before.at}, "$or": earlier}


def _events_between(before: Place | None, after: Place | None) -> dict[str, Any]:
    if after:
        return {"happened_at": {"$gte": after.at}}
    if before is None:
        return {}
    earlier: list[dict[str, Any]] = [{"happened_at": {"$lt": before.at}}]
    if before.seq == AFTER_ALL:
        earlier.append({"happened_at": before.at, "_id": {"$lt": before.id}})
    return {"happened_at": {"$lte": before.at}, "$or": earlier}
