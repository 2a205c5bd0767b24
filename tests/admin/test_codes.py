"""A short address counts who comes, leads where somebody with a key said, and is known again where it leads."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from admin.codes import Codes, leads_to, new_code, picture
from profiles.append import begin, heard
from profiles.indexes import INDEXES
from profiles.snapshot import Changes, Work
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer
from tests.admin.api_client import caller_on
from tests.cast import NOON, anna

BROWSER = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"


@dataclass
class Street:
    client: "TestClient[web.Request, web.Application]"
    store: Store
    writer: Writer
    codes: Codes

    async def opens(self, path: str, method: str = "GET", *, agent: str = BROWSER) -> Any:
        headers = {"User-Agent": agent}
        async with self.client.request(method, path, allow_redirects=False, headers=headers) as answer:
            return answer.status, answer.headers.get("Location", ""), await answer.text()

    async def counted(self) -> list[tuple[str, int]]:
        return [(row["name"], row["count"]) for row in await self.store.find("visits", {})]

    async def writes(self, text: str, id: str = "telegram:1") -> list[dict[str, Any]]:
        """Let Anna write this; return her events."""
        profile = anna()
        thread = begin("telegram:7001", profile, channel="telegram", address="7001", identity="telegram:7001", now=NOON)
        thread, message = heard(thread, Content(text), id=id, now=NOON)
        changes = Changes(profiles=(profile,), conversations=(thread,), messages=(message,))
        await self.writer.commit(Work(lambda _: changes))
        await self.codes.close()
        return await self.store.find("events", {"name": "code.followed"})


@pytest.fixture
async def street(mongo_url: str, database_name: str) -> AsyncIterator[Street]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    writer = Writer(store, process="p", clock=lambda: NOON)
    codes = Codes(store, writer, "https://chat.example", clock=lambda: NOON)
    writer.listen(codes.hear)
    app = web.Application()
    app.add_routes(codes.routes())
    async with TestClient(TestServer(app)) as client:
        yield Street(client, store, writer, codes)
    await writer.close()
    await store.close()


async def test_a_code_counts_and_leads_on_with_itself_in_the_address(street: Street) -> None:
    code = await new_code(street.store, "poster", "https://shop.example/chairs?a=1", by="key:k", now=NOON)
    for _ in range(2):
        assert (await street.opens(f"/q/{code.id}"))[:2] == (302, f"https://shop.example/chairs?a=1&cq={code.id}")
    assert await street.counted() == [(f"code:{code.id}", 2)]


async def test_a_program_that_looks_is_led_on_and_not_counted(street: Street) -> None:
    code = await new_code(street.store, "poster", "https://shop.example/", by="key:k", now=NOON)
    assert (await street.opens(f"/q/{code.id}", "HEAD"))[0] == 302
    agent = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
    assert (await street.opens(f"/q/{code.id}", agent=agent))[0] == 302
    assert await street.counted() == []


@pytest.mark.parametrize("path", ["/q/nothing1", "/q/%24where", "/q/https:%2F%2Fevil.example", "/q/nothing1.svg"])
async def test_what_was_never_stored_leads_nowhere(street: Street, path: str) -> None:
    assert (await street.opens(path))[0] == 404


async def test_its_picture_is_an_svg(street: Street) -> None:
    code = await new_code(street.store, "poster", "https://shop.example/", by="key:k", now=NOON)
    status, _, text = await street.opens(f"/q/{code.id}.svg")
    assert status == 200
    assert text.startswith("<svg") and text == picture(f"https://chat.example/q/{code.id}")
    assert picture("https://" + "x" * 200) is None


async def test_who_begins_the_bot_by_a_code_is_known_by_it(street: Street) -> None:
    code = await new_code(street.store, "poster", "https://t.me/shop_bot", by="key:k", now=NOON)
    assert leads_to(code.id, code.target) == f"https://t.me/shop_bot?start={code.id}"
    (event,) = await street.writes(f"/start {code.id}")
    assert (event["profile"], event["properties"]) == ("anna", {"code": code.id, "campaign": "poster"})


@pytest.mark.parametrize("text", ["/start", "/start 22222222", "start me up", "/start ' || 1 || '"])
async def test_other_words_are_no_code(street: Street, text: str) -> None:
    assert await street.writes(text) == []


async def test_a_code_is_made_over_the_api_and_leads_to_https_alone(mongo_url: str, database_name: str) -> None:
    async with caller_on(mongo_url, database_name) as caller:
        body = {"campaign": "poster", "target": "https://shop.example/chairs"}
        status, made = await caller.ask("POST", "/codes", body)
        assert (status, made["address"]) == (201, f"https://shop.example/q/{made['code']}")
        for target in (
            "http://shop.example/",
            "javascript:alert(1)",
            "https://a:b@shop.example/",
            "//evil.example",
            "x" * 20,
        ):
            assert (await caller.ask("POST", "/codes", {**body, "target": target}))[0] == 422
