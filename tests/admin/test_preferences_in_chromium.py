"""A person's own page in a real browser: without a script, by keyboard, on a phone, in the dark, for a screen reader."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page, expect

from profiles.personal_links import Asked, Offer
from tests.admin.preferences_stage import Stage, stage
from tests.chromium import browsing

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}
SMALL = """() => [...document.querySelectorAll("a:not(.skip), button, input:not([type=hidden]), select, summary")]
  .map((one) => [one.textContent || one.name, (one.closest(".chip, .check") || one).getBoundingClientRect().height])
  .filter(([, height]) => height && height < 44)"""
DEEPER = """() => [...document.querySelectorAll(".card")].map((card) => [card, card.getBoundingClientRect().bottom])
  .map(([card, end]) => end - card.lastElementChild.getBoundingClientRect().bottom - parseFloat(getComputedStyle(card).paddingTop))
  .filter((more) => more > 2)"""


@pytest.fixture
async def shop(mongo_url: str, database_name: str) -> AsyncIterator[Stage]:
    async with stage(mongo_url, database_name) as made:
        await made.gives()
        yield made


@asynccontextmanager
async def opened(link: str, **options: Any) -> AsyncIterator[Page]:
    """Open a link without scripts; every complaint of the page fails the test, and so does a page wider than its screen."""
    complaints: list[str] = []
    async with browsing() as program:
        chosen = {"viewport": DESK, "locale": "fr-FR", "java_script_enabled": False, **options}
        page = await (await program.new_context(**chosen)).new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("requestfailed", lambda request: complaints.append(request.url))
        await page.goto(link)
        yield page
    assert [one for one in complaints if "422" not in one] == []


async def test_on_a_phone_without_scripts_a_person_chooses_and_limits(shop: Stage) -> None:
    async with opened(shop.link(), viewport=PHONE, color_scheme="dark") as page:
        offers = page.get_by_role("group", name="Offres et nouveautés")
        await expect(offers.get_by_role("checkbox", name="E-mail")).to_be_checked()
        await offers.get_by_role("checkbox", name="E-mail").uncheck()
        await offers.get_by_role("checkbox", name="Telegram").check()
        await page.get_by_role("button", name="Enregistrer mes choix").click()
        await expect(page.get_by_role("status")).to_contain_text("Vos choix sont enregistrés")
        assert await shop.verdict("email") == "opted_out:topic:offers"
        assert await shop.verdict("telegram") is None

        await page.get_by_label("En tout", exact=True).fill("deux")
        await page.get_by_role("button", name="Enregistrer mes limites").click()
        await expect(page.get_by_role("alert")).to_contain_text("Écrivez un nombre de 0 à 99")
        await page.get_by_label("En tout", exact=True).fill("2")
        await page.get_by_label("De", exact=True).fill("21:00")
        await page.get_by_label("À", exact=True).fill("09:00")
        await page.get_by_role("button", name="Enregistrer mes limites").click()
        await expect(page.get_by_role("status")).to_contain_text("Vos limites sont enregistrées")
        assert [cap.at_most for cap in (await shop.ledger()).own] == [2]
        assert [hours.since.hour for hours in (await shop.ledger()).quiet] == [21]


@pytest.mark.parametrize("screen", [PHONE, DESK])
async def test_nothing_is_wider_than_the_screen(shop: Stage, screen: dict[str, int]) -> None:
    offer = shop.here(shop.centre.links.unsubscribe(Offer("anna", "email", "offers"), shop.clock.now))
    for link in (shop.link(), offer, f"{shop.base}/p/wrong"):
        async with browsing() as program:
            page = await (await program.new_context(viewport=screen)).new_page()  # type: ignore[arg-type]
            await page.goto(link)
            assert await page.evaluate("document.documentElement.scrollWidth") == screen["width"]


async def test_on_a_phone_a_finger_finds_room_and_no_card_is_deeper_below_than_above(shop: Stage) -> None:
    offer = shop.here(shop.centre.links.unsubscribe(Offer("anna", "email", "offers"), shop.clock.now))
    asked = shop.here(shop.centre.links.confirm(Asked("anna", "email", "news", "a" * 24), shop.clock.now))
    async with browsing() as program:
        page = await (await program.new_context(viewport=PHONE)).new_page()  # type: ignore[arg-type]
        for link in (shop.link(), offer, asked, f"{shop.base}/p/wrong"):
            await page.goto(link)
            assert await page.evaluate(SMALL) == [], link
            assert await page.evaluate(DEEPER) == [], link
        await page.goto(asked)
        button = await page.get_by_role("button").bounding_box()
        below = await page.locator("form + p").bounding_box()
        assert button and below and below["y"] >= button["y"] + button["height"] + 12


async def test_the_language_is_switched_and_what_they_correct_is_kept(shop: Stage) -> None:
    async with opened(shop.link()) as page:
        await page.get_by_role("link", name="English").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("What you receive from us")
        await page.get_by_label("City").fill("Nantes")
        await page.get_by_role("button", name="Save what I wrote").click()
        await expect(page.get_by_role("status")).to_have_text("What you wrote is saved.")
        assert (await shop.profile()).value("city") == "Nantes"
        await expect(page.get_by_label("City")).to_have_value("Nantes")


async def test_a_screen_reader_finds_landmarks_and_every_field_has_a_name(shop: Stage) -> None:
    async with opened(shop.link()) as page:
        await expect(page.get_by_role("main")).to_be_visible()
        await expect(page.get_by_role("banner")).to_be_visible()
        await expect(page.get_by_role("navigation", name="Langue")).to_be_visible()
        for name in ("Ce dont nous pouvons vous écrire", "À quelle fréquence, et quand", "Ce que nous savons de vous"):
            await expect(page.get_by_role("region", name=name)).to_be_visible()
        fields = page.locator("input:not([type=hidden]):visible, select:visible, button:visible")
        snapshot = await page.locator("main").aria_snapshot()
        assert await fields.count() > 20
        for role in ("textbox", "checkbox", "combobox", "button"):
            assert f"- {role}\n" not in snapshot and f"- {role}:" not in snapshot, role


async def test_by_keyboard_the_first_stop_leads_past_the_languages(shop: Stage) -> None:
    async with opened(shop.link()) as page:
        await expect(page.get_by_role("main")).to_be_visible()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("checkbox", name="E-mail").first).to_be_focused()
        await page.keyboard.press("Space")
        await expect(page.get_by_role("checkbox", name="E-mail").first).not_to_be_checked()


async def test_the_unsubscribe_page_ends_it_by_its_button_alone(shop: Stage) -> None:
    link = shop.here(shop.centre.links.unsubscribe(Offer("anna", "email", "offers"), shop.clock.now))
    async with opened(link, viewport=PHONE) as page:
        await expect(page.get_by_role("heading", level=1)).to_have_text("Se désabonner")
        assert await shop.verdict() is None
        await page.get_by_role("button", name="Se désabonner").click()
        await expect(page.get_by_role("status")).to_contain_text(
            "Vous ne recevrez plus rien au sujet de « Offres et nouveautés »"
        )
        assert await shop.verdict() == "opted_out:topic:offers"


async def test_erasure_asks_twice_and_then_waits_for_people(shop: Stage) -> None:
    async with opened(shop.link()) as page:
        await page.get_by_text("Effacer tout ce qui me concerne").click()
        await page.get_by_role("button", name="Demander l’effacement").click()
        await expect(page.get_by_role("alert")).to_contain_text("Cochez la case")
        await page.get_by_role("link", name="English").click()
        await page.get_by_role("link", name="Français").click()
        await page.get_by_text("Effacer tout ce qui me concerne").click()
        await page.get_by_label("J’en suis certain").check()
        await page.get_by_role("button", name="Demander l’effacement").click()
        await expect(page.get_by_role("status")).to_contain_text("répond d’ici un mois")
        assert [row["kind"] for row in await shop.centre.store.find("requests", {})] == ["erasure"]
