"""The gate: decisions a second in bulk, one by one and in the control's way, and over-sends while processes race for slots."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, Literal

from bench import cpu, optouts
from bench.database import own_mongod
from bench.gate_designs import ROWS, bulk, count_then_insert, ledger
from bench.gate_worker import Design, Journal, Order, told
from bench.overs import Limit, doubles, overs
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.ledger import COLLECTION
from profiles.store import Document, Store, ascending

WEEK = 7 * 86_400_000.0
WEEKLY = (Limit(2, WEEK), Limit(2, WEEK, "channel", "email"), Limit(1, 86_400_000.0, "topic", "offers"))
QUICK = (Limit(4, 2_500.0), Limit(2, 1_000.0, "channel", "email"), Limit(3, 2_000.0, "topic", "offers"))
TWO = (Limit(2, WEEK),)
AT_ONCE, IN_FLIGHT = 500, 32
PROCESSES = 4
NOES = 300
READY_WITHIN_SECONDS = 60
LONG_LINE = 2**28


@dataclass(frozen=True, slots=True)
class Raced:
    """What a race came to, as the checker outside sees it."""

    tries: int
    grants: int
    overs: int
    doubles: int


async def race(
    url: str, database: str, design: Design, limits: Sequence[Limit], *, contacts: int, tasks: int, seconds: float
) -> Raced:
    """Let four processes race for the slots of these contacts and check what they were told."""
    store = Store(url, database)
    await store.prepare({COLLECTION: [], ROWS: [ascending("contact", "at")]})
    order = Order(design, url, database, tuple(limits), contacts, tasks, seconds, 0)
    processes = [await _started(replace(order, seed=number)) for number in range(PROCESSES)]
    async with asyncio.timeout(READY_WITHIN_SECONDS):
        for process in processes:
            await _line(process)
    for process in processes:
        await _say(process, "go")
    async with asyncio.timeout(READY_WITHIN_SECONDS + seconds * 4):
        journals = [told(await _line(process)) for process in processes]
        await asyncio.gather(*(process.wait() for process in processes))
    await store.close()
    return _checked(journals, limits)


async def report(seconds: float, contacts: int, rounds: int) -> dict[str, Any]:
    """Run all and return the figures."""
    figures: dict[str, Any] = {"machine": cpu.machine(), "contacts": contacts}
    async with own_mongod() as mongod:
        figures |= await _rates(mongod.url, contacts, rounds)
        figures["races"] = await _races(mongod.url, seconds)
        figures["optouts"] = await _optouts(mongod.url)
    races = figures["races"]
    ours = [raced for name, raced in races.items() if not name.startswith("control")]
    controls = [raced for name, raced in races.items() if name.startswith("control")]
    noes = figures["optouts"]
    figures["ours_is_right"] = not (
        any(raced["overs"] or raced["doubles"] for raced in ours) or noes["permit"]["violations"]
    )
    figures["the_checker_sees"] = all(raced["overs"] for raced in controls) and noes["check"]["violations"] > 0
    return figures


async def _rates(url: str, contacts: int, rounds: int) -> dict[str, Any]:
    """Decisions a second of each way, over the same contacts with up to four old entries, taking turns."""
    found: dict[str, list[float]] = {"bulk": [], "one": [], "control": []}
    store = Store(url, "gate_rates")
    await store.prepare(INDEXES | {ROWS: [ascending("contact", "at")]})
    people = [f"c{number}" for number in range(contacts)]
    for number in range(rounds):
        for design, rates in found.items():
            await _filled(store, people)
            asks = {"bulk": _in_bulk, "one": _one_by_one, "control": _controlled}[design]
            asked = people if design == "bulk" else people[: contacts // 10]
            began = time.perf_counter()
            await asks(store, asked, f"r{number}")
            rates.append(len(asked) / (time.perf_counter() - began))
        print(" ".join(f"{name} {rates[-1]:,.0f}/s" for name, rates in found.items()), flush=True)
    await store.drop()
    await store.close()
    middle = {name: round(median(rates)) for name, rates in found.items()}
    return {
        "bulk_per_second": middle["bulk"],
        "one_by_one_per_second": middle["one"],
        "control_per_second": middle["control"],
        "ratio": round(middle["bulk"] / middle["one"], 1),
    }


async def _filled(store: Store, people: Sequence[str]) -> None:
    """Give every contact zero to four deliveries of last month, in our form and in the control's."""
    await store.remove(COLLECTION, {})
    await store.remove(ROWS, {})
    now = utc_now()
    ledgers: list[Document] = []
    rows: list[Document] = []
    for number, contact in enumerate(people):
        old = {f"o{n}": now - timedelta(days=14, seconds=n) for n in range(number % 5)}
        spent = [{"t": at, "r": rid, "c": "email", "k": "offers"} for rid, at in old.items()]
        ledgers.append({"_id": contact, "on": {"email:offers": True}, "at": {"email:offers": now}, "h": spent})
        about = {"contact": contact, "channel": "email", "topic": "offers"}
        rows += [{**about, "rid": rid, "at": at.timestamp() * 1000} for rid, at in old.items()]
    for first in range(0, len(ledgers), 5_000):
        await store.insert_missing(COLLECTION, ledgers[first : first + 5_000])
    for first in range(0, len(rows), 5_000):
        await store.insert_missing(ROWS, rows[first : first + 5_000])


async def _in_bulk(store: Store, people: Sequence[str], rid: str) -> None:
    ask = bulk(store, WEEKLY)
    for first in range(0, len(people), AT_ONCE):
        granted = await ask(people[first : first + AT_ONCE], rid)
        assert len(granted) == len(people[first : first + AT_ONCE])


async def _one_by_one(store: Store, people: Sequence[str], rid: str) -> None:
    await _in_flight(ledger(store, WEEKLY), people, rid)


async def _controlled(store: Store, people: Sequence[str], rid: str) -> None:
    await _in_flight(count_then_insert(store.url, store.name, WEEKLY), people, rid)


async def _in_flight(ask: Callable[[str, str, str, str], Awaitable[object]], people: Sequence[str], rid: str) -> None:
    waiting = iter(people)

    async def some() -> None:
        for contact in waiting:
            assert await ask(contact, rid, "email", "offers")

    await asyncio.gather(*(some() for _ in range(IN_FLIGHT)))


async def _races(url: str, seconds: float) -> dict[str, dict[str, int]]:
    hot, wide = {"contacts": 15, "tasks": 8}, {"contacts": 2_000, "tasks": 32}
    contests: dict[str, tuple[Design, Sequence[Limit], dict[str, int]]] = {
        "one, 15 contacts": ("ledger", QUICK, hot),
        "one, 2,000 contacts": ("ledger", QUICK, wide),
        "bulk, 500 contacts": ("bulk", TWO, {"contacts": 500, "tasks": 8}),
        "control: count then insert": ("count", QUICK, hot),
        "control: in a transaction": ("transaction", QUICK, hot),
    }
    found: dict[str, dict[str, int]] = {}
    for number, (name, (design, limits, how)) in enumerate(contests.items()):
        raced = await race(url, f"race{number}", design, limits, seconds=seconds, **how)
        found[name] = asdict(raced)
        print(f"{name}: {raced.tries:,} tries, {raced.grants:,} grants, {raced.overs} too many, {raced.doubles} double")
    return found


async def _optouts(url: str) -> dict[str, dict[str, float]]:
    """How long a no waits for its acknowledgement, and what was still under way then."""
    found: dict[str, dict[str, float]] = {}
    ways: tuple[Literal["permit", "check"], ...] = ("permit", "check")
    for way in ways:
        journal = await optouts.raced(url, f"optouts_{way}", way, people=NOES)
        found[way] = {
            "noes": len(journal.acknowledged),
            "hand_overs": len(journal.hand_overs),
            "violations": journal.violations(),
            "p50_ms": journal.waited_ms(0.5),
            "p99_ms": journal.waited_ms(0.99),
        }
        print(f"a no, by {way}: " + " ".join(f"{name} {value:g}" for name, value in found[way].items()), flush=True)
    return found


def _checked(journals: Sequence[Journal], limits: Sequence[Limit]) -> Raced:
    back = {one for journal in journals for one in journal.given_back}
    grants = [grant for journal in journals for grant in journal.grants]
    kept = [grant for grant in grants if (grant.contact, grant.rid) not in back]
    tries = sum(journal.tries for journal in journals)
    return Raced(tries, len(set(grants)), overs(kept, limits), doubles(kept))


async def _started(order: Order) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.gate_worker", cwd=Path(__file__).parent.parent, limit=LONG_LINE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await _say(process, json.dumps(asdict(order)))
    return process


async def _say(process: asyncio.subprocess.Process, line: str) -> None:
    assert process.stdin
    process.stdin.write(line.encode() + b"\n")
    await process.stdin.drain()


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    line = await process.stdout.readline()
    assert line, "a process of the race died"
    return line.decode()
