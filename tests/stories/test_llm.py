"""A language model at the bot's side, through the whole server: a played service, a real database and the widget."""

from collections.abc import AsyncIterator

import pytest

from bot.llm_options import LlmOptions
from profiles.secret import Secret
from tests.peers import llm as peers
from tests.stories.town import Town, Visitor, town

MUDDLED = "et mon bidule alors ça vient"


@pytest.fixture
async def peer() -> AsyncIterator[peers.Llm]:
    async with peers.llm() as peer:
        yield peer
        assert peer.mistakes == []


@pytest.fixture
async def here(peer: peers.Llm, mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Town]:
    llm = LlmOptions(mode="fallback", base_url=peer.url, model=peers.MODEL, api_key=Secret(peers.KEY))
    async with town(mongo_url, database_name, free_port, llm=llm) as place:
        yield place


async def test_the_model_understands_and_the_form_goes_on_without_it(here: Town, peer: peers.Llm) -> None:
    peer.choices = [("understand", {"intent": "order_status"})]
    visitor = await Visitor(here.url).opens()
    await visitor.says(MUDDLED)
    await visitor.hears("numéro de commande")
    await visitor.says("12345678")
    await visitor.hears("12345678")
    assert len(peer.requests) == 1
    await visitor.leaves()


async def test_a_model_that_is_down_is_not_noticed_by_the_customer(here: Town, peer: peers.Llm) -> None:
    peer.choices = [500]
    visitor = await Visitor(here.url).opens()
    await visitor.says(MUDDLED)
    await visitor.hears("je")
    assert [author for author, _ in visitor.transcript] == ["customer", "bot"]
    await visitor.leaves()
