"""From a question that the bot does not understand to its answer: a customer on web chat, a supervisor in a browser, one click."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from admin import invitations
from bot.answering import BotOptions
from bot.content import read_content
from bot.edits import AddExample
from bot.llm_options import LlmOptions
from bot.versions import Version
from bot.workshop import Published
from causerie.app import BRAIN, DESK
from profiles.secret import Secret
from tests.admin.office import PASSWORD
from tests.chromium import browsing
from tests.peers import llm as peers
from tests.stories.town import Town, Visitor, town
from tests.waiting import until

SHOP = Path(__file__).parents[2] / "bot" / "content" / "shop"
MUDDLED = "livrez-vous en Corse dans une bouteille"


@pytest.fixture
async def here(mongo_url: str, database_name: str, free_port: int, tmp_path: Path) -> AsyncIterator[Town]:
    shutil.copytree(SHOP, tmp_path / "shop")
    async with town(mongo_url, database_name, free_port, bot=BotOptions(folder=str(tmp_path / "shop"))) as place:
        yield place


@asynccontextmanager
async def console(here: Town, path: str, **options: object) -> AsyncIterator[tuple[Page, list[str]]]:
    """Come in by the first link and open this page; the list fills with what the browser complains of."""
    complaints: list[str] = []
    async with browsing() as program:
        context = await program.new_context(locale="en-GB", **options)  # type: ignore[arg-type]
        page = await context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        link = await invitations.first_link(here.app[DESK])
        await page.goto(str(link).replace(here.app[DESK].public_url, here.url))
        await page.get_by_label("Your name").fill("Noor Aziz")
        await page.get_by_label("E-mail address").fill("noor@example.org")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Come in").click()
        await page.wait_for_url("**/inbox/**")
        await page.goto(f"{here.url}/console{path}")
        yield page, complaints


async def test_one_click_and_the_same_sentence_is_understood(here: Town, tmp_path: Path) -> None:
    visitor = await Visitor(here.url).opens()
    await visitor.says(MUDDLED)
    await visitor.hears("pas compris")
    async with console(here, "/learning") as (page, complaints):
        card = page.locator(".question")
        await expect(card).to_have_count(1)
        await expect(card).to_contain_text(MUDDLED)
        await card.get_by_role("combobox", name="Another intent").fill("opening_hours")
        await card.get_by_role("button", name="Choose").click()
        await expect(page.get_by_role("status").first).to_contain_text("has learned this")
        await expect(page.locator(".question")).to_have_count(0)
        await visitor.says(MUDDLED)
        await visitor.hears("du lundi au samedi")
        assert f"- {MUDDLED}\n" in (tmp_path / "shop/data/nlu.fr.yml").read_text()
        # and back again
        await page.get_by_role("link", name="Version 2").click()
        await expect(page.locator(".diff .came")).to_contain_text(MUDDLED)
        await page.goto(f"{here.url}/console/learning/versions/1")
        await page.get_by_role("button", name="Go back to this version").click()
        await expect(page.locator(".version")).to_have_count(3)
        assert complaints == []
    await visitor.says(MUDDLED)
    await visitor.hears("je")
    assert here.app[BRAIN].current.script.project.training.examples
    assert MUDDLED not in (tmp_path / "shop/data/nlu.fr.yml").read_text()
    await visitor.leaves()


async def test_a_new_answer_written_on_a_phone_is_what_the_next_customer_hears(here: Town) -> None:
    visitor = await Visitor(here.url).opens()
    await visitor.says(MUDDLED)
    await visitor.hears("pas compris")
    async with console(here, "/learning", viewport={"width": 360, "height": 780}) as (page, complaints):
        await page.get_by_text("New answer").click()
        card = page.locator(".question")
        await card.get_by_label("Title").fill("Livraison en Corse")
        await card.get_by_label("Answer in French").fill("Oui, en 3 jours, pour 9 € de plus.")
        await card.get_by_label("Answer in English").fill("Yes, in 3 days, for 9 € more.")
        await card.get_by_role("button", name="Make the answer").click()
        await expect(page.get_by_role("status").first).to_contain_text("has learned this")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert complaints == []
    other = await Visitor(here.url).opens()
    await other.says(MUDDLED)
    await other.hears("Oui, en 3 jours, pour 9 € de plus.")
    await visitor.leaves()
    await other.leaves()


async def test_a_question_is_taught_by_keyboard_alone(here: Town) -> None:
    visitor = await Visitor(here.url).opens()
    await visitor.says(MUDDLED)
    await visitor.hears("pas compris")
    async with console(here, "/learning") as (page, complaints):
        sentence = page.get_by_label("Sentence to learn")
        await expect(sentence).to_be_visible()
        await sentence.focus()
        await page.keyboard.press("Tab")
        chosen = page.locator(".choices button").first
        await expect(chosen).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status").first).to_contain_text("has learned this")
        assert complaints == []
    await visitor.leaves()


async def test_what_the_shipped_bot_was_taught_outlives_a_restart_and_the_loss_of_its_copy(
    mongo_url: str, database_name: str, free_port: int, tmp_path: Path
) -> None:
    shipped, edits = read_content(SHOP), tmp_path / "data" / "bot"
    async with town(mongo_url, database_name, free_port, edits=edits) as here:
        workshop = here.app[DESK].workshop
        assert workshop
        came = await workshop.publish(AddExample("opening_hours", MUDDLED, "fr"), by="noor", audit=_audited)
        assert isinstance(came, Published)
        assert await _is_told_the_hours(here)
    assert read_content(SHOP) == shipped, "what is shipped is never changed"
    assert MUDDLED in (edits / "shop/data/nlu.fr.yml").read_text()
    async with town(mongo_url, database_name, free_port, edits=edits) as here:
        assert await _is_told_the_hours(here)
    shutil.rmtree(edits)  # a new machine: only the database is left
    async with town(mongo_url, database_name, free_port, edits=edits) as here:
        await until(lambda: (edits / "shop").is_dir() and here.app[BRAIN].folder == edits / "shop")
        assert await _is_told_the_hours(here)


async def _is_told_the_hours(here: Town) -> bool:
    visitor = await Visitor(here.url).opens()
    await visitor.says(MUDDLED)
    told = await visitor.hears("du lundi au samedi")
    await visitor.leaves()
    return bool(told)


def _audited(version: Version) -> dict[str, str]:
    return {"_id": f"audit:{version.number}", "act": version.act}


@pytest.fixture
async def peer() -> AsyncIterator[peers.Llm]:
    async with peers.llm() as peer:
        yield peer


@pytest.fixture
async def drafting(peer: peers.Llm, mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Town]:
    llm = LlmOptions(mode="draft", base_url=peer.url, model=peers.MODEL, api_key=Secret(peers.KEY))
    async with town(mongo_url, database_name, free_port, llm=llm) as place:
        yield place


async def test_a_draft_comes_into_the_composer_and_is_sent_by_the_agent_alone(drafting: Town, peer: peers.Llm) -> None:
    peer.choices = [("draft", {"text": "Bonjour, je regarde tout de suite."})]
    visitor = await Visitor(drafting.url).opens()
    await visitor.says("un conseiller")
    await visitor.hears("conseiller")
    async with console(drafting, "/inbox/all") as (page, complaints):
        await page.locator(".row a").first.click()
        await page.get_by_role("button", name="Suggest a reply").click()
        text = page.get_by_label("Your message")
        await expect(text).to_have_value("Bonjour, je regarde tout de suite.")
        await expect(page.locator("#hint")).to_contain_text("read it before you send it")
        assert "regarde" not in visitor.last
        await page.locator("#send").click()
        await visitor.hears("je regarde tout de suite")
        assert complaints == []
    assert peer.mistakes == [] and len(peer.requests) == 1
    await visitor.leaves()
