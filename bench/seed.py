"""The customers that the benchmark's messages come from: known before, their conversations owned by an agent or by the bot."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

from bench.webhooks import customers
from profiles.calendar import utc_now
from profiles.conversation import Conversation
from profiles.indexes import INDEXES
from profiles.plan import Group
from profiles.profile import Attribute, Identity, Profile
from profiles.recent import Recent
from profiles.record import to_document
from profiles.snapshot import Work
from profiles.store import Store

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
Document = dict[str, Any]


async def seed(
    client: AsyncIOMotorClient[Document],
    url: str,
    database: str,
    *,
    owner: str,
    indexes: Mapping[str, Sequence[Any]] = INDEXES,
) -> None:
    """Fill an empty database with every customer, as if each had written before."""
    store = Store(url, database)
    await store.prepare(indexes)
    await store.close()
    people = list(customers())
    target = client[database]
    await asyncio.gather(
        target["identities"].insert_many([_identity(person) for person in people]),
        target["profiles"].insert_many([_profile(person) for person in people]),
        target["conversations"].insert_many([_conversation(person, owner) for person in people]),
    )


async def remember(recent: Recent, *, addresses_only: bool = False) -> None:
    """Let a writer's memory know every customer, as after an hour of such traffic; or only who has which address."""
    keys = tuple(_key(person) for person in customers())
    group = Group(utc_now(), "bench")
    await recent.read([Work(_nothing, identities=keys, conversations=keys)], group)
    recent.learn(group)
    if addresses_only:
        for person in customers():
            recent.forget_one("profiles", f"P{person}")
            recent.forget_one("conversations", _key(person))


def _nothing(_: Any) -> Any:
    raise AssertionError("only read")


def _key(person: int) -> str:
    return f"telegram:{person}"


def _identity(person: int) -> Document:
    return {"_id": _key(person), "profile": f"P{person}", "version": 1}


def _profile(person: int) -> Document:
    identity = Identity("telegram", str(person), added_at=SINCE, verified_at=SINCE)
    profile = Profile(
        id=f"P{person}",
        created_at=SINCE,
        identities=(identity,),
        attributes={"first_name": Attribute("Anna", "declared", SINCE, "telegram")},
        language="en",
        last_channel="telegram",
        last_inbound_at=SINCE,
        version=1,
    )
    return to_document(profile)


def _conversation(person: int, owner: str) -> Document:
    is_bots = owner == "bot"
    conversation = Conversation(
        id=_key(person),
        profile=f"P{person}",
        channel="telegram",
        address=str(person),
        opened_at=SINCE,
        owner="bot" if is_bots else "agent",
        assignee=None if is_bots else "A1",
        last_at=SINCE,
        active_at=SINCE,
        language="en" if is_bots else None,
        version=1,
    )
    return to_document(conversation)


def collections() -> Iterable[str]:
    """Return the collections in which a message leaves documents."""
    return ("messages", "profiles", "conversations", "identities")
