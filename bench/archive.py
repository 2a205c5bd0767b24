"""A shop that has talked for years: conversations and their messages, put straight into the database.

The messages are made by the database itself out of the conversations ($unwind, $out), and the indexes afterwards: ten million
would otherwise cross the wire one document at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase

from profiles.conversation import Conversation, Owner
from profiles.indexes import INDEXES
from profiles.profile import Attribute, Identity, Profile
from profiles.record import to_document
from profiles.store import Store

LATEST = datetime(2026, 11, 1, tzinfo=UTC)
AGENT = "maya"
WITH_PEOPLE = 500
"""Conversations that people own, whatever the size of the archive: a team answers so many, not a share of all that ever was."""
OPEN_OF = 10
"""One conversation in so many is open, with the bot; the others are resolved."""
SAID = "Bonjour, où en est ma commande ? Je l'attendais pour samedi."
_AT_ONCE, _TOLD_EVERY = 5_000, 100_000
Document = dict[str, Any]


async def fill(
    database: "AsyncIOMotorDatabase[Document]",
    url: str,
    lengths: Sequence[int],
    tell: Callable[[str], None] = lambda line: None,
) -> None:
    """Fill an empty database: a conversation for each number, with so many messages, the latest conversation first.

    `tell` hears how far it is: a million with ten messages each take some minutes.
    """
    for begin in range(0, len(lengths), _AT_ONCE):
        few = range(begin, min(begin + _AT_ONCE, len(lengths)))
        await database["profiles"].insert_many([_profile(number) for number in few], ordered=False)
        talks = [to_document(_conversation(number, lengths[number])) for number in few]
        await database["conversations"].insert_many(talks, ordered=False)
        if few.stop % _TOLD_EVERY == 0:
            tell(f"  {few.stop:,} of {len(lengths):,} conversations")
    async for _ in database["conversations"].aggregate(list(_messages()), allowDiskUse=True):
        pass
    tell(f"  {sum(lengths):,} messages; now the indexes")
    store = Store(url, database.name)
    await store.prepare(INDEXES)
    await store.close()


def key(number: int) -> str:
    """Return the id of the conversation with this number."""
    return f"telegram:{number}"


def _messages() -> Iterator[Document]:
    """Yield the pipeline that makes each conversation's messages, a minute apart, the last at its `last_at`."""
    yield {"$set": {"count": "$seq", "seq": {"$range": [1, {"$add": ["$seq", 1]}]}}}
    yield {"$unwind": "$seq"}
    ago = {"$multiply": [{"$subtract": ["$count", "$seq"]}, 60_000]}
    yield {
        "$project": {
            "_id": {"$concat": ["$_id", ":", {"$toString": "$seq"}]}, "conversation": "$_id", "profile": 1, "channel": 1,
            "direction": {"$literal": "inbound"}, "author": {"$literal": "customer"}, "content": {"$literal": {"text": SAID}},
            "seq": 1, "at": {"$subtract": ["$last_at", ago]},
        }
    }  # fmt: skip
    yield {"$out": "messages"}


def _conversation(number: int, length: int) -> Conversation:
    at = LATEST - timedelta(seconds=30 * number)
    is_ours = number < WITH_PEOPLE
    owner: Owner = "bot" if not is_ours else "agent" if number % 2 else "queue"
    return Conversation(
        id=key(number),
        profile=f"P{number}",
        channel="telegram",
        address=str(number),
        opened_at=at - timedelta(minutes=length),
        status="open" if is_ours or number % OPEN_OF == 0 else "resolved",
        owner=owner,
        assignee=AGENT if owner == "agent" else None,
        seq=length,
        last_at=at,
        active_at=at,
        last_text=SAID,
        last_author="customer",
        last_inbound_at=at,
        version=1,
    )


def _profile(number: int) -> Document:
    since = LATEST - timedelta(days=300)
    identity = Identity("telegram", str(number), added_at=since, verified_at=since)
    named = {"first_name": Attribute(f"Élodie {number}", "declared", since, "telegram")}
    return to_document(
        Profile(
            f"P{number}",
            since,
            identities=(identity,),
            attributes=named,
            language="fr",
            last_channel="telegram",
            version=1,
        )
    )
