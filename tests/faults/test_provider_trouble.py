"""The road to the provider breaks in every way a road breaks: nobody has an offer twice, and what nobody knows is listed."""

from pathlib import Path

from profiles.store import Store
from tests.faults.figures import Figures
from tests.faults.house import House, balance
from tests.faults.patience import until
from tests.faults.provider import provider
from tests.faults.proxy import ARRIVES, Mood, proxy
from tests.faults.queue_of import queue_of
from tests.faults.servers import Nursery, server

PEOPLE = 120
MOODS: dict[Mood, float] = {
    "refuse": 0.05, "swallow": 0.05, "half_open": 0.05, "reset": 0.05, "reset_after": 0.05, "cut": 0.05, "drip": 0.05
}  # fmt: skip


async def test_every_way_a_road_breaks_ends_in_once_or_unknown(
    nursery: Nursery, folder: Path, store: Store, seed: int, figures: Figures
) -> None:
    house = House(store, PEOPLE)
    await house.open()
    async with (
        provider(folder / "provider.journal", seed=seed) as telegram,
        proxy(telegram.url, seed=seed, moods={}) as road,
    ):
        quick = {"CAUSERIE_CHANNELS__TELEGRAM__TIMEOUT_SECONDS": "2"}
        here = server(nursery, folder, database_url=store.url, database=store.name, provider=road.url, **quick)
        await house.fire(folder / "book")
        road.moods = dict(MOODS)
        await here.start()
        await until(house.is_over)
        await here.stop()
        found = await balance(house, [one.to for one in telegram.taken])
    figures.add(intents=found.intents, twice=found.twice, unknown=found.unknown)
    assert found.is_right, (found, road.met)
    arrived_unknown = sum(count for mood, count in road.met.items() if mood in ARRIVES - {"pass", "drip"})
    assert len(road.met) >= 5 and arrived_unknown > 0, f"hardly anything went wrong: {road.met}"
    assert 0 < found.unknown < PEOPLE / 2, found


async def test_control_who_tries_again_after_every_error_sends_twice(
    mongo_url: str, folder: Path, seed: int, figures: Figures
) -> None:
    async with (
        provider(folder / "provider.journal", seed=seed) as telegram,
        proxy(telegram.url, seed=seed, moods=MOODS) as road,
        queue_of(mongo_url, road.url, PEOPLE) as queue,
    ):
        queue.work()
        await queue.emptied()
    twice = sum(len(texts) > 1 for texts in telegram.by_person().values())
    figures.add_control(intents=PEOPLE, twice=twice)
    assert twice > 0, "this test can not see a message that is sent twice"
