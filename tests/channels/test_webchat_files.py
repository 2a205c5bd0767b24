"""Files over HTTP: who may send one, what comes back, under which headers, for how long."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from channels.webchat_tokens import sign_identity
from profiles.calendar import utc_now
from tests.channels.test_webchat_kinds import png
from tests.channels.webchat_shop import IDENTITY_SECRET, Browser, Shop, browse, open_shop, welcomed
from tests.waiting import until


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Shop]:
    async with open_shop(mongo_url, database_name, free_port, largest_file_megabytes=1) as running:
        yield running


@pytest.fixture
async def anna(shop: Shop) -> AsyncIterator[Browser]:
    async with browse(shop) as browser:
        await welcomed(browser)
        yield browser


async def test_a_picture_is_sent_said_and_seen(shop: Shop, anna: Browser) -> None:
    status, kept = await _upload(shop, anna.token, png(), name="été ☀ 1.png")
    assert (status, kept["name"], kept["mime"]) == (201, "été _ 1.png", "image/png")
    await anna.send(type="say", id="m0000001", file=kept["file"])
    frame = await anna.next("message")
    file = frame["files"][0]
    assert (file["kind"], file["size"]) == ("image", len(png()))
    async with aiohttp.request("GET", file["url"]) as answer:
        assert (answer.status, await answer.read()) == (200, png())
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Content-Disposition"].startswith(
            "inline; filename=\"_t_ _ 1.png\"; filename*=UTF-8''%C3%A9t"
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    stored = await shop.store.get("files", kept["file"])
    assert stored is not None
    assert "expires_at" not in stored, "what was said is kept"


async def test_anything_but_a_picture_is_saved_not_shown(shop: Shop, anna: Browser) -> None:
    _, kept = await _upload(shop, anna.token, b"%PDF-1.7 ...", name="invoice.exe")
    await anna.send(type="say", id="m0000001", file=kept["file"])
    file = (await anna.next("message"))["files"][0]
    async with aiohttp.request("GET", file["url"]) as answer:
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="invoice.pdf"')


async def test_a_link_that_is_over_or_bent_opens_nothing_and_a_new_one_can_be_asked_for(
    shop: Shop, anna: Browser
) -> None:
    _, kept = await _upload(shop, anna.token, png())
    await anna.send(type="say", id="m0000001", file=kept["file"])
    frame = await anna.next("message")
    url = frame["files"][0]["url"]
    shop.offset = timedelta(hours=3)
    for wrong in (
        url,
        url.replace("signature=", "signature=A"),
        url.split("?")[0],
        url.replace(kept["file"], "1" * 26),
    ):
        async with aiohttp.request("GET", wrong) as answer:
            assert answer.status == 403, wrong
    await anna.send(type="again", seq=frame["seq"])
    again = (await anna.next("message"))["files"][0]["url"]
    async with aiohttp.request("GET", again) as answer:
        assert answer.status == 200


async def test_a_file_of_another_visitor_can_not_be_said(shop: Shop, anna: Browser) -> None:
    _, kept = await _upload(shop, anna.token, png())
    async with browse(shop) as boris:
        await welcomed(boris)
        await boris.send(type="say", id="m0000001", file=kept["file"])
        assert (await boris.next("refused"))["reason"] == "gone"


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        (b"<svg onload='alert(1)'/>", 415, "kind"),
        (b"<!doctype html><p>", 415, "kind"),
        (b"", 415, "kind"),
        (b"x" * 1_000_001, 413, "too_large"),
    ],
)
async def test_what_is_not_let_in_is_refused(
    shop: Shop, anna: Browser, content: bytes, status: int, error: str
) -> None:
    assert await _upload(shop, anna.token, content, name="cat.png") == (status, {"error": error})
    assert await shop.store.find("files", {}) == []


async def test_a_body_without_a_length_is_measured_as_it_comes(shop: Shop, anna: Browser) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(400):
            yield b"x" * 65_536

    try:
        status, _ = await _upload(shop, anna.token, endless())
    except aiohttp.ClientError:
        return  # the server hung up before the end: as good
    assert status == 413


async def test_without_a_token_or_from_a_foreign_page_nothing_is_taken(shop: Shop, anna: Browser) -> None:
    assert await _upload(shop, "forged", png()) == (401, {"error": "token"})
    assert await _upload(shop, anna.token, png(), origin="https://evil.example") == (403, {"error": "origin"})


async def test_a_persons_token_takes_files_only_with_their_identity(shop: Shop) -> None:
    identity = sign_identity({"sub": "anna"}, IDENTITY_SECRET, now=utc_now(), valid_for=timedelta(hours=1))
    boris = sign_identity({"sub": "boris"}, IDENTITY_SECRET, now=utc_now(), valid_for=timedelta(hours=1))
    async with browse(shop, identity=identity) as person:
        await welcomed(person)
    assert (await _upload(shop, person.token, png()))[0] == 401
    assert (await _upload(shop, person.token, png(), identity=boris))[0] == 401
    assert (await _upload(shop, person.token, png(), identity=identity))[0] == 201


async def test_a_visitor_sends_thirty_files_an_hour_and_no_more(shop: Shop, anna: Browser) -> None:
    statuses = [(await _upload(shop, anna.token, png()))[0] for _ in range(31)]
    assert statuses == [201] * 30 + [429]


async def test_two_uploads_at_once_per_caller_and_the_places_are_given_back(shop: Shop, anna: Browser) -> None:
    hold = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield png()[:10]
        await hold.wait()
        yield png()[10:]

    held = [asyncio.create_task(_upload(shop, anna.token, slow())) for _ in range(2)]
    await until(lambda: _taken(shop) == 2, within_seconds=5)
    assert (await _upload(shop, anna.token, png()))[0] == 503
    hold.set()
    assert [status for status, _ in await asyncio.gather(*held)] == [201, 201]
    assert (await _upload(shop, anna.token, png()))[0] == 201


async def test_a_page_of_an_allowed_origin_is_told_that_it_may(shop: Shop) -> None:
    async with aiohttp.ClientSession() as session:
        url = f"{shop.url}/channels/webchat/files"
        async with session.options(url, headers={"Origin": shop.url}) as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Origin"] == shop.url
        async with session.options(url, headers={"Origin": "https://evil.example"}) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers


def _taken(shop: Shop) -> int:
    return sum(shop.channel._files._uploads_of_caller._taken.values())


async def _upload(
    shop: Shop, token: str, content: Any, *, name: str = "cat.png", origin: str = "", identity: str = ""
) -> tuple[int, dict[str, Any]]:
    from urllib.parse import quote

    headers = {"Origin": origin or shop.url, "Authorization": f"Bearer {token}", "X-File-Name": quote(name)}
    if identity:
        headers["X-Identity"] = identity
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{shop.url}/channels/webchat/files", data=content, headers=headers) as answer,
    ):
        return answer.status, await answer.json()
