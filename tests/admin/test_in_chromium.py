"""The console in a real browser: what an agent sees and does, live, by keyboard, on a phone, and through a restart."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from admin import invitations
from admin.agents import Agent
from admin.keys import SCOPES, create_key
from profiles import gsm
from profiles.append import begin, heard
from profiles.conversation import Handover, hand_over
from profiles.gsm_advice import spaced
from profiles.snapshot import Changes, Snapshot, Work
from profiles.timeline import Content
from tests.admin.office import PASSWORD, Office, close_office, open_office, person, seed
from tests.chromium import browsing
from tests.waiting import until

CHAT, ANNA, BORIS = "telegram:7003", "webchat:a1b2c3d4e5f6a7b8", "twilio:+33600000002"
DEAF = """(() => {
  const Real = WebSocket;
  window.isDeaf = true;
  window.WebSocket = class {
    static OPEN = 1;
    constructor(address) {
      if (!window.isDeaf) return new Real(address);
      this.readyState = 3;
      setTimeout(() => this.onclose?.(), 0);
    }
  };
})()"""
"""Every new WebSocket of the page is lost at once, until window.isDeaf is false."""
TOO_WIDE = (
    "[document.documentElement, ...document.querySelectorAll('main')].some((one) => one.scrollWidth > innerWidth)"
)
RIGHT_AWAY = 8_000  # ms; what is live comes in some 200, but the machine may be busy


@dataclass
class Screens:
    """Pages of one browser program; each agent gets a profile of their own, and every complaint of a page is kept."""

    browser: Browser
    office: Office
    complaints: list[str] = field(default_factory=list)

    async def of(self, agent: Agent | None, path: str = "/", **options: Any) -> Page:
        chosen = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", **options}
        context = await self.browser.new_context(**chosen)
        if agent:
            caller = await self.office.signed_in(agent)
            cookie = next(iter(caller.http.cookie_jar))
            await context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.office.base}])
        page = await context.new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"a dialog opened: {dialog.message}"))
        await page.goto(self.office.base + path)
        return page


@pytest.fixture
async def screens(shop: Office) -> AsyncIterator[Screens]:
    async with browsing() as program:
        made = Screens(program, shop)
        yield made
        assert made.complaints == []


async def test_from_the_first_link_to_the_first_answer(screens: Screens) -> None:
    link = await invitations.first_link(screens.office.desk)
    page = await screens.of(None, str(link).partition("/console")[2])
    await page.get_by_label("Your name").fill("Maya Lindqvist")
    await page.get_by_label("E-mail address").fill("maya@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Come in").click()
    # the queue gives her what waits as soon as she is here
    await expect(page.locator(".row")).to_contain_text("Anna Martin", timeout=RIGHT_AWAY)
    await page.locator(".row a").click()
    await expect(page.locator(".summary")).to_contain_text("Commande : A-1042")
    await page.get_by_label("Your message").fill("Bonjour Anna, je regarde.")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".said.out:not(.waiting)")).to_contain_text("Bonjour Anna, je regarde.")
    await page.get_by_role("button", name="Resolve").first.click()
    await expect(page.locator("#head")).to_contain_text("Resolved")
    await expect(page.locator('[data-count="mine"]')).to_be_hidden(timeout=RIGHT_AWAY)


async def test_what_happens_shows_by_itself_and_as_text(screens: Screens) -> None:
    office = screens.office
    maya = await office.agent(is_away=True)
    page = await screens.of(maya, "/inbox/mine/telegram%3A7003")
    await office.says(CHAT, "<img src=x onerror=alert(1)> <b>Bonsoir</b>")
    await expect(page.locator(".said.in").last).to_have_text(re.compile("<b>Bonsoir</b>"), timeout=RIGHT_AWAY)
    await expect(page.locator(".row .badge")).to_be_hidden(timeout=RIGHT_AWAY)  # it is open and looked at: read
    await expect(page.locator(".timeline img")).to_have_count(0)

    def hand(snapshot: Snapshot) -> Changes:
        given = hand_over(snapshot.conversations[BORIS], Handover("asked", snapshot.now, "Veut un humain."))
        return Changes(conversations=(given,))

    await office.do(Work(hand, conversations=(BORIS,)))
    await expect(page.locator(".toast")).to_contain_text("Boris Petit waits for a person", timeout=RIGHT_AWAY)
    await expect(page.locator('[data-count="unassigned"]')).to_have_text("2", timeout=RIGHT_AWAY)
    await expect(page).to_have_title(re.compile(r"^\(2\) "))


async def test_two_agents_see_each_other_and_the_conversation_change_hands(screens: Screens) -> None:
    maya, samir = await screens.office.agent(is_away=True), await screens.office.agent("Samir Haddad", is_away=True)
    hers = await screens.of(maya, "/inbox/mine/telegram%3A7003")
    his = await screens.of(samir, "/inbox/all/telegram%3A7003")
    await expect(hers.locator("#looking")).to_contain_text("Samir Haddad looks at this too", timeout=RIGHT_AWAY)
    await his.get_by_label("Your message").fill("Je pr")
    await expect(hers.locator("#looking")).to_contain_text("Samir Haddad is writing", timeout=RIGHT_AWAY)
    await expect(his.locator("#hint")).to_contain_text("Maya Lindqvist answers. Your reply takes over.")
    await his.locator(".head [data-act=take]").click()
    await expect(hers.locator("#head")).to_contain_text("Samir Haddad answers", timeout=RIGHT_AWAY)
    await hers.locator("#assign summary").click()
    await hers.locator("#assign").get_by_role("button", name="Maya Lindqvist").click()
    await expect(his.locator("#head")).to_contain_text("Maya Lindqvist answers", timeout=RIGHT_AWAY)
    await expect(hers.locator("#present [title^=Samir]")).to_be_visible()


async def test_a_day_of_work_by_keyboard_alone(screens: Screens) -> None:
    page = await screens.of(await screens.office.agent(is_away=True), "/inbox/all")
    await page.keyboard.press("j")
    await expect(page.locator(".conversation")).to_be_visible()
    first = re.compile(str(await page.locator(".conversation").get_attribute("data-id")).replace("+", "[+]"))
    await page.keyboard.press("j")
    await expect(page.locator(".conversation")).not_to_have_attribute("data-id", first)
    await page.keyboard.press("k")
    await expect(page.locator(".conversation")).to_have_attribute("data-id", first)
    await page.keyboard.press("n")
    await page.keyboard.type("une note")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".said.note").last).to_contain_text("une note")
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await page.keyboard.type("une réponse")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".said.out:not(.waiting)").last).to_contain_text("une réponse")
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("a")
    await expect(page.locator("#assign .menu-items")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    await expect(page.locator("#head")).to_contain_text("Resolved")
    await page.keyboard.press("/")
    await page.keyboard.type("veste")
    await page.keyboard.press("Enter")
    await expect(page.locator(".lines").last).to_contain_text("Chloé Rossi")


async def test_a_restart_loses_and_doubles_nothing(mongo_url: str, database_name: str, free_port: int) -> None:
    office = await open_office(mongo_url, database_name, port=free_port)
    await seed(office)
    maya = await office.agent(is_away=True)
    async with browsing() as program:
        screens = Screens(program, office)
        page = await screens.of(maya, "/inbox/mine/telegram%3A7003")
        await expect(page.locator(".conversation")).to_be_visible()
        await close_office(office)
        await page.get_by_label("Your message").fill("écrit pendant la coupure")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".said.waiting")).to_be_visible()
        # the first answers after a restart may be refusals: the database elects
        refused = {"/timeline": 1, "/rows/": 1}
        await page.route("**/console/**", lambda route: _refuse(route, refused))
        office = await open_office(mongo_url, database_name, port=free_port)
        await office.says(CHAT, "dit pendant la coupure")
        await expect(page.locator(".said.in").last).to_contain_text("dit pendant la coupure", timeout=20_000)
        await expect(page.locator(".said.out:not(.waiting)").last).to_contain_text(
            "écrit pendant la coupure", timeout=20_000
        )
        await expect(page.locator(".said.waiting")).to_have_count(0)
        await until(lambda: not any(refused.values()))  # the rows may be asked for a little later than the timeline
        await office.says(CHAT, "et en direct")
        await expect(page.locator(".said.in").last).to_contain_text("et en direct", timeout=RIGHT_AWAY)
        ids = await page.eval_on_selector_all("[data-seq]", "all => all.map((one) => one.dataset.id)")
        assert len(ids) == len(set(ids))
    assert await office.desk.store.count("messages", {"content.text": "écrit pendant la coupure"}) == 1
    await close_office(office)


async def test_a_reply_that_arrives_before_the_page_hears_again_hides_nothing(
    mongo_url: str, database_name: str, free_port: int
) -> None:
    office = await open_office(mongo_url, database_name, port=free_port)
    await seed(office)
    maya = await office.agent(is_away=True)
    async with browsing() as program:
        page = await Screens(program, office).of(maya, "/inbox/mine/telegram%3A7003")
        await expect(page.locator("#looking")).to_be_attached()
        await page.evaluate(DEAF)
        await close_office(office)
        office = await open_office(mongo_url, database_name, port=free_port)
        await office.says(CHAT, "dit pendant la coupure")
        await page.get_by_label("Your message").fill("écrit juste après")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".said.out:not(.waiting)").last).to_contain_text("écrit juste après")
        await expect(page.locator(".said.in").last).not_to_contain_text("dit pendant la coupure")
        await page.evaluate("window.isDeaf = false; dispatchEvent(new Event('online'))")
        await expect(page.locator(".said.in").last).to_contain_text("dit pendant la coupure", timeout=RIGHT_AWAY)
    await close_office(office)


async def test_a_reply_that_came_back_unsent_keeps_its_name(shop: Office) -> None:
    maya, names = await shop.agent(is_away=True), []

    async def lose(route: Route) -> None:
        names.append(route.request.post_data_json["id"])
        await route.abort()

    async with browsing() as program:
        page = await Screens(program, shop).of(maya, "/inbox/mine/telegram%3A7003")
        await page.clock.install()
        await page.route("**/reply", lose)
        field = page.get_by_label("Your message")
        await field.fill("dit une fois")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".said.waiting")).to_be_visible()
        for _ in range(40):  # more than a minute of the page's own clock
            if await field.input_value():
                break
            await page.clock.run_for(5_000)
        await expect(field).to_have_value("dit une fois")
        await page.unroute("**/reply")
        async with page.expect_request("**/reply") as asked:
            await page.keyboard.press("Control+Enter")
        assert {(await asked.value).post_data_json["id"]} == set(names) and len(names) > 5
        await expect(page.locator(".said.out:not(.waiting)").last).to_contain_text("dit une fois")


async def test_canned_replies_are_filled_in_and_colleagues_mentioned(screens: Screens) -> None:
    maya = await screens.office.agent(role="supervisor", signature="Maya, Atelier Nord", is_away=True)
    samir = await screens.office.agent("Samir Haddad", is_away=True)
    page = await screens.of(maya, "/canned")
    await page.get_by_text("New canned reply").click()
    await page.get_by_label("Shortcut").first.fill("été")
    await page.get_by_label("Text").first.fill("Merci {{first_name}} !\n{{signature}}")
    await page.get_by_role("button", name="Save").first.click()
    await page.goto(screens.office.base + "/inbox/mine/telegram%3A7003")
    await page.get_by_label("Your message").press_sequentially("/et")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Your message")).to_have_value("Merci Chloé !\nMaya, Atelier Nord")
    his = await screens.of(samir, "/inbox/all")
    await page.get_by_role("tab", name="Note").click()
    await page.get_by_label("Your message").fill("")
    await page.get_by_label("Your message").press_sequentially("@sam")
    await page.keyboard.press("Tab")
    await page.keyboard.type("regarde")
    await page.keyboard.press("Control+Enter")
    await expect(his.locator('[data-count="mentions"]')).to_have_text("1", timeout=RIGHT_AWAY)


async def test_on_a_phone_the_panes_are_pages(screens: Screens) -> None:
    maya = await screens.office.agent(language="fr", is_away=True)
    page = await screens.of(maya, "/inbox/mine", viewport={"width": 360, "height": 740}, has_touch=True)
    await page.locator(".row a").click()
    await expect(page.locator(".list")).to_be_hidden()
    await page.get_by_label("Votre message").fill("Bonjour")
    await page.get_by_role("button", name="Envoyer").click()
    await expect(page.locator(".said.out").last).to_contain_text("Bonjour")
    await page.locator(".head details.menu summary").last.click()
    await page.get_by_role("button", name="Contact", exact=True).click()
    await expect(page.locator(".panel")).to_be_in_viewport()
    await page.locator("[data-act=close-panel]").click()
    await page.get_by_role("button", name="Retour à la liste").click()
    await expect(page.locator(".list")).to_be_visible()
    await page.get_by_role("button", name="Menu").click()
    await page.get_by_role("link", name="Non assignées").click()
    await expect(page.locator("h1")).to_have_text("Non assignées")
    for path in ("/inbox/all", "/inbox/all/telegram%3A7003", "/people", "/canned", "/settings", "/search?q=veste"):
        await page.goto(screens.office.base + path)
        assert not await page.evaluate(TOO_WIDE), path


async def test_long_names_widen_no_page_of_a_phone(screens: Screens) -> None:
    maya = await screens.office.agent("Maya Wolfeschlegelsteinhausenbergerdorff-Longuevillemaison", role="admin")
    caller = await screens.office.signed_in(maya)
    await caller.post("/people/chloe/attributes", {"name": "x" * 60, "value": "y" * 300})
    key = await create_key(screens.office.desk.store, "x" * 100, list(SCOPES), now=screens.office.clock(), by=maya.id)
    page = await screens.of(maya, "/audit", viewport={"width": 360, "height": 740})
    for path in ("/audit", "/team", "/people", "/people/chloe", "/inbox/all/telegram%3A7003", "/settings", "/keys",
                 f"/keys/{key[3:11]}"):  # fmt: skip
        await page.goto(screens.office.base + path)
        assert not await page.evaluate(TOO_WIDE), path


async def test_contacts_are_merged_after_a_look_and_parted_again(screens: Screens) -> None:
    page = await screens.of(await screens.office.agent(is_away=True), "/inbox/mine/telegram%3A7003")
    await page.locator(".panel-merge [data-act=merge]").click()
    await page.locator("#merge-find input").fill("anna")
    await page.locator(".candidates button").click()
    await expect(page.locator(".merge-two")).to_contain_text("anna.martin@example.org")
    await expect(page.locator("#merge").get_by_role("button", name="Choose another")).to_be_focused()
    await page.locator("[data-act=do-merge]").click()
    await expect(page.locator(".identities").first).to_contain_text("anna.martin@example.org")
    await expect(page.locator("#timeline")).to_contain_text("Ma commande A-1042")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".identities").first).not_to_contain_text("anna.martin@example.org")


async def test_an_attribute_is_added_and_what_is_wrong_is_said(screens: Screens) -> None:
    page = await screens.of(await screens.office.agent(is_away=True), "/inbox/mine/telegram%3A7003")
    await page.get_by_role("button", name="Add something").click()
    await page.locator("#attribute [name=name]").fill("version")
    await page.locator("#attribute [name=value]").fill("9")
    await page.locator("#attribute .primary").click()
    await expect(page.locator("#attribute .error")).to_have_text("This name is reserved.")
    screens.complaints.clear()  # the browser notes every answer that is not 2xx
    await page.locator("#attribute [name=name]").fill("city")
    await page.locator("#attribute [name=value]").fill("Lyon")
    await page.locator("#attribute .primary").click()
    await expect(page.locator(".attributes")).to_contain_text("Lyon")


async def test_what_an_sms_will_cost_is_counted_as_the_channel_counts(screens: Screens) -> None:
    page = await screens.of(await screens.office.agent(is_away=True), "/inbox/all/twilio%3A%2B33600000002")
    texts = ["a", "a" * 160, "a" * 161, "é" * 306, "é" * 307, "ê" * 70, "ê" * 71, "€" * 80, "€" * 81, "😀" * 35, "😀" * 36,
             "a" * 152 + "€" + "b" * 10, "x" * 66 + "😀" + "ê" * 10, "\n" * 200, "L’été\u202f! 5\u00a0€ " * 9]  # fmt: skip
    for text in texts:
        await page.get_by_label("Your message").fill(text)
        await expect(page.locator("#counter")).to_have_text(f"{gsm.count(spaced(text))} SMS")


async def test_a_long_list_loads_on_while_scrolling_and_keeps_its_place(screens: Screens) -> None:
    office = screens.office
    at = office.clock()
    many = []
    for number in range(100):
        id = f"telegram:m{number:03}"
        profile = person(f"m{number:03}", f"Person {number}", at, ("telegram", f"m{number:03}"))
        thread = begin(id, profile, channel="telegram", address=f"m{number:03}", identity=id, now=at)
        thread, message = heard(thread, Content("hello"), id=id, now=at)
        many.append(Changes((profile,), (thread,), {id: profile.id}, messages=(message,)))
    await office.commit(*many)
    page = await screens.of(await office.agent(is_away=True), "/inbox/all")
    rows = page.locator(".row")
    await expect(rows).to_have_count(40)
    for wanted in (80, 104):
        await page.eval_on_selector("#rows", "list => list.scrollTo(0, list.scrollHeight)")
        await expect(rows).to_have_count(wanted)
    ids = await page.eval_on_selector_all(".row", "all => all.map((one) => one.dataset.id)")
    assert len(ids) == len(set(ids)) == 104


async def _refuse(route: Route, left: dict[str, int]) -> None:
    """Answer 503 to so many requests for what has these words in its address."""
    part = next((one for one in left if one in route.request.url and left[one]), None)
    if part is None:
        return await route.continue_()
    left[part] -= 1
    return await route.fulfill(status=503)
