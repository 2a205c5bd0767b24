"""The widget while things break: a restart, no network, a dead socket, an absent database. Nothing is lost or said twice."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.channels.webchat_page import has_heard, log_of, open_chat, say, settled, texts_of, visit
from tests.channels.webchat_shop import Shop, open_shop
from tests.channels.webchat_wire import relay
from tests.waiting import until


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Shop]:
    async with open_shop(mongo_url, database_name, free_port) as running:
        yield running


@pytest.fixture
async def page(shop: Shop, context: BrowserContext) -> Page:
    return await visit(context, shop)


async def test_a_server_that_restarts_while_one_types_loses_and_doubles_nothing(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await say(page, "quiet before")
    await settled(page)
    await shop.stop()
    await say(page, "quiet during, one")
    await say(page, "quiet during, two")
    await expect(page.get_by_role("status")).to_have_text("Reconnecting…", timeout=6_000)
    await expect(log_of(page).locator(".pending")).to_have_count(2)
    await shop.start()
    await expect(log_of(page).locator(".pending")).to_have_count(0, timeout=20_000)
    await expect(page.get_by_role("status")).to_have_text("")
    await say(page, "quiet after")
    await settled(page)
    wanted = ["quiet before", "quiet during, one", "quiet during, two", "quiet after"]
    assert await texts_of(shop) == wanted
    assert await log_of(page).locator(".mine .bubble").all_text_contents() == wanted


async def test_a_short_restart_is_not_even_mentioned(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await say(page, "quiet before")
    await settled(page)
    await page.evaluate("""() => {
      const state = document.querySelector("causerie-chat").shadowRoot.querySelector(".state");
      window.spoken = [];
      const heard = new MutationObserver(() => window.spoken.push(state.textContent));
      heard.observe(state, { childList: true, characterData: true, subtree: true });
    }""")
    await shop.restart()
    await say(page, "quiet after")
    await settled(page)
    assert [text for text in await page.evaluate("window.spoken") if text] == []


async def test_words_that_were_not_sent_leave_from_the_next_page(
    shop: Shop, context: BrowserContext, page: Page
) -> None:
    await open_chat(page)
    await say(page, "quiet before")
    await settled(page)
    await shop.stop()
    await say(page, "quiet, and then the tab was closed")
    await expect(log_of(page).locator(".pending")).to_have_count(1)
    await page.close()
    await shop.start()
    assert await texts_of(shop) == ["quiet before"]
    again = await visit(context, shop)
    await until(lambda: has_heard(shop, 2))
    await open_chat(again)
    await expect(log_of(again)).to_contain_text("quiet, and then the tab was closed")


async def test_without_a_network_words_wait_and_leave_when_it_is_back(
    shop: Shop, context: BrowserContext, page: Page
) -> None:
    await open_chat(page)
    await say(page, "quiet before")
    await settled(page)
    await context.set_offline(True)
    await say(page, "quiet offline")
    await expect(page.get_by_role("status")).to_contain_text("You are offline.", timeout=6_000)
    await expect(log_of(page)).to_contain_text("Will be sent when you are back online")
    await context.set_offline(False)
    await settled(page)
    assert await texts_of(shop) == ["quiet before", "quiet offline"]


@pytest.mark.parametrize("direction", ["up", "down"])
async def test_a_laptop_that_slept_finds_its_dead_socket_and_says_it_once(
    mongo_url: str, database_name: str, free_port: int, context: BrowserContext, direction: str
) -> None:
    async with (
        relay(free_port) as network,
        open_shop(mongo_url, database_name, free_port, origins=(f"http://127.0.0.1:{network.port}",)) as shop,
    ):
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{network.port}/host")
        await open_chat(page)
        await say(page, "quiet before")
        await settled(page)
        network.mute(direction)  # up: it is swallowed on the way; down: it arrives, the ack does not
        await say(page, "quiet in the tunnel")
        await page.evaluate("window.dispatchEvent(new Event('online'))")
        await settled(page)
        await say(page, "quiet after")
        await settled(page)
        assert await texts_of(shop) == ["quiet before", "quiet in the tunnel", "quiet after"]
        await page.close()


async def test_a_database_that_is_away_keeps_the_words_until_it_is_back(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await say(page, "quiet before")
    await settled(page)
    shop.away = True
    await say(page, "quiet while away")
    await expect(log_of(page).locator(".pending")).to_have_count(1)
    shop.away = False
    await settled(page)
    assert await texts_of(shop) == ["quiet before", "quiet while away"]


async def test_a_message_that_the_server_can_not_take_is_given_up_and_others_go_on(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await say(page, "quiet before")
    await settled(page)
    shop.broken = True
    await say(page, "quiet poison")
    await expect(log_of(page)).to_contain_text("This could not be sent.", timeout=20_000)
    shop.broken = False
    await page.get_by_role("button", name="Try again").click()
    await expect(log_of(page)).not_to_contain_text("This could not be sent.")
    await settled(page)
    assert await texts_of(shop) == ["quiet before", "quiet poison"]


async def test_where_storage_is_forbidden_one_can_still_chat(shop: Shop, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })")
    await page.goto(f"{shop.url}/host")
    await open_chat(page)
    await say(page, "hello")
    await expect(log_of(page)).to_contain_text("You said: hello")
