"""What a screen reader and a keyboard find in the console: landmarks, headings, refusals, filters."""

import re
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from admin.keys import create_key
from profiles.snapshot import Changes, Snapshot, Work
from tests.admin.test_in_chromium import BORIS, CHAT, RIGHT_AWAY, Screens, screens
from tests.waiting import until

__all__ = ["screens"]

ODD = """(() => {
  const seen = (one) => one.checkVisibility({ visibilityProperty: true });
  const all = (what) => [...document.querySelectorAll(what)].filter(seen);
  const said = [];
  if (all("main").length !== 1) said.push(`${all("main").length} mains`);
  if (!all("h1").length) said.push("no h1");
  for (const skip of document.querySelectorAll(".skip")) {
    if (seen(skip) && !all(skip.getAttribute("href")).length) said.push(`${skip.hash} leads nowhere`);
  }
  const searches = all("[role=search]").map((one) => one.ariaLabel);
  if (new Set(searches).size < searches.length) said.push(`searches of one name: ${searches}`);
  said.push(...all("dl > div > :not(dt, dd)").map((one) => `${one.tagName} in a dl`));
  said.push(...all(":is(ol, ul) > :not(li), :is(ol, ul) > [role]").map((one) => `${one.tagName} ${one.role} in a list`));
  said.push(...all(":is(p, span, b)[aria-label]:not([role])").map((one) => `${one.className} is named`));
  return said;
})()"""
"""What no page has: told as words, for whoever breaks it."""


@pytest.mark.parametrize("width", [360, 1440])
async def test_every_page_has_its_landmarks_and_headings(screens: Screens, width: int) -> None:
    maya = await screens.office.agent(is_away=True, role="admin")
    await screens.office.says(CHAT, "Bonsoir")
    page = await screens.of(maya, "/inbox/all", viewport={"width": width, "height": 800})
    base = screens.office.base
    key = await create_key(screens.office.desk.store, "Till", ["events:write"], now=screens.office.clock())
    for path in ("/inbox/all", f"/inbox/all/{CHAT}", "/inbox/all/nobody:1", "/people", "/people/chloe", "/search?q=veste",
                 "/audit", "/canned", "/settings", "/keys", f"/keys/{key[3:11]}"):  # fmt: skip
        await page.goto(base + path)
        assert await page.evaluate(ODD) == [], path
    screens.complaints.clear()  # that nobody:1 is not there is a 404


async def test_on_a_phone_the_focus_follows_into_the_conversation_and_back(screens: Screens) -> None:
    maya = await screens.office.agent(is_away=True)
    page = await screens.of(maya, "/inbox/all", viewport={"width": 360, "height": 740})
    await page.locator(".row a").first.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".conversation h1")).to_be_focused(timeout=RIGHT_AWAY)
    await page.get_by_role("button", name="Back to the list").click()
    await expect(page.locator(".row a[aria-current]")).to_be_focused()


async def test_a_refusal_has_the_focus(screens: Screens) -> None:
    page = await screens.of(await screens.office.agent(is_away=True, role="admin"), "/settings")
    await page.get_by_label("Present password").fill("not the right one")
    await page.get_by_label("New password").fill("passwordpassword")
    await page.keyboard.press("Enter")
    await expect(page.locator("p.error")).to_have_text("The present password is not right.")
    await expect(page.locator("p.error")).to_be_focused()
    await page.goto(screens.office.base + "/people/chloe")
    await page.get_by_role("button", name="Add something").click()
    await page.locator("#attribute [name=name]").fill("version")
    await page.locator("#attribute [name=value]").fill("x")
    await page.keyboard.press("Enter")
    await expect(page.locator("#attribute .error")).to_be_focused()
    screens.complaints.clear()  # both answers are a 422


async def test_a_wrong_password_is_told_with_the_field_that_has_the_focus(screens: Screens) -> None:
    await screens.office.agent()
    page = await screens.of(None, "/sign-in")
    await page.get_by_label("E-mail address").fill("maya@example.org")
    await page.get_by_label("Password").fill("not the right one")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Password")).to_be_focused()
    await expect(page.get_by_label("Password")).to_have_accessible_description(
        "This e-mail address and password do not go together."
    )
    screens.complaints.clear()


async def test_a_filter_waits_for_its_button_while_the_keyboard_goes_through_it(screens: Screens) -> None:
    page = await screens.of(await screens.office.agent(is_away=True, role="admin"), "/audit")
    await page.locator("[name=by]").focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[name=by]")).to_have_value("maya")
    await expect(page.locator("[name=by]")).to_be_focused()
    assert "by=" not in page.url
    await page.get_by_role("button", name="Show").click()
    await expect(page).to_have_url(f"{screens.office.base}/audit?by=maya")


async def test_the_history_names_each_conversation_once(screens: Screens) -> None:
    page = await screens.of(await screens.office.agent(is_away=True), "/inbox/all")
    await page.locator(f'.row[data-id="{BORIS}"] a').click()
    await expect(page).to_have_title(re.compile(r"Boris Petit · All · Causerie$"))
    await page.locator(f'.row[data-id="{BORIS}"] a').click()
    await expect(page.locator(f'.row[data-id="{BORIS}"] a')).to_have_attribute("aria-current", "true")
    await page.locator(f'.row[data-id="{CHAT}"] a').click()
    await expect(page).to_have_title(re.compile(r"Chloé Rossi · All · Causerie$"))
    assert await page.evaluate("history.length") == 4, "a blank page, the list, and two conversations"


async def test_a_conversation_that_was_read_before_it_was_given_is_announced(screens: Screens) -> None:
    office = screens.office
    maya, samir = await office.agent(is_away=True), await office.agent("Samir Haddad", "supervisor", is_away=True)
    supervisor = await office.signed_in(samir)
    await supervisor.post(f"/conversations/{quote(BORIS)}/read", {"seq": 99})
    page = await screens.of(maya, "/inbox/mine")
    await until(lambda: office.desk.presence.agents())  # its ear is open
    await supervisor.post(f"/conversations/{quote(BORIS)}/assign", {"to": "maya"})
    await expect(page.locator(".toast")).to_contain_text("Boris Petit is yours now", timeout=RIGHT_AWAY)


async def test_who_chose_from_a_menu_with_the_keyboard_stays_in_the_head(screens: Screens) -> None:
    page = await screens.of(await screens.office.agent(is_away=True), "/inbox/mine/telegram%3A7003")
    await expect(page.locator("#snooze")).to_be_visible()
    await page.locator("#scroll").focus()
    await page.keyboard.press("s")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Reopen")).to_be_focused(timeout=RIGHT_AWAY)


async def test_at_200_percent_a_desk_still_shows_whose_conversation_it_is(screens: Screens) -> None:
    maya = await screens.office.agent(is_away=True, language="fr")
    page = await screens.of(maya, f"/inbox/all/{quote(BORIS)}", viewport={"width": 720, "height": 450})
    await expect(page.locator(".conversation h1")).to_have_text("Boris Petit")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await page.evaluate(
        "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('.head h1'))"
    )


async def test_a_link_that_stands_alone_is_as_high_as_a_finger_needs(screens: Screens) -> None:
    maya = await screens.office.agent(is_away=True, role="admin")
    caller = await screens.office.signed_in(maya)
    assert (await caller.post(f"/conversations/{quote(CHAT)}/resolve")).status == 200
    page = await screens.of(maya, "/audit")
    for path, link in (
        ("/audit", ".about a"), ("/settings/second-factor", "form a"), ("/inbox/all/nobody:1", ".nothing a"),
    ):  # fmt: skip
        await page.goto(screens.office.base + path)
        heights = await page.locator(link).evaluate_all("all => all.map((one) => one.getBoundingClientRect().height)")
        assert heights and min(heights) >= 24, (path, heights)
    screens.complaints.clear()  # that nobody:1 is not there is a 404


async def test_an_arabic_name_too_long_for_the_head_is_cut_at_its_end(screens: Screens) -> None:
    office = screens.office
    name = "محمد عبد الرحمن الفاروقي " * 4

    def call(snapshot: Snapshot) -> Changes:
        profile = snapshot.profiles["chloe"]
        named = profile.learn("first_name", name.strip(), source="declared", at=snapshot.now, by="agent:maya")
        return Changes(profiles=(named,))

    await office.do(Work(call, profiles=("chloe",)))
    page = await screens.of(
        await office.agent(is_away=True), f"/inbox/all/{CHAT}", viewport={"width": 360, "height": 740}
    )
    for where in (".conversation h1", f'.row[data-id="{CHAT}"] .row-name'):
        await expect(page.locator(where)).to_have_css("direction", "rtl")
        await expect(page.locator(where)).to_have_css("text-align", "left")
