"""A server frozen for longer than it is taken to live (SIGSTOP): another takes over, and the thawed one sends nothing again."""

import asyncio
import random
import signal
from pathlib import Path

from channels.sweeper import EVERY_SECONDS
from profiles.store import Store
from tests.faults.figures import Figures
from tests.faults.house import House, balance
from tests.faults.patience import until
from tests.faults.provider import provider
from tests.faults.queue_of import queue_of
from tests.faults.servers import Nursery, server

PEOPLE = 240


async def test_a_thawed_server_sends_nothing_that_another_took_over(
    nursery: Nursery, folder: Path, store: Store, chance: random.Random, seed: int, figures: Figures
) -> None:
    house = House(store, PEOPLE)
    await house.open()
    async with provider(folder / "provider.journal", seed=seed) as telegram:
        how = {"database_url": store.url, "database": store.name, "provider": telegram.url}
        one, other = (server(nursery, folder / name, name=name, **how) for name in ("one", "other"))
        for place in (one, other):
            await house.fire(Path(place.settings["CAUSERIE_RULES__FOLDER"]))
        await one.start()
        await until(lambda: len(telegram.taken) > 10)
        await other.start()
        await asyncio.sleep(chance.uniform(0, 0.5))
        one.kill(signal.SIGSTOP)
        held = len(telegram.taken)
        await until(lambda: len(telegram.taken) > held + 20)
        await asyncio.sleep(chance.uniform(0, EVERY_SECONDS))
        one.kill(signal.SIGCONT)
        await until(house.is_over)
        await one.stop()
        await other.stop()
        found = await balance(house, [taken.to for taken in telegram.taken])
    figures.add(intents=found.intents, twice=found.twice, unknown=found.unknown, **{"frozen": 1})
    assert found.is_right, found
    assert held < PEOPLE / 2, "there was nothing left to take over"


async def test_control_the_usual_queue_sends_twice_when_its_worker_is_frozen(
    mongo_url: str, folder: Path, seed: int, figures: Figures
) -> None:
    async with (
        provider(folder / "provider.journal", seed=seed) as telegram,
        queue_of(mongo_url, telegram.url, PEOPLE) as queue,
    ):
        telegram.seconds = (0.05, 0.1)
        frozen = queue.work()
        for _ in range(3):
            taken = len(telegram.taken)
            await until(lambda taken=taken: len(telegram.taken) > taken + 5)  # type: ignore[misc]
            frozen.send_signal(signal.SIGSTOP)
            queue.work()
            await asyncio.sleep(1.5)  # longer than what it took stays invisible
            frozen.send_signal(signal.SIGCONT)
        await queue.emptied()
    twice = sum(len(texts) > 1 for texts in telegram.by_person().values())
    figures.add_control(intents=PEOPLE, twice=twice)
    assert twice > 0, "this test can not see a message that is sent twice"
