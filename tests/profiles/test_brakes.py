"""Complaints against what was sent: above the rate a scope pauses, in every process, and goes on when the pause is over."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from profiles.brakes import COUNTS, Bearable, Brakes, Complaints
from profiles.indexes import INDEXES
from profiles.store import Store

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


async def judged(store: Store, clock: Clock, *, sent: int, complaints: int, bearable: Bearable) -> Complaints:
    """Count so many and return the counter."""
    counter = Complaints(store, clock, bearable)
    for _ in range(sent):
        counter.sent("email:shop.example", "rule:cart")
    for _ in range(complaints):
        await counter.complained("email:shop.example", "rule:cart")
    return counter


@pytest.mark.parametrize(
    ("sent", "complaints", "percent", "pauses"),
    [
        (1_000, 3, 0.3, False),
        (1_000, 4, 0.3, True),
        (999, 9, 0.3, False),
        (1_000, 9, 0.0, False),
        (1_000, 1, 0.05, True),
    ],
)
async def test_the_rate_decides_once_enough_was_sent(
    store: Store, sent: int, complaints: int, percent: float, pauses: bool
) -> None:
    clock = Clock()
    counter = await judged(store, clock, sent=sent, complaints=complaints, bearable=Bearable(percent))
    assert (counter.brakes.until("rule:cart") == NOON + timedelta(hours=24)) is pauses
    assert counter.brakes.until("rule:other") is None


async def test_another_process_sees_the_pause_and_it_ends(store: Store) -> None:
    clock = Clock()
    await judged(store, clock, sent=10, complaints=1, bearable=Bearable(least=10))
    other = Brakes(store, clock)
    await other.look()
    assert other.until("email:shop.example", "rule:cart")
    clock.now += timedelta(hours=25)
    assert other.until("rule:cart") is None
    await other.look()
    assert other.until("rule:cart") is None


async def test_complaints_of_long_ago_count_no_more(store: Store) -> None:
    clock = Clock()
    await judged(store, clock, sent=10, complaints=1, bearable=Bearable(least=100))
    clock.now += timedelta(days=7)
    counter = await judged(store, clock, sent=1_000, complaints=1, bearable=Bearable(percent=0.15, least=100))
    assert counter.brakes.until("rule:cart") is None


async def test_two_processes_count_together(store: Store) -> None:
    clock, bearable = Clock(), Bearable(least=20)
    one = await judged(store, clock, sent=10, complaints=0, bearable=bearable)
    await one.look(at_once=True)
    two = await judged(store, clock, sent=10, complaints=1, bearable=bearable)
    assert two.brakes.until("rule:cart")
    [day] = await store.find(COUNTS, {"scope": "rule:cart"})
    assert (day["sent"], day["complained"]) == (20, 1)


async def test_what_was_counted_is_written_at_the_end(store: Store) -> None:
    counter = Complaints(store, Clock(), Bearable())
    counter.sent("rule:cart")
    await counter.close()
    assert [day["sent"] for day in await store.find(COUNTS, {})] == [1]


async def test_what_was_just_looked_at_is_not_asked_again(store: Store) -> None:
    counter = Complaints(store, Clock(), Bearable())
    await counter.look()
    counter.sent("rule:cart")
    await counter.look()
    assert await store.find(COUNTS, {}) == []
    await counter.look(at_once=True)
    assert [day["sent"] for day in await store.find(COUNTS, {})] == [1]
