"""Long messages gathered in the database, by as many processes as there are."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from channels.smpp_parts import RECEIVED, Gathered, Parts, arrived, remember_sent, whole_of
from channels.smpp_wire import Address, Part
from profiles.store import Store

ANNA, BORIS, SHOP = Address(1, 1, "33612345678"), Address(1, 1, "33612345679"), Address(3, 0, "36180")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TWO_MINUTES = timedelta(minutes=2)


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    yield store
    await store.close()


async def gather(
    store: Store,
    number: int,
    text: bytes,
    *,
    total: int = 2,
    at: datetime = NOON,
    who: Address = ANNA,
    reference: int = 7,
) -> Gathered:
    return await Parts(store).gather(who, SHOP, Part(reference, total, number), text, 0, at)


async def overdue(store: Store, at: datetime) -> list[Gathered]:
    return [gathered async for gathered in Parts(store).overdue(at, TWO_MINUTES)]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
async def test_parts_make_a_message_in_any_order(store: Store, order: tuple[int, ...]) -> None:
    found = [await gather(store, number, b"abc"[number - 1 : number], total=3) for number in order]
    assert [gathered.is_whole for gathered in found] == [False, False, True]
    assert len({gathered.id for gathered in found}) == 1
    assert found[-1].runs() == [(b"abc", 0)]


async def test_parts_that_come_at_once_meet_in_one_message(store: Store) -> None:
    found = await asyncio.gather(*(gather(store, number, b"x", total=8) for number in range(1, 9)))
    assert sum(gathered.is_whole for gathered in found) == 1
    assert len({gathered.id for gathered in found}) == 1


async def test_a_part_delivered_again_changes_nothing(store: Store) -> None:
    await gather(store, 1, b"a")
    assert not (await gather(store, 1, b"a")).is_whole
    whole = await gather(store, 2, b"b")
    again = await gather(store, 2, b"b", at=NOON + TWO_MINUTES)
    assert (again.id, again.is_whole) == (whole.id, True)  # the front door knows this id


async def test_people_and_references_do_not_mix(store: Store) -> None:
    first = await gather(store, 1, b"a")
    assert not (await gather(store, 2, b"b", who=BORIS)).is_whole
    assert not (await gather(store, 2, b"b", reference=8)).is_whole
    assert not (await gather(store, 2, b"b", total=3)).is_whole
    assert (await gather(store, 2, b"b")).id == first.id


async def test_a_reference_used_again_begins_another_message(store: Store) -> None:
    await gather(store, 1, b"old a")
    first = await gather(store, 2, b"old b")
    await Parts(store).given_over(first)
    later = NOON + timedelta(minutes=1)
    assert not (await gather(store, 1, b"new a", at=later)).is_whole
    second = await gather(store, 2, b"new b", at=later)
    assert second.runs() == [(b"new anew b", 0)]
    assert second.id != first.id
    assert await overdue(store, later + timedelta(seconds=1)) == []


async def test_a_reference_used_again_long_after_begins_another_message(store: Store) -> None:
    await gather(store, 1, b"old a")
    later = NOON + timedelta(minutes=11)
    assert not (await gather(store, 2, b"new b", at=later)).is_whole
    (left,) = await overdue(store, later + timedelta(seconds=1))
    assert left.parts == {1: (b"old a", 0)}  # nothing that was acknowledged is lost


async def test_what_stays_incomplete_is_overdue_once(store: Store) -> None:
    await gather(store, 2, b"b", total=3)
    assert await overdue(store, NOON + TWO_MINUTES - timedelta(seconds=1)) == []
    (left,) = await overdue(store, NOON + TWO_MINUTES + timedelta(seconds=1))
    assert left.runs() == [None, (b"b", 0), None]
    await Parts(store).given_over(left)
    assert await overdue(store, NOON + TWO_MINUTES + timedelta(seconds=2)) == []


async def test_the_rest_may_come_after_all(store: Store) -> None:
    await gather(store, 1, b"a")
    (left,) = await overdue(store, NOON + timedelta(minutes=3))
    await Parts(store).given_over(left)
    assert (await gather(store, 2, b"b", at=NOON + timedelta(minutes=4))).is_whole


async def test_what_was_given_over_is_forgotten_in_time(store: Store) -> None:
    await gather(store, 1, b"a")
    await Parts(store).given_over(await gather(store, 2, b"b"))
    assert await overdue(store, NOON + timedelta(minutes=11)) == []
    assert await store.count(RECEIVED, {}) == 0


def test_parts_of_one_alphabet_are_joined_before_they_are_read() -> None:
    parts = {1: (b"\xd8\x3d", 8), 2: (b"\xde\x42", 8), 3: (b"a", 0), 5: (b"b", 0)}
    assert Gathered("k", "i", ANNA, SHOP, 5, NOON, parts).runs() == [
        (b"\xd8\x3d\xde\x42", 8),
        (b"a", 0),
        None,
        (b"b", 0),
    ]


async def test_a_long_message_has_arrived_when_all_its_parts_have(store: Store) -> None:
    await remember_sent(store, ["a", "b", "c"], NOON)
    assert await arrived(store, "b") == ("a", False)
    assert await arrived(store, "b") == ("a", False)
    assert await arrived(store, "a") == ("a", False)
    assert await arrived(store, "c") == ("a", True)
    assert await whole_of(store, "c") == "a"


async def test_an_id_that_nobody_knows_stands_for_itself(store: Store) -> None:
    assert await arrived(store, "x") == ("x", True)
    assert await whole_of(store, "x") == "x"
