"""One process of a race for slots: `python -m bench.gate_worker` reads its Order and writes what it was told, as JSON."""

import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bench.gate_designs import Ask, bulk, count_then_insert, each, ledger, transaction
from bench.overs import Grant, Limit
from profiles.ledgers import Ledgers
from profiles.store import Store

Design = Literal["ledger", "each", "bulk", "count", "transaction"]
CHANNELS, TOPICS = ("email", "sms"), ("offers", "news")
SHARED = 0.2  # this part of the tries are for an intent that other processes try too
GIVEN_BACK = 0.1


@dataclass(frozen=True, slots=True)
class Order:
    """What one process is to do."""

    design: Design
    url: str
    database: str
    limits: tuple[Limit, ...]
    contacts: int
    tasks: int
    seconds: float
    seed: int


@dataclass(slots=True)
class Journal:
    """What it was told: grants, which of them it gave back, and how often it asked."""

    grants: list[Grant]
    given_back: list[tuple[str, str]]
    tries: int = 0


async def race(order: Order) -> Journal:
    """Ask again and again until the time is over."""
    store = Store(order.url, order.database)
    journal, chance, end = Journal([], []), random.Random(order.seed), time.monotonic() + order.seconds
    if order.design == "bulk":
        await asyncio.gather(*(_campaigns(order, store, journal, task, end) for task in range(order.tasks)))
    else:
        ask = _asks(order, store)
        gives_back = Ledgers(store) if order.design in ("ledger", "each") else None
        await asyncio.gather(
            *(_tries(order, ask, gives_back, journal, chance, task, end) for task in range(order.tasks))
        )
    await store.close()
    return journal


def _asks(order: Order, store: Store) -> Ask:
    match order.design:
        case "ledger":
            return ledger(store, order.limits)
        case "each":
            return each(store, order.limits)
        case "count":
            return count_then_insert(order.url, order.database, order.limits)
    return transaction(order.url, order.database, order.limits)


async def _tries(
    order: Order, ask: Ask, gives_back: Ledgers | None, journal: Journal, chance: random.Random, task: int, end: float
) -> None:
    while time.monotonic() < end:
        journal.tries += 1
        contact = f"c{chance.randrange(order.contacts)}"
        is_shared = chance.random() < SHARED
        name = f"$shared{int(time.time() * 10)}" if is_shared else f"{order.seed}.{task}.{journal.tries}"
        about = random.Random(name)  # one intent is about one thing, whoever tries it
        grant = await ask(contact, name, about.choice(CHANNELS), about.choice(TOPICS))
        if grant:
            journal.grants.append(grant)
            if gives_back and not is_shared and chance.random() < GIVEN_BACK:
                await gives_back.release(contact, name)
                journal.given_back.append((contact, name))


async def _campaigns(order: Order, store: Store, journal: Journal, task: int, end: float) -> None:
    ask, number = bulk(store, order.limits), 0
    contacts = [f"c{number}" for number in range(order.contacts)]
    while time.monotonic() < end:
        number += 1
        journal.tries += len(contacts)
        shared = number % 3 == 0  # the same campaign taken up by several
        journal.grants += await ask(contacts, f"shared{number}" if shared else f"{order.seed}.{task}.{number}")


def told(text: str) -> Journal:
    """Return the journal that a process wrote."""
    read: dict[str, Any] = json.loads(text)
    return Journal(
        [Grant(*grant) for grant in read["grants"]],
        [(contact, rid) for contact, rid in read["given_back"]],
        read["tries"],
    )


def ordered(text: str) -> Order:
    """Return the order that a process was given."""
    read: dict[str, Any] = json.loads(text)
    limits: Sequence[dict[str, Any]] = read.pop("limits")
    return Order(**read, limits=tuple(Limit(**limit) for limit in limits))


def main() -> None:
    """Say that we are ready, wait for the start, race, and write the journal."""
    order = ordered(sys.stdin.readline())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    journal = asyncio.run(race(order))
    told = {**asdict(journal), "grants": [list(asdict(grant).values()) for grant in journal.grants]}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
