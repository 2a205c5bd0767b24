"""How the widget looks and feels: keyboard, screen reader, phone, dark, two languages, and what it costs who never opens it."""

import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Page, expect

from tests.channels.test_webchat_kinds import png
from tests.channels.webchat_page import has_heard, log_of, open_chat, say, settled, visit
from tests.channels.webchat_shop import Shop, open_shop
from tests.waiting import until


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Shop]:
    async with open_shop(mongo_url, database_name, free_port) as running:
        yield running


@pytest.fixture
async def page(shop: Shop, context: BrowserContext) -> Page:
    return await visit(context, shop)


async def test_a_panel_that_covers_the_page_after_a_reload_has_the_focus(shop: Shop, page: Page) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    await open_chat(page)
    await expect(page.get_by_role("textbox")).to_be_focused()
    await page.reload()
    await expect(page.get_by_role("button", name="Close the chat")).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("textbox")).to_be_focused()


async def test_everything_can_be_done_with_the_keyboard(shop: Shop, page: Page) -> None:
    await expect(
        page.get_by_role("button", name="Open the chat")
    ).to_be_visible()  # before it stands, Tab leaves the page
    await page.get_by_role("button", name="Before").focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Write a message")).to_be_focused()
    await page.keyboard.type("menu")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.press("Backspace")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Opening hours")).to_be_visible()
    for _ in range(2):
        await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("button", name="Opening hours")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(log_of(page)).to_contain_text("You chose /hours")
    await page.get_by_role("textbox").focus()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.get_by_role("button", name="Open the chat")).to_be_focused()


async def test_a_screen_reader_hears_who_says_what(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await expect(log_of(page)).to_have_attribute("aria-live", "polite")
    await say(page, "hello")
    await expect(log_of(page)).to_contain_text("You said: hello")
    heard = re.sub(r"\s+", " ", await log_of(page).aria_snapshot())
    assert heard.index("You :") < heard.index("hello") < heard.index("Assistant :") < heard.index("You said: hello")
    await expect(page.get_by_role("dialog", name="Chat with us")).to_be_visible()


async def test_on_a_phone_the_panel_is_the_page_and_keeps_the_focus(shop: Shop, browser: Chromium) -> None:
    context = await browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    page = await visit(context, shop, "fr")
    await page.get_by_role("button", name="Ouvrir la discussion").tap()
    box = await page.get_by_role("dialog").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 360, "height": 740}
    await say(page, "un mot " + "trèslong" * 60)
    await expect(log_of(page)).to_contain_text("You said: un mot")
    assert await log_of(page).evaluate("log => log.scrollWidth <= log.clientWidth")
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    inside = """() => document.activeElement.tagName === "CAUSERIE-CHAT" """
    for _ in range(8):
        await page.keyboard.press("Tab")
        assert await page.evaluate(inside)
    await say(page, "menu")
    await expect(page.get_by_role("button", name="Lamps")).to_be_visible()
    small = await page.evaluate("""() => [...document.querySelector("causerie-chat").shadowRoot.querySelectorAll(".panel *")]
      .filter((one) => one.matches("button, textarea")).map((one) => [one.className, one.getBoundingClientRect()])
      .filter(([, r]) => r.width && Math.min(r.width, r.height) < 44).map(([name]) => name)""")
    assert small == [], "fingers need room"
    await context.close()


@pytest.mark.parametrize(
    ("language", "opens", "writes", "day"),
    [
        ("en", "Open the chat", "Write a message", "Today"),
        ("fr", "Ouvrir la discussion", "Écrivez un message", "Aujourd’hui"),
        ("fr-CA", "Ouvrir la discussion", "Écrivez un message", "Aujourd’hui"),
        ("de", "Open the chat", "Write a message", "Today"),
    ],
)
async def test_it_speaks_the_pages_language(
    shop: Shop, context: BrowserContext, language: str, opens: str, writes: str, day: str
) -> None:
    page = await visit(context, shop, language)
    await page.get_by_role("button", name=opens).click()
    await say(page, "quiet")
    await expect(page.get_by_role("textbox", name=writes)).to_be_visible()
    await expect(page.locator(".day")).to_have_text(day)


async def test_the_two_languages_have_the_same_sentences(shop: Shop, page: Page) -> None:
    version = (await (await page.request.get(f"{shop.url}/channels/webchat/widget.js")).text()).split("static/")[1][:12]
    keys = []
    for language in ("en", "fr"):
        answer = await page.request.get(f"{shop.url}/channels/webchat/static/{version}/locales/{language}.json")
        assert "immutable" in answer.headers["cache-control"]
        keys.append({name: type(value).__name__ for name, value in (await answer.json()).items()})
    assert keys[0] == keys[1]


async def test_dark_reduced_motion_and_the_shops_own_colour(shop: Shop, browser: Chromium) -> None:
    context = await browser.new_context(color_scheme="dark", reduced_motion="reduce")
    page = await visit(context, shop, "en", accent="#ffd400")
    await open_chat(page)
    style = """(selector) => {
      const node = document.querySelector("causerie-chat").shadowRoot.querySelector(selector);
      const { backgroundColor, color, animationName } = getComputedStyle(node);
      return [backgroundColor, color, animationName];
    }"""
    assert await page.evaluate(style, ".panel") == ["rgb(23, 25, 27)", "rgb(236, 236, 234)", "none"]
    assert (await page.evaluate(style, ".bubble-button"))[:2] == ["rgb(255, 212, 0)", "rgb(0, 0, 0)"]
    await context.close()


CONTRAST = """(selector) => {
  const node = document.querySelector("causerie-chat").shadowRoot.querySelector(selector);
  const light = (colour) => {
    const parts = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255);
    const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const panel = node.closest(".panel");
  const [low, high] = [getComputedStyle(node).color, getComputedStyle(panel).backgroundColor].map(light).sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""
"""What a choice's words have against the panel they stand on (WCAG 2.2, 1.4.3)."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("accent", ["", "#ffd400", "#101840", "#1f5d4c"])
async def test_choices_can_be_read_whatever_the_shops_colour(
    shop: Shop, browser: Chromium, scheme: str, accent: str
) -> None:
    context = await browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = await visit(context, shop, "en", accent=accent)
    await open_chat(page)
    await say(page, "menu")
    await expect(page.get_by_role("button", name="Lamps")).to_be_visible()
    assert await page.evaluate(CONTRAST, ".choice") >= 4.5
    await context.close()


async def test_what_a_page_says_of_all_its_elements_does_not_reach_the_chat(shop: Shop, page: Page) -> None:
    await expect(page.get_by_role("button", name="Open the chat")).to_be_visible()
    await page.add_style_tag(
        content="* { letter-spacing: 6px !important; text-transform: uppercase; word-spacing: 9px; text-align: right; "
        "line-height: 3 }"
        "body > * { position: relative; z-index: 1; opacity: 0.2; transform: rotate(3deg); filter: blur(1px) }"
        "body::after { content: ''; position: fixed; inset: 0; z-index: 2 }"
    )
    box = await page.locator(".bubble-button").bounding_box()
    size = page.viewport_size
    assert box and size and box["x"] + box["width"] == size["width"] - 20
    await open_chat(page)  # what the page lays over all its own lies under the chat
    said = """() => {
      const host = document.querySelector("causerie-chat");
      const { letterSpacing, textTransform, wordSpacing, textAlign } = getComputedStyle(host.shadowRoot.querySelector("h2"));
      return [letterSpacing, textTransform, wordSpacing, textAlign, getComputedStyle(host).opacity];
    }"""
    assert await page.evaluate(said) == ["-0.17px", "none", "0px", "start", "1"]


async def test_it_asks_no_other_server_and_works_under_a_strict_policy_on_another_origin(
    mongo_url: str, database_name: str, free_port: int, context: BrowserContext
) -> None:
    async def page_of_the_shop(request: web.Request) -> web.Response:
        server = f"http://127.0.0.1:{free_port}"
        policy = (
            f"default-src 'none'; script-src {server}; connect-src {server} ws://127.0.0.1:{free_port}; "
            f"img-src {server} blob:; require-trusted-types-for 'script'"
        )
        body = f'<!doctype html><html lang="en"><title>x</title><script src="{server}/channels/webchat/widget.js" defer></script>'
        return web.Response(text=body, content_type="text/html", headers={"Content-Security-Policy": policy})

    app = web.Application()
    app.router.add_get("/", page_of_the_shop)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with open_shop(mongo_url, database_name, free_port, origins=(f"http://127.0.0.1:{port}",)) as shop:
        asked, complaints = list[str](), list[str]()
        page = await context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"http://127.0.0.1:{port}/")
        await open_chat(page)
        await page.locator("input[type=file]").set_input_files(
            {"name": "cat.png", "mimeType": "image/png", "buffer": png(80, 60)}
        )
        await settled(page)
        await until(lambda: has_heard(shop, 1))
        await page.reload()
        picture = log_of(page).get_by_role("img", name="cat.png")
        await expect(picture).to_be_visible()
        await until(lambda: picture.evaluate("image => image.naturalWidth === 80"))
        allowed = (f"http://127.0.0.1:{port}/", shop.url, "blob:")
        assert [url for url in asked if not url.startswith(allowed)] == []
        assert [text for text in complaints if "favicon" not in text] == []
        await page.close()
    await runner.cleanup()


async def test_a_visitor_who_never_opens_the_chat_costs_nobody_a_socket(shop: Shop, page: Page) -> None:
    await expect(page.get_by_role("button", name="Open the chat")).to_be_visible()
    assert shop.channel.open_sockets() == 0
    assert await page.evaluate("Object.keys(localStorage)") == []
