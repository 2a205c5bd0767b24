"""What does an event cost that is reported in batches of 500, beside the obvious way, with few and with many profiles stored?

Both ways answer the same requests over HTTP, on one mongod and with the same indexes and the same durability, and take turns round
by round. The control inserts one event after the other as it reads the batch, and checks nothing. The server under test runs in
this process with the generator of the load, which counts against it alone.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import aiohttp
from aiohttp import web
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.write_concern import WriteConcern

from admin.keys import create_key
from bench import cpu
from bench.database import driver, own_mongod
from causerie.app import STORE, build
from causerie.garbage import collect_seldom
from causerie.mongod import Mongod
from causerie.options import Options
from causerie.threads import switch_soon
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.profile import Attribute, Profile
from profiles.record import to_document
from profiles.store import Store
from profiles.timeline import Event

BATCH = 500
CLIENTS = 4
READY_A_SECOND = 40  # batches
AT_LEAST, FLAT_WITHIN = 10.0, 1.5
REST_AT_MOST, FEW_BYTES = 120.0, 4_000_000
"""Seconds; a checkpoint begins every minute."""
Document = dict[str, Any]
Post = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Round:
    """One way for some seconds."""

    way: str
    profiles: int
    events: int
    per_second: float
    cpu_us: float
    """Of this process and of the database, for each event."""


async def figures(sizes: Sequence[int], *, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure both ways with each number of profiles and return the figures."""
    found: list[Round] = []
    is_whole = True
    collect_seldom()  # as `causerie serve` does
    switch_soon()
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(own_mongod())
        client = await opened.enter_async_context(driver(database.url))
        for size in sizes:
            began = time.perf_counter()
            await _crowd(client[f"events_{size}"], database.url, size)
            print(f"{size:,} profiles stored in {time.perf_counter() - began:.0f} s", flush=True)
            await _at_rest(client)
            async with _ours(database.url, f"events_{size}") as ours, _control(client[f"control_{size}"]) as control:
                ways = {"ours": _Way(ours, size), "control": _Way(control, size)}
                for way in ways.values():
                    await way.drive(seconds / 4)  # warm
                for _ in range(rounds):
                    for name, way in ways.items():
                        one = await _measured(name, way, size, database, seconds)
                        print(_line(one), flush=True)
                        found.append(one)
                kept = await client[f"events_{size}"]["events"].count_documents({})
                is_whole &= kept == ways["ours"].events
                print(f"{size:,} profiles: {ways['ours'].events:,} answered as stored, {kept:,} stored", flush=True)
    return _summary(found, sizes, is_whole=is_whole)


@dataclass(slots=True)
class _Way:
    """One server, and what it was sent so far."""

    post: Post
    profiles: int
    events: int = 0
    _number: int = 0
    _ready: list[bytes] = field(default_factory=list)

    def prepare(self, batches: int) -> None:
        """Write bodies ahead: who makes the load is not what is measured."""
        self._ready += [self._batch() for _ in range(batches - len(self._ready))]

    async def drive(self, seconds: float) -> int:
        """Post batches from several clients until the time is over; return how many events were answered."""
        before, until = self.events, time.perf_counter() + seconds

        async def client() -> None:
            while time.perf_counter() < until:
                await self.post(self._ready.pop() if self._ready else self._batch())
                self.events += BATCH

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return self.events - before

    def _batch(self) -> bytes:
        self._number += 1
        pick = random.Random(self._number)  # noqa: S311 (a load, not a secret)
        events = [
            {
                "id": f"{self._number}-{place}", "name": "page.viewed", "profile": f"P{pick.randrange(self.profiles)}",
                "properties": {"url": f"https://shop.example/p/{place}", "title": "Chair", "price": 49.5, "tags": ["a", "b"]},
            }
            for place in range(BATCH)
        ]  # fmt: skip
        return json.dumps({"events": events}).encode()


async def _measured(name: str, way: _Way, size: int, database: Mongod, seconds: float) -> Round:
    pid = database.pid
    assert pid
    way.prepare(int(seconds * READY_A_SECOND))
    used, began = time.process_time() + cpu.seconds_of(pid), time.perf_counter()
    events = await way.drive(seconds)
    took, spent = time.perf_counter() - began, time.process_time() + cpu.seconds_of(pid) - used
    return Round(name, size, events, events / took, spent / events * 1e6)


def _line(one: Round) -> str:
    return f"{one.profiles:>9,} profiles  {one.way:8s} {one.per_second:8,.0f} events/s  CPU {one.cpu_us:5.0f} us/event"


@asynccontextmanager
async def _ours(url: str, name: str) -> AsyncIterator[Post]:
    """Within the block the product serves this database; what is yielded posts a batch to it."""
    app = await build(Options(database=name), url)
    key = await create_key(app[STORE], "bench", ["events:write"], now=utc_now())
    await app[STORE].change("keys", {"_id": key.split("_")[1]}, {"$set": {"per_second": 1e9}})
    async with _served(app) as port, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

        async def post(body: bytes) -> None:
            async with session.post(
                f"http://127.0.0.1:{port}/api/v1/events/batch", data=body, headers=headers
            ) as answer:
                results = (await answer.json())["results"]
            if any(result["status"] != "stored" for result in results):
                raise RuntimeError("an event was not stored")

        yield post


@asynccontextmanager
async def _control(database: Any) -> AsyncIterator[Post]:
    """Within the block the obvious server: one insert for each event, as durable as ours."""
    await database["events"].create_indexes(list(INDEXES["events"]))
    events = database.get_collection("events", write_concern=WriteConcern(w="majority", j=True))

    async def add(request: web.Request) -> web.Response:
        results = []
        for event in (await request.json())["events"]:
            now = utc_now()
            fact = Event(f"api:api:{event['id']}", event["profile"], event["name"], now, source="api",
                         properties=event["properties"])  # fmt: skip
            await events.insert_one(to_document(fact))
            results.append({"id": event["id"], "status": "stored"})
        return web.json_response({"results": results})

    app = web.Application(client_max_size=2_000_000)
    app.router.add_post("/events/batch", add)
    async with _served(app) as port, aiohttp.ClientSession() as session:

        async def post(body: bytes) -> None:
            async with session.post(f"http://127.0.0.1:{port}/events/batch", data=body) as answer:
                answer.raise_for_status()
                await answer.json()

        yield post


@asynccontextmanager
async def _served(app: web.Application) -> AsyncIterator[int]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _crowd(database: Any, url: str, size: int) -> None:
    store = Store(url, database.name)
    await store.prepare(INDEXES)
    await store.close()
    for first in range(0, size, 5_000):
        people = [_person(number) for number in range(first, min(first + 5_000, size))]
        await database["profiles"].insert_many(people, ordered=False)


async def _at_rest(client: AsyncIOMotorClient[Document]) -> None:
    """Wait until the database has written out what we put there: the profiles were stored long before the events come."""
    until = time.perf_counter() + REST_AT_MOST
    while time.perf_counter() < until:
        inside = (await client.admin.command("serverStatus"))["wiredTiger"]
        is_writing = inside["transaction"].get("transaction checkpoint currently running", 0)
        if not is_writing and inside["cache"]["tracked dirty bytes in the cache"] < FEW_BYTES:
            return
        await asyncio.sleep(1)


def _person(number: int) -> Document:
    at = utc_now()
    told = {"city": Attribute("Lyon", "declared", at), "points": Attribute(number % 1000, "declared", at)}
    return to_document(Profile(f"P{number}", at, attributes=told, language="fr", version=1))


def _summary(found: Sequence[Round], sizes: Sequence[int], *, is_whole: bool) -> dict[str, Any]:
    levels = []
    for size in sizes:
        ours, control = (
            [one for one in found if (one.way, one.profiles) == (way, size)] for way in ("ours", "control")
        )
        rates = median(one.per_second for one in ours), median(one.per_second for one in control)
        costs = median(one.cpu_us for one in ours), median(one.cpu_us for one in control)
        levels.append({
            "profiles": size, "ours": round(rates[0]), "control": round(rates[1]), "ratio": round(rates[0] / rates[1], 1),
            "cpu_us": round(costs[0]), "control_cpu_us": round(costs[1]), "cpu_ratio": round(costs[1] / costs[0], 1),
        })  # fmt: skip
    flat = levels[-1]["cpu_us"] / levels[0]["cpu_us"]
    told: dict[str, Any] = {"levels": levels, "cost_of_many_to_few": round(flat, 2), "nothing_lost": is_whole}
    # by CPU: how many events a second those come to depends on who else is on the machine
    told["fast_enough"] = min(level["cpu_ratio"] for level in levels) >= AT_LEAST and flat <= FLAT_WITHIN
    for level in levels:
        print(f"{level['profiles']:>9,} profiles: {level['ratio']}x events/s, {level['cpu_ratio']}x CPU", flush=True)
    return told | {"machine": cpu.machine()}
