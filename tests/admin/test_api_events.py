"""Events from elsewhere: each kept once under the caller's own id, on the profile that it is about."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from admin import api_events
from profiles.store import Unavailable, Unstorable
from tests.admin.api_client import Caller, caller_on
from tests.world import NOON, person


@pytest.fixture
async def caller(mongo_url: str, database_name: str) -> AsyncIterator[Caller]:
    async with caller_on(mongo_url, database_name) as caller:
        await caller.add(person("P1", "email:anna@example.com"))
        yield caller


def paid(id: str = "order-42", **more: Any) -> dict[str, Any]:
    return {"id": id, "name": "order.paid", "profile": "P1", **more}


async def test_an_event_lands_on_the_timeline_of_its_profile(caller: Caller) -> None:
    body = paid(
        happened_at="2026-03-01T10:00:00+01:00", source="till", properties={"total": 12.5, "lines": [{"sku": "A"}]}
    )
    assert await caller.ask("POST", "/events", body) == (201, {"id": "order-42", "status": "stored"})
    stored = await caller.desk.store.get("events", "api:till:order-42")
    assert stored is not None
    assert (stored["profile"], stored["name"], stored["source"]) == ("P1", "order.paid", "till")
    assert stored["happened_at"].isoformat() == "2026-03-01T09:00:00+00:00"
    assert stored["properties"] == {"total": 12.5, "lines": [{"sku": "A"}]}
    assert stored["by"].startswith("key:")


async def test_an_event_names_its_profile_by_identity(caller: Caller) -> None:
    body = {"id": "e", "name": "order.paid", "identity": {"space": "email", "address": "Anna@Example.com"}}
    assert (await caller.ask("POST", "/events", body))[0] == 201
    stored = await caller.desk.store.get("events", "api:api:e")
    assert stored is not None
    assert (stored["profile"], stored["happened_at"]) == ("P1", NOON)


async def test_an_event_sent_twice_is_kept_once(caller: Caller) -> None:
    answers = await asyncio.gather(*(caller.ask("POST", "/events", paid()) for _ in range(10)))
    assert sorted(status for status, _ in answers) == [200] * 9 + [201]
    assert await caller.desk.store.count("events", {}) == 1


async def test_ids_are_each_sources_own(caller: Caller) -> None:
    for source in ("till", "web"):
        assert (await caller.ask("POST", "/events", paid(source=source)))[1]["status"] == "stored"


async def test_an_event_of_nobody_is_refused(caller: Caller) -> None:
    assert (await caller.ask("POST", "/events", paid(profile="P9")))[0] == 404


async def test_a_batch_has_a_result_for_each(caller: Caller) -> None:
    await caller.ask("POST", "/events", paid("2"))
    events = [paid("1"), paid("2"), paid("3", profile="P9"), paid("1"), paid("4")]
    status, answer = await caller.ask("POST", "/events/batch", {"events": events})
    assert status == 200
    assert answer["results"] == [
        {"id": "1", "status": "stored"}, {"id": "2", "status": "duplicate"},
        {"id": "3", "status": "refused", "reason": "unknown_profile"},
        {"id": "1", "status": "duplicate"}, {"id": "4", "status": "stored"},
    ]  # fmt: skip


async def test_a_full_batch_is_one_group_and_is_taken(caller: Caller) -> None:
    before = caller.desk.writer.tally.groups
    status, answer = await caller.ask("POST", "/events/batch", {"events": [paid(str(n)) for n in range(500)]})
    assert status == 200
    assert {result["status"] for result in answer["results"]} == {"stored"}
    assert caller.desk.writer.tally.groups - before <= 3
    assert await caller.desk.store.count("events", {}) == 500


async def test_batches_that_overlap_keep_each_event_once(caller: Caller) -> None:
    batches = [{"events": [paid(str(n)) for n in range(first, first + 60)]} for first in (0, 20, 40, 0)]
    answers = await asyncio.gather(*(caller.ask("POST", "/events/batch", batch) for batch in batches))
    results = [result["status"] for _, answer in answers for result in answer["results"]]
    assert (results.count("stored"), results.count("duplicate")) == (100, 140)
    assert await caller.desk.store.count("events", {}) == 100


async def test_a_batch_finds_people_by_identity_and_under_an_id_that_was_merged_away(caller: Caller) -> None:
    await caller.add(person("P2", "telegram:2"))
    put = {"$set": {"merged_into": "P1"}}
    await caller.desk.store.change("profiles", {"_id": "P2"}, put)
    who: list[dict[str, Any]] = [
        {"profile": "P2"}, {"identity": {"space": "telegram", "address": "2"}},
        {"identity": {"space": "email", "address": "ANNA@example.com"}}, {"identity": {"space": "sms", "address": "0612345678"}},
    ]  # fmt: skip
    events = [{"id": str(n), "name": "order.paid", **named} for n, named in enumerate(who)]
    answer = (await caller.ask("POST", "/events/batch", {"events": events}))[1]
    assert [result["status"] for result in answer["results"]] == ["stored", "stored", "stored", "refused"]
    rows = await caller.desk.store.find("events", {}, sort=[("_id", 1)])
    assert [row["profile"] for row in rows] == ["P2", "P2", "P1"]


async def test_one_event_that_the_database_can_not_keep_does_not_hold_up_its_batch(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = caller.desk.store.commit

    async def picky(plan: Any) -> None:
        if any(event["_id"].endswith(":2") for event in plan.inserts.get("events", ())):
            raise Unstorable("no")
        await commit(plan)

    monkeypatch.setattr(caller.desk.store, "commit", picky)
    answer = (await caller.ask("POST", "/events/batch", {"events": [paid("1"), paid("2"), paid("3")]}))[1]
    assert [result["status"] for result in answer["results"]] == ["stored", "refused", "stored"]


async def test_batches_count_as_many_requests(caller: Caller) -> None:
    batch = {"events": [paid(str(n)) for n in range(500)]}
    statuses = [(await caller.ask("POST", "/events/batch", batch))[0] for _ in range(3)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "Order Paid"}, "/name"), ({"name": "consent.given"}, "/name"), ({"name": "profile.merged"}, "/name"),
        ({"name": "$where"}, "/name"), ({"happened_at": "1999-01-01T00:00:00Z"}, "/happened_at"),
        ({"happened_at": "2026-03-03T12:00:00Z"}, "/happened_at"), ({"happened_at": "2026-02-30T00:00:00Z"}, "/happened_at"),
        ({"happened_at": "2026-03-02T12:00:00"}, "/happened_at"), ({"happened_at": 1}, "/happened_at"),
        ({"happened_at": "0001-01-01T00:00:00+14:00"}, "/happened_at"),
        ({"happened_at": "9999-12-31T23:59:59-14:00"}, "/happened_at"),
        ({"id": "a b"}, "/id"), ({"id": ""}, "/id"), ({"id": {"$gt": ""}}, "/id"), ({"profile": {"$ne": ""}}, "/profile"),
        ({"properties": {"$set": 1}}, "/properties/$set"), ({"properties": {"a.b": 1}}, "/properties/a.b"),
        ({"properties": {"x": {"y": ["\x00"]}}}, "/properties/x/y/0"), ({"properties": []}, "/properties"),
        ({"by": "agent:7"}, "/by"), ({"identity": {"space": "email", "address": "a@example.com"}}, ""),
    ],
)  # fmt: skip
async def test_an_event_that_can_not_be_taken_is_refused_with_its_place(
    caller: Caller, change: dict[str, Any], pointer: str
) -> None:
    status, answer = await caller.ask("POST", "/events", paid(**change))
    assert status == 422
    assert answer["errors"][0]["pointer"].startswith(pointer)
    status, answer = await caller.ask("POST", "/events/batch", {"events": [paid("good"), paid(**change)]})
    assert status == 422
    assert answer["errors"][0]["pointer"].startswith(f"/events/1{pointer}")
    assert await caller.desk.store.count("events", {}) == 0


@pytest.mark.parametrize("events", [[], [{}], "x", [paid()] * 501])
async def test_a_batch_that_can_not_be_taken_is_refused(caller: Caller, events: Any) -> None:
    assert (await caller.ask("POST", "/events/batch", {"events": events}))[0] == 422


async def test_an_event_is_bounded(caller: Caller) -> None:
    assert (await caller.ask("POST", "/events", paid(properties={"x": "y" * 260_000})))[0] == 413
    batch = {"events": [paid(properties={"x": "y" * 260_000})]}
    assert (await caller.ask("POST", "/events/batch", batch))[0] == 422


async def test_a_batch_repeated_under_its_key_has_the_answer_it_had(caller: Caller) -> None:
    headers, batch = {"Idempotency-Key": "night"}, {"events": [paid()]}
    first = await caller.whole("POST", "/events/batch", batch, headers=headers)
    second = await caller.whole("POST", "/events/batch", batch, headers=headers)
    assert first[2] == second[2] == {"results": [{"id": "order-42", "status": "stored"}]}
    assert second[1]["Idempotent-Replayed"] == "true"
    status, _ = await caller.ask("POST", "/events/batch", {"events": [paid("other")]}, headers=headers)
    assert status == 422


async def test_a_batch_under_way_is_not_begun_again_until_its_holder_must_be_dead(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()
    look = api_events._holders

    async def slowly(*arguments: Any) -> Any:
        reached.set()
        await go_on.wait()
        return await look(*arguments)

    monkeypatch.setattr(api_events, "_holders", slowly)
    headers, batch = {"Idempotency-Key": "night"}, {"events": [paid()]}
    first = asyncio.create_task(caller.ask("POST", "/events/batch", batch, headers=headers))
    await reached.wait()
    status, known, answer = await caller.whole("POST", "/events/batch", batch, headers=headers)
    assert (status, answer["type"].split("#")[1], known["Retry-After"]) == (409, "in_progress", "1")
    caller.desk.clock.later(minutes=2)  # type: ignore[attr-defined]
    second = asyncio.create_task(caller.ask("POST", "/events/batch", batch, headers=headers))
    go_on.set()
    statuses = {(await first)[0], (await second)[0]}
    assert statuses == {200}
    assert await caller.desk.store.count("events", {}) == 1


async def test_while_we_shed_events_are_to_be_sent_again_and_the_rest_goes_on(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as shedding:
        shedding.setattr(caller.desk.shedding.load, "admit", lambda now, *, must=False: None)
        for path, body in (("/events", paid()), ("/events/batch", {"events": [paid()]})):
            status, headers, _ = await caller.whole("POST", path, body)
            assert (status, headers["Retry-After"]) == (503, "2")
        assert (await caller.ask("GET", "/profiles/P1"))[0] == 200
    assert await caller.desk.store.count("events", {}) == 0
    assert (await caller.ask("POST", "/events", paid()))[0] == 201


async def test_a_batch_that_failed_may_be_repeated_at_once(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*arguments: Any) -> None:
        raise Unavailable("gone")

    headers, batch = {"Idempotency-Key": "night"}, {"events": [paid()]}
    with monkeypatch.context() as broken:
        broken.setattr(caller.desk.store, "commit", gone)
        assert (await caller.ask("POST", "/events/batch", batch, headers=headers))[0] == 503
    assert (await caller.ask("POST", "/events/batch", batch, headers=headers))[0] == 200
