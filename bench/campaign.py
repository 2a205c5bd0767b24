"""A campaign from its schedule to committed deliveries: audience, gates, caps; beside it the design that asks one by one."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

from bench import cpu
from bench.crowd import Crowd
from bench.database import database
from bench.stage import TEXT, Stage, stage, write_book
from bench.walker import AHEAD, BEFORE, LOOK_SECONDS, beside
from causerie.garbage import collect_seldom
from profiles.calendar import utc_now
from profiles.caps import Cap, Slot
from profiles.indexes import INDEXES
from profiles.ledger_answer import Granted, Wanted
from profiles.ledgers import Ledgers
from profiles.record import to_document
from profiles.store import Store
from profiles.timeline import Delivery, Message

CONTACTS_A_SECOND = 5_000  # on two cores: what the issue asks
IN_FLIGHT = 32
CAPS = (
    Cap(3, timedelta(days=7)),
    Cap(1, "day"),
    Cap(2, timedelta(days=7), "channel", "email"),
)
"""What the book's pressure file says (bench/stage.py)."""
RULE = """
rule: sales
state: live
class: marketing
topic: offers
labels: [promo]
when: {{once: {at}, zone: UTC}}
for: {audience}
steps:
  - send: {{channel: email, template: sales}}
"""
EVERYBODY = 'contact.country in ("FR", "BE", "CH", "LU", "CA")'


@dataclass(frozen=True, slots=True)
class Spent:
    """What some contacts cost."""

    contacts: int
    seconds: float
    app_us: float
    db_us: float
    grown_mb: float
    """How much more memory the process held at the most, looked at each second."""

    @property
    def per_second(self) -> float:
        """Return how many contacts a second that is."""
        return self.contacts / self.seconds


@dataclass(frozen=True, slots=True)
class Balance:
    """What a campaign left in the database; `is_right` when every contact was decided once."""

    decisions: dict[str, int]
    messages: int
    decided_twice: int
    sent_twice: int
    slots: int

    def is_right(self, crowd: Crowd) -> bool:
        """Return whether all of this audience were decided, once, and whoever was sent to spent one slot."""
        return (
            sum(self.decisions.values()) == crowd.contacts
            and self.decisions.get("sent", 0) == self.messages == self.slots == crowd.reachable
            and not (self.decided_twice or self.sent_twice)
        )


async def report(contacts: int, asked_one_by_one: int) -> dict[str, Any]:
    """Run both designs and return the figures."""
    crowd = Crowd(contacts)
    async with database() as (url, pid, folder):
        store = Store(url, "campaign")
        await store.prepare(INDEXES)
        await crowd.seed(store, now=utc_now())
        print(f"{contacts:,} contacts stand in the database", flush=True)
        plain = await _one_by_one(store, crowd, asked_one_by_one, pid)
        print(_line("one by one", plain), flush=True)
        async with fired(url, "campaign", folder, EVERYBODY) as process:
            ours = await measured(process.rules.occurrences.walk, pid)
        print(_line("in chunks", ours), flush=True)
        found = await balance(store)
        await store.close()
        shared, also = await _shared(url, folder, crowd, pid)
    return {
        "machine": cpu.machine(),
        "contacts": contacts,
        **_figures("", ours),
        **_figures("two_processes_", shared),
        **_figures("one_by_one_", plain),
        "ratio": round(ours.per_second / plain.per_second, 1),
        "decisions": found.decisions,
        "each_once": found.is_right(crowd) and also.is_right(crowd),
        "fast_enough": max(ours.per_second, shared.per_second) >= CONTACTS_A_SECOND,
    }


async def _shared(url: str, folder: Path, crowd: Crowd, database: int) -> tuple[Spent, Balance]:
    """Let two processes walk the same campaign, ranges of it each."""
    store = Store(url, "shared")
    await store.prepare(INDEXES)
    await crowd.seed(store, now=utc_now())
    async with (
        fired(url, "shared", folder, EVERYBODY, plan=False) as process,
        beside(url, "shared", folder / "book-shared") as second,
    ):

        async def all_of_it() -> int:
            await process.rules.occurrences.plan()
            while await store.count("occurrences", {"open": True}):
                if not await process.rules.occurrences.walk():
                    await asyncio.sleep(LOOK_SECONDS)
            return crowd.contacts

        spent = await measured(all_of_it, database, second)
    print(_line("in chunks, two processes", spent), flush=True)
    found = await balance(store)
    await store.close()
    return spent, found


@asynccontextmanager
async def fired(
    url: str, name: str, folder: Path, audience: str, *, plan: bool = True, listeners: Sequence[Any] = ()
) -> AsyncIterator[Stage]:
    """Open the rules with a campaign for this audience whose hour has just come, and plan it."""
    book = folder / f"book-{name}"
    at = utc_now() + BEFORE
    write_book(book, {"sales": RULE.format(at=f"{at:%Y-%m-%d %H:%M}", audience=audience)})
    async with stage(url, name, book, listeners=listeners) as process:
        await process.rules.occurrences.plan()
        process.clock.ahead = AHEAD
        assert not plan or await process.rules.occurrences.plan() == 1
        collect_seldom()
        yield process


async def measured(work: Any, database: int, *others: int) -> Spent:
    """Let this work through some contacts, how many it returns, and say what they cost; `others` are processes beside us."""
    before, ours, theirs = cpu.resident_mb(os.getpid()), _used(*others), cpu.seconds_of(database)
    looking = asyncio.create_task(_largest())
    began = time.perf_counter()
    contacts = await work()
    seconds = time.perf_counter() - began
    looking.cancel()
    (largest,) = await asyncio.gather(looking)
    return Spent(
        contacts,
        seconds,
        (_used(*others) - ours) / contacts * 1e6,
        (cpu.seconds_of(database) - theirs) / contacts * 1e6,
        max(largest, cpu.resident_mb(os.getpid())) - before,
    )


def _used(*others: int) -> float:
    return sum(cpu.seconds_of(pid) for pid in (os.getpid(), *others))


async def _largest() -> float:
    """Return the most memory that was seen until somebody cancels."""
    largest = 0.0
    try:
        while True:
            largest = max(largest, cpu.resident_mb(os.getpid()))
            await asyncio.sleep(1)
    except asyncio.CancelledError:
        return largest


async def balance(store: Store) -> Balance:
    """Count what the campaign left behind, in the database."""
    ours = {"metadata.rule": "sales"}
    reasons = await _all(store, "decisions", [{"$group": {"_id": "$reason", "n": {"$sum": 1}}}])
    return Balance(
        {str(one["_id"]): int(one["n"]) for one in reasons},
        await _counted(store, "messages", [{"$match": ours}]),
        await _repeated(store, "decisions", {}),
        await _repeated(store, "messages", ours),
        await _counted(store, "ledgers", [{"$match": {"h.u": "sales"}}]),
    )


async def _all(store: Store, collection: str, pipeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all that a pipeline gives, however long it takes: a million contacts are not counted in ten seconds."""
    return [row async for rows in store.stream(collection, pipeline) for row in rows]


async def _counted(store: Store, collection: str, pipeline: list[dict[str, Any]]) -> int:
    found = await _all(store, collection, [*pipeline, {"$count": "n"}])
    return int(found[0]["n"]) if found else 0


async def _repeated(store: Store, collection: str, where: dict[str, Any]) -> int:
    """Return how many contacts have more than one of these."""
    return await _counted(
        store,
        collection,
        [{"$match": where}, {"$group": {"_id": "$profile", "n": {"$sum": 1}}}, {"$match": {"n": {"$gt": 1}}}],
    )


async def _one_by_one(store: Store, crowd: Crowd, asked: int, database: int) -> Spent:
    """The control: each contact is read, asked and written by itself, a command for each, 32 in flight.

    It takes the last contacts, under names of its own, and cleans up behind itself.
    """
    ledgers, waiting = Ledgers(store), iter(list(crowd.ids())[-asked:])

    async def some() -> None:
        for id in waiting:
            await _alone(store, ledgers, id)

    async def all_of_them() -> int:
        await asyncio.gather(*(some() for _ in range(IN_FLIGHT)))
        return asked

    spent = await measured(all_of_them, database)
    for collection in ("runs", "messages", "decisions"):
        await store.remove(collection, {"_id": {"$regex": "^control:"}})
    await ledgers.release_all(list(crowd.ids())[-asked:], "control")
    return spent


async def _alone(store: Store, ledgers: Ledgers, id: str) -> None:
    profile, now = await store.get("profiles", id), utc_now()
    assert profile
    slot = Slot("control", "email", "offers", "given", "control")
    answer = await ledgers.reserve(Wanted(id, slot, CAPS, UTC, now), now=now)
    name, is_sent = f"control:{id}", isinstance(answer, Granted)
    await store.insert("runs", {"_id": name, "rule": "control", "profile": id, "started_at": now, "version": 1})
    if is_sent:
        to = f"email:{profile['identities'][0]['address']}"
        message = Message(
            name, name, id, "email", "outbound", "rule:control", TEXT, seq=1, at=now, delivery=Delivery(to=to)
        )
        await store.insert("messages", to_document(message))
    await store.insert("decisions", {"_id": name, "rule": "control", "profile": id, "at": now, "sent": is_sent})


def _figures(name: str, spent: Spent) -> dict[str, Any]:
    return {
        f"{name}contacts_per_second": round(spent.per_second),
        f"{name}seconds": round(spent.seconds, 1),
        f"{name}app_us": round(spent.app_us),
        f"{name}db_us": round(spent.db_us),
        f"{name}grown_mb": round(spent.grown_mb),
    }


def _line(name: str, spent: Spent) -> str:
    return (
        f"{name}: {spent.contacts:,} contacts in {spent.seconds:.1f} s, {spent.per_second:,.0f}/s,"
        f" {spent.app_us:.0f} + {spent.db_us:.0f} us of CPU each (ours + database), {spent.grown_mb:+.0f} MB"
    )
