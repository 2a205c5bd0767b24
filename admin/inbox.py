"""Which conversations ask for attention: the views of the inbox, paged by key, and how many wait in each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from admin.paging import Key, after_key
from profiles.conversation import Conversation, Status
from profiles.profile import Profile
from profiles.record import from_document
from profiles.store import Store

View = Literal["mine", "unassigned", "mentions", "bot", "all"]
VIEWS: tuple[View, ...] = get_args(View)
LONG_VIEWS = ("bot", "all")
"""In the order of an index, exact to a minute; the others are short and sorted when they are asked for."""
STATUSES: tuple[Status, ...] = get_args(Status)
PAGE = 40
NAMES = ("attributes.name", "attributes.first_name", "attributes.last_name", "identities", "created_at", "language")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list shows."""

    view: View = "mine"
    status: Status = "open"
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    conversation: Conversation
    profile: Profile


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of rows, newest first, and the key that the next page begins after (None: there is none)."""

    rows: tuple[Row, ...]
    next: Key | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many open conversations each agent has and how many wait for anybody."""

    unassigned: int = 0
    mine: Mapping[str, int] | None = None
    unread: Mapping[str, int] | None = None
    """agent -> open conversations of theirs with messages that nobody saw."""


async def page(store: Store, wanted: Wanted, *, agent: str, after: Key | None = None) -> Listed:
    """Return one page of a view as this agent sees it."""
    where = await _filter(store, wanted, agent)
    by = "active_at" if wanted.view in LONG_VIEWS else "last_at"
    found = await store.find("conversations", after_key(where, by, after), sort=[(by, -1), ("_id", 1)], limit=PAGE + 1)
    conversations = [from_document(Conversation, document) for document in found[:PAGE]]
    last = conversations[-1] if len(found) > PAGE else None
    return Listed(
        await rows(store, sorted(conversations, key=_last_at, reverse=True)),
        Key(getattr(last, by), last.id) if last and getattr(last, by) else None,
    )


async def rows(store: Store, conversations: list[Conversation]) -> tuple[Row, ...]:
    """Return the rows of these conversations, each with its person."""
    ids = {conversation.profile for conversation in conversations}
    documents = await store.get_many("profiles", ids, only=NAMES) if ids else []
    people = {document["_id"]: from_document(Profile, document) for document in documents}
    return tuple(
        Row(conversation, people[conversation.profile])
        for conversation in conversations
        if conversation.profile in people
    )


async def counts(store: Store) -> Counts:
    """Return how many open conversations people own, by agent: one question for all agents."""
    groups = await store.aggregate(
        "conversations",
        [
            {"$match": {"owner": {"$in": ["queue", "agent"]}, **_open()}},
            {
                "$group": {
                    "_id": {"owner": "$owner", "assignee": "$assignee"},
                    "open": {"$sum": 1},
                    "unread": {"$sum": {"$cond": [{"$gt": ["$unread", 0]}, 1, 0]}},
                }
            },
        ],
    )
    unassigned = sum(group["open"] for group in groups if group["_id"]["owner"] == "queue")
    of_agents = [group for group in groups if group["_id"]["owner"] == "agent"]
    return Counts(
        unassigned,
        {group["_id"].get("assignee"): group["open"] for group in of_agents},
        {group["_id"].get("assignee"): group["unread"] for group in of_agents},
    )


async def mentions(store: Store, agent: str) -> int:
    """Return how many mentions of this agent are unread, counting to 99."""
    return await store.count("mentions", {"agent": agent, "seen_at": None}, at_most=99)


async def see_mentions(store: Store, agent: str, conversation: str, now: datetime) -> int:
    """Mark this agent's mentions in a conversation as read and return how many were not."""
    where = {"agent": agent, "conversation": conversation, "seen_at": None}
    return await store.change_many("mentions", where, {"$set": {"seen_at": now}})


async def _filter(store: Store, wanted: Wanted, agent: str) -> dict[str, Any]:
    # a field at its default is absent from the document (profiles/record.py): open and bot are asked for as null
    where: dict[str, Any] = _open() if wanted.status == "open" else {"status": wanted.status}
    if wanted.channel:
        where["channel"] = wanted.channel
    if wanted.view == "mine":
        where |= {"owner": "agent", "assignee": agent}
    elif wanted.view == "unassigned":
        where["owner"] = "queue"
    elif wanted.view == "bot":
        where["owner"] = None
    elif wanted.view == "mentions":
        found = await store.find(
            "mentions", {"agent": agent}, sort=[("seen_at", 1), ("at", -1)], limit=400, only=["conversation"]
        )
        where["_id"] = {"$in": sorted({mention["conversation"] for mention in found})}
    return where


def _open() -> dict[str, Any]:
    return {"status": None}


def _last_at(conversation: Conversation) -> datetime:
    return conversation.last_at or conversation.opened_at
