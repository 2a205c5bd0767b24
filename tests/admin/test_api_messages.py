"""Messages by rule or by template: the caller hears at once what was decided, and a repeated call decides nothing twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from profiles.store import Unavailable
from tests.admin.api_client import Caller, Clock, caller_on
from tests.admin.book_of_calls import write_book
from tests.cast import anna, boris, elif_, farid

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
async def caller(mongo_url: str, database_name: str, tmp_path: Path) -> AsyncIterator[Caller]:
    clock = Clock()
    clock.now = NOON
    async with caller_on(mongo_url, database_name, book=write_book(tmp_path), clock=clock) as caller:
        for person in (anna(), boris(), farid(), elif_()):
            await caller.add(person)
        yield caller


async def send(caller: Caller, body: dict[str, Any], key: str = "k1") -> tuple[int, Any]:
    return await caller.ask("POST", "/messages", body, headers={"Idempotency-Key": key})


def receipt(profile: str = "anna", **more: Any) -> dict[str, Any]:
    return {"rule": "receipt", "to": {"profile": profile}, "data": {"order": "42", "total": 12.5}, **more}


async def later(caller: Caller, **length: float) -> None:
    """Let time pass and the rules do what is due."""
    caller.desk.clock.later(**length)  # type: ignore[attr-defined]
    assert caller.desk.rules
    while await caller.desk.rules.engine.look():
        await caller.desk.rules.engine.settled()


async def texts(caller: Caller) -> list[str]:
    rows = await caller.desk.store.find("messages", {"direction": "outbound"}, sort=[("at", 1), ("_id", 1)])
    return [row["content"]["text"] for row in rows]


async def test_a_called_rule_sends_and_its_message_is_named_in_the_answer(caller: Caller) -> None:
    status, answer = await send(caller, receipt())
    assert (status, answer["decision"], answer["reason"]) == (200, "accepted", None)
    (sent,) = answer["messages"]
    assert sent["channel"] == "telegram"
    status, message = await caller.ask("GET", f"/messages/{sent['id']}")
    assert (status, message["text"], message["author"]) == (200, "Commande 42 : 12.5", "rule:receipt")


async def test_whom_may_be_named_by_an_identity(caller: Caller) -> None:
    to = {"identity": {"space": "email", "address": "Anna@Example.com"}}
    assert (await send(caller, receipt(to=to)))[1]["profile"] == "anna"
    assert (await send(caller, receipt(to={"identity": {"space": "email", "address": "x@example.com"}}), "k2"))[
        0
    ] == 404


async def test_the_same_key_sends_once_however_many_ask_at_once(caller: Caller) -> None:
    answers = await asyncio.gather(*(send(caller, receipt()) for _ in range(8)))
    assert {status for status, _ in answers} <= {200, 409}
    assert (await send(caller, receipt()))[1] == next(answer for status, answer in answers if status == 200)
    assert await texts(caller) == ["Commande 42 : 12.5"]


async def test_another_key_is_another_message(caller: Caller) -> None:
    for key in ("k1", "k2"):
        assert (await send(caller, receipt(), key))[1]["decision"] == "accepted"
    assert len(await texts(caller)) == 2


async def test_a_call_without_a_key_is_refused(caller: Caller) -> None:
    status, answer = await caller.ask("POST", "/messages", receipt())
    assert (status, answer["detail"][:15]) == (400, "Idempotency-Key")


async def test_a_crash_after_the_decision_is_found_again_and_nothing_is_sent_twice(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*arguments: Any, **more: Any) -> None:
        raise Unavailable("gone")

    with monkeypatch.context() as broken:
        broken.setattr("rules.calls._decided", lambda *_: (_ for _ in ()).throw(Unavailable("gone")))
        assert (await send(caller, receipt()))[0] == 503
    status, answer = await send(caller, receipt())
    assert (status, answer["decision"]) == (200, "accepted")
    assert len(await texts(caller)) == 1


@pytest.mark.parametrize(
    ("who", "reason"),
    [("elif", "no_address"), ("boris", "suppressed:opted_out")],
)
async def test_who_can_not_be_reached_is_refused_with_the_reason(caller: Caller, who: str, reason: str) -> None:
    status, answer = await send(caller, receipt(who))
    assert (status, answer["decision"], answer["reason"], answer["messages"]) == (200, "refused", reason, [])
    assert await texts(caller) == []


async def test_a_banned_channel_gives_way_to_the_next(caller: Caller) -> None:
    answer = (await send(caller, receipt("farid")))[1]
    assert [message["channel"] for message in answer["messages"]] == ["twilio"]


async def test_marketing_needs_its_consent_also_by_the_api(caller: Caller) -> None:
    body = {"rule": "offer", "to": {"profile": "anna"}}
    assert (await send(caller, body))[1]["reason"] == "audience"
    await caller.ask("PATCH", "/profiles/anna", {"attributes": {"points": 2000}})
    assert (await send(caller, body, "k2"))[1]["reason"].startswith("no_consent")


async def test_a_service_message_is_held_over_the_quiet_hours_and_then_sent(caller: Caller) -> None:
    caller.desk.clock.now = NOON + timedelta(hours=9)  # type: ignore[attr-defined]  # 22:00 in Paris
    status, answer = await send(caller, {"rule": "reminder", "to": {"profile": "anna"}})
    assert (answer["decision"], answer["until"], answer["messages"]) == ("held", "2026-11-22T07:00:00.000Z", [])
    assert answer["reason"].startswith("quiet")
    await later(caller, hours=10)
    assert await texts(caller) == ["Bonjour Anna"]


async def test_a_rule_that_waits_first_says_until_when(caller: Caller) -> None:
    answer = (await send(caller, {"rule": "later", "to": {"profile": "anna"}}))[1]
    assert (answer["decision"], answer["until"]) == ("waiting", "2026-11-21T13:00:00.000Z")
    await later(caller, hours=1)
    assert await texts(caller) == ["Bonjour Anna"]


async def test_two_matters_run_beside_one_another_and_the_same_one_does_not(caller: Caller) -> None:
    body = {"rule": "reminder", "to": {"profile": "anna"}}
    assert (await send(caller, {**body, "key": "visit-1"}))[1]["decision"] == "accepted"
    assert (await send(caller, {**body, "key": "visit-1"}, "k2"))[1]["reason"] == "running"
    assert (await send(caller, {**body, "key": "visit-2"}, "k3"))[1]["decision"] == "accepted"
    assert (await send(caller, body, "k4"))[1]["decision"] == "accepted"


async def test_a_template_is_sent_without_a_rule(caller: Caller) -> None:
    body = {"template": "hello", "channels": ["sms", "telegram"], "class": "transactional", "to": {"profile": "anna"}}
    answer = (await send(caller, body))[1]
    assert (answer["decision"], [message["channel"] for message in answer["messages"]]) == ("accepted", ["telegram"])
    (row,) = (await caller.ask("GET", "/profiles/anna/decisions"))[1]["items"]
    assert (row["rule"], row["version"], row["reason"]) == ("api:hello", "transactional||first|sms+telegram", "sent")


async def test_a_template_held_over_the_night_is_sent_in_the_morning_by_whoever_is_up(caller: Caller) -> None:
    caller.desk.clock.now = NOON + timedelta(hours=9)  # type: ignore[attr-defined]
    body = {"template": "hello", "channels": ["telegram"], "class": "service", "topic": "service",
            "to": {"profile": "anna"}}  # fmt: skip
    assert (await send(caller, body))[1]["decision"] == "held"
    await later(caller, hours=10)
    assert await texts(caller) == ["Bonjour Anna"]


async def test_a_field_that_is_missing_is_a_reason_not_to_send(caller: Caller) -> None:
    answer = (await send(caller, receipt(data={"order": "42"})))[1]
    assert (answer["decision"], answer["reason"]) == ("refused", "template:missing:event.total")


TEMPLATE = {"template": "hello", "channels": ["telegram"], "class": "transactional", "to": {"profile": "anna"}}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({**TEMPLATE, "template": "nope"}, "/template"), ({**TEMPLATE, "channels": []}, "/channels"),
        ({**TEMPLATE, "channels": ["pigeon"]}, "/channels/0"), ({**TEMPLATE, "class": "royal"}, "/class"),
        ({**TEMPLATE, "class": "marketing"}, "/topic"), ({**TEMPLATE, "topic": "nope"}, "/topic"),
        ({**TEMPLATE, "rule": "receipt"}, ""), (receipt(data={"at": "now"}), "/data/at"),
        (receipt(data={"$set": 1}), "/data/$set"), (receipt(data={"x": "y" * 70_000}), "/data"),
        (receipt(to={"profile": {"$ne": ""}}), "/to/profile/$ne"), (receipt(to={}), "/to"),
        (receipt(rule={"$gt": ""}), "/rule/$gt"), (receipt(key=["a"]), "/key"),
    ],
)  # fmt: skip
async def test_what_can_not_be_taken_is_refused_with_its_place(
    caller: Caller, body: dict[str, Any], pointer: str
) -> None:
    status, answer = await send(caller, body)
    assert (status, answer["errors"][0]["pointer"]) == (422, pointer)
    assert await texts(caller) == []


@pytest.mark.parametrize(
    ("rule", "status", "slug"),
    [("nope", 404, "unknown_rule"), ("cart", 409, "not_callable")],
)
async def test_a_rule_that_can_not_be_called_is_refused(caller: Caller, rule: str, status: int, slug: str) -> None:
    found, answer = await send(caller, receipt(rule=rule))
    assert (found, answer["type"].partition("#")[2]) == (status, slug)


async def test_the_webhook_of_a_called_rule_is_seen_and_may_be_sent_once_more_when_it_was_given_up(
    caller: Caller,
) -> None:
    body = {"rule": "tell", "to": {"profile": "anna"}, "data": {"order": "42"}}
    assert (await send(caller, body))[1]["decision"] == "accepted"
    (waiting,) = (await caller.ask("GET", "/webhooks?state=waiting"))[1]["items"]
    assert (waiting["url"], waiting["rule"], waiting["attempts"]) == ("https://crm.example/hooks", "tell", 0)
    retry = f"/webhooks/{waiting['id']}/retry"
    assert (await caller.ask("POST", retry))[0] == 409
    dead = {"$set": {"state": "dead", "reason": "503", "ended_at": NOON}, "$unset": {"due_at": ""}}
    await caller.desk.store.change("errands", {"_id": waiting["id"]}, dead)
    assert (await caller.ask("GET", "/webhooks?state=waiting"))[1]["items"] == []
    assert [row["reason"] for row in (await caller.ask("GET", "/webhooks?state=dead"))[1]["items"]] == ["503"]
    status, row = await caller.ask("POST", retry)
    assert (status, row["state"], row["due_at"]) == (200, "waiting", "2026-11-21T12:00:00.000Z")
    assert (await caller.ask("POST", "/webhooks/nope/retry"))[0] == 404


async def test_a_key_without_the_scope_sends_nothing(caller: Caller) -> None:
    few = await caller.as_one_who_may("events:write")
    assert (await send(few, receipt()))[0] == 403


async def test_a_server_without_a_book_says_so(mongo_url: str, database_name: str) -> None:
    async with caller_on(mongo_url, database_name) as bare:
        assert (await send(bare, receipt()))[1]["type"].endswith("#no_rules")
