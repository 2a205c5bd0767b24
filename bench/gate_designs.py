"""Ways to ask whether one more message is too many: ours, and the two that everybody writes first and that fail.

The controls keep a row per delivery, count those in the window and insert if there is room; `transaction` does the same within a
snapshot transaction, which does not help: two that see the same rows insert different ones (write skew).
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from bench.overs import Grant, Limit
from profiles.calendar import utc_now
from profiles.caps import Cap, Slot
from profiles.ledger_answer import Granted, Wanted
from profiles.ledgers import Ledgers
from profiles.store import Store

ROWS = "control_deliveries"
Ask = Callable[[str, str, str, str], Awaitable[Grant | None]]
"""(contact, rid, channel, topic) -> the grant, or None."""


def caps(limits: Sequence[Limit]) -> tuple[Cap, ...]:
    """Return our caps for these limits."""
    return tuple(
        Cap(limit.at_most, timedelta(milliseconds=limit.within), limit.scope or "all", limit.name)  # type: ignore[arg-type]
        for limit in limits
    )


def ledger(store: Store, limits: Sequence[Limit]) -> Ask:
    """Ours, one gate update per contact."""
    ledgers, ours = Ledgers(store), caps(limits)

    async def ask(contact: str, rid: str, channel: str, topic: str) -> Grant | None:
        now = utc_now()
        slot = Slot(rid, channel, topic, "not_withdrawn")
        answer = await ledgers.reserve(Wanted(contact, slot, ours, UTC, now), now=now)
        return _told(contact, slot, answer)

    return ask


def each(store: Store, limits: Sequence[Limit]) -> Ask:
    """Ours, many slots of their own at once: this contact's is asked for together with a bystander's."""
    ledgers, ours = Ledgers(store), caps(limits)

    async def ask(contact: str, rid: str, channel: str, topic: str) -> Grant | None:
        now = utc_now()
        slot = Slot(rid, channel, topic, "not_withdrawn")
        wanted = [Wanted(who, slot, ours, UTC, now) for who in (contact, f"bystander of {contact}")]
        answer = (await ledgers.reserve_each(wanted, now=now))[0]
        if isinstance(answer, Granted) and answer.at is None:  # nobody had to look; the checker counts by instants
            known = (await ledgers.read([contact]))[contact]
            answer = Granted(next(entry.at for entry in known.entries if entry.rid == rid))
        return _told(contact, slot, answer)

    return ask


def bulk(store: Store, limits: Sequence[Limit]) -> Callable[[Sequence[str], str], Awaitable[list[Grant]]]:
    """Ours, one update for 500 contacts: (contacts, rid) -> the grants."""
    ledgers, ours = Ledgers(store), caps(limits)

    async def ask(contacts: Sequence[str], rid: str) -> list[Grant]:
        slot = Slot(rid, "email", "offers", "not_withdrawn")
        answers = await ledgers.reserve_all(contacts, slot, ours, zones={}, now=utc_now())
        return [told for contact, answer in answers.items() if (told := _told(contact, slot, answer))]

    return ask


def count_then_insert(url: str, database: str, limits: Sequence[Limit]) -> Ask:
    """The control: count, then insert."""
    rows = _rows(url, database)

    async def ask(contact: str, rid: str, channel: str, topic: str) -> Grant | None:
        return await _count_and_insert(rows, limits, contact, rid, channel, topic)

    return ask


def transaction(url: str, database: str, limits: Sequence[Limit]) -> Ask:
    """The other control: the same in a snapshot transaction."""
    rows = _rows(url, database)
    durable = WriteConcern("majority", j=True)

    async def ask(contact: str, rid: str, channel: str, topic: str) -> Grant | None:
        async with await rows.database.client.start_session() as session:
            try:
                async with session.start_transaction(ReadConcern("snapshot"), durable):
                    return await _count_and_insert(rows, limits, contact, rid, channel, topic, session)
            except OperationFailure:
                return None

    return ask


def _told(contact: str, slot: Slot, answer: object) -> Grant | None:
    if not isinstance(answer, Granted) or answer.at is None:
        return None
    return Grant(contact, slot.rid, answer.at.timestamp() * 1000, slot.channel, slot.topic)


def _rows(url: str, database: str) -> Any:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(url, w="majority", journal=True)
    return client[database][ROWS]


async def _count_and_insert(
    rows: Any,
    limits: Sequence[Limit],
    contact: str,
    rid: str,
    channel: str,
    topic: str,
    session: AsyncIOMotorClientSession | None = None,
) -> Grant | None:
    grant = Grant(contact, rid, utc_now().timestamp() * 1000, channel, topic)
    for limit in limits:
        if limit.counts(grant):
            about = {limit.scope: limit.name} if limit.scope else {}
            since = {"contact": contact, "at": {"$gt": grant.at - limit.within}, **about}
            if await rows.count_documents(since, session=session) >= limit.at_most:
                return None
    row = {"contact": contact, "rid": rid, "at": grant.at, "channel": channel, "topic": topic}
    await rows.insert_one(row, session=session)
    return grant
