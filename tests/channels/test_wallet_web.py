"""The five endpoints that Apple's devices ask: who is let in, what they are told, and what nobody can make the server do."""

import json
import logging
from collections.abc import AsyncIterator

import pytest

from channels.wallet_keeping import MOST_DEVICES
from profiles.passes import token_of
from tests.cast import boris
from tests.channels.wallet_device import Device, opened
from tests.channels.wallet_stage import SECRET, Hall, hall, put_person

LONG = b'{"pushToken": "' + b"a" * 300 + b'"}'


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Hall]:
    async with hall(mongo_url, database_name, free_port) as stage:
        yield stage


async def test_a_device_walks_the_five_endpoints(shop: Hall) -> None:
    await shop.keep()
    device = Device(shop.http)
    assert await device.install(await shop.package()) == 201
    (told,) = device.passes.values()
    assert await device.register(told) == 200, "registered before"
    assert (await device.wake(), device.tag) == ([told["serialNumber"]], "1")
    assert await device.changed(told) is None
    await shop.learn(points=150)
    assert await shop.keep() == "changed"
    assert await device.wake() == [told["serialNumber"]]
    assert device.told == ["Vous avez maintenant 150 points"]
    assert await device.wake() == []
    url = f"{told['webServiceURL']}/v1/log"
    async with shop.http.post(url, json={"logs": ["[2026] Web service error\n\x1b[31m"]}) as answer:
        assert answer.status == 200
    assert await device.unregister(told) == 200
    assert await device.unregister(told) == 200, "gone before"
    assert await device.changed(told, "0") is None


async def test_what_devices_complain_of_is_logged_on_one_line_each_and_little_of_it(
    shop: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "channels.wallet")
    for _ in range(20):
        async with shop.http.post(
            f"{shop.url}/channels/wallet/v1/log", json={"logs": ["odd\n\x1b[31m"] * 10}
        ) as answer:
            assert answer.status == 200
    said = [line for line in caplog.messages if line.startswith("wallet.device says=")]
    assert set(said) == {"wallet.device says=odd[31m"}
    assert 50 <= len(said) < 60


async def test_what_did_not_change_is_not_sent_again(shop: Hall) -> None:
    device = await shop.phone()
    (told,) = device.passes.values()
    status, package = await device.fetch(told)
    assert (status, bool(package)) == (200, True)
    modified = device._modified[told["serialNumber"]]
    assert await device.fetch(told, since=modified) == (304, b"")
    assert await shop.keep() == "same"
    assert await device.fetch(told, since=modified) == (304, b"")
    for odd in (
        "no date",
        "Sun, 22 Nov 2026 10:00:00 +99999999999999999999",
        "0, 1 Jan 2026 99999999999999999999:00:00",
    ):
        assert (await device.fetch(told, since=odd))[0] == 200, odd


async def test_two_changes_within_one_second_are_two_to_a_device(shop: Hall) -> None:
    device = await shop.phone()
    (told,) = device.passes.values()
    await device.wake()
    for points in (130, 140, 150):
        await shop.learn(points=points)
        await shop.keep()
        assert await device.wake() == [told["serialNumber"]], points
    assert device.told[-1] == "Vous avez maintenant 150 points"


@pytest.mark.parametrize("token", ["0" * 64, "short", "é", token_of(SECRET, "0" * 32)])
async def test_a_wrong_token_opens_nothing(shop: Hall, token: str) -> None:
    device = await shop.phone()
    (told,) = device.passes.values()
    other = Device(shop.http, "e" * 32)
    assert await other.register(told, token=token) == 401
    assert await device.unregister(told, token=token) == 401
    assert await device.fetch(told, token=token) == (401, b"401: Unauthorized")
    assert (await shop.held()).devices == 1


async def test_the_serial_of_somebody_else_is_refused_with_ones_own_token(shop: Hall) -> None:
    await put_person(shop.store, boris())
    device = await shop.phone()
    (mine,) = device.passes.values()
    await shop.keep("boris")
    row = await shop.store.find("passes", {"profile": "boris"})
    theirs = mine | {"serialNumber": row[0]["_id"]}
    assert (await device.fetch(theirs))[0] == 401
    assert await device.register(theirs) == 401
    assert (await device.changed(mine, "0") or {})["serialNumbers"] == [mine["serialNumber"]]


async def test_a_pass_that_is_not_there_and_another_type_are_not_found(shop: Hall) -> None:
    device = await shop.phone()
    (told,) = device.passes.values()
    gone = told | {"serialNumber": "f" * 32, "authenticationToken": token_of(SECRET, "f" * 32)}
    assert (await device.fetch(gone))[0] == 404
    for odd in ("%ff%fe", "%00", "F" * 32, "f" * 31, "..%2f..", "é"):
        assert (await device.fetch(told | {"serialNumber": odd}))[0] == 401, odd
    assert (await device.fetch(told | {"passTypeIdentifier": "pass.other"}))[0] == 404
    assert await device.register(gone) == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"pushToken": 3}', b'{"pushToken": "zz"}', LONG])
async def test_a_registration_without_a_push_token_is_refused(shop: Hall, body: bytes) -> None:
    await shop.keep()
    told = json.loads(opened(await shop.package())["pass.json"])
    device = Device(shop.http)
    async with shop.http.post(device._registration(told), data=body, headers=device._shown(told, "")) as answer:
        assert answer.status == 400
    assert (await shop.held()).devices == 0


async def test_a_body_that_never_ends_is_cut_off(shop: Hall) -> None:
    async with shop.http.post(f"{shop.url}/channels/wallet/v1/log", data=b"x" * 100_000) as answer:
        assert answer.status == 413


async def test_who_tries_tokens_is_told_to_wait(shop: Hall) -> None:
    device = await shop.phone()
    (told,) = device.passes.values()
    statuses = [(await device.fetch(told, token="0" * 64))[0] for _ in range(30)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert (await device.fetch(told))[0] == 200, "the right token is served all the same"


async def test_one_pass_is_on_a_bounded_number_of_devices(shop: Hall) -> None:
    device = await shop.phone()
    (told,) = device.passes.values()
    await shop.store.change("passes", {"_id": told["serialNumber"]}, {"$set": {"devices": MOST_DEVICES}})
    assert await Device(shop.http, "e" * 32).register(told) == 403
    assert await device.register(told) == 200


async def test_a_new_push_token_takes_the_place_of_the_old(shop: Hall) -> None:
    device = await shop.phone()
    (told,) = device.passes.values()
    device.push_token = "cd" * 32
    assert await device.register(told) == 200
    (row,) = await shop.wallet.passes.devices(told["serialNumber"])
    assert row["push_token"] == "cd" * 32
