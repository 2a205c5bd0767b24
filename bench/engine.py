"""From an event to a delivery in the hands of its channel, with 50 live rules; beside it one step after the other."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from statistics import quantiles
from typing import Any

from aiohttp import web

from bench import cpu
from bench.campaign import CAPS
from bench.crowd import Crowd, id_of, says
from bench.database import database
from bench.phases import Phases
from bench.stage import TEXT, Stage, stage, write_book
from causerie.garbage import collect_seldom
from causerie.threads import switch_soon
from channels.channel import Limits, Outbound, Sent
from channels.outbound import BackDoor
from profiles.calendar import utc_now
from profiles.caps import Slot
from profiles.indexes import INDEXES
from profiles.ledger_answer import Granted, Wanted
from profiles.ledgers import Ledgers
from profiles.permits import Permits
from profiles.record import to_document
from profiles.snapshot import Changes, Work
from profiles.store import Store
from profiles.timeline import Delivery, Event, Message

RULES, NAMES = 50, 10
A_SECOND = 200
P99_MS = 100.0  # what the issue asks
WAIT_AT_MOST = 60.0
RULE = """
rule: r{number}
state: live
class: marketing
topic: offers
when: {{event: shop.{name}, where: event.aisle == {aisle}}}
for: contact.country in ("FR", "BE", "CH", "LU", "CA")
entry: {{grace: 1d}}
steps:
  - send: {{channel: email, template: t{number}}}
"""
Happens = Callable[[int], Coroutine[Any, Any, None]]
"""Let the event of this contact happen; returns when it is committed."""


@dataclass(slots=True)
class Arrivals:
    """The channel: it takes every delivery at once and remembers when."""

    began: dict[int, float] = field(default_factory=dict)
    took: dict[int, float] = field(default_factory=dict)
    """contact -> seconds from the event to the delivery in our hands."""
    doubled: int = 0
    phases: Phases = field(default_factory=Phases)
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    name: str = "email"
    space: str = "email"
    limits: Limits = field(default_factory=lambda: Limits(threads=False))

    def routes(self) -> Sequence[web.RouteDef]:
        """Return none."""
        return ()

    async def send(self, outbound: Outbound) -> Sent:
        """Take a delivery."""
        self.arrived(int(outbound.address.partition("@")[0][1:]))
        return Sent()

    def arrived(self, number: int) -> None:
        """Note that this contact's delivery is here."""
        self.doubled += number in self.took
        self.took.setdefault(number, time.perf_counter() - self.began[number])
        self.phases.note("handed over", [id_of(number)])
        self._more.set()

    async def all_of(self, contacts: int) -> None:
        """Return when so many have got their delivery."""
        while len(self.took) < contacts:
            self._more.clear()
            await self._more.wait()

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        """Return nothing: nobody sends us files."""
        raise LookupError(remote)

    async def close(self) -> None:
        """Do nothing."""


async def report(contacts: int, seconds: float) -> dict[str, Any]:
    """Measure both at the same rate and return the figures."""
    crowd, events = Crowd(contacts), int(seconds * A_SECOND)
    willing = [number for number in range(contacts) if says(number) == "yes"]
    assert len(willing) >= 2 * events, f"{contacts} contacts are too few for {events} events"
    plain, ours = Arrivals(), Arrivals()
    async with database() as (url, _, folder):
        store = Store(url, "engine")
        await store.prepare(INDEXES)
        await crowd.seed(store, now=utc_now())
        await _paced(_one_after_the_other(store, plain), willing[:events], plain)
        print(f"one after the other: {_words(plain)}", flush=True)
        async with opened(url, "engine", folder, ours) as process:
            await _paced(told(process), willing[-events:], ours)
        print(f"ours: {_words(ours)}", flush=True)
        await store.close()
    found = _percentiles(ours)
    phases = ours.phases.took({id_of(number): at for number, at in ours.began.items()})
    for step, spent in phases.items():
        print(f"  {step:12s} {spent}", flush=True)
    return {
        "machine": cpu.machine(),
        "contacts": contacts,
        "rules": RULES,
        "events_per_second": A_SECOND,
        "events": events,
        **{f"{name}_ms": value for name, value in found.items()},
        **{f"control_{name}_ms": value for name, value in _percentiles(plain).items()},
        "phases_ms": phases,
        "control_handed_over": len(plain.took),
        "each_once": len(ours.took) == events and not ours.doubled,
        "fast_enough": found["p99"] < P99_MS,
    }


@asynccontextmanager
async def opened(
    url: str, name: str, folder: Path, channel: Arrivals, *, listeners: Sequence[Any] = ()
) -> AsyncIterator[Stage]:
    """Open the engine with its rules and the back door as the server has it, on this database."""
    book = folder / "book"
    aisles = RULES // NAMES
    rules = {
        f"r{number}": RULE.format(number=number, name=f"n{number // aisles}", aisle=number % aisles)
        for number in range(RULES)
    }
    write_book(book, rules)
    async with stage(url, name, book, listeners=listeners) as process:
        permits = Permits(process.store, Ledgers(process.store), clock=process.clock)
        door = BackDoor({"email": channel}, process.writer, clock=process.clock, permits=permits)
        process.writer.listen(door.take)
        channel.phases.watch(process)
        collect_seldom()  # as `causerie serve` does
        switch_soon()
        try:
            yield process
        finally:
            await door.close()
            await permits.close()


def told(process: Stage) -> Happens:
    """Return what lets a contact's event happen: committed by the one writer, as the server does."""

    async def happens(number: int) -> None:
        event = _event(number)
        await process.writer.commit(Work(lambda snapshot: Changes(events=(event,)), key=event.id, key_in="events"))

    return happens


def _event(number: int) -> Event:
    """Return the event of a contact: exactly one of the 50 rules is about it."""
    rule = number % RULES
    aisles = RULES // NAMES
    properties = {"aisle": rule % aisles, "total": number % 500}
    return Event(f"e{number}", id_of(number), f"shop.n{rule // aisles}", utc_now(), properties=properties)


async def _paced(happens: Happens, numbers: Sequence[int], arrivals: Arrivals) -> None:
    """Let these events happen, 200 a second whether or not the others are done, and wait for their deliveries."""
    start, tasks = time.perf_counter(), []
    for place, number in enumerate(numbers):
        due = start + place / A_SECOND
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        arrivals.began[number] = due  # who comes late because we were busy has waited since then
        tasks.append(asyncio.create_task(happens(number)))
    await asyncio.gather(*tasks)
    with suppress(TimeoutError):  # what is missing then is told
        async with asyncio.timeout(WAIT_AT_MOST):
            await arrivals.all_of(len(numbers))


def _one_after_the_other(store: Store, arrivals: Arrivals) -> Happens:
    """The control: each event is kept, read about, asked and written by itself, a command for each step."""
    ledgers = Ledgers(store)

    async def happens(number: int) -> None:
        event, now, id = _event(number), utc_now(), id_of(number)
        await store.insert("events", to_document(event))
        profile = await store.get("profiles", id)
        ledger = await store.get("ledgers", id)
        inside = await store.find("runs", {"profile": id})
        rule = _rule_for(event, profile)
        if not (profile and ledger and rule) or inside:
            return
        slot = Slot(f"control:{event.id}", "email", "offers", "given", rule)
        if not isinstance(await ledgers.reserve(Wanted(id, slot, CAPS, UTC, now), now=now), Granted):
            return
        name = f"control:{event.id}"
        await store.insert("runs", {"_id": name, "rule": rule, "profile": id, "started_at": now, "version": 1})
        to = f"email:{profile['identities'][0]['address']}"
        message = Message(name, name, id, "email", "outbound", rule, TEXT, seq=1, at=now, delivery=Delivery(to=to))
        await store.insert("messages", to_document(message))
        await store.insert("decisions", {"_id": name, "rule": rule, "profile": id, "at": now, "reason": "sent"})
        await store.change("messages", {"_id": name, "delivery.state": None}, {"$set": {"delivery.state": "sending"}})
        arrivals.arrived(number)

    return happens


def _rule_for(event: Event, profile: Mapping[str, Any] | None) -> str:
    aisles = RULES // NAMES
    for number in range(RULES):
        about = event.name == f"shop.n{number // aisles}" and event.properties["aisle"] == number % aisles
        if about and profile and profile["attributes"]["country"]["value"] in ("FR", "BE", "CH", "LU", "CA"):
            return f"r{number}"
    return ""


def _percentiles(arrivals: Arrivals) -> dict[str, float]:
    hundredths = quantiles(arrivals.took.values(), n=100)
    return {name: round(hundredths[place] * 1e3, 1) for name, place in (("p50", 49), ("p95", 94), ("p99", 98))}


def _words(arrivals: Arrivals) -> str:
    return f"{len(arrivals.took):,} handed over, {arrivals.doubled} twice, ms: {_percentiles(arrivals)}"
