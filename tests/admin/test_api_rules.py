"""Segments and decisions over the API: who is in, who got what, why not; paged by key."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.admin.api_client import Caller, Clock, caller_on
from tests.admin.book_of_calls import write_book
from tests.cast import anna
from tests.world import person

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
async def caller(mongo_url: str, database_name: str, tmp_path: Path) -> AsyncIterator[Caller]:
    clock = Clock()
    clock.now = NOON
    async with caller_on(mongo_url, database_name, book=write_book(tmp_path), clock=clock) as caller:
        await caller.add(anna())
        for number in range(5):
            await caller.add(person(f"P{number}", f"email:p{number}@example.com"))
        for number in range(4):
            body = {"attributes": {"points": 990 + number * 10}}
            assert (await caller.ask("PATCH", f"/profiles/P{number}", body))[0] == 200
        yield caller


async def test_segments_are_listed_with_their_condition(caller: Caller) -> None:
    status, answer = await caller.ask("GET", "/segments")
    assert status == 200
    assert [item["name"] for item in answer["items"]] == ["buyers", "vip"]
    assert answer["items"][1]["condition"] == "contact.points >= 1000"


async def test_a_segment_is_counted(caller: Caller) -> None:
    status, answer = await caller.ask("GET", "/segments/vip")
    assert (status, answer["count"], answer["is_all"]) == (200, 3, True)


async def test_members_are_read_page_by_page(caller: Caller) -> None:
    first = (await caller.ask("GET", "/segments/vip/members?limit=2"))[1]
    assert first == {"items": ["P1", "P2"], "after": "P2"}
    assert (await caller.ask("GET", "/segments/vip/members?limit=2&after=P2"))[1] == {"items": ["P3"], "after": None}


async def test_a_segment_without_members_and_the_page_behind_the_last_are_empty(caller: Caller) -> None:
    for path in ("/segments/buyers/members", "/segments/vip/members?after=P9"):
        assert await caller.ask("GET", path) == (200, {"items": [], "after": None})


async def test_a_segment_over_the_past_is_read_too(caller: Caller) -> None:
    await caller.ask("POST", "/events", {"id": "1", "name": "order.paid", "profile": "P4"})
    assert (await caller.ask("GET", "/segments/buyers/members"))[1]["items"] == ["P4"]
    assert (await caller.ask("GET", "/segments/buyers"))[1]["count"] == 1


@pytest.mark.parametrize("path", ["/segments/nope", "/segments/nope/members", "/segments/%24where"])
async def test_an_unknown_segment_is_404(caller: Caller, path: str) -> None:
    assert (await caller.ask("GET", path))[0] == 404


async def test_decisions_say_what_happened_and_why_not_the_latest_first(caller: Caller) -> None:
    for number, rule in enumerate(("receipt", "offer", "receipt")):
        body = {"rule": rule, "to": {"profile": "anna"}, "data": {"order": number, "total": 1}}
        headers = {"Idempotency-Key": f"k{number}"}
        assert (await caller.ask("POST", "/messages", body, headers=headers))[0] == 200
        caller.desk.clock.later(minutes=1)  # type: ignore[attr-defined]
    whole = (await caller.ask("GET", "/profiles/anna/decisions"))[1]["items"]
    assert [(row["rule"], row["reason"]) for row in whole] == [("receipt", "sent"), ("receipt", "sent")]
    first = (await caller.ask("GET", "/profiles/anna/decisions?limit=1"))[1]
    second = (await caller.ask("GET", f"/profiles/anna/decisions?limit=1&after={first['after']}"))[1]
    assert [*first["items"], *second["items"]] == whole
    assert second["after"] is None
    assert (await caller.ask("GET", "/profiles/anna/decisions?rule=offer"))[1]["items"] == []


async def test_a_page_that_is_none_of_ours_and_a_stranger_are_refused(caller: Caller) -> None:
    assert (await caller.ask("GET", "/profiles/anna/decisions?after=x"))[0] == 422
    assert (await caller.ask("GET", "/profiles/nobody/decisions"))[0] == 404


async def test_reading_needs_its_scope(caller: Caller) -> None:
    few = await caller.as_one_who_may("profiles:read")
    for path in ("/segments", "/segments/vip", "/segments/vip/members", "/profiles/anna/decisions", "/webhooks"):
        assert (await few.ask("GET", path))[0] == 403
