"""API keys in a real browser: made, copied and revoked without a mouse, and never shown a second time."""

import re
from typing import Any

import pytest
from playwright.async_api import Error, Page, expect

from admin.keys import create_key, every_key
from tests.admin.test_in_chromium import TOO_WIDE, Screens, screens

__all__ = ["screens"]

KEY = re.compile(r"ck_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}")


async def _of_admin(screens: Screens, **options: Any) -> Page:
    return await screens.of(await screens.office.agent(role="admin", is_away=True), "/settings", **options)


async def _makes(page: Page, name: str) -> str:
    """Make a key by the keyboard alone and return what is shown."""
    await page.locator("summary", has_text="New key").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.type(name)
    await page.get_by_label("Report events").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("API key", exact=True)).to_have_value(KEY)
    return await page.get_by_label("API key", exact=True).input_value()


async def test_a_key_is_made_copied_and_revoked_by_the_keyboard(screens: Screens) -> None:
    page = await _of_admin(screens)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.get_by_role("link", name="See the keys").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("API keys")
    shown = await _makes(page, "Till in Lyon")
    await expect(page.get_by_role("button", name="Copy")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".toast")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == shown
    await page.get_by_role("link", name="Till in Lyon").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".bar .chip")).to_have_text("Good")
    await page.locator("summary", has_text="Revoke this key").focus()
    for press in ("Enter", "Tab", "Enter"):  # without the tick the browser asks for it
        await page.keyboard.press(press)
    await expect(page.get_by_label("Yes, revoke it.")).to_be_focused()
    for press in ("Space", "Tab", "Enter"):
        await page.keyboard.press(press)
    await expect(page.locator(".saved")).to_contain_text("It is revoked.")
    await expect(page.locator(".bar .chip")).to_have_text("Revoked")
    (key,) = await every_key(screens.office.desk.store)
    assert key.revoked_at and key.created_by == "maya"


async def test_the_way_back_and_a_reload_show_no_key_again_and_make_none(screens: Screens) -> None:
    page = await _of_admin(screens)
    await page.goto(screens.office.base + "/keys")
    shown = await _makes(page, "Till")
    await page.reload()  # the form once more
    await expect(page.locator(".error")).to_contain_text("made already")
    assert shown not in await page.content()
    screens.complaints.clear()  # that answer is a 409
    await page.goto(screens.office.base + "/audit")
    with pytest.raises(Error, match="ERR_CACHE_MISS"):  # the browser asks first whether to send the form once more
        await page.go_back()
    assert len(await every_key(screens.office.desk.store)) == 1


async def test_a_page_that_the_browser_keeps_for_the_way_back_keeps_no_key(screens: Screens) -> None:
    page = await _of_admin(screens)
    await page.goto(screens.office.base + "/keys")
    await _makes(page, "Till")
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    await expect(page.get_by_label("API key", exact=True)).to_have_value("")


async def test_the_second_of_two_clicks_sends_nothing_so_that_the_answer_to_the_first_is_read(screens: Screens) -> None:
    page = await _of_admin(screens)
    await page.goto(screens.office.base + "/keys")
    await page.evaluate("window.held = []")
    await page.evaluate(
        "document.addEventListener('submit', (event) => { held.push(event.defaultPrevented); event.preventDefault(); })"
    )
    await page.locator("summary", has_text="New key").click()
    await page.get_by_role("textbox", name="Name").fill("Till")
    await page.get_by_role("button", name="Make the key").dblclick()
    assert await page.evaluate("held") == [False, True]
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    await page.get_by_role("button", name="Make the key").click()  # back on a page that the browser kept
    assert await page.evaluate("held") == [False, True, False]


async def test_who_has_no_clipboard_is_told_that_the_key_is_selected(screens: Screens) -> None:
    page = await _of_admin(screens)
    await page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', { value: undefined }); document.execCommand = () => false"
    )
    await page.goto(screens.office.base + "/keys")
    shown = await _makes(page, "Till")
    await page.keyboard.press("Enter")
    await expect(page.locator(".toast")).to_have_text("Selected: copy it by Ctrl and C.")
    assert await page.evaluate("document.getSelection().toString()") == shown


async def test_a_refused_form_has_the_focus_where_the_first_mistake_is(screens: Screens) -> None:
    page = await _of_admin(screens)
    await page.goto(screens.office.base + "/keys")
    await page.locator("summary", has_text="New key").click()
    await page.get_by_role("textbox", name="Name").fill("Till")
    await page.get_by_label("Ends after so many days").fill("soon")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("group", name="What it may do")).to_be_focused()
    await expect(page.get_by_role("group", name="What it may do")).to_have_accessible_description(
        "Choose at least one: a key that may do nothing opens nothing."
    )
    await expect(page.get_by_role("textbox", name="Name")).to_have_value("Till")
    await expect(page.get_by_label("Ends after so many days")).to_have_value("soon")
    screens.complaints.clear()  # the answer is a 422


@pytest.mark.parametrize("width", [360, 1440])
async def test_nothing_sticks_out_of_the_page_that_shows_a_key(screens: Screens, width: int) -> None:
    await create_key(screens.office.desk.store, "x" * 100, ["events:write"], now=screens.office.clock())
    page = await _of_admin(screens, viewport={"width": width, "height": 800})
    await page.goto(screens.office.base + "/keys")
    await _makes(page, "y" * 100)
    assert not await page.evaluate(TOO_WIDE)
    copy = await page.get_by_role("button", name="Copy").bounding_box()
    assert copy and copy["x"] + copy["width"] <= width - 16
