"""Push tokens through the API: an app says whose its phone is only by what the shop signed, a server by name."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from channels.devices import COLLECTION, Device
from channels.webchat_tokens import sign_identity
from profiles.profile import Profile
from profiles.record import from_document
from tests.admin.api_client import IDENTITY_SECRET, Caller, caller_on
from tests.world import NOON, person

TOKEN = "dGVzdC10b2tlbg:APA91bF_x-0123456789"
IPHONE = "ab" * 32


@pytest.fixture
async def caller(mongo_url: str, database_name: str) -> AsyncIterator[Caller]:
    async with caller_on(mongo_url, database_name) as caller:
        yield caller


@pytest.fixture
async def app(caller: Caller) -> Caller:
    """An app, whose key anybody may read."""
    return await caller.as_one_who_may("devices:register")


def signed(subject: str, key: str = IDENTITY_SECRET, minutes: float = 10, **claims: str) -> str:
    return sign_identity({"sub": subject, **claims}, key, now=NOON, valid_for=timedelta(minutes=minutes))


def device(**more: Any) -> dict[str, Any]:
    return {"platform": "fcm", "token": TOKEN, "app": "com.example.shop", **more}


async def holder(caller: Caller, key: str = f"fcm:{TOKEN}") -> Profile | None:
    claim = await caller.desk.store.get("identities", key)
    found = await caller.desk.store.get("profiles", claim["profile"]) if claim else None
    return from_document(Profile, found) if found else None


async def test_an_app_registers_its_token_for_who_is_signed_in(caller: Caller, app: Caller) -> None:
    await caller.add(person("anna", "user:c-1001"))
    body = device(signed_identity=signed("c-1001", email="anna@example.com"), locale="fr-FR")
    assert await app.ask("POST", "/devices", body) == (200, {"device": f"fcm:{TOKEN}", "profile": None})
    anna = await holder(caller)
    assert anna
    assert anna.id == "anna"
    assert {one.key for one in anna.identities} >= {f"fcm:{TOKEN}", "email:anna@example.com"}
    row = await caller.desk.store.get(COLLECTION, f"fcm:{TOKEN}")
    assert row
    assert from_document(Device, row) == Device(f"fcm:{TOKEN}", "com.example.shop", NOON, "fr-FR")


async def test_a_token_follows_the_last_verified_identity(caller: Caller, app: Caller) -> None:
    await app.ask("POST", "/devices", device(signed_identity=signed("c-1001")))
    first = await holder(caller)
    await app.ask("POST", "/devices", device(signed_identity=signed("c-1002")))
    second = await holder(caller)
    assert first and second
    assert first.id != second.id
    assert [one.key for one in second.identities if one.channel == "user"] == ["user:c-1002"]
    await app.ask("POST", "/devices", device())  # the app starts again and nobody has signed in yet
    third = await holder(caller)
    assert third
    assert third.id == second.id


async def test_a_phone_is_anonymous_until_somebody_signs_in(caller: Caller, app: Caller) -> None:
    assert (await app.ask("POST", "/devices", device()))[0] == 200
    nobody = await holder(caller)
    assert nobody
    assert not nobody.is_known
    await app.ask("POST", "/devices", device(signed_identity=signed("c-1001")))
    anna = await holder(caller)
    assert anna
    assert anna.id == nobody.id
    assert anna.is_known


async def test_a_server_says_whose_it_is(caller: Caller, app: Caller) -> None:
    await caller.add(person("anna", "user:c-1001"))
    body = device(platform="apns", token=IPHONE.upper(), profile="anna", sandbox=True)
    assert (await app.ask("POST", "/devices", body))[0] == 403, "an app may not say so"
    assert await caller.ask("POST", "/devices", body) == (200, {"device": f"apns:{IPHONE}", "profile": "anna"})
    row = await caller.desk.store.get(COLLECTION, f"apns:{IPHONE}")
    assert row
    assert row["sandbox"] is True
    assert (await caller.ask("POST", "/devices", device(profile="nobody")))[0] == 404


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        (signed("c-1001", key="another secret of 32 characters...."), "forged"),
        (signed("c-1001", minutes=-1), "expired"),
        (signed("c-1001", minutes=60 * 48), "too_long"),
        ("not a token", "malformed"),
    ],
)
async def test_an_identity_that_is_not_good_registers_nothing(
    caller: Caller, app: Caller, token: str, problem: str
) -> None:
    status, answer = await app.ask("POST", "/devices", device(signed_identity=token))
    assert (status, answer["detail"]) == (403, problem)
    assert await holder(caller) is None
    assert await caller.desk.store.get(COLLECTION, f"fcm:{TOKEN}") is None


@pytest.mark.parametrize(
    "body",
    [
        device(token="x" * 10_000),
        device(token="x" * 1_025),
        device(token=TOKEN + "\r\nX: y"),
        device(token=TOKEN + "\n"),
        device(token="é" * 30),
        device(platform="apns", token="zz" * 32),
        device(platform="apns", token="ab" * 31),
        device(platform="apns", token="ab" * 31 + "a\n"),
        device(platform="windows"),
        device(app="com.example\r\napns-priority: 10"),
        device(app=""),
        device(signed_identity=signed("c-1"), profile="anna"),
        device(token={"$gt": ""}),
    ],
)
async def test_bad_tokens_and_fields_are_refused(caller: Caller, body: dict[str, Any]) -> None:
    assert (await caller.ask("POST", "/devices", body))[0] == 422
    assert await caller.desk.store.find(COLLECTION, {}) == []


async def test_a_forgotten_token_is_nobodys(caller: Caller, app: Caller) -> None:
    await app.ask("POST", "/devices", device(signed_identity=signed("c-1001")))
    assert (await app.ask("DELETE", f"/devices/fcm:{TOKEN}"))[0] == 200
    assert await holder(caller) is None
    assert await caller.desk.store.find(COLLECTION, {}) == []
    assert (await app.ask("DELETE", f"/devices/fcm:{TOKEN}"))[0] == 200, "once more does no harm"
    assert (await app.ask("DELETE", "/devices/email:anna@example.com"))[0] == 404, "only devices"


async def test_an_apps_key_opens_nothing_else(app: Caller) -> None:
    for method, path, body in (("GET", "/profiles", None), ("POST", "/profiles", {}), ("GET", "/conversations", None)):
        assert (await app.ask(method, path, body))[0] == 403


async def test_the_same_registration_twice_is_one_device(caller: Caller, app: Caller) -> None:
    for _ in range(2):
        assert (await app.ask("POST", "/devices", device(signed_identity=signed("c-1001"))))[0] == 200
    anna = await holder(caller)
    assert anna
    assert len(anna.identities) == 2
    assert len(await caller.desk.store.find(COLLECTION, {})) == 1


async def test_an_apps_key_is_slowed_down_by_address_and_a_servers_is_not(caller: Caller, app: Caller) -> None:
    async def many(who: Caller) -> set[int]:
        return {status for status, _ in await asyncio.gather(*(who.ask("POST", "/devices", {}) for _ in range(80)))}

    assert await many(app) == {422, 429}, "some are let in and found wrong, the others wait"
    server = await caller.as_one_who_may("devices:register", "devices:write")
    assert await many(server) == {422}
