"""E-mail in the console: what is new in a mail and the whole of it, why one came back, and a rule that pauses by itself."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from channels.email_bounces import Bounce
from channels.email_reports import bounced
from profiles.append import begin, heard, said
from profiles.brakes import BRAKES
from profiles.conversation import Handover, hand_over
from profiles.profile import Identity, Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Snapshot, Work
from profiles.timeline import Attachment, Content, Message
from tests.admin.office import Office
from tests.admin.test_in_chromium import Screens
from tests.chromium import browsing

THREAD = "email:lea@example.org"
WHOLE = """Bonjour, ma lampe est arrivée cassée. Pouvez-vous la reprendre ?

Merci,
Léa

-- 
Léa Marchand
06 12 34 56 78

Le lun. 23 nov. 2026 à 09:12, La boutique a écrit :
> Votre commande est partie ce matin.
> https://shop.example/suivi"""  # noqa: W291
METADATA = {
    "subject": "Lampe cassée", "message_id": "m1@example.org", "whole": WHOLE, "from": "lea.marchand@work.example",
    "left_out": ["photos.zip"],
}  # fmt: skip


@pytest.fixture
async def screens(market: Office) -> AsyncIterator[Screens]:
    async with browsing() as program:
        made = Screens(program, market)
        await _lea_writes(market)
        yield made
        assert made.complaints == []


async def _lea_writes(office: Office) -> None:
    key, now = THREAD, office.clock()
    lea = Profile("lea", now, (Identity("email", "lea@example.org", now),), language="fr")
    lea = lea.learn("name", "Léa Marchand", source="declared", at=now)

    def think(snapshot: Snapshot) -> Changes:
        thread = begin(THREAD, lea, channel="email", address="lea@example.org", identity=key, now=now)
        content = Content(
            "Bonjour, ma lampe est arrivée cassée. Pouvez-vous la reprendre ?\n\nMerci,\nLéa", title="Lampe cassée",
            attachments=(Attachment("file", "facture.pdf", "application/pdf", 48_000, file="F1"),),
        )  # fmt: skip
        thread, first = heard(thread, content, id="email:m1", now=now, metadata=METADATA)
        note = Content("Votre lettre d'information", title="Infolettre")
        thread, second = heard(thread, note, id="email:m2", now=now, metadata={"by": "machine"})
        thread = hand_over(thread, Handover("asked", now, summary="Lampe cassée"))
        thread, third = said(
            thread, Content("Nous vous en envoyons une autre."), id="email:out:1", author="bot", now=now, to=key
        )
        return Changes((lea,), (thread,), claims={key: lea.id}, messages=(first, second, third))

    await office.desk.writer.commit(Work(think, identities=(key,), conversations=(THREAD,)))
    message = from_document(Message, await office.desk.store.get("messages", "email:out:1") or {})
    bounce = Bounce("t", "hard", "5.1.1", "lea@example.org", "550 5.1.1 no such user here")
    await office.desk.writer.commit(bounced(message, bounce))


async def _kept(page: Page, name: str) -> None:
    """Keep a picture for whoever wants to look: CAUSERIE_PICTURES names a folder."""
    if folder := os.environ.get("CAUSERIE_PICTURES"):
        await page.screenshot(path=f"{folder}/{name}.png")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
async def test_a_mail_shows_what_is_new_and_the_whole_on_demand(screens: Screens, width: int, scheme: str) -> None:
    agent = await screens.office.agent()
    page = await screens.of(
        agent, f"/inbox/all/{THREAD}", viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    bubble = page.locator('[data-id="email:m1"] .bubble')
    await expect(bubble).to_contain_text("ma lampe est arrivée cassée")
    await expect(bubble.locator(".whole .words")).to_be_hidden()
    await expect(bubble).to_contain_text("Written from another address: lea.marchand@work.example")
    await expect(bubble).to_contain_text("Files that were not kept: photos.zip")
    await bubble.get_by_text("The whole mail").click()
    await expect(bubble.locator(".whole .words")).to_contain_text("06 12 34 56 78")
    await expect(page.locator('[data-id="email:m2"] .bubble')).to_contain_text("A machine wrote this")
    scrolls = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not scrolls
    await _kept(page, f"mail-{width}-{scheme}")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (360, "light")])
async def test_a_deliverys_page_says_why_it_came_back(screens: Screens, width: int, scheme: str) -> None:
    agent = await screens.office.agent()
    page = await screens.of(
        agent, "/deliveries/email:out:1", viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    states = page.locator(".states")
    await expect(states).to_contain_text("Not delivered")
    await expect(states).to_contain_text("this address does not exist (550 5.1.1 no such user here)")
    await expect(states).to_contain_text("Bounced")
    await _kept(page, f"delivery-{width}-{scheme}")


async def test_a_rule_that_pauses_by_itself_says_so_and_until_when(screens: Screens) -> None:
    office = screens.office
    until = office.clock() + timedelta(hours=20)
    await office.desk.store.insert(BRAKES, {"_id": "rule:weekly", "until": until})
    rules = office.desk.rules
    assert rules and rules.gatekeeper.brakes
    await rules.gatekeeper.brakes.look()
    page = await screens.of(await office.agent(role="marketer"), "/rules/weekly")
    await expect(page.get_by_role("alert")).to_contain_text("It pauses by itself")
    await expect(page.get_by_role("alert").locator("time")).to_be_visible()
    await _kept(page, "rule")
    await page.goto(f"{office.base}/rules/cart")
    await expect(page.get_by_role("alert")).to_have_count(0)
