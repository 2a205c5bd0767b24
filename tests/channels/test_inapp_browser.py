"""The inbox in the widget, in a real Chromium: a calm banner, a list, by mouse and by keyboard, on a desk and on a phone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Locator, Page, expect

from profiles.calendar import utc_now
from profiles.snapshot import Changes, Work
from profiles.timeline import Button, Content, Delivery, Message
from tests.channels.webchat_shop import Shop, open_shop
from tests.waiting import until

SALE = Content(
    "Jusqu'à dimanche, la livraison est offerte.", title="Livraison offerte", banner=True,
    buttons=(Button("Voir les lampes", url="https://shop.example/lamps"),),
)  # fmt: skip


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Shop]:
    async with open_shop(mongo_url, database_name, free_port, has_inbox=True) as running:
        yield running


async def visit(browser: Chromium, shop: Shop, *, language: str = "fr", **more: Any) -> Page:
    """Return a page whose visitor is known: they wrote before."""
    context = await browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **more})
    page = await context.new_page()
    await page.goto(f"{shop.url}/host?lang={language}")
    await bubble(page).click()
    await page.get_by_role("textbox").fill("quiet bonjour")
    await page.keyboard.press("Enter")
    await until(lambda: said(shop), within_seconds=20)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    # the first look of a visitor who is known now opens their inbox
    await page.reload()
    await until(lambda: has_inbox(shop), within_seconds=20)
    return page


def bubble(page: Page) -> Locator:
    return page.locator("button.bubble-button")


def banner(page: Page) -> Locator:
    return page.locator("aside.banner")


async def said(shop: Shop) -> bool:
    return bool(await shop.said())


async def has_inbox(shop: Shop) -> bool:
    return bool(await shop.store.find("profiles", {"identities.channel": "inapp"}))


async def notify(shop: Shop, id: str, content: Content = SALE, **metadata: Any) -> None:
    """Commit a message to the visitor's inbox; the back door sends it."""
    (profile,) = await shop.store.find("profiles", {"identities.channel": "inapp"})
    (inbox,) = [one for one in profile["identities"] if one["channel"] == "inapp"]
    message = Message(id, id, profile["_id"], "inapp", "outbound", "system", content, 1, utc_now(),
                      delivery=Delivery(f"inapp:{inbox['address']}"), metadata=metadata)  # fmt: skip
    await shop.writer.commit(Work(lambda _: Changes(messages=(message,))))


async def state(shop: Shop, id: str) -> str:
    found = await shop.store.get("messages", id)
    return str(found["delivery"]["state"]) if found else ""


async def test_a_banner_comes_live_takes_no_focus_and_is_seen(browser: Chromium, shop: Shop) -> None:
    page = await visit(browser, shop)
    await page.locator("#before").focus()
    await notify(shop, "m1")
    await expect(banner(page)).to_be_visible()
    await expect(banner(page).get_by_role("heading", name="Livraison offerte")).to_be_visible()
    assert await page.evaluate("document.activeElement.id") == "before"
    link = banner(page).get_by_role("link", name="Voir les lampes")
    assert await link.get_attribute("href") == "https://shop.example/lamps"
    await until(lambda: is_read(shop, "m1"), within_seconds=20)
    await page.reload()
    await expect(bubble(page)).to_be_visible()
    await bubble(page).click()
    await expect(page.locator("button.bell")).to_be_visible()  # it has looked, and it is in the list
    await page.keyboard.press("Escape")
    await expect(banner(page)).to_be_hidden()


async def is_read(shop: Shop, id: str) -> bool:
    return await state(shop, id) == "read"


async def test_the_keyboard_puts_a_banner_away_for_good(browser: Chromium, shop: Shop) -> None:
    page = await visit(browser, shop)
    await notify(shop, "m1")
    await expect(banner(page)).to_be_visible()
    away = banner(page).get_by_role("button", name="Retirer : Livraison offerte")
    await away.focus()
    await page.keyboard.press("Escape")
    await expect(banner(page)).to_be_hidden()
    await expect(bubble(page)).to_be_focused()
    await until(lambda: is_put_away(shop, "m1"), within_seconds=20)
    await page.reload()
    await bubble(page).click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await expect(page.locator("button.bell")).to_be_hidden()


async def is_put_away(shop: Shop, id: str) -> bool:
    found = await shop.store.get("messages", id)
    return bool(found and "dismissed" in found["delivery"]["times"])


async def test_the_urgent_banner_comes_first_and_one_at_a_time(browser: Chromium, shop: Shop) -> None:
    page = await visit(browser, shop)
    await shop.stop()
    await shop.start()
    await notify(shop, "m1", Content("d'abord", title="Urgent", banner=True), urgency="high")
    await expect(banner(page)).to_contain_text("Urgent")
    await notify(shop, "m2", Content("ensuite", title="Nouveau", banner=True))
    await until(lambda: is_read(shop, "m1"), within_seconds=20)
    await expect(banner(page)).to_contain_text("Urgent")
    await banner(page).get_by_role("button", name="Retirer : Urgent").click()
    await expect(banner(page)).to_contain_text("Nouveau")


async def test_the_list_shows_all_and_counts_what_is_new(browser: Chromium, shop: Shop) -> None:
    page = await visit(browser, shop, language="en")
    await notify(shop, "m1", Content("Your order is on its way.", title="Order 7"))
    await notify(shop, "m2", Content("<b>Thank you</b> https://shop.example/a"))
    await expect(bubble(page)).to_have_accessible_name("Open the chat, 2 unread messages")
    await expect(banner(page)).to_be_hidden()
    await bubble(page).click()
    bell = page.get_by_role("button", name="News, 2 unread")
    await expect(bell).to_be_visible()
    await bell.click()
    rows = page.locator("li.notice")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("<b>Thank you</b>")
    await expect(page.get_by_role("textbox")).to_be_hidden()
    await until(lambda: is_read(shop, "m1"), within_seconds=20)
    await rows.first.get_by_role("button", name="Put away").click()
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="News", exact=True).click()
    await expect(page.get_by_role("textbox")).to_be_visible()


async def test_a_choice_goes_on_in_the_conversation(browser: Chromium, shop: Shop) -> None:
    page = await visit(browser, shop)
    await notify(
        shop, "m1", Content("Une question ?", banner=True, buttons=(Button("quiet Parler", payload="/people"),))
    )
    await banner(page).get_by_role("button", name="quiet Parler").click()
    await expect(page.get_by_role("log")).to_contain_text("quiet Parler")
    await expect(banner(page)).to_be_hidden()


async def test_a_message_that_is_over_is_not_shown(browser: Chromium, shop: Shop) -> None:
    page = await visit(browser, shop)
    await notify(shop, "m1", Content("Trop tard", banner=True, expires_at=utc_now() - timedelta(seconds=1)))
    await notify(shop, "m2")
    await expect(banner(page)).to_contain_text("Livraison offerte")
    assert await state(shop, "m1") == "failed"


async def test_on_a_phone_the_banner_fits_and_nothing_runs_out_of_the_page(browser: Chromium, shop: Shop) -> None:
    page = await visit(browser, shop, viewport={"width": 360, "height": 640}, color_scheme="dark")
    long = Content("Un mot " + "très" * 40 + " long. " * 60, title="Une nouvelle " + "longue" * 12, banner=True)
    await notify(shop, "m1", long)
    await expect(banner(page)).to_be_visible()
    box = await banner(page).bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    assert box["y"] >= 0
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    away = await banner(page).get_by_role("button").bounding_box()
    assert away
    assert min(away["width"], away["height"]) >= 32


async def test_without_an_inbox_the_widget_asks_for_none(
    browser: Chromium, mongo_url: str, database_name: str, free_port: int
) -> None:
    async with open_shop(mongo_url, database_name, free_port) as plain:
        context = await browser.new_context()
        page = await context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{plain.url}/host")
        await bubble(page).click()
        await page.get_by_role("textbox").fill("quiet hello")
        await page.keyboard.press("Enter")
        await until(lambda: said(plain), within_seconds=20)
        await expect(page.get_by_role("log")).to_contain_text("Sent")
        assert not [url for url in asked if "/inapp/" in url]
