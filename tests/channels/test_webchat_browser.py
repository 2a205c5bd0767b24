"""The widget in a real Chromium: people click twice, reload, lose the network, open two tabs, use only the keyboard."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Page, expect

from channels.webchat_tokens import new_address, visitor_token
from profiles.calendar import utc_now
from profiles.timeline import Attachment, Button, Content, Place
from tests.channels.test_webchat_kinds import png
from tests.channels.webchat_page import conversation_of, has_heard, log_of, open_chat, say, settled, texts_of, visit
from tests.channels.webchat_shop import Shop, open_shop
from tests.waiting import until


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Shop]:
    async with open_shop(mongo_url, database_name, free_port) as running:
        yield running


@pytest.fixture
async def page(shop: Shop, context: BrowserContext) -> Page:
    return await visit(context, shop)


# -- chatting


async def test_a_visitor_chats_and_what_they_write_stays_text(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await say(
        page,
        "<b onclick=alert(1)>bold</b> <img src=x onerror=alert(1)> see https://example.com/a_(b). Or javascript:alert(1)",
    )
    await expect(log_of(page)).to_contain_text("You said: <b onclick=alert(1)>bold</b>")
    assert await log_of(page).locator("b, img, script").count() == 0
    links = await log_of(page).locator("a").evaluate_all("links => links.map((a) => [a.href, a.rel, a.target])")
    assert links == [["https://example.com/a_(b)", "noopener noreferrer nofollow", "_blank"]] * 2
    await expect(log_of(page).locator(".row.pending")).to_have_count(0)


async def test_an_impatient_visitor_clicks_everything_twice_and_says_it_once(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await page.get_by_role("textbox").fill("menu")
    await page.get_by_role("button", name="Send", exact=True).dblclick()
    await page.get_by_role("button", name="Lamps").dblclick()
    await expect(log_of(page)).to_contain_text("You chose /lamps")
    await say(page, "quiet end")
    await settled(page)
    assert await texts_of(shop) == ["menu", "Lamps", "quiet end"]
    await expect(page.get_by_role("button", name="Lamps")).to_have_count(0)


async def test_a_button_pressed_in_two_tabs_at_once_is_said_once(
    shop: Shop, context: BrowserContext, page: Page
) -> None:
    await open_chat(page)
    await say(page, "menu")
    other = await visit(context, shop)
    await open_chat(other)
    lamps = [tab.get_by_role("button", name="Lamps") for tab in (page, other)]
    for button in lamps:
        await expect(button).to_be_visible()
        await button.evaluate("button => setTimeout(() => button.click(), 50)")
    for tab in (page, other):
        await expect(log_of(tab)).to_contain_text("You chose /lamps")
        await settled(tab)
    assert await texts_of(shop) == ["menu", "Lamps"]


async def test_a_reload_brings_everything_back_with_the_draft(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await say(page, "hello")
    await expect(log_of(page)).to_contain_text("You said: hello")
    await page.get_by_role("textbox").fill("half a sent")
    await page.reload()
    await expect(log_of(page)).to_contain_text("You said: hello")
    await expect(page.get_by_role("textbox")).to_have_value("half a sent")
    assert await log_of(page).locator(".mine .bubble").all_text_contents() == ["hello"]


async def test_what_is_typed_in_one_tab_appears_in_the_other(shop: Shop, context: BrowserContext, page: Page) -> None:
    await open_chat(page)
    await say(page, "quiet first")
    other = await visit(context, shop)
    await open_chat(other)
    await expect(log_of(other)).to_contain_text("quiet first")
    await say(other, "quiet second")
    await expect(log_of(page)).to_contain_text("quiet second")
    assert await log_of(page).locator(".mine .bubble").all_text_contents() == ["quiet first", "quiet second"]


async def test_an_agent_writes_is_seen_writing_and_has_seen(shop: Shop, page: Page) -> None:
    await shop.store.insert("agents", {"_id": "lea", "name": "Léa", "email": "lea@example.com"})
    await open_chat(page)
    await say(page, "quiet, is anybody there?")
    await expect(log_of(page)).to_contain_text("· Sent")
    conversation = await conversation_of(page)
    await shop.agent_takes(conversation)
    await expect(log_of(page)).to_contain_text("· Seen")
    shop.channel.typing(conversation, "Léa")
    await expect(page.locator(".dots")).to_be_visible()
    await expect(page.locator(".dots")).to_contain_text("Léa is writing…")
    wanted = Content(
        "Have a look",
        buttons=(Button("Catalogue", url="https://example.com/c"), Button("Trap", url="javascript:alert(1)")),
        place=Place(48.85, 2.35),
    )
    await shop.agent_says(conversation, wanted)
    await expect(log_of(page)).to_contain_text("Have a look")
    await expect(page.locator(".dots")).to_be_hidden()
    await expect(log_of(page).locator(".who").first).to_have_text("Léa")
    assert await page.get_by_role("link", name="Catalogue").get_attribute("rel") == "noopener noreferrer nofollow"
    assert await log_of(page).locator("[href^=javascript]").count() == 0


async def test_a_closed_panel_counts_what_is_unread_and_an_open_one_reads_it(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await say(page, "quiet")
    await settled(page)
    conversation = await conversation_of(page)
    await page.keyboard.press("Escape")
    for text in ("one", "two"):
        await shop.agent_says(conversation, text)
    bubble = page.get_by_role("button", name="Open the chat, 2 unread messages")
    await expect(bubble).to_be_visible()
    await page.reload()
    await expect(bubble).to_be_visible()
    await bubble.click()
    await expect(log_of(page)).to_contain_text("two")

    async def read() -> bool:
        found = await shop.store.get("conversations", conversation)
        return bool(found) and found.get("customer_read_seq") == 3

    await until(read)
    await page.keyboard.press("Escape")
    await page.reload()
    await expect(page.get_by_role("button", name="Open the chat", exact=True)).to_be_visible()


async def test_a_long_conversation_loads_as_one_scrolls_up(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await say(page, "quiet")
    await settled(page)
    conversation = await conversation_of(page)
    for number in range(120):
        await shop.agent_says(conversation, f"message {number}")
    await page.reload()
    await expect(log_of(page)).to_contain_text("message 119")
    await expect(log_of(page)).not_to_contain_text("message 20")
    for _ in range(2):
        before = await log_of(page).locator(".row").count()
        await log_of(page).evaluate("log => { log.scrollTop = 0 }")
        await expect(log_of(page).locator(".row")).not_to_have_count(before)
    await expect(log_of(page)).to_contain_text("message 0")
    rows = await log_of(page).locator(".theirs:not(.dots) .bubble").all_text_contents()
    assert rows == ["Hello! How can we help you?", *(f"message {number}" for number in range(120))]


async def test_a_french_mark_never_begins_a_line(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await say(page, "quiet : vraiment ? :) oui ; voir https://example.com/a ! « là »")
    await expect(log_of(page).get_by_role("link")).to_have_attribute("href", "https://example.com/a")
    shown = await log_of(page).locator(".mine .bubble").all_text_contents()
    assert shown == ["quiet\u00a0: vraiment\u202f? :) oui\u202f; voir https://example.com/a\u202f! «\u00a0là\u00a0»"]
    await settled(page)
    assert await texts_of(shop) == [
        "quiet : vraiment ? :) oui ; voir https://example.com/a ! « là »"
    ]  # as it was written


# -- files


async def test_a_picture_is_chosen_shown_sent_and_there_after_a_reload(shop: Shop, page: Page) -> None:
    await open_chat(page)
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Send a picture or a file").click()
    chooser = await choosing.value
    await chooser.set_files({"name": "cat.png", "mimeType": "image/png", "buffer": png(80, 60)})
    picture = log_of(page).get_by_role("img", name="cat.png")
    await expect(picture).to_be_visible()
    await settled(page)
    assert len(await shop.said()) == 1
    await page.reload()
    await expect(picture).to_be_visible()
    await until(lambda: picture.evaluate("image => image.complete"))
    assert await picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [80, 60]


async def test_a_pasted_picture_is_sent(shop: Shop, page: Page) -> None:
    await open_chat(page)
    paste = """(box, bytes) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], "shot.png", { type: "image/png" }));
      box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }"""
    await page.get_by_role("textbox").evaluate(paste, list(png(40, 40)))
    await expect(log_of(page).get_by_role("img", name="shot.png")).to_be_visible()
    await settled(page)
    await until(lambda: has_heard(shop, 1))


async def test_a_file_that_is_not_let_in_says_why(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await page.locator("input[type=file]").set_input_files(
        {"name": "x.svg", "mimeType": "image/svg+xml", "buffer": b"<svg onload='alert(1)'/>"}
    )
    await expect(log_of(page)).to_contain_text("This kind of file can not be sent.")
    assert await shop.said() == []


async def test_a_file_larger_than_this_server_takes_is_told_so_and_not_sent(
    mongo_url: str, database_name: str, free_port: int, context: BrowserContext
) -> None:
    async with open_shop(mongo_url, database_name, free_port, largest_file_megabytes=2) as shop:
        page, asked = await visit(context, shop), list[str]()
        page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
        await open_chat(page)
        large = {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-" + b"0" * 2_500_000}
        await page.locator("input[type=file]").set_input_files(large)  # type: ignore[arg-type]
        await expect(log_of(page)).to_contain_text("This file is too large: 2 MB at most.")
        assert asked == []
        await page.close()


async def test_what_is_too_long_says_by_how_much_and_stays_to_be_cut(shop: Shop, context: BrowserContext) -> None:
    page = await visit(context, shop, "fr")
    await open_chat(page)
    field, send = page.get_by_role("textbox"), page.get_by_role("button", name="Envoyer", exact=True)
    await field.fill("quiet " + "🦊" * 4_001)  # seven too many, whatever halves an emoji has
    told = "7 caractères de trop\N{NO-BREAK SPACE}: 4\N{NARROW NO-BREAK SPACE}000 au plus."
    await expect(page.locator(".over")).to_have_text(told)
    await expect(field).to_have_accessible_description(re.compile("7 caractères de trop"))
    await expect(send).to_be_disabled()
    await field.press("Enter")
    await expect(log_of(page).locator(".mine")).to_have_count(0)
    for _ in range(7):
        await field.press("Backspace")
    await expect(page.locator(".over")).to_be_empty()
    await field.press("Enter")
    await until(lambda: has_heard(shop, 1))
    assert await texts_of(shop) == ["quiet " + "🦊" * 3_994]


async def test_a_file_from_an_agent_can_be_opened(shop: Shop, page: Page) -> None:
    await open_chat(page)
    await say(page, "quiet")
    await settled(page)
    conversation = await conversation_of(page)
    await shop.store.insert(
        "files", {"_id": "A" * 26, "name": "b.pdf", "mime": "application/pdf", "size": 9, "bytes": b"%PDF-1.7 "}
    )
    attachment = Attachment("file", "b.pdf", "application/pdf", 9, file="A" * 26)
    await shop.agent_says(conversation, Content(attachments=(attachment,)))
    link = page.get_by_role("link", name="b.pdf")
    await expect(link).to_be_visible()
    answer = await page.request.get(str(await link.get_attribute("href")))
    assert await answer.body() == b"%PDF-1.7 "


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
    await say(page, "quiet, before I signed in")
    await settled(page)
    await page.get_by_role("button", name="Sign in as Anna").click()
    await until(lambda: _known(shop, "anna@example.com"))
    await expect(log_of(page)).to_contain_text("quiet, before I signed in")
    phone = await browser.new_context(viewport={"width": 360, "height": 740}, locale="fr-FR")
    other = await phone.new_page()
    await other.goto(f"{shop.url}/channels/webchat/demo")
    await other.get_by_role("button", name="Connexion (Anna)").click()
    await other.get_by_role("button", name="Posez-nous une question").click()
    await expect(log_of(other)).to_contain_text("quiet, before I signed in")
    await phone.close()
    await page.get_by_role("button", name="Sign out (Anna)").click()
    await expect(log_of(page)).not_to_contain_text("quiet, before I signed in")
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
    await say(page, "quiet, my secret")
    await settled(page)
    host = await visit(context, shop)  # the same site, where nobody signs Anna in
    await host.evaluate(
        "Object.keys(localStorage).filter((k) => k.endsWith(':identity')).forEach((k) => localStorage.removeItem(k))"
    )
    await page.close()
    await host.reload()
    await open_chat(host)
    await expect(host.get_by_role("dialog")).to_contain_text("Sign in on this site to go on with it.")
    await expect(host.get_by_role("dialog")).not_to_contain_text("my secret")
    await host.get_by_role("button", name="Start a new conversation").click()
    await say(host, "quiet, somebody else")
    await settled(host)
    conversations = {message["conversation"] for message in await shop.said()}
    assert len(conversations) == 2


async def _chats_tracked_as(address: str, shop: Shop, context: BrowserContext) -> str:
    """Return the conversation of a browser that the tracker gave this address before the chat was opened."""
    token = visitor_token(address, shop.channel._keys.own)
    page = await context.new_page()
    await page.add_init_script(f"localStorage.setItem('causerie:' + location.host + ':track', '{token}')")
    await page.goto(f"{shop.url}/host")
    await open_chat(page)
    await say(page, "quiet")
    await settled(page)
    return await conversation_of(page)


async def _known(shop: Shop, email: str) -> bool:
    return bool(await shop.store.find("profiles", {"identities.address": email}))
