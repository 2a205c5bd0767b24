"""A date of a contact's falls on the same day for whoever thinks it and for the database that looks for it."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from profiles.audience import stream
from profiles.indexes import INDEXES
from profiles.profile import Attribute, Profile
from profiles.record import to_document
from profiles.store import Store
from rules.occasions import date_of, is_for, selection
from rules.rule import Rule
from rules.rule_trigger import OnDate
from rules.schedule import Firing

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ("Europe/Paris", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "UTC")


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


@pytest.mark.parametrize(
    "value, zone, day",
    [
        ("1990-05-12", "Asia/Tokyo", 12),
        ("1990-05-12T23:30", "Asia/Tokyo", 12),
        (datetime(1990, 5, 12, tzinfo=UTC), "America/New_York", 12),
        (datetime(1990, 5, 12, tzinfo=UTC), "Asia/Tokyo", 12),
        (datetime(1990, 5, 12, 22, 30, tzinfo=UTC), "Europe/Paris", 13),
        (datetime(1990, 5, 12, 22, 30, tzinfo=UTC), "UTC", 12),
        (datetime(1990, 5, 12, 3, 0, tzinfo=UTC), "America/New_York", 11),
    ],
)
def test_an_instant_falls_on_its_local_day_and_midnight_in_utc_is_a_day(value: object, zone: str, day: int) -> None:
    assert date_of(value, ZoneInfo(zone)) == date(1990, 5, day)


@pytest.mark.parametrize("yearly", [True, False])
async def test_the_database_finds_just_those_whose_date_it_is(store: Store, *, yearly: bool) -> None:
    year = 1990 if yearly else 2026
    hours = [datetime(year, 5, 10, tzinfo=UTC) + timedelta(hours=half / 2) for half in range(4 * 48)]
    texts = [f"{year}-05-{day}{more}" for day in range(10, 14) for more in ("", "T23:59")]
    people = [_born(f"P{number:03}", value) for number, value in enumerate([*hours, *texts])]
    await store._database["profiles"].insert_many([to_document(person) for person in people])
    trigger = OnDate("born_on", time(9), yearly=yearly)
    rule = Rule("birthday", trigger, ())
    for name in ZONES:
        zone = ZoneInfo(name)
        local = datetime(2026, 5, 12, 9, tzinfo=zone)
        firing = Firing(local.replace(tzinfo=None), local.astimezone(UTC))
        meant = [person.id for person in people if is_for(trigger, firing, zone, person)]
        found = selection(rule, firing, zone, firing.at, home=True, others=())
        assert [id async for ids in stream(store, found) for id in ids] == meant, name
        assert 45 <= len(meant) <= 51, "a day of half hours, two texts, and perhaps a midnight elsewhere"


def _born(id: str, value: object) -> Profile:
    return Profile(id, LONG_AGO, attributes={"born_on": Attribute(value, "declared", LONG_AGO)})  # type: ignore[arg-type]
