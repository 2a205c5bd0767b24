"""People say no while servers send to them: is anything still under way to somebody whose no was acknowledged?

The journal is the provider's: when each hand-over began and ended. The control asks for consent right before it sends and
acknowledges a no when it is stored: what most do.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from profiles.calendar import utc_now
from profiles.consent import verdict
from profiles.consents import Consents, Said
from profiles.ledger import COLLECTION
from profiles.ledgers import Ledgers
from profiles.permits import Pass, Passage, Permits
from profiles.store import Store

SERVERS, SENDERS = 4, 12
PROVIDER_SECONDS = (0.002, 0.06)
HERE = Said("one_click")
Hand = Callable[["Journal", str, int], Awaitable[None]]


@dataclass(slots=True)
class Journal:
    """What the provider saw and when each no was acknowledged (seconds, one clock)."""

    hand_overs: list[tuple[str, float, float]] = field(default_factory=list)
    acknowledged: dict[str, float] = field(default_factory=dict)
    waited: list[float] = field(default_factory=list)

    def violations(self) -> int:
        """Return how many hand-overs ended after their person's no was acknowledged."""
        never = float("inf")
        return sum(ended > self.acknowledged.get(person, never) for person, _, ended in self.hand_overs)

    def waited_ms(self, share: float) -> float:
        """Return the time from a no to its acknowledgement that this share of them did not exceed."""
        ordered = sorted(self.waited)
        return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000, 1)


async def raced(url: str, database: str, way: Literal["permit", "check"], *, people: int, seed: int = 1) -> Journal:
    """Let servers send to these people until each has said no, and return the journal."""
    chance, journal = random.Random(seed), Journal()
    stores = [Store(url, database) for _ in range(SERVERS)]
    names = [f"p{number}" for number in range(people)]
    said = {"on": {"email:offers": True}, "at": {"email:offers": utc_now()}}
    await stores[0].insert_missing(COLLECTION, [{"_id": name, **said} for name in names])
    servers = [_Server(store) for store in stores]
    sending = [
        asyncio.create_task(_send(getattr(server, way), journal, names, chance))
        for server in servers
        for _ in range(SENDERS)
    ]
    says_no = getattr(servers[0], f"no_by_{way}")
    for name in chance.sample(names, len(names)):
        began = time.monotonic()
        await says_no(name)
        journal.acknowledged[name] = time.monotonic()
        journal.waited.append(journal.acknowledged[name] - began)
    for task in sending:
        task.cancel()
    await asyncio.gather(*sending, return_exceptions=True)
    for server in servers:
        await server.permits.close()
    for store in stores:
        await store.close()
    return journal


class _Server:
    def __init__(self, store: Store) -> None:
        self.store, self.ledgers = store, Ledgers(store)
        self.permits = Permits(store, self.ledgers, clock=utc_now)
        self.consents = Consents(store, self.ledgers, self.permits)

    @asynccontextmanager
    async def permit(self, id: str, person: str) -> AsyncIterator[bool]:
        asked = Passage(id, person, f"email:{person}", "email", "offers", "marketing", "given")
        answer = await self.permits.ask(asked)
        yield isinstance(answer, Pass)
        if isinstance(answer, Pass):
            self.permits.settle([answer])

    async def no_by_permit(self, person: str) -> None:
        await self.consents.withdraw(person, "email", "offers", HERE, now=utc_now())

    @asynccontextmanager
    async def check(self, id: str, person: str) -> AsyncIterator[bool]:
        ledger = (await self.ledgers.read([person]))[person]
        yield verdict(ledger, "email", "offers", "given") is None

    async def no_by_check(self, person: str) -> None:
        no = {"on.email:offers": False, "at.email:offers": utc_now()}
        await self.store.change(COLLECTION, {"_id": person}, {"$set": no})


async def _send(may: Callable[..., object], journal: Journal, people: list[str], chance: random.Random) -> None:
    while True:
        person = chance.choice(people)
        async with may(f"{chance.random()}/0", person) as allowed:  # type: ignore[attr-defined]
            if allowed:
                began = time.monotonic()
                await asyncio.sleep(chance.uniform(*PROVIDER_SECONDS))
                journal.hand_overs.append((person, began, time.monotonic()))
