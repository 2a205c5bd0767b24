"""The door of the API: who is let in, what is refused before any route sees it, and what is answered when things go wrong."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from admin import idempotency
from admin.api import ROUTES
from admin.keys import SCOPES, create_key, revoke_key
from profiles.store import Unavailable
from tests.admin.api_client import Caller, caller_on
from tests.world import NOON, person

PLACES = {"{id}": "P1", "{key}": "telegram:42", "{name}": "vip"}
BODIES: dict[str, Any] = {
    "create_profile": {}, "change_profile": {"attributes": {"city": "Lyon"}}, "send_message": {"text": "hello"},
    "add_identity": {"space": "telegram", "address": "42"}, "add_event": {"id": "e", "name": "order.paid", "profile": "P1"},
    "add_events": {"events": [{"id": "e", "name": "order.paid", "profile": "P1"}]},
    "create_code": {"campaign": "poster", "target": "https://shop.example/chairs"},
    "send_by_rule": {"rule": "receipt", "to": {"profile": "P1"}},
}  # fmt: skip


@pytest.fixture
async def caller(mongo_url: str, database_name: str) -> AsyncIterator[Caller]:
    async with caller_on(mongo_url, database_name) as caller:
        yield caller


def place(path: str) -> str:
    return re.sub(r"{\w+}", lambda match: PLACES[match[0]], path)


# -- keys and scopes


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
async def test_every_route_asks_for_its_scope_and_for_nothing_less(caller: Caller, route: Any) -> None:
    assert route.scope in SCOPES
    others = await caller.as_one_who_may(*(scope for scope in SCOPES if scope != route.scope))
    status, answer = await others.ask(route.method, place(route.path), BODIES.get(route.name))
    assert (status, answer["detail"]) == (403, f"this key has no scope {route.scope}")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
async def test_no_route_answers_without_a_key(caller: Caller, route: Any) -> None:
    caller.key = "nothing"
    status, headers, answer = await caller.whole(route.method, place(route.path), BODIES.get(route.name))
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Bearer")
    assert answer["type"] == "https://shop.example/api/docs#unauthorized"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
async def test_no_route_answers_with_a_mistake_of_ours_to_strange_ids(caller: Caller, route: Any) -> None:
    query = "?space=email&address=anna@example.com" if route.name == "find_profile" else ""
    for id in (
        "%24where",
        "a%00b",
        "..%2F..%2Fetc",
        "%7B%22%24gt%22%3A%22%22%7D",
        "x" * 2000,
        "%ED%A0%80",
        "'%20||1||'",
    ):
        path = re.sub(r"{\w+}", lambda match: id, route.path)  # noqa: B023
        status, _ = await caller.ask(route.method, path + query, BODIES.get(route.name))
        assert status < 500


async def test_a_key_that_was_never_made_is_refused(caller: Caller) -> None:
    for key in (
        "ck_abcdefgh_" + "a" * 43,
        caller.key[:-1] + ("a" if caller.key[-1] != "a" else "b"),
        "",
        "ck_",
        caller.key + "a",
    ):
        caller.key, good = key, caller.key
        assert (await caller.ask("GET", "/profiles"))[0] == 401
        caller.key = good
    assert (await caller.ask("GET", "/profiles"))[0] == 200


async def test_a_key_stops_when_it_expires(caller: Caller) -> None:
    store = caller.desk.store
    caller.key = await create_key(store, "day", ["profiles:read"], now=NOON, expires_at=NOON + timedelta(days=1))
    assert (await caller.ask("GET", "/profiles"))[0] == 200
    caller.desk.clock.later(days=1)  # type: ignore[attr-defined]
    assert (await caller.ask("GET", "/profiles"))[0] == 401


async def test_a_revoked_key_stops_within_seconds(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("admin.keys.REMEMBERED_SECONDS", 0.0)
    few = await caller.as_one_who_may("profiles:read")
    assert (await few.ask("GET", "/profiles"))[0] == 200
    assert await revoke_key(caller.desk.store, few.key.split("_")[1], now=NOON)
    assert (await few.ask("GET", "/profiles"))[0] == 401
    assert not await revoke_key(caller.desk.store, few.key.split("_")[1], now=NOON)


async def test_the_use_of_a_key_is_noted_coarsely(caller: Caller) -> None:
    for _ in range(3):
        await caller.ask("GET", "/profiles")
    row = await caller.desk.store.get("keys", caller.key.split("_")[1])
    assert row is not None
    assert row["last_used_at"] == NOON
    assert caller.key.split("_")[2] not in str(row)


async def test_a_key_that_goes_too_fast_is_asked_to_wait(caller: Caller) -> None:
    few = await caller.as_one_who_may("profiles:read")
    await caller.desk.store.change("keys", {"_id": few.key.split("_")[1]}, {"$set": {"per_second": 2.0}})
    answers = await asyncio.gather(*(few.whole("GET", "/profiles") for _ in range(20)))
    statuses = [status for status, _, _ in answers]
    assert 12 <= statuses.count(200) <= 14
    refused = next(headers for status, headers, _ in answers if status == 429)
    assert int(refused["Retry-After"]) >= 1
    assert (await caller.ask("GET", "/profiles"))[0] == 200, "another key is not slowed down"


async def test_who_guesses_keys_is_slowed_down(caller: Caller) -> None:
    caller.key, good = "ck_abcdefgh_" + "a" * 43, caller.key
    statuses = [(await caller.ask("GET", "/profiles"))[0] for _ in range(60)]
    assert set(statuses) == {401, 429}
    caller.key = good
    assert (await caller.ask("GET", "/profiles"))[0] == 200


# -- bodies


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400), (b"{", 400), (b"nul", 400), (b'{"language": "fr"} x', 400), (b"\xff\xfe", 400), (b"\xef\xbb\xbf{}", 400),
        ('{"language": "fr"}'.encode("utf-16"), 400), (b'{"attributes": {"a": NaN}}', 400),
        (b'{"attributes": {"a": -Infinity}}', 400),
        (b'{"attributes": {"a": 1e999}}', 422), (b'{"language": "fr", "language": "en"}', 422),
        (b'{"attributes": {"a": 1, "a": 2}}', 422), (b'{"attributes": {"a": "\\ud800"}}', 422),
        (b'{"attributes": {"a": "\\u0000"}}', 422), (b'{"attributes": {"\\ud800": 1}}', 422),
        (b'{"attributes": {"a": 9223372036854775808}}', 422), (b'{"attributes": {"a": ' + b"9" * 5000 + b"}}", 400),
        (b"[" * 100_000, 400), (b'{"attributes": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}", 422),
        (b"[]", 422), (b"null", 422), (b'"x"', 422), (b"1", 422),
        (b'{"$where": "1"}', 422), (b'{"attributes": {"a": {"$gt": ""}}}', 422), (b'{"attributes": {"$set": 1}}', 422),
        (b'{"attributes": {"a.b": 1}}', 422), (b'{"attributes": {"": 1}}', 422), (b'{"attributes": {"__proto__": 1}}', 422),
        (b'{"attributes": {"version": 1}}', 422), (b'{"attributes": {"consent": "x"}}', 422),
        (b'{"language": {"$ne": null}}', 422), (b'{"language": ["fr"]}', 422), (b'{"version": 7}', 422), (b'{"id": "P9"}', 422),
        (b'{"identities": [{"space": {"$gt": ""}, "address": "x"}]}', 422), (b'{"source": "root"}', 422),
        (b'{"attributes": {"a": "' + b"x" * 1_000_000 + b'"}}', 413),
    ],
)  # fmt: skip
async def test_a_body_that_can_not_be_taken_is_refused_and_changes_nothing(
    caller: Caller, raw: bytes, status: int
) -> None:
    got, answer = await caller.ask("POST", "/profiles", raw=raw)
    assert got == status, answer
    assert await caller.desk.store.count("profiles", {}) == 0


async def test_all_that_is_wrong_is_said_at_once_with_its_place(caller: Caller) -> None:
    body = {
        "attributes": {"City": 1, "ok": {"x": 1}, "version": 2},
        "langauge": "fr",
        "identities": [{"space": "email"}],
    }
    status, answer = await caller.ask("POST", "/profiles", body)
    assert status == 422
    assert {error["pointer"] for error in answer["errors"]} == {
        "/attributes/City", "/attributes/ok", "/attributes/version", "/langauge", "/identities/0/address",
    }  # fmt: skip


async def test_a_compressed_body_is_refused_before_it_grows(caller: Caller) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    status, _ = await caller.ask("POST", "/profiles", raw=bomb, headers={"Content-Encoding": "gzip"})
    assert status == 415


async def test_a_body_that_is_not_called_json_is_refused(caller: Caller) -> None:
    status, _ = await caller.ask("POST", "/profiles", raw=b"{}", headers={"Content-Type": "text/plain"})
    assert status == 415


async def test_a_large_body_without_a_length_is_cut_off(caller: Caller) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    headers = {"Authorization": f"Bearer {caller.key}", "Content-Type": "application/json"}
    async with caller.client.post("/api/v1/profiles", data=pieces(), headers=headers) as response:
        assert response.status == 413


async def test_a_body_that_never_ends_is_given_up(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("admin.strict_json.READ_WITHIN_SECONDS", 0.1)
    never = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"{"
        await never.wait()

    headers = {"Authorization": f"Bearer {caller.key}", "Content-Type": "application/json"}
    async with caller.client.post("/api/v1/profiles", data=pieces(), headers=headers) as response:
        assert response.status == 408
    never.set()


# -- queries and addresses


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=ten",
        "limit=1&limit=2",
        "limit[$gt]=1",
        "unknown=1",
        "after=",
        "limit=" + "9" * 5000,
    ],
)
async def test_a_query_that_can_not_be_taken_is_refused(caller: Caller, query: str) -> None:
    status, answer = await caller.ask("GET", f"/profiles?{query}")
    assert status == 422
    assert answer["errors"][0]["parameter"]


async def test_an_address_that_is_none_says_so(caller: Caller) -> None:
    assert (await caller.ask("GET", "/nothing"))[0] == 404
    status, headers, _ = await caller.whole("PUT", "/profiles")
    assert (status, headers["Allow"]) == (405, "GET,POST".replace(",", ", "))


async def test_problems_speak_french_to_those_who_ask(caller: Caller) -> None:
    _, answer = await caller.ask("GET", "/profiles/none", headers={"Accept-Language": "fr-FR"})
    assert answer["title"] == "Ce profil n'existe pas"


async def test_answers_are_not_kept_by_caches(caller: Caller) -> None:
    _, headers, _ = await caller.whole("GET", "/profiles")
    assert headers["Cache-Control"] == "no-store"


# -- what goes wrong on our side


async def test_a_database_that_does_not_confirm_is_worth_repeating(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*arguments: Any) -> None:
        raise Unavailable("the name of a host")

    monkeypatch.setattr(caller.desk.store, "commit", gone)
    status, headers, answer = await caller.whole("POST", "/profiles", {})
    assert (status, headers["Retry-After"]) == (503, "2")
    assert "host" not in str(answer)


async def test_a_mistake_of_ours_shows_nothing_of_itself(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("secret inner thing")

    monkeypatch.setattr(caller.desk.store, "find", broken)
    status, answer = await caller.ask("GET", "/profiles")
    assert status == 500
    assert "secret" not in str(answer)
    assert "api.broke route=/api/v1/profiles" in caplog.text


# -- the same request twice


async def test_the_same_request_twice_is_done_once_and_answered_alike(caller: Caller) -> None:
    headers = {"Idempotency-Key": "order-42"}
    body = {"attributes": {"city": "Lyon"}}
    first = await caller.whole("POST", "/profiles", body, headers=headers)
    second = await caller.whole("POST", "/profiles", body, headers=headers)
    assert first[0] == second[0] == 201
    assert first[2] == second[2]
    assert first[1]["Location"] == second[1]["Location"] == f"/api/v1/profiles/{first[2]['id']}"
    assert "Idempotent-Replayed" not in first[1]
    assert second[1]["Idempotent-Replayed"] == "true"
    assert await caller.desk.store.count("profiles", {}) == 1


async def test_an_idempotency_key_is_for_one_request(caller: Caller) -> None:
    headers = {"Idempotency-Key": "order-42"}
    await caller.ask("POST", "/profiles", {"language": "fr"}, headers=headers)
    status, answer = await caller.ask("POST", "/profiles", {"language": "en"}, headers=headers)
    assert (status, answer["type"].split("#")[1]) == (422, "key_reused")
    assert await caller.desk.store.count("profiles", {}) == 1


async def test_an_idempotency_key_belongs_to_its_api_key(caller: Caller) -> None:
    headers = {"Idempotency-Key": "order-42"}
    other = await caller.as_one_who_may("profiles:write")
    _, mine = await caller.ask("POST", "/profiles", {}, headers=headers)
    _, theirs = await other.ask("POST", "/profiles", {}, headers=headers)
    assert mine["id"] != theirs["id"]


async def test_what_was_refused_may_be_tried_again(caller: Caller) -> None:
    headers = {"Idempotency-Key": "order-42"}
    body = {"attributes": {"city": "Lyon"}}
    assert (await caller.ask("PATCH", "/profiles/P1", body, headers=headers))[0] == 404
    await caller.add(person("P1", "telegram:42"))
    assert (await caller.ask("PATCH", "/profiles/P1", body, headers=headers))[0] == 200


async def test_racing_repeats_of_one_request_do_it_once(caller: Caller) -> None:
    headers = {"Idempotency-Key": "order-42"}
    answers = await asyncio.gather(*(caller.ask("POST", "/profiles", {}, headers=headers) for _ in range(30)))
    assert {status for status, _ in answers} == {201}
    assert len({answer["id"] for _, answer in answers}) == 1
    assert await caller.desk.store.count("profiles", {}) == 1


async def test_racing_repeats_at_two_processes_do_it_once(mongo_url: str, database_name: str, caller: Caller) -> None:
    async with caller_on(mongo_url, database_name) as second:
        second.key = caller.key
        for number in range(10):
            headers = {"Idempotency-Key": f"order-{number}"}
            answers = await asyncio.gather(
                *(one.ask("POST", "/profiles", {}, headers=headers) for one in (caller, second) for _ in range(3))
            )
            assert {status for status, _ in answers} == {201}
            assert len({answer["id"] for _, answer in answers}) == 1
    assert await caller.desk.store.count("profiles", {}) == 10


async def test_racing_requests_under_one_key_that_differ_are_told(caller: Caller) -> None:
    headers = {"Idempotency-Key": "order-42"}
    answers = await asyncio.gather(
        *(caller.ask("POST", "/profiles", {"attributes": {"n": n}}, headers=headers) for n in range(10))
    )
    assert sorted(status for status, _ in answers) == [201] + [422] * 9


@pytest.mark.parametrize("key", ["", "x" * 256, "é"])
async def test_an_idempotency_key_that_is_none_is_refused(caller: Caller, key: str) -> None:
    status, _ = await caller.ask("POST", "/profiles", {}, headers={"Idempotency-Key": key})
    assert status == 400


async def test_who_was_so_slow_that_another_took_over_leaves_it_to_them(caller: Caller) -> None:
    store = caller.desk.store
    mark = idempotency.mark("key", "order-42", method="POST", path="/messages", body=b"{}")
    later = NOON + timedelta(seconds=21)
    assert await idempotency.begin(store, mark, now=NOON) is None
    assert await idempotency.begin(store, mark, now=later) is None, "it was left open too long"
    await idempotency.give_up(store, mark, now=NOON)
    with pytest.raises(idempotency.UnderWay):
        await idempotency.begin(store, mark, now=later)
    await idempotency.give_up(store, mark, now=later)
    assert await idempotency.begin(store, mark, now=later) is None


async def test_answers_are_forgotten_after_48_hours(caller: Caller) -> None:
    """By the database's own clock: here only that the index and the row agree on it."""
    await caller.ask("POST", "/profiles", {}, headers={"Idempotency-Key": "order-42"})
    row = (await caller.desk.store.find("idempotency", {}))[0]
    assert row["at"] == NOON
    indexes = await caller.desk.store._database["idempotency"].index_information()
    assert [index["expireAfterSeconds"] for index in indexes.values() if "expireAfterSeconds" in index] == [48 * 3600]
