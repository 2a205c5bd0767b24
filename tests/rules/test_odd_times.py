"""Events of 1970 and 2999, zones that are none, a segment of everybody started twice: bounded, explained, nothing twice."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.campaign import balance
from bench.crowd import Crowd
from bench.stage import Clock, stage, write_book
from profiles.indexes import INDEXES
from profiles.store import Store
from tests.cast import NOON, anna
from tests.rules.play import Play

CART = """
rule: cart
state: live
class: transactional
when: {event: cart.updated}
steps:
  - wait: 1h
  - send: {channel: telegram, template: cart_1}
"""
DAILY = """
rule: sales
state: live
topic: offers
when: {schedule: "every day 09:00", zone: contact}
for: contact.country in ("FR", "BE", "CH", "LU", "CA")
steps:
  - send: {channel: email, template: sales}
"""
CROWD = Crowd(600)


async def test_an_event_of_1970_begins_nothing_and_says_so() -> None:
    play = Play(CART)
    await play.told_late("cart.updated", datetime(1970, 1, 1, tzinfo=UTC))
    await play.passes(days=2)
    assert play.got() == []
    assert play.told() == ["late"]


async def test_an_event_of_2999_sends_nothing_in_our_lives() -> None:
    play = Play(CART)
    await play.told_late("cart.updated", datetime(2999, 1, 1, tzinfo=UTC))
    await play.passes(days=400)
    assert play.got() == []


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Europe/Paris\x00", "UTC+99", 7])
async def test_a_contact_whose_zone_is_none_lives_by_the_hours_of_the_house(zone: object) -> None:
    lost = anna().learn("zone", zone, source="declared", at=NOON)
    window = CART.replace("steps:", 'timing: {window: "mon-sun 16:00-17:00", zone: contact}\nsteps:')
    play = Play(window, people=(lost,))
    await play.happens("cart.updated")
    await play.passes_until(2026, 11, 21, 15, 59)
    assert play.got() == []
    await play.passes_until(2026, 11, 21, 16, 0)
    assert play.got() == ["telegram: cart_1"], "16:00 in Paris"


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    opened = Store(mongo_url, database_name)
    await opened.prepare(INDEXES)
    await CROWD.seed(opened, now=datetime.now(UTC))
    yield opened
    await opened.close()


async def test_contacts_in_zones_that_are_none_are_in_a_schedule_once(store: Store, tmp_path: Path) -> None:
    for number, zone in enumerate(["Mars/Olympus", "../../etc/passwd", "UTC", "Europe/Paris", {"$gt": ""}, 7]):
        where = {"_id": {"$regex": f"{number}$"}}
        told = {"$set": {"attributes.zone": {"value": {"$literal": zone}, "source": "declared", "at": NOON}}}
        await store.change_many("profiles", where, [told])
    book = tmp_path / "book"
    write_book(book, {"sales": DAILY})
    clock = Clock(_until_night(datetime.now(UTC)))
    async with stage(store.url, store.name, book, clock=clock) as process:
        await process.rules.occurrences.plan()
        clock.ahead += timedelta(hours=9)
        await process.rules.occurrences.plan()
        await process.rules.occurrences.walk()
    zones = {row["zone"] for row in await store.find("occurrences", {})}
    assert zones == {"UTC", "Europe/Paris"}
    found = await balance(store)
    assert found.is_right(CROWD), found


async def test_everybody_started_twice_for_one_occasion_is_begun_once(store: Store, tmp_path: Path) -> None:
    book = tmp_path / "book"
    write_book(book, {"sales": DAILY.replace(", zone: contact", ", zone: UTC")})
    clock = Clock(_until_night(datetime.now(UTC)))
    async with stage(store.url, store.name, book, clock=clock) as process:
        await process.rules.occurrences.plan()
        clock.ahead += timedelta(hours=9)
        for _ in range(2):
            await process.rules.occurrences.plan()
            await process.rules.occurrences.walk()
            await store.remove("planned", {})  # whoever forgot that it was planned plans it again
        again = {"$set": {"open": True, "cursor": ""}, "$unset": {"done_at": "", "lease_until": ""}}
        await store.change_many("occurrences", {}, again)
        await process.rules.occurrences.walk()
    found = await balance(store)
    assert found.is_right(CROWD), found


def _until_night(now: datetime) -> timedelta:
    """Return how far it is to the next 0:30 UTC: it is before nine then in Paris, and nine hours later it is not."""
    night = now.replace(hour=0, minute=30, second=0, microsecond=0)
    return night + timedelta(days=1) - now
