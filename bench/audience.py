"""A scheduled rule for one contact in a hundred: does it cost by its audience, or by the base? Beside it the scan of everybody."""

import time
from dataclasses import asdict
from datetime import UTC
from typing import Any

from bench import cpu
from bench.campaign import Spent, fired, measured
from bench.crowd import Crowd
from bench.database import database
from profiles.audience import make_index
from profiles.calendar import utc_now
from profiles.expression import Facts
from profiles.indexes import INDEXES
from profiles.profile import Profile
from profiles.record import from_document
from profiles.store import Store
from rules.rule import Rule

GOLD = 'contact.tier == "gold"'
MOST_GROWN_MB = 50
MOST_RATIO = 2.0
"""A base ten times as large with the same audience may cost no more than this: the noise of a shared machine."""


async def report(contacts: int) -> dict[str, Any]:
    """Measure the same audience in a tenth of the base and in the whole, and the scan of the whole."""
    bases = {"small": Crowd(contacts // 10, gold_every=10), "large": Crowd(contacts, gold_every=100)}
    found: dict[str, Spent] = {}
    async with database() as (url, pid, folder):
        for name, crowd in bases.items():
            store = Store(url, name)
            await store.prepare(INDEXES)
            await crowd.seed(store, now=utc_now())
            async with fired(url, name, folder, GOLD) as process:
                rule = process.rules.engine.editions.current["sales"].rule
                indexed = await _indexed(store, rule)
                found[name] = await measured(process.rules.occurrences.walk, pid)
                print(f"{crowd.contacts:,} contacts: {asdict(found[name])}", flush=True)
            if name == "large":
                scanned = await _scanned(store, rule)
            await store.close()
    print(f"to read all {contacts:,} and test each: {scanned:.1f} s for the choice alone", flush=True)
    large, small = found["large"], found["small"]
    ratio = (large.app_us + large.db_us) / (small.app_us + small.db_us)
    return {
        "machine": cpu.machine(),
        "contacts": contacts,
        "audience": large.contacts,
        "seconds": round(large.seconds, 2),
        "seconds_in_a_tenth": round(small.seconds, 2),
        "cpu_ratio": round(ratio, 2),
        "grown_mb": round(large.grown_mb, 1),
        "index_seconds": round(indexed, 1),
        "scan_seconds": round(scanned, 1),
        "by_the_audience": ratio < MOST_RATIO and large.contacts == small.contacts,
        "memory_flat": large.grown_mb < MOST_GROWN_MB,
    }


async def _indexed(store: Store, rule: Rule) -> float:
    """Return how long the index takes that the condition asks for: once for an attribute, by the base."""
    assert rule.audience
    began = time.perf_counter()
    assert await make_index(store, rule.audience.audience(utc_now(), UTC))
    return time.perf_counter() - began


async def _scanned(store: Store, rule: Rule) -> float:
    """Return how long it takes to read every profile and test it: what is done without a filter."""
    assert rule.audience
    began, inside, now = time.perf_counter(), 0, utc_now()
    async for documents in store.stream("profiles", [{"$sort": {"_id": 1}}], at_once=500):
        for document in documents:
            inside += rule.audience.test(Facts(now=now, profile=from_document(Profile, document)))
    assert inside, "the control chose nobody"
    return time.perf_counter() - began
