"""The rule book in a real browser: a marketer copies a rule, breaks it, reads the error, mends it, previews it and sets it live."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.async_api import Page, expect

from channels.channel import Channel
from rules.policy import Reach, Reaches
from tests.admin.market import CART, happens, live_in, sent_to
from tests.admin.office import Office
from tests.admin.test_in_chromium import Screens
from tests.admin.test_rule_files import Mailing
from tests.chromium import browsing


@pytest.fixture
async def screens(market: Office) -> AsyncIterator[Screens]:
    """A browser at a shop with a rule book; a page that complained fails the test."""
    async with browsing() as program:
        made = Screens(program, market)
        yield made
        # a browser complains of every answer that refuses, also of those that the page expects
        assert [said for said in made.complaints if "status of 422" not in said and "status of 409" not in said] == []


async def of_marketer(screens: Screens, path: str) -> Page:
    return await screens.of(await screens.office.agent(role="marketer"), path)


async def test_from_a_copy_to_a_live_rule_by_a_mistake_on_the_way(screens: Screens, tmp_path: Path) -> None:
    await live_in(screens.office, "chloe", "FR")
    page = await of_marketer(screens, "/rules")
    await page.get_by_role("link", name="New rule").click()
    await page.get_by_label("Name of the new rule").fill("spring")
    await page.locator(".kind", has_text="Bring back a cart").click()
    await page.get_by_role("button", name="Make it").click()
    field = page.get_by_label("Text of spring.yml")
    await expect(field).to_have_value(re.compile("rule: spring\nabout"))
    await expect(page.locator("#verdict")).to_have_text("No mistakes.")
    text = await field.input_value()
    await field.fill(text.replace("wait: 1h", "wait: often"))
    await expect(page.locator("#verdict")).to_have_text("1 mistake")
    await expect(page.locator(".editor-marks mark")).to_have_text("often")
    await expect(page.locator("#mistakes")).to_contain_text("expected a length")
    await page.locator("#mistakes button").click()
    assert "often" not in (tmp_path / "spring.yml").read_text(encoding="utf-8")
    await page.get_by_role("button", name="Save").click()  # refused, nothing written
    await expect(page.locator("#verdict")).to_have_text("1 mistake")
    await field.fill(text.replace("wait: 1h", "wait: 2h"))
    await expect(page.locator("#sentences")).to_contain_text("Wait 2 hours.")
    await page.keyboard.press("Control+s")
    await expect(page.locator("#saved-state")).to_have_text("Saved, and used at once.")
    assert "wait: 2h" in (tmp_path / "spring.yml").read_text(encoding="utf-8")
    await page.get_by_role("button", name="Preview").click()
    await expect(page.locator("#preview")).to_contain_text("1 contact")
    await expect(page.locator("#preview .letter").first).to_contain_text("Bonjour Chloé")
    await page.locator(".back a").click()
    await expect(page.locator(".tree-box.is-send:visible")).to_have_count(2)
    await page.get_by_role("button", name="Set live").click()
    await expect(page.locator(".bar .chip")).to_have_text("Live")
    await happens(screens.office, "cart.updated", "chloe", cart_id="c9", total=90)
    assert {message.author for message in await sent_to(screens.office, "chloe")} == {"rule:cart", "rule:spring"}


MAIL = """\
fr:
  title: Votre panier vous attend, {{ contact.first_name }}
  html: |
    <div style="max-width:520px;margin:auto;padding:24px;background:#fdf6ec">
    <h1 style="color:rgb(176, 64, 32)">Bonjour {{ contact.first_name }},</h1><p>Votre panier vous attend.</p>
    <script>document.body.textContent = "ran"</script><img src="https://shop.example/lampe.png" alt="La lampe">
    <p><a href="https://shop.example/panier">Reprendre mon panier</a></p></div>
en:
  title: Your cart waits
  text: Hello {{ contact.first_name }}, your cart waits.
"""


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
async def test_the_preview_of_a_mail_is_drawn_as_it_is_read(screens: Screens, width: int, scheme: str) -> None:
    rules = screens.office.desk.rules
    assert rules
    rules.gatekeeper.reaches = Reaches([Reach("telegram", "email")])  # as if it were mail
    cast(dict[str, Channel], screens.office.desk.channels)["telegram"] = Mailing("telegram", "email")
    agent = await screens.office.agent(role="marketer")
    view: dict[str, Any] = {"viewport": {"width": width, "height": 1100}, "color_scheme": scheme}
    page = await screens.of(agent, "/rule-files/templates%2Fcart_1.yml", **view)
    await page.get_by_label("Text of templates/cart_1.yml").fill(MAIL)
    await page.get_by_label("For whom").fill("Chloé")
    await page.get_by_role("button", name="Preview", exact=True).click()
    mail = page.frame_locator("iframe.letter-body").first
    await expect(mail.get_by_role("heading", name="Bonjour Chloé,")).to_have_css("color", "rgb(176, 64, 32)")
    await expect(mail.locator("p").first).to_have_text("Votre panier vous attend.")  # no script of it ran
    await expect(page.locator(".mail-head").first).to_contain_text("La boutique <help@shop.example>")
    await page.get_by_text("Its text, for who reads no HTML").click()
    await expect(page.locator(".mail-words").first).to_contain_text("Reprendre mon panier")
    assert not await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    if folder := os.environ.get("CAUSERIE_PICTURES"):
        await page.locator("#preview-head").scroll_into_view_if_needed()
        await page.screenshot(path=f"{folder}/preview-{width}-{scheme}.png", full_page=True)
    assert screens.complaints, "what the mail asked for was refused"
    screens.complaints[:] = [
        said for said in screens.complaints if "Content Security Policy" not in said and "sandboxed" not in said
    ]


async def test_a_change_by_another_is_shown_before_it_is_overwritten(screens: Screens, tmp_path: Path) -> None:
    page = await of_marketer(screens, "/rule-files/cart.yml")
    field = page.get_by_label("Text of cart.yml")
    await expect(page.locator("#verdict")).to_have_text("No mistakes.")
    (tmp_path / "cart.yml").write_text(CART.replace("wait: 1h", "wait: 3h"), encoding="utf-8")
    await field.fill(CART.replace("wait: 1h", "wait: 2h"))
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#conflict")).to_contain_text("Somebody changed this file")
    await page.get_by_role("button", name="Show the file as it is now").click()
    await expect(field).to_have_value(re.compile("wait: 3h"))
    await expect(page.locator("#conflict")).to_be_hidden()


async def test_why_somebody_did_not_get_it_is_found_by_their_name(screens: Screens) -> None:
    await live_in(screens.office, "boris", "FR")
    await happens(screens.office, "cart.updated", "boris", cart_id="c1", total=80)
    page = await of_marketer(screens, "/rules/cart")
    await page.get_by_role("link", name="Why did somebody not get it?").click()
    await page.get_by_label("Search a contact").fill("Boris")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Boris Petit").first.click()
    await expect(page.locator(".decision").first).to_contain_text("No address on this channel")
    await expect(page.locator(".now")).to_contain_text("What holds for Boris Petit now")


async def test_a_rules_message_and_its_reasons_arrive_on_an_open_timeline(screens: Screens) -> None:
    office = screens.office
    await live_in(office, "chloe", "FR")
    await live_in(office, "boris", "FR")
    hers = await of_marketer(screens, "/people/chloe")
    his = await screens.of(await office.agent("Samir Haddad", is_away=True), "/people/boris")
    await expect(hers.locator("#present .avatar")).to_be_visible()  # both pages are told by now
    await happens(office, "cart.updated", "chloe", cart_id="c1", total=80)
    await happens(office, "cart.updated", "boris", cart_id="c2", total=80)
    await expect(hers.locator(".said.rule")).to_contain_text("votre panier vous attend")
    await expect(his.locator(".event.decided")).to_contain_text("Rule cart: no address on this channel")
    await hers.locator(".said.rule .meta a").click()
    await expect(hers.locator("h1")).to_have_text("Message")


async def test_the_calendar_fills_in_its_sizes_by_itself(screens: Screens) -> None:
    await live_in(screens.office, "chloe", "FR")
    page = await of_marketer(screens, "/calendar")
    await expect(page.locator(".size").first).to_have_text("≈ 1")


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize(
    "path", ["/rules", "/rules/cart", "/rules/cart/decisions", "/rules/cart/versions", "/rule-files",
             "/rule-files/cart.yml", "/calendar", "/pressure", "/deliveries/{message}"],
)  # fmt: skip
async def test_nothing_sticks_out_of_the_page(screens: Screens, path: str, width: int) -> None:
    office = screens.office
    await live_in(office, "chloe", "FR")
    await happens(office, "cart.updated", "chloe", cart_id="c1", total=80)
    [message] = await sent_to(office, "chloe")
    caller = await office.agent(role="admin", is_away=True, language="fr")
    page = await screens.of(caller, path.replace("{message}", message.id), viewport={"width": width, "height": 800})
    await expect(page.locator("h1")).to_be_visible()
    wide = await page.evaluate(
        """[...document.querySelectorAll(".sheet, .sheet *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1
        && !one.closest(".tree-scroll, .diff, .editor-box")).map((one) => one.outerHTML.slice(0, 90))"""
    )
    assert wide == []
    heights = await page.locator(".whose a").evaluate_all("all => all.map((one) => one.getBoundingClientRect().height)")
    assert all(height >= 24 for height in heights) and bool(heights) == path.startswith("/deliveries"), "room to press"


async def test_on_a_phone_a_rule_in_words_is_read_without_a_window_of_its_own(screens: Screens) -> None:
    agent = await screens.office.agent(role="admin", is_away=True, language="fr")
    page = await screens.of(agent, "/rule-files/cart.yml", viewport={"width": 360, "height": 480})
    await expect(page.locator("#sentences li").nth(2)).to_be_visible()
    assert await page.locator(".sentences-box").evaluate("box => box.scrollHeight <= box.clientHeight")
