"""The widget in a real Chromium: people click twice, reload, lose the network, open two tabs, use only the keyboard."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Page, expect

from channels.webchat_tokens import new_address, visitor_token
from profiles.calendar import utc_now
from profiles.timeline import Attachment, Button, Content, Place
from tests.channels.test_webchat_kinds import png
from tests.channels.webchat_shop import Shop, open_shop
from tests.channels.webchat_wire import relay
from tests.waiting import until


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Shop]:
    async with open_shop(mongo_url, database_name, free_port) as running:
        yield running


@pytest.fixture
async def context(browser: Chromium) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    yield context
    await context.close()


@pytest.fixture
async def page(shop: Shop, context: BrowserContext) -> Page:
    return await _visit(context, shop)


# -- chatting


async def test_a_visitor_chats_and_what_they_write_stays_text(shop: Shop, page: Page) -> None:
    await _open(page)
    await _say(
        page,
        "<b onclick=alert(1)>bold</b> <img src=x onerror=alert(1)> see https://example.com/a_(b). Or javascript:alert(1)",
    )
    await expect(_log(page)).to_contain_text("You said: <b onclick=alert(1)>bold</b>")
    assert await _log(page).locator("b, img, script").count() == 0
    links = await _log(page).locator("a").evaluate_all("links => links.map((a) => [a.href, a.rel, a.target])")
    assert links == [["https://example.com/a_(b)", "noopener noreferrer nofollow", "_blank"]] * 2
    await expect(_log(page).locator(".row.pending")).to_have_count(0)


async def test_an_impatient_visitor_clicks_everything_twice_and_says_it_once(shop: Shop, page: Page) -> None:
    await _open(page)
    await page.get_by_role("textbox").fill("menu")
    await page.get_by_role("button", name="Send", exact=True).dblclick()
    await page.get_by_role("button", name="Lamps").dblclick()
    await expect(_log(page)).to_contain_text("You chose /lamps")
    await _say(page, "quiet end")
    await _settled(page)
    assert await _texts(shop) == ["menu", "Lamps", "quiet end"]
    await expect(page.get_by_role("button", name="Lamps")).to_have_count(0)


async def test_a_button_pressed_in_two_tabs_at_once_is_said_once(
    shop: Shop, context: BrowserContext, page: Page
) -> None:
    await _open(page)
    await _say(page, "menu")
    other = await _visit(context, shop)
    await _open(other)
    lamps = [tab.get_by_role("button", name="Lamps") for tab in (page, other)]
    for button in lamps:
        await expect(button).to_be_visible()
        await button.evaluate("button => setTimeout(() => button.click(), 50)")
    for tab in (page, other):
        await expect(_log(tab)).to_contain_text("You chose /lamps")
        await _settled(tab)
    assert await _texts(shop) == ["menu", "Lamps"]


async def test_a_reload_brings_everything_back_with_the_draft(shop: Shop, page: Page) -> None:
    await _open(page)
    await _say(page, "hello")
    await expect(_log(page)).to_contain_text("You said: hello")
    await page.get_by_role("textbox").fill("half a sent")
    await page.reload()
    await expect(_log(page)).to_contain_text("You said: hello")
    await expect(page.get_by_role("textbox")).to_have_value("half a sent")
    assert await _log(page).locator(".mine .bubble").all_text_contents() == ["hello"]


async def test_what_is_typed_in_one_tab_appears_in_the_other(shop: Shop, context: BrowserContext, page: Page) -> None:
    await _open(page)
    await _say(page, "quiet first")
    other = await _visit(context, shop)
    await _open(other)
    await expect(_log(other)).to_contain_text("quiet first")
    await _say(other, "quiet second")
    await expect(_log(page)).to_contain_text("quiet second")
    assert await _log(page).locator(".mine .bubble").all_text_contents() == ["quiet first", "quiet second"]


async def test_an_agent_writes_is_seen_writing_and_has_seen(shop: Shop, page: Page) -> None:
    await shop.store.insert("agents", {"_id": "lea", "name": "Léa", "email": "lea@example.com"})
    await _open(page)
    await _say(page, "quiet, is anybody there?")
    await expect(_log(page)).to_contain_text("· Sent")
    conversation = await _conversation(page)
    await shop.agent_takes(conversation)
    await expect(_log(page)).to_contain_text("· Seen")
    shop.channel.typing(conversation, "Léa")
    await expect(page.locator(".dots")).to_be_visible()
    await expect(page.locator(".dots")).to_contain_text("Léa is writing…")
    wanted = Content(
        "Have a look",
        buttons=(Button("Catalogue", url="https://example.com/c"), Button("Trap", url="javascript:alert(1)")),
        place=Place(48.85, 2.35),
    )
    await shop.agent_says(conversation, wanted)
    await expect(_log(page)).to_contain_text("Have a look")
    await expect(page.locator(".dots")).to_be_hidden()
    await expect(_log(page).locator(".who").first).to_have_text("Léa")
    assert await page.get_by_role("link", name="Catalogue").get_attribute("rel") == "noopener noreferrer nofollow"
    assert await _log(page).locator("[href^=javascript]").count() == 0


async def test_a_closed_panel_counts_what_is_unread_and_an_open_one_reads_it(shop: Shop, page: Page) -> None:
    await _open(page)
    await _say(page, "quiet")
    await _settled(page)
    conversation = await _conversation(page)
    await page.keyboard.press("Escape")
    for text in ("one", "two"):
        await shop.agent_says(conversation, text)
    bubble = page.get_by_role("button", name="Open the chat, 2 unread messages")
    await expect(bubble).to_be_visible()
    await page.reload()
    await expect(bubble).to_be_visible()
    await bubble.click()
    await expect(_log(page)).to_contain_text("two")

    async def read() -> bool:
        found = await shop.store.get("conversations", conversation)
        return bool(found) and found.get("customer_read_seq") == 3

    await until(read)
    await page.keyboard.press("Escape")
    await page.reload()
    await expect(page.get_by_role("button", name="Open the chat", exact=True)).to_be_visible()


async def test_a_long_conversation_loads_as_one_scrolls_up(shop: Shop, page: Page) -> None:
    await _open(page)
    await _say(page, "quiet")
    await _settled(page)
    conversation = await _conversation(page)
    for number in range(120):
        await shop.agent_says(conversation, f"message {number}")
    await page.reload()
    await expect(_log(page)).to_contain_text("message 119")
    await expect(_log(page)).not_to_contain_text("message 20")
    for _ in range(2):
        before = await _log(page).locator(".row").count()
        await _log(page).evaluate("log => { log.scrollTop = 0 }")
        await expect(_log(page).locator(".row")).not_to_have_count(before)
    await expect(_log(page)).to_contain_text("message 0")
    rows = await _log(page).locator(".theirs:not(.dots) .bubble").all_text_contents()
    assert rows == ["Hello! How can we help you?", *(f"message {number}" for number in range(120))]


async def test_a_french_mark_never_begins_a_line(shop: Shop, page: Page) -> None:
    await _open(page)
    await _say(page, "quiet : vraiment ? :) oui ; voir https://example.com/a ! « là »")
    await expect(_log(page).get_by_role("link")).to_have_attribute("href", "https://example.com/a")
    shown = await _log(page).locator(".mine .bubble").all_text_contents()
    assert shown == ["quiet\u00a0: vraiment\u202f? :) oui\u202f; voir https://example.com/a\u202f! «\u00a0là\u00a0»"]
    assert await _texts(shop) == [
        "quiet : vraiment ? :) oui ; voir https://example.com/a ! « là »"
    ]  # as it was written


# -- files


async def test_a_picture_is_chosen_shown_sent_and_there_after_a_reload(shop: Shop, page: Page) -> None:
    await _open(page)
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Send a picture or a file").click()
    chooser = await choosing.value
    await chooser.set_files({"name": "cat.png", "mimeType": "image/png", "buffer": png(80, 60)})
    picture = _log(page).get_by_role("img", name="cat.png")
    await expect(picture).to_be_visible()
    await _settled(page)
    assert len(await shop.said()) == 1
    await page.reload()
    await expect(picture).to_be_visible()
    assert await picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [80, 60]


async def test_a_pasted_picture_is_sent(shop: Shop, page: Page) -> None:
    await _open(page)
    paste = """(box, bytes) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], "shot.png", { type: "image/png" }));
      box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }"""
    await page.get_by_role("textbox").evaluate(paste, list(png(40, 40)))
    await expect(_log(page).get_by_role("img", name="shot.png")).to_be_visible()
    await _settled(page)
    await until(lambda: _count(shop, 1))


async def test_a_file_that_is_not_let_in_says_why(shop: Shop, page: Page) -> None:
    await _open(page)
    await page.locator("input[type=file]").set_input_files(
        {"name": "x.svg", "mimeType": "image/svg+xml", "buffer": b"<svg onload='alert(1)'/>"}
    )
    await expect(_log(page)).to_contain_text("This kind of file can not be sent.")
    assert await shop.said() == []


async def test_a_file_from_an_agent_can_be_opened(shop: Shop, page: Page) -> None:
    await _open(page)
    await _say(page, "quiet")
    await _settled(page)
    conversation = await _conversation(page)
    await shop.store.insert(
        "files", {"_id": "A" * 26, "name": "b.pdf", "mime": "application/pdf", "size": 9, "bytes": b"%PDF-1.7 "}
    )
    attachment = Attachment("file", "b.pdf", "application/pdf", 9, file="A" * 26)
    await shop.agent_says(conversation, Content(attachments=(attachment,)))
    link = page.get_by_role("link", name="b.pdf")
    await expect(link).to_be_visible()
    answer = await page.request.get(str(await link.get_attribute("href")))
    assert await answer.body() == b"%PDF-1.7 "


# -- when things break


async def test_a_server_that_restarts_while_one_types_loses_and_doubles_nothing(shop: Shop, page: Page) -> None:
    await _open(page)
    await _say(page, "quiet before")
    await _settled(page)
    await shop.stop()
    await _say(page, "quiet during, one")
    await _say(page, "quiet during, two")
    await expect(page.get_by_role("status")).to_have_text("Reconnecting…", timeout=6_000)
    await expect(_log(page).locator(".pending")).to_have_count(2)
    await shop.start()
    await expect(_log(page).locator(".pending")).to_have_count(0, timeout=20_000)
    await expect(page.get_by_role("status")).to_have_text("")
    await _say(page, "quiet after")
    await _settled(page)
    wanted = ["quiet before", "quiet during, one", "quiet during, two", "quiet after"]
    assert await _texts(shop) == wanted
    assert await _log(page).locator(".mine .bubble").all_text_contents() == wanted


async def test_a_short_restart_is_not_even_mentioned(shop: Shop, page: Page) -> None:
    await _open(page)
    await _say(page, "quiet before")
    await _settled(page)
    await page.evaluate("""() => {
      const state = document.querySelector("causerie-chat").shadowRoot.querySelector(".state");
      window.spoken = [];
      const heard = new MutationObserver(() => window.spoken.push(state.textContent));
      heard.observe(state, { childList: true, characterData: true, subtree: true });
    }""")
    await shop.restart()
    await _say(page, "quiet after")
    await _settled(page)
    assert [text for text in await page.evaluate("window.spoken") if text] == []


async def test_words_that_were_not_sent_leave_from_the_next_page(
    shop: Shop, context: BrowserContext, page: Page
) -> None:
    await _open(page)
    await _say(page, "quiet before")
    await _settled(page)
    await shop.stop()
    await _say(page, "quiet, and then the tab was closed")
    await expect(_log(page).locator(".pending")).to_have_count(1)
    await page.close()
    await shop.start()
    assert await _texts(shop) == ["quiet before"]
    again = await _visit(context, shop)
    await until(lambda: _count(shop, 2))
    await _open(again)
    await expect(_log(again)).to_contain_text("quiet, and then the tab was closed")


async def test_without_a_network_words_wait_and_leave_when_it_is_back(
    shop: Shop, context: BrowserContext, page: Page
) -> None:
    await _open(page)
    await _say(page, "quiet before")
    await _settled(page)
    await context.set_offline(True)
    await _say(page, "quiet offline")
    await expect(page.get_by_role("status")).to_contain_text("You are offline.", timeout=6_000)
    await expect(_log(page)).to_contain_text("Will be sent when you are back online")
    await context.set_offline(False)
    await _settled(page)
    assert await _texts(shop) == ["quiet before", "quiet offline"]


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
        await _open(page)
        await _say(page, "quiet before")
        await _settled(page)
        network.mute(direction)  # up: it is swallowed on the way; down: it arrives, the ack does not
        await _say(page, "quiet in the tunnel")
        await page.evaluate("window.dispatchEvent(new Event('online'))")
        await _settled(page)
        await _say(page, "quiet after")
        await _settled(page)
        assert await _texts(shop) == ["quiet before", "quiet in the tunnel", "quiet after"]
        await page.close()


async def test_a_database_that_is_away_keeps_the_words_until_it_is_back(shop: Shop, page: Page) -> None:
    await _open(page)
    await _say(page, "quiet before")
    await _settled(page)
    shop.away = True
    await _say(page, "quiet while away")
    await expect(_log(page).locator(".pending")).to_have_count(1)
    shop.away = False
    await _settled(page)
    assert await _texts(shop) == ["quiet before", "quiet while away"]


async def test_a_message_that_the_server_can_not_take_is_given_up_and_others_go_on(shop: Shop, page: Page) -> None:
    await _open(page)
    await _say(page, "quiet before")
    await _settled(page)
    shop.broken = True
    await _say(page, "quiet poison")
    await expect(_log(page)).to_contain_text("This could not be sent.", timeout=20_000)
    shop.broken = False
    await page.get_by_role("button", name="Try again").click()
    await expect(_log(page)).not_to_contain_text("This could not be sent.")
    await _settled(page)
    assert await _texts(shop) == ["quiet before", "quiet poison"]


async def test_where_storage_is_forbidden_one_can_still_chat(shop: Shop, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })")
    await page.goto(f"{shop.url}/host")
    await _open(page)
    await _say(page, "hello")
    await expect(_log(page)).to_contain_text("You said: hello")


# -- who one is


async def test_whom_the_tracker_saw_first_chats_as_the_same_visitor(shop: Shop, context: BrowserContext) -> None:
    address = new_address()
    assert await _chats_tracked_as(address, shop, context) == f"webchat:{address}"


async def test_whom_the_tracker_knows_as_a_person_chats_apart_when_nobody_signs_them_in(
    shop: Shop, context: BrowserContext
) -> None:
    address = new_address()
    await shop.store.insert("visitors", {"_id": address, "subject": "anna", "bound_at": utc_now()})
    assert await _chats_tracked_as(address, shop, context) != f"webchat:{address}"


async def test_anna_signs_in_reads_her_conversation_everywhere_and_signs_out(
    shop: Shop, browser: Chromium, context: BrowserContext
) -> None:
    page = await context.new_page()
    await page.goto(f"{shop.url}/channels/webchat/demo/en")
    await page.get_by_role("button", name="Ask us anything").click()
    await _say(page, "quiet, before I signed in")
    await _settled(page)
    await page.get_by_role("button", name="Sign in as Anna").click()
    await until(lambda: _known(shop, "anna@example.com"))
    await expect(_log(page)).to_contain_text("quiet, before I signed in")
    phone = await browser.new_context(viewport={"width": 360, "height": 740}, locale="fr-FR")
    other = await phone.new_page()
    await other.goto(f"{shop.url}/channels/webchat/demo")
    await other.get_by_role("button", name="Connexion (Anna)").click()
    await other.get_by_role("button", name="Posez-nous une question").click()
    await expect(_log(other)).to_contain_text("quiet, before I signed in")
    await phone.close()
    await page.get_by_role("button", name="Sign out (Anna)").click()
    await expect(_log(page)).not_to_contain_text("quiet, before I signed in")
    kept = await page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('causerie:'))")
    assert kept == [], "after signing out this browser knows nobody"
    assert len(await shop.store.find("profiles", {"merged_into": {"$exists": False}})) == 1


async def test_a_person_who_is_not_signed_in_any_more_is_asked_to_or_begins_anew(
    shop: Shop, context: BrowserContext
) -> None:
    page = await context.new_page()
    await page.goto(f"{shop.url}/channels/webchat/demo/en")
    await page.get_by_role("button", name="Sign in as Anna").click()
    await page.get_by_role("button", name="Ask us anything").click()
    await _say(page, "quiet, my secret")
    await _settled(page)
    host = await _visit(context, shop)  # the same site, where nobody signs Anna in
    await host.evaluate(
        "Object.keys(localStorage).filter((k) => k.endsWith(':identity')).forEach((k) => localStorage.removeItem(k))"
    )
    await page.close()
    await host.reload()
    await _open(host)
    await expect(host.get_by_role("dialog")).to_contain_text("Sign in on this site to go on with it.")
    await expect(host.get_by_role("dialog")).not_to_contain_text("my secret")
    await host.get_by_role("button", name="Start a new conversation").click()
    await _say(host, "quiet, somebody else")
    await _settled(host)
    conversations = {message["conversation"] for message in await shop.said()}
    assert len(conversations) == 2


# -- how it looks and feels


async def test_a_panel_that_covers_the_page_after_a_reload_has_the_focus(shop: Shop, page: Page) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    await _open(page)
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
    await expect(_log(page)).to_contain_text("You chose /hours")
    await page.get_by_role("textbox").focus()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.get_by_role("button", name="Open the chat")).to_be_focused()


async def test_a_screen_reader_hears_who_says_what(shop: Shop, page: Page) -> None:
    await _open(page)
    await expect(_log(page)).to_have_attribute("aria-live", "polite")
    await _say(page, "hello")
    await expect(_log(page)).to_contain_text("You said: hello")
    heard = re.sub(r"\s+", " ", await _log(page).aria_snapshot())
    assert heard.index("You :") < heard.index("hello") < heard.index("Assistant :") < heard.index("You said: hello")
    await expect(page.get_by_role("dialog", name="Chat with us")).to_be_visible()


async def test_on_a_phone_the_panel_is_the_page_and_keeps_the_focus(shop: Shop, browser: Chromium) -> None:
    context = await browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    page = await _visit(context, shop, "fr")
    await page.get_by_role("button", name="Ouvrir la discussion").tap()
    box = await page.get_by_role("dialog").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 360, "height": 740}
    await _say(page, "un mot " + "trèslong" * 60)
    await expect(_log(page)).to_contain_text("You said: un mot")
    assert await _log(page).evaluate("log => log.scrollWidth <= log.clientWidth")
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    inside = """() => document.activeElement.tagName === "CAUSERIE-CHAT" """
    for _ in range(8):
        await page.keyboard.press("Tab")
        assert await page.evaluate(inside)
    small = await page.evaluate("""() => [...document.querySelector("causerie-chat").shadowRoot.querySelectorAll(".panel button")]
      .map((b) => b.getBoundingClientRect()).filter((r) => r.width && Math.min(r.width, r.height) < 34).length""")
    assert small == 0, "fingers need room"
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
    page = await _visit(context, shop, language)
    await page.get_by_role("button", name=opens).click()
    await _say(page, "quiet")
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
    page = await _visit(context, shop, "en", accent="#ffd400")
    await _open(page)
    style = """(selector) => {
      const node = document.querySelector("causerie-chat").shadowRoot.querySelector(selector);
      const { backgroundColor, color, animationName } = getComputedStyle(node);
      return [backgroundColor, color, animationName];
    }"""
    assert await page.evaluate(style, ".panel") == ["rgb(23, 25, 27)", "rgb(236, 236, 234)", "none"]
    assert (await page.evaluate(style, ".bubble-button"))[:2] == ["rgb(255, 212, 0)", "rgb(0, 0, 0)"]
    await context.close()


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
        await _open(page)
        await page.locator("input[type=file]").set_input_files(
            {"name": "cat.png", "mimeType": "image/png", "buffer": png(80, 60)}
        )
        await _settled(page)
        await until(lambda: _count(shop, 1))
        await page.reload()
        picture = _log(page).get_by_role("img", name="cat.png")
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


async def _chats_tracked_as(address: str, shop: Shop, context: BrowserContext) -> str:
    """Return the conversation of a browser that the tracker gave this address before the chat was opened."""
    token = visitor_token(address, shop.channel._keys.own)
    page = await context.new_page()
    await page.add_init_script(f"localStorage.setItem('causerie:' + location.host + ':track', '{token}')")
    await page.goto(f"{shop.url}/host")
    await _open(page)
    await _say(page, "quiet")
    await _settled(page)
    return await _conversation(page)


async def _visit(context: BrowserContext, shop: Shop, language: str = "en", **more: str) -> Page:
    page = await context.new_page()
    query = "".join(f"&{name}={value.replace('#', '%23')}" for name, value in more.items())
    await page.goto(f"{shop.url}/host?lang={language}{query}")
    return page


async def _open(page: Page) -> None:
    await page.get_by_role("button", name=re.compile("Open the chat|Ouvrir la discussion")).click()


def _log(page: Page) -> Any:
    return page.get_by_role("log")


async def _say(page: Page, text: str) -> None:
    """Type and send, and return when the words stand in the log: before that nothing is pending yet."""
    await page.get_by_role("textbox").fill(text)
    await page.get_by_role("textbox").press("Enter")
    await expect(_log(page).locator(".mine").filter(has_text=text).last).to_be_visible()


async def _settled(page: Page) -> None:
    """Return when all that was said is confirmed."""
    await expect(_log(page).locator(".mine").last).to_be_visible()
    await expect(_log(page).locator(".pending")).to_have_count(0, timeout=20_000)


async def _conversation(page: Page) -> str:
    address = await page.evaluate(
        "JSON.parse(localStorage.getItem(Object.keys(localStorage).find((key) => key.endsWith(':visitor')))).address"
    )
    return f"webchat:{address}"


async def _texts(shop: Shop) -> list[str]:
    return [message["content"]["text"] for message in await shop.said()]


async def _count(shop: Shop, count: int) -> bool:
    return len(await shop.said()) == count


async def _known(shop: Shop, email: str) -> bool:
    return bool(await shop.store.find("profiles", {"identities.address": email}))
