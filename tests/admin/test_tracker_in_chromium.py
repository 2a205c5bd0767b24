"""The tracker's script in a real browser: it stores nothing before a yes, recognises after it, forgets after a no."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from playwright.async_api import Page

from admin.desk import Desk
from admin.tracker import TrackerOptions, tracker_routes
from channels.webchat_tokens import sign_identity
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.live import Feed
from profiles.store import Store
from profiles.writer import Writer
from tests.chromium import browsing

KEY = "s" * 40
SHOP = '<!doctype html><title>Chairs</title><script src="/t/tracker.js"></script><h1>Chairs</h1>'
REFUSES = 'Object.defineProperty(navigator, "globalPrivacyControl", { value: true });'


class Shop:
    """A page of a shop with the tracker in it, and what came of it."""

    def __init__(self, store: Store, address: str, page: Page) -> None:
        self.store, self.address, self.page = store, address, page

    async def opens(self, path: str = "/shop") -> None:
        """Open a page and wait until it has been reported."""
        async with self.page.expect_response(f"{self.address}/t/events"):
            await self.page.goto(self.address + path)

    async def does(self, code: str) -> None:
        """Run this on the page and wait until it has been reported."""
        async with self.page.expect_response(f"{self.address}/t/events") as answered:
            await self.page.evaluate(code)
        await (await answered.value).finished()

    async def kept(self) -> list[str]:
        names: list[str] = await self.page.evaluate("Object.keys(localStorage).sort()")
        assert await self.page.context.cookies() == []
        return names

    async def events(self) -> list[dict[str, Any]]:
        return await self.store.find("events", {"source": "site"}, sort=[("happened_at", 1)])


@pytest.fixture
async def shop(mongo_url: str, database_name: str) -> AsyncIterator[Shop]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    writer = Writer(store, process="p")
    port = unused_port()
    desk = Desk(store, writer, Feed(), utc_now, b"k" * 32, f"http://127.0.0.1:{port}")

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=SHOP, content_type="text/html")

    app = web.Application()
    app.router.add_get("/shop", page)
    app.add_routes(tracker_routes(desk, TrackerOptions(enabled=True), identity_secrets=(KEY,)))
    async with TestServer(app, port=port) as server, browsing() as program:
        yield Shop(store, str(server.make_url("")).rstrip("/"), await program.new_page())
    await writer.close()
    await store.close()


async def test_before_a_yes_nothing_is_stored_anywhere(shop: Shop) -> None:
    await shop.opens("/shop?utm_source=poster&email=anna@example.com")
    assert await shop.kept() == []
    assert await shop.events() == await shop.store.find("profiles", {}) == []
    (row,) = await shop.store.find("visits", {})
    assert (row["name"], row["count"]) == ("page.viewed", 1)


async def test_after_a_yes_a_visitor_is_recognised_from_page_to_page_and_joined_to_the_person(shop: Shop) -> None:
    await shop.opens()
    await shop.does("CauserieTrack.consent(true); CauserieTrack.event('product.viewed', { sku: 'A1' })")
    await shop.opens("/shop?utm_source=poster&email=anna@example.com")
    (profile,) = await shop.store.find("profiles", {})
    viewed, page = await shop.events()
    assert (viewed["name"], viewed["properties"], viewed["profile"]) == (
        "product.viewed",
        {"sku": "A1"},
        profile["_id"],
    )
    assert page["properties"]["url"] == f"{shop.address}/shop"
    assert (page["properties"]["title"], page["properties"]["utm_source"]) == ("Chairs", "poster")
    assert "anna" not in str(page)
    word = sign_identity({"sub": "42"}, KEY, now=utc_now(), valid_for=timedelta(minutes=5))
    await shop.does(f"CauserieTrack.identify('{word}')")
    (profile,) = await shop.store.find("profiles", {})
    assert {one["channel"] for one in profile["identities"]} == {"webchat", "user"}


async def test_after_a_no_the_browser_keeps_nothing(shop: Shop) -> None:
    await shop.opens()
    await shop.does("CauserieTrack.consent(true); CauserieTrack.event('product.viewed')")
    assert len(await shop.kept()) == 2
    await shop.does("CauserieTrack.consent(false); CauserieTrack.event('cart.updated')")
    assert await shop.kept() == []
    assert [event["name"] for event in await shop.events()] == ["product.viewed"]


async def test_a_browser_that_refuses_stores_nothing_even_after_a_yes(shop: Shop) -> None:
    await shop.page.add_init_script(REFUSES)
    await shop.opens()
    await shop.does("CauserieTrack.consent(true); CauserieTrack.event('product.viewed')")
    assert await shop.kept() == []
    assert await shop.events() == []
