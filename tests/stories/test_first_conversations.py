"""A customer writes, the bot answers, an agent takes over, the bot goes on: through the whole server, on real channels."""

from collections.abc import AsyncIterator
from datetime import timedelta

import jwt
import pytest

from admin import acts
from admin.agents import Agent
from profiles.calendar import utc_now
from profiles.snapshot import Done
from profiles.timeline import Content
from tests.stories.town import IDENTITY_SECRET, OnTelegram, Town, Visitor, town
from tests.waiting import until


@pytest.fixture
async def here(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Town]:
    async with town(mongo_url, database_name, free_port) as place:
        yield place


async def test_anna_asks_for_her_order_in_french_on_telegram(here: Town) -> None:
    anna = OnTelegram(here.telegram)
    await anna.says("bonjour")
    await anna.hears("Bonjour")
    await anna.says("où est ma commande ?")
    await anna.hears("numéro de commande")
    await anna.says("je ne sais plus, peut-être abc")
    await anna.hears("numéro de commande")
    await anna.says("12345678")
    await anna.hears("12345678")


async def test_a_visitor_asks_for_a_person_and_an_agent_takes_over_by_replying(here: Town) -> None:
    visitor = await Visitor(here.url).opens()
    await visitor.says("je veux parler à un conseiller")
    await visitor.hears("conseiller")
    (waiting,) = await here.store.find("conversations", {"owner": "queue"})
    assert waiting["handover"]["reason"] == "asked" and waiting["handover"]["summary"]

    claire = _agent("claire")
    said = Content("Bonjour, ici Claire.")
    outcome = await here.writer.commit(acts.reply(waiting["_id"], said, claire, client_id="c-1"))
    assert isinstance(outcome, Done)
    await visitor.hears("ici Claire")

    await visitor.says("quels sont vos horaires ?")
    await until(lambda: len(visitor.acked) == 2)
    assert visitor.transcript[-1][0] == "customer", "the bot leaves what an agent owns alone"

    await here.writer.commit(acts.give_back(waiting["_id"], claire))
    await visitor.says("quels sont vos horaires ?")
    await visitor.hears("9 h")
    assert visitor.transcript[-1][0] == "bot"
    await visitor.leaves()


async def test_a_visitor_who_proves_to_be_anna_and_her_telephone_are_one_profile(here: Town) -> None:
    soon = utc_now() + timedelta(minutes=5)
    claims = {"sub": "anna-42", "exp": soon, "phone": "+33612345678", "name": "Anna Martin", "language": "fr"}
    visitor = await Visitor(here.url).opens(jwt.encode(claims, IDENTITY_SECRET, "HS256"))
    await visitor.says("bonjour")
    await visitor.hears("Bonjour")
    await visitor.leaves()

    (profile,) = await here.store.find("profiles", {})
    keys = {f"{identity['channel']}:{identity['address']}" for identity in profile["identities"]}
    assert {"user:anna-42", "sms:+33612345678"} <= keys


async def test_an_impatient_visitor_who_sends_twice_is_stored_once(here: Town) -> None:
    visitor = await Visitor(here.url).opens()
    await visitor.says("bonjour")
    assert visitor._socket
    await visitor._socket.send_json({"type": "say", "id": "client-00000001", "text": "bonjour"})
    await visitor.hears("Bonjour")
    await visitor.says("quels sont vos horaires ?")
    await visitor.hears("9 h")
    assert [author for author, _ in visitor.transcript] == ["customer", "bot", "customer", "bot"]
    await visitor.leaves()


async def test_the_same_person_hears_each_answer_once_on_telegram(here: Town) -> None:
    anna = OnTelegram(here.telegram)
    update = await here.telegram.says("bonjour")
    await anna.hears("Bonjour")
    await here.telegram.again(update)
    await here.telegram.settled()
    await anna.says("quels sont vos horaires ?")
    await anna.hears("9 h")
    assert len(anna.heard) == 2


def _agent(id: str) -> Agent:
    return Agent(id=id, email=f"{id}@example.com", name=id.title(), role="agent", created_at=utc_now())
