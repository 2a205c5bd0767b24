"""What integrations get wrong: other centuries, operator objects, floods, zones that are none. Each is told, none is kept."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.admin.api_client import Caller, Clock, caller_on
from tests.admin.book_of_calls import write_book
from tests.cast import anna

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
async def caller(mongo_url: str, database_name: str, tmp_path: Path) -> AsyncIterator[Caller]:
    clock = Clock()
    clock.now = NOON
    async with caller_on(mongo_url, database_name, book=write_book(tmp_path), clock=clock) as caller:
        await caller.add(anna())
        yield caller


def cart(**more: Any) -> dict[str, Any]:
    return {"id": "1", "name": "cart.updated", "profile": "anna", **more}


@pytest.mark.parametrize("year", ["1970", "1999", "2027", "2999", "9999"])
async def test_an_event_of_another_century_is_refused_with_what_is_expected(caller: Caller, year: str) -> None:
    status, answer = await caller.ask("POST", "/events", cart(happened_at=f"{year}-01-01T00:00:00Z"))
    assert status == 422
    assert answer["errors"] == [{"pointer": "/happened_at", "detail": "expected an instant from the year 2000 to now"}]
    assert await caller.desk.store.count("events", {}) == 0


async def test_an_event_of_last_year_is_kept_and_begins_nothing(caller: Caller) -> None:
    assert (await caller.ask("POST", "/events", cart(happened_at="2025-11-21T12:00:00Z")))[0] == 201
    assert caller.desk.rules
    await caller.desk.rules.engine.settled()
    assert await caller.desk.store.find("messages", {}) == []
    (told,) = (await caller.ask("GET", "/profiles/anna/decisions"))[1]["items"]
    assert (told["rule"], told["reason"]) == ("cart", "late")


async def test_an_event_of_a_clock_that_is_a_little_ahead_is_kept_and_begins_its_rule(caller: Caller) -> None:
    at = (NOON + timedelta(minutes=59)).isoformat()
    assert (await caller.ask("POST", "/events", cart(happened_at=at)))[0] == 201
    assert caller.desk.rules
    await caller.desk.rules.engine.settled()
    assert await caller.desk.store.count("messages", {}) == 1


@pytest.mark.parametrize(
    "value", [{"$gt": ""}, {"$ne": None}, {"$regex": ".*"}, {"$where": "1"}, ["a"], {"instant": {"$gt": 0}}, True, 7]
)
@pytest.mark.parametrize("field", ["id", "name", "profile", "source", "happened_at"])
async def test_no_text_of_an_event_may_be_anything_else(caller: Caller, field: str, value: Any) -> None:
    for path, body in (("/events", cart(**{field: value})), ("/events/batch", {"events": [cart(**{field: value})]})):
        status, answer = await caller.ask("POST", path, body)
        assert status == 422
        assert f"/{field}" in answer["errors"][0]["pointer"]
    assert await caller.desk.store.count("events", {}) == 0


@pytest.mark.parametrize("text", ["$points", "$$NOW", "${contact.points}", "{{ 7 * 7 }}", "__proto__", "\u202e\ufeff"])
async def test_a_text_that_means_something_elsewhere_is_kept_as_it_is(caller: Caller, text: str) -> None:
    body = cart(properties={"said": text, "many": [text]})
    assert (await caller.ask("POST", "/events", body))[0] == 201
    stored = await caller.desk.store.get("events", "api:api:1")
    assert stored and stored["properties"] == {"said": text, "many": [text]}
    assert (await caller.ask("PATCH", "/profiles/anna", {"attributes": {"city": text}}))[0] in (200, 422)


@pytest.mark.parametrize(
    ("events", "status"),
    [([cart(id=str(n)) for n in range(501)], 422), ([], 422), ([cart(properties={"x": "y" * 3_000}) for _ in range(400)], 413)],
)  # fmt: skip
async def test_a_flood_is_refused_whole(caller: Caller, events: list[Any], status: int) -> None:
    assert (await caller.ask("POST", "/events/batch", {"events": events}))[0] == status
    assert await caller.desk.store.count("events", {}) == 0


async def test_a_deep_or_wide_event_is_refused(caller: Caller) -> None:
    deep = json.dumps(cart()).encode()[:-1] + b',"properties":{"a":' + b"[" * 40 + b"]" * 40 + b"}}"
    assert (await caller.ask("POST", "/events", raw=deep))[0] == 422
    wide = cart(properties={str(n): n for n in range(10_001)})
    assert (await caller.ask("POST", "/events", wide))[0] == 422


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "", "UTC+25", "../../etc/passwd", "Europe", "a\nb", 3, ["Europe/Paris"], True]
)
async def test_a_zone_that_is_none_is_refused_with_a_hint(caller: Caller, zone: Any) -> None:
    status, answer = await caller.ask("PATCH", "/profiles/anna", {"attributes": {"zone": zone}})
    assert (status, answer["detail"]) == (422, "zone: expected a time zone such as Europe/Paris")


async def test_a_zone_is_learnt_and_forgotten(caller: Caller) -> None:
    for zone in ("Asia/Kathmandu", None):
        assert (await caller.ask("PATCH", "/profiles/anna", {"attributes": {"zone": zone}}))[0] == 200


async def test_an_event_whose_properties_are_not_what_a_rule_expects_stops_nobody(caller: Caller) -> None:
    odd = [[], {"a": {"b": []}}, None, True, 1e308, -(2**63), "x" * 1000]
    events = [cart(id=str(n), properties={"cart_id": value, "total": value}) for n, value in enumerate(odd)]
    assert (await caller.ask("POST", "/events/batch", {"events": events}))[0] == 200
    assert caller.desk.rules
    await caller.desk.rules.engine.settled()
    assert await caller.desk.store.count("nudges", {}) == 0
