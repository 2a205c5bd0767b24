"""Who is called so: the same people as ever, and no more of the database read when everybody is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from admin import called, search
from profiles.profile import Attribute, Identity, Profile
from profiles.record import to_document
from tests.admin.office import Office

CROWD = 900
THEN = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.fixture
def crowd(shop: Office, cleaner: Any, database_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Nine hundred called Anna Durand, every ninth Petit, one Zoé; 60 are few and read at once. The database counts."""
    monkeypatch.setattr(called, "FEW", 60)
    monkeypatch.setattr(called, "AT_ONCE", 60)
    database = cleaner[database_name]
    database.profiles.insert_many([_person(number) for number in range(CROWD)])
    database.command("profile", 2)
    yield database
    database.command("profile", 0)
    database.drop_collection("system.profile")


def _person(number: int) -> dict[str, Any]:
    name = "Zoé Durand" if number == 17 else f"Anna {'Petit' if number % 9 == 0 else 'Durand'}"
    email = Identity("email", f"{'zoe' if number == 17 else 'anna'}{number}@example.org", THEN)
    profile = Profile(f"crowd{number:03d}", THEN, (email,), {"name": Attribute(name, "declared", THEN)})
    return {**to_document(profile), "version": 1}


def _read(database: Any) -> int:
    """Return how many profiles the database has looked at."""
    rows = database["system.profile"].find({"ns": f"{database.name}.profiles"})
    return sum(row.get("docsExamined", 0) for row in rows)


async def _found(office: Office, asked: str, *, pages: int = 99) -> list[str]:
    """Return the crowd's numbers of so many pages."""
    found: list[str] = []
    after: str | None = None
    for _ in range(pages):
        people, after = await search.people(office.desk, asked, after=after)
        found += [one.id for one in people]
        if after is None:
            break
    return [id.removeprefix("crowd") for id in found if id.startswith("crowd")]


@pytest.mark.parametrize("asked", ["anna", "Anna Durand", "durand"])
async def test_a_name_that_everybody_has_costs_a_page_and_not_the_crowd(shop: Office, crowd: Any, asked: str) -> None:
    assert len(await _found(shop, asked, pages=1)) >= search.PAGE - 1  # Anna Martin is of the shop
    assert 0 < _read(crowd) < CROWD / 2


async def test_the_crowd_is_found_once_the_newest_first_page_by_page(shop: Office, crowd: Any) -> None:
    assert await _found(shop, "petit anna") == [f"{n:03d}" for n in range(CROWD - 9, -1, -9)]
    assert await _found(shop, "anna", pages=3) == [f"{n:03d}" for n in range(CROWD - 1, CROWD - 91, -1)]


async def test_a_rare_name_is_found_however_old_with_or_without_its_accent(shop: Office, crowd: Any) -> None:
    for asked in ("zoe", "Zoé durand", "zoe17@exam"):
        assert await _found(shop, asked) == ["017"], asked
    assert await _found(shop, "zoé petit") == []


async def test_who_is_not_among_the_latest_is_still_found(
    shop: Office, crowd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(called, "MOST_READ", 120)
    newest = {"_id": {"$gt": "crowd100"}, "attributes.name.value": "Anna Petit"}
    crowd.profiles.update_many(newest, {"$set": {"attributes.name.value": "Petit Durand"}})
    assert await _found(shop, "anna petit") == [f"{n:03d}" for n in range(99, -1, -9)]


async def test_who_was_merged_into_another_is_not_found(shop: Office, crowd: Any) -> None:
    crowd.profiles.update_one({"_id": "crowd017"}, {"$set": {"merged_into": "crowd018"}})
    assert await _found(shop, "zoe") == []
