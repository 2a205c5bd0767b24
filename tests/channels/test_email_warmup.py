"""A new domain sends few mails on its first day, over all processes, and more on each."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from channels.email_warmup import WarmUp, ceiling
from profiles.store import Store

FIRST = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "most"), [(-1, 0), (0, 200), (1, 300), (2, 450), (29, 25_566_807), (30, None), (400, None)]
)
def test_the_ceiling_rises_and_ends(days: int, most: int | None) -> None:
    assert ceiling(FIRST + timedelta(days=days), began=FIRST, first=200, growth=1.5, days=30) == most


def warm_up(store: Store, now: list[datetime]) -> WarmUp:
    return WarmUp(store, lambda: now[0], domain="shop.example", began=FIRST, first=120, growth=2.0, days=30)


async def test_two_processes_share_the_mails_of_a_day(mongo_url: str, database_name: str) -> None:
    store, now = Store(mongo_url, database_name), [NOON]
    processes = [warm_up(store, now), warm_up(store, now)]
    asked = await asyncio.gather(*(processes[number % 2].take() for number in range(200)))
    assert asked.count(0.0) == 120
    assert set(asked) == {0.0, 12 * 3600.0 + 1}

    now[0] += timedelta(days=1)
    assert (await asyncio.gather(*(processes[number % 2].take() for number in range(300)))).count(0.0) == 240
    await store.close()


async def test_what_was_not_taken_is_counted_back(mongo_url: str, database_name: str) -> None:
    store = Store(mongo_url, database_name)
    process = warm_up(store, [NOON])
    for _ in range(120):
        assert await process.take() == 0.0
    assert await process.take() > 0
    process.give_back()
    assert await process.take() == 0.0
    await store.close()
