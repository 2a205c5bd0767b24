"""The widget on a shop's page, as whoever has it before them uses it."""

import re
from typing import Any

from playwright.async_api import BrowserContext, Page, expect

from tests.channels.webchat_shop import Shop


async def visit(context: BrowserContext, shop: Shop, language: str = "en", **more: str) -> Page:
    """Open the shop's page with the widget on it."""
    page = await context.new_page()
    query = "".join(f"&{name}={value.replace('#', '%23')}" for name, value in more.items())
    await page.goto(f"{shop.url}/host?lang={language}{query}")
    return page


async def open_chat(page: Page) -> None:
    """Press the button of the closed chat."""
    await page.get_by_role("button", name=re.compile("Open the chat|Ouvrir la discussion")).click()


def log_of(page: Page) -> Any:
    """Return the list of what was said."""
    return page.get_by_role("log")


async def say(page: Page, text: str) -> None:
    """Type and send, and return when the words stand in the log: before that nothing is pending yet."""
    await page.get_by_role("textbox").fill(text)
    await page.get_by_role("textbox").press("Enter")
    await expect(log_of(page).locator(".mine").filter(has_text=text).last).to_be_visible()


async def settled(page: Page) -> None:
    """Return when all that was said is confirmed."""
    await expect(log_of(page).locator(".mine").last).to_be_visible()
    await expect(log_of(page).locator(".pending")).to_have_count(0, timeout=20_000)


async def conversation_of(page: Page) -> str:
    """Return the conversation of this browser."""
    address = await page.evaluate(
        "JSON.parse(localStorage.getItem(Object.keys(localStorage).find((key) => key.endsWith(':visitor')))).address"
    )
    return f"webchat:{address}"


async def texts_of(shop: Shop) -> list[str]:
    """Return what is kept of all that was said."""
    return [message["content"]["text"] for message in await shop.said()]


async def has_heard(shop: Shop, count: int) -> bool:
    """Return whether so many messages are kept."""
    return len(await shop.said()) == count
