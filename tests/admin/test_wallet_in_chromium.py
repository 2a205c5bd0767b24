"""The page of cards in a real browser: it fits a narrow phone, shows the card in its own colours, day and night, and downloads."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.admin.test_wallet import IPHONE, Page, opened_page
from tests.channels.wallet_device import opened
from tests.channels.wallet_stage import hall
from tests.chromium import browsing


@pytest.fixture
async def chrome() -> AsyncIterator[Browser]:
    async with browsing() as program:
        yield program


@pytest.fixture
async def page(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Page]:
    async with hall(mongo_url, database_name, free_port) as shop, opened_page(shop) as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phone_of_360_pixels_shows_the_card_and_one_button(page: Page, chrome: Browser, scheme: str) -> None:
    await page.shop.learn(first_name="Anne-Charlotte-Victoire", last_name="de Montmorency-Beaumont-Lafayette")
    await page.shop.keep(card="welcome_offer")
    context = await chrome.new_context(
        viewport={"width": 360, "height": 740}, user_agent=IPHONE, color_scheme=scheme  # type: ignore[arg-type]
    )  # fmt: skip
    tab = await context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    await tab.goto(page.link())
    await expect(tab.get_by_role("heading", name="Vos cartes")).to_be_visible()
    await expect(tab.get_by_role("link", name="Ajouter à Apple Wallet")).to_have_count(2)
    await expect(tab.locator(".pass-loyalty")).to_have_css("background-color", "rgb(31, 111, 92)")
    await expect(tab.locator(".pass-welcome_offer")).to_have_css("background-color", "rgb(122, 59, 46)")
    assert await tab.evaluate("document.documentElement.scrollWidth") == 360
    assert complaints == [], "the page's own rules let all of it in"
    async with tab.expect_download() as coming:
        await tab.locator("a[href$='/loyalty.pkpass']").click()
    download = await coming.value
    assert download.suggested_filename == "loyalty.pkpass"
    assert "pass.json" in opened((await download.path()).read_bytes())
    await context.close()


async def test_a_computer_shows_a_code_and_speaks_english_when_asked(page: Page, chrome: Browser) -> None:
    tab = await chrome.new_page(viewport={"width": 1440, "height": 900})
    await tab.goto(page.link())
    await expect(tab.get_by_role("img", name="Code QR de cette page")).to_be_visible()
    await tab.get_by_role("link", name="English").click()
    await expect(tab.get_by_role("heading", name="Your cards")).to_be_visible()
    await expect(tab.get_by_role("link", name="Add to Apple Wallet")).to_be_visible()
    await tab.close()
