"""What an agent has begun to write is never lost, and a note never becomes a reply: in a real Chromium."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, Route, expect

from admin import sessions
from admin.agents import Agent
from profiles.profile import Suppression
from profiles.record import replace
from profiles.snapshot import Changes, Snapshot, Work
from tests.admin.office import PASSWORD, Office
from tests.admin.test_in_chromium import BORIS, CHAT, Screens
from tests.chromium import browsing

HERS, OTHER = "/inbox/all/telegram%3A7003", "twilio:+33600000002"
ANNAS = "/inbox/all/webchat%3Aa1b2c3d4e5f6a7b8"


@pytest.fixture
async def screens(shop: Office) -> AsyncIterator[Screens]:
    async with browsing() as program:
        yield Screens(program, shop)


async def test_a_note_that_was_begun_is_a_note_when_one_comes_back(screens: Screens) -> None:
    page = await _opened(screens, await screens.office.agent(is_away=True))
    await page.get_by_role("tab", name="Note").click()
    await page.get_by_label("Your message").fill("à ne pas dire au client")
    await _turn_to(page, OTHER)
    await expect(page.get_by_role("tab", name="Reply")).to_have_attribute("aria-selected", "true")
    await _turn_to(page, CHAT)
    await expect(page.get_by_label("Your message")).to_have_value("à ne pas dire au client")
    await expect(page.get_by_role("tab", name="Note")).to_have_attribute("aria-selected", "true")
    await page.reload()
    await expect(page.get_by_label("Your message")).to_have_value("à ne pas dire au client")
    await expect(page.get_by_role("tab", name="Note")).to_have_attribute("aria-selected", "true")


async def test_a_session_that_ends_in_the_middle_of_a_reply_takes_no_word_of_it(screens: Screens) -> None:
    maya = await screens.office.agent(is_away=True)
    page = await _opened(screens, maya)
    await page.get_by_label("Your message").fill("une longue réponse")
    await sessions.revoke(screens.office.desk, maya.id)
    await page.keyboard.press("Control+Enter")
    await page.get_by_label("E-mail address").fill(maya.email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    field = page.get_by_label("Your message")
    await expect(field).to_have_value("une longue réponse")
    await field.press("Control+Enter")
    await expect(page.locator(".said.out:not(.waiting)").last).to_contain_text("une longue réponse")
    await page.reload()
    await expect(field).to_have_value("")
    await field.fill("à moi seule")
    await page.locator(".rail-end summary").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Password")).to_be_visible()
    assert await page.evaluate("sessionStorage.length") == 0


async def test_a_reply_whose_answer_never_came_is_said_once_after_two_reloads(screens: Screens) -> None:
    page = await _opened(screens, await screens.office.agent(is_away=True))
    arrived = asyncio.Event()

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        arrived.set()

    await page.route("**/reply", lose_the_answer)
    field = page.get_by_label("Your message")
    await field.fill("Votre colis part demain.")
    await field.press("Control+Enter")
    await arrived.wait()
    for _ in range(2):
        await page.reload()
        await expect(field).to_have_value("Votre colis part demain.")
    await page.unroute_all()
    async with page.expect_response("**/reply"):
        await field.press("Control+Enter")
    await expect(page.locator(".said.out:not(.waiting)", has_text="Votre colis part demain.")).to_have_count(1)
    assert await screens.office.desk.store.count("messages", {"content.text": "Votre colis part demain."}) == 1


async def test_a_file_goes_to_the_conversation_it_was_chosen_in(screens: Screens) -> None:
    page = await _opened(screens, await screens.office.agent(is_away=True))
    held: list[Route] = []
    await page.route("**/files", lambda route: held.append(route))
    await page.locator("#file").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"})
    async with page.expect_response("**/files"):
        await _turn_to(page, "webchat:a1b2c3d4e5f6a7b8")
        await held[0].continue_()
    await expect(page.locator("#files li")).to_have_count(0)
    await _turn_to(page, CHAT)
    await expect(page.locator("#files li")).to_contain_text("a.txt")


async def test_the_keys_go_on_past_somebody_who_may_not_be_written_to(screens: Screens) -> None:
    def stop(snapshot: Snapshot) -> Changes:
        profile = snapshot.profiles["chloe"]
        identity = profile.identity(CHAT)
        assert identity
        banned = replace(identity, suppression=Suppression("opted_out", snapshot.now))
        return Changes(profiles=(profile.with_identity(banned),))

    await screens.office.do(Work(stop, profiles=("chloe",)))
    page = await _opened(screens, await screens.office.agent(is_away=True))
    await expect(page.get_by_role("tab", name="Note")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("j")
    await expect(page.locator(".conversation")).not_to_have_attribute("data-id", CHAT)


async def test_who_presses_a_key_in_the_head_goes_on_there_and_sees_who_answers(screens: Screens) -> None:
    office = screens.office
    page = await _opened(screens, await office.agent(is_away=True), ANNAS)
    await page.locator(".head .primary[data-act=take]").press("Enter")
    await expect(page.locator(".head .primary[data-act=resolve]")).to_be_focused()
    await expect(page.locator("#hint")).to_be_empty()
    samir = await office.signed_in(await office.agent("Samir Haddad", is_away=True))
    await samir.post("/conversations/webchat%3Aa1b2c3d4e5f6a7b8/take")
    await expect(page.locator("#hint")).to_have_text("Samir Haddad answers. Your reply takes over.")
    await samir.post("/conversations/webchat%3Aa1b2c3d4e5f6a7b8/give-back")
    await expect(page.locator("#hint")).to_have_text("The bot answers. Your reply takes over.")
    await expect(page.locator(".head .primary[data-act=take]")).to_be_focused()


async def test_on_a_slow_line_the_conversation_shown_is_the_last_one_chosen(screens: Screens) -> None:
    page = await _opened(screens, await screens.office.agent(is_away=True), ANNAS)
    held: list[Route] = []
    await page.route("**/conversations/telegram%3A7003", lambda route: held.append(route))
    await page.locator(f'.row[data-id="{CHAT}"] a').click()
    await _turn_to(page, OTHER)
    async with page.expect_response("**/conversations/telegram%3A7003"):
        await held[0].continue_()
    await page.get_by_label("Your message").fill("pour Boris")
    await expect(page.locator(".conversation")).to_have_attribute("data-id", OTHER)
    assert page.url.endswith("twilio%3A%2B33600000002")
    await page.unroute_all()
    await page.route("**/conversations/telegram%3A7003", lambda route: route.abort())
    await page.locator(f'.row[data-id="{CHAT}"] a').click()
    await expect(page.locator("div.toast")).to_contain_text("server")
    assert page.url.endswith("twilio%3A%2B33600000002")


async def test_a_snooze_waits_until_its_time_is_whole(screens: Screens) -> None:
    page = await _opened(screens, await screens.office.agent(is_away=True))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/snooze") else None)
    await page.keyboard.press("s")
    field = page.get_by_label("Another time")
    for until in ("2050-01-01T14:03", "2050-01-01T14:30"):  # as it stands while the minutes are typed
        await field.fill(until)
    await field.press("Enter")
    await expect(page.locator("#head")).to_contain_text("14:30")
    assert len(asked) == 1


async def test_an_open_menu_stays_open_while_the_page_catches_up(screens: Screens) -> None:
    page = await _opened(screens, await screens.office.agent(is_away=True))
    held, address = list[Route](), page.url
    await page.goto("about:blank")  # what the page before asked for is not held
    await page.route("**/head", lambda route: held.append(route))
    async with page.expect_request("**/head"):
        await page.goto(address)
    await page.locator("#snooze summary").click()
    async with page.expect_response("**/head"):
        await held[0].continue_()
    await page.get_by_label("Another time").fill("2050-01-01T14:30")
    await page.evaluate("new Promise((done) => setTimeout(() => requestAnimationFrame(done)))")
    await expect(page.get_by_label("Another time")).to_have_value("2050-01-01T14:30")
    await expect(page.get_by_label("Another time")).to_be_visible()


async def test_news_about_a_contact_takes_nothing_away_that_is_being_typed(screens: Screens) -> None:
    office = screens.office
    page = await _opened(screens, await office.agent(is_away=True), "/people/boris")
    loaded: list[Route] = []
    await page.route("**/people/boris", lambda route: loaded.append(route))
    await page.get_by_role("button", name="Add something").click()
    await page.locator("#attribute [name=name]").fill("shoe_size")
    other = await office.signed_in(await office.agent("Samir Haddad", is_away=True))
    for text in ("et ceci", "et encore ceci"):  # by the second the page has heard of the city
        await office.says(BORIS, text)
        await expect(page.locator(".said.in").last).to_contain_text(text)
        assert (await other.post("/people/boris/attributes", {"name": "city", "value": text})).status == 200
    await expect(page.locator("#attribute [name=name]")).to_have_value("shoe_size")
    assert loaded == []


async def _opened(screens: Screens, agent: Agent, path: str = HERS) -> Page:
    """Return a page with an open conversation whose script listens: it draws the dividers as it starts."""
    page = await screens.of(agent, path)
    await expect(page.locator("#timeline .divider").first).to_be_attached()
    return page


async def _turn_to(page: Page, id: str) -> None:
    await page.locator(f'.row[data-id="{id}"] a').click()
    await expect(page.locator(f'.conversation[data-id="{id}"]')).to_be_visible()


async def test_the_arrows_turn_between_reply_and_note_and_stay_on_the_tabs(screens: Screens) -> None:
    page = await _opened(screens, await screens.office.agent(is_away=True))
    reply, note = page.get_by_role("tab", name="Reply"), page.get_by_role("tab", name="Note")
    writing = page.get_by_role("tabpanel")
    await expect(writing).to_have_accessible_name("Reply")
    await reply.focus()
    for key, chosen, other in (("ArrowRight", note, reply), ("ArrowRight", reply, note), ("ArrowLeft", note, reply),
                               ("Home", reply, note), ("End", note, reply)):  # fmt: skip
        await page.keyboard.press(key)
        await expect(chosen).to_be_focused()
        await expect(chosen).to_have_attribute("aria-selected", "true")
        await expect(other).to_have_attribute("tabindex", "-1")
    await expect(writing).to_have_accessible_name("Note")
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Your message")).to_be_focused()
