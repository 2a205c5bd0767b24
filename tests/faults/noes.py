"""People who say no while a campaign runs: when their no was acknowledged, and who heard from us all the same."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.faults.house import House
from tests.faults.journal import Journal, now
from tests.faults.provider import Taken

AGAIN_SECONDS = 0.1
NO = {"channel": "telegram", "topic": "offers", "state": "withdrawn", "source": "phone"}


@dataclass(slots=True)
class Noes:
    """The journal of noes; each is said again until a server answers that it holds."""

    journal: Journal
    acknowledged: dict[int, float] = field(default_factory=dict)
    """Person -> when the answer was read."""
    waited: list[float] = field(default_factory=list)
    """Seconds from the request that was answered to its answer."""

    async def say(self, url: str, key: str, house: House, number: int) -> None:
        """Let one person say no, until it is acknowledged."""
        timeout = aiohttp.ClientTimeout(total=40)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}, timeout=timeout) as session:
            while number not in self.acknowledged:
                asked = now()
                try:
                    path = f"{url}/api/v1/profiles/{house.profile(number)}/consents"
                    async with session.post(path, json=NO) as answer:
                        if answer.status == 200:
                            self.acknowledged[number] = now()
                            self.waited.append(self.acknowledged[number] - asked)
                            self.journal.note(person=number, at=self.acknowledged[number])
                            return
                        assert answer.status in (429, 503), await answer.text()
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(AGAIN_SECONDS)

    def violations(self, house: House, taken: Sequence[Taken]) -> int:
        """Return how many hand-overs ended after their person's no was acknowledged."""
        never = float("inf")
        return sum(one.ended > self.acknowledged.get(house.number(one.to), never) for one in taken)


async def noes(
    house: House, key: str, url: Callable[[], str], path: Path, *, people: int, over: float, chance: random.Random
) -> Noes:
    """Let so many people say no, each at a moment of their own within `over` seconds; return when all are acknowledged."""
    found = Noes(Journal(path))

    async def one(number: int, after: float) -> None:
        await asyncio.sleep(after)
        await found.say(url(), key, house, number)

    who = chance.sample(range(house.people), people)
    await asyncio.gather(*(one(number, chance.uniform(0, over)) for number in who))
    return found
