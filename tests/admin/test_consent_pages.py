"""Agents see what a contact agreed to, with its proof, and write down what they hear; each word is audited."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from admin import own_requests
from profiles.consent import verdict
from profiles.consents import Said
from profiles.ledgers import Ledgers
from profiles.topics import Topic
from tests.admin.book_of_calls import write_book
from tests.admin.office import Caller, Office, close_office, open_office, seed
from tests.admin.test_in_chromium import Screens
from tests.chromium import browsing

OFFERS = Topic("offers", {"fr": "Offres", "en": "Offers"}, {"fr": "Oui aux offres", "en": "Yes to offers"})
WORD = "At the shop, 21 November, on the paper form"


@pytest.fixture
async def office(mongo_url: str, database_name: str, tmp_path: Path) -> AsyncIterator[Office]:
    made = await open_office(mongo_url, database_name, book=write_book(tmp_path))
    await seed(made)
    yield made
    await close_office(made)


async def gives(office: Office, source: str = "preference_centre") -> None:
    assert office.desk.consents
    said = Said(source, "en", "192.0.2.7")
    await office.desk.consents.give("anna", OFFERS, "email", said, now=office.clock())


async def of(office: Office, channel: str = "email", topic: str = "offers") -> str | None:
    return verdict((await Ledgers(office.desk.store).read(["anna"]))["anna"], channel, topic, "given")


async def record(caller: Caller, **fields: Any) -> tuple[int, dict[str, Any]]:
    answer = await caller.post("/people/anna/consents", fields)
    return answer.status, await answer.json()


async def test_an_agent_records_a_no_and_it_is_audited(office: Office) -> None:
    maya = await office.signed_in(await office.agent())
    await gives(office)
    assert (await record(maya, given=False, topic="offers", channel="email"))[0] == 200
    assert await of(office) == "opted_out:topic:offers"
    assert office.desk.consents
    proof = next(one for one in await office.desk.consents.proofs(["anna"]) if one.change == "withdrawn")
    assert (proof.source, proof.version) == ("agent:maya", "1")
    (row,) = await office.desk.store.find("audit", {"act": "consent.refused"})
    assert (row["by"], row["about"], row["details"]["proof"]) == ("maya", "anna", proof.id)


async def test_a_yes_needs_its_evidence(office: Office) -> None:
    maya = await office.signed_in(await office.agent())
    status, answer = await record(maya, given=True, topic="offers", channel="email", evidence="  ")
    assert (status, answer["reason"]) == (422, "no_evidence")
    assert (await record(maya, given=True, topic="offers", channel="email", evidence=WORD))[0] == 200
    assert await of(office) is None
    (row,) = await office.desk.store.find("consents", {})
    assert (row["evidence"]["note"], row["source"]) == (WORD, "agent:maya")


@pytest.mark.parametrize(("topic", "channel"), [("nothing", "email"), ("*", "email"), ("offers", "*"), ("$x", "email")])
async def test_a_yes_is_to_one_topic_on_one_channel(office: Office, topic: str, channel: str) -> None:
    maya = await office.signed_in(await office.agent())
    status, answer = await record(maya, given=True, topic=topic, channel=channel, evidence=WORD)
    assert (status, answer["reason"]) == (422, "unknown_topic")


async def test_whoever_may_not_converse_records_nothing(office: Office) -> None:
    marketer = await office.signed_in(await office.agent("Paul", "marketer"))
    answer = await marketer.post("/people/anna/consents", {"given": False, "topic": "*", "channel": "*"})
    assert answer.status == 403


async def test_the_panel_shows_who_said_what_when_and_the_agent_writes_down_more(office: Office) -> None:
    await gives(office)
    await office.do(own_requests.ask("anna", "erasure", ip="192.0.2.7"))
    async with browsing() as program:
        screens = Screens(program, office)
        page = await screens.of(await office.agent(), "/people/anna")
        panel = page.locator(".consents")
        await expect(panel).to_contain_text("They ask us to erase everything")
        await panel.locator(".standings summary").first.click()
        await expect(panel.locator(".proof")).to_contain_text("their own page · 192.0.2.7")
        await expect(panel.locator(".proof")).to_contain_text("Yes to offers")
        await panel.scroll_into_view_if_needed()
        await panel.get_by_role("button", name="They no longer want it").click()
        await expect(panel.locator(".standings .mark.bad")).to_be_visible()
        assert await of(office) == "opted_out:topic:offers"

        await panel.get_by_role("button", name="Record what they said").click()
        await panel.locator("[name=given]").select_option("yes")
        await panel.locator("[name=channel]").select_option("email")
        await panel.get_by_role("button", name="Save").click()
        await expect(panel.get_by_role("alert")).to_contain_text("Write down when")
        await panel.get_by_role("textbox", name="Evidence").fill(WORD)
        await panel.get_by_role("button", name="Save").click()
        await expect(panel.locator(".standings .mark.good")).to_be_visible()
        assert await of(office) is None

        await panel.get_by_role("button", name="This is done").click()
        await expect(panel).not_to_contain_text("They ask us to erase everything")
        (row,) = await office.desk.store.find("requests", {})
        assert row["settled_by"] == "maya"
        complaints = [said for said in screens.complaints if "422" not in said]
        assert complaints == []
