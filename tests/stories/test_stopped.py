"""Somebody wants no more: STOP in a chat, their own page from its button, START again, and the bot that is asked in other words."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from profiles.ledger import Ledger
from profiles.ledgers import Ledgers
from tests.stories.town import OnTelegram, Town, Visitor, town
from tests.waiting import until


@pytest.fixture
async def here(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Town]:
    async with town(mongo_url, database_name, free_port) as place:
        yield place


async def ledger(here: Town) -> Ledger:
    (person,) = await here.store.find("profiles", {})
    return (await Ledgers(here.store).read([person["_id"]]))[person["_id"]]


async def test_stop_on_telegram_leads_to_their_own_page_and_start_takes_it_back(here: Town) -> None:
    anna = OnTelegram(here.telegram)
    await anna.says("/start")
    await anna.hears("Bonjour")
    assert (await ledger(here)).on == {}, "Telegram's own /start is no START"
    await anna.says("Arrêt.")
    await anna.hears("plus d'offres ni de rappels")
    assert (await ledger(here)).on == {"telegram:*": False}

    (told,) = await here.store.find("messages", {"metadata.lawful": "stop"})
    page = told["content"]["buttons"][0]["url"]
    assert page.startswith(f"{here.url}/p/")
    async with aiohttp.ClientSession() as browser:
        async with browser.get(page) as answer:
            text = await answer.text()
            assert answer.status == 200 and "Offres et nouveautés" in text and "Telegram" in text
        fields = {"was.telegram:loyalty": "0", "on.telegram:loyalty": "on"}
        async with browser.post(f"{page}/choices", data=fields) as answer:
            assert answer.status == 200
        async with browser.get(f"{page}/data.json") as answer:
            assert [one["channel"] for one in (await answer.json())["identities"]] == ["telegram"]
    assert (await ledger(here)).on == {"telegram:*": False, "telegram:loyalty": True}

    await anna.says("quels sont vos horaires ?")
    await anna.hears("9 h")  # whoever said STOP is still answered
    await anna.says("REPRENDRE")
    await anna.hears("Bon retour")
    assert (await ledger(here)).on == {"telegram:loyalty": True}


async def test_the_bot_that_is_asked_for_no_more_advertising_keeps_it_for_every_channel(here: Town) -> None:
    visitor = await Visitor(here.url).opens()
    await visitor.says("désinscrivez-moi")
    await visitor.hears("vous ne recevrez plus")
    assert (await ledger(here)).on == {"*:offers": False, "*:loyalty": False}
    proofs = await here.store.find("consents", {})
    assert {(proof["topic"], proof["source"]) for proof in proofs} == {("offers", "bot"), ("loyalty", "bot")}
    await visitor.leaves()


async def test_stop_in_the_web_chat_is_confirmed_in_the_visitors_language(here: Town) -> None:
    visitor = await Visitor(here.url, language="en").opens()
    await visitor.says("STOP")
    await visitor.hears("no more offers or reminders")
    await visitor.says("stop")
    await until(lambda: len(visitor.acked) == 2)
    assert len([author for author, _ in visitor.transcript if author == "bot"]) == 1
    await visitor.leaves()
