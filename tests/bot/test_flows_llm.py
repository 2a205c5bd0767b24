"""A language model beside the brain starts flows and answers their questions through the same checks as a customer's own words."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.brain import Brain, Heard, Help, Known
from bot.llm import Llm
from bot.llm_budget import Budget
from bot.llm_client import LlmClient
from bot.llm_options import LlmOptions
from profiles.secret import Secret
from profiles.store import Store
from tests.bot.conftest import START
from tests.peers import llm as peers
from tests.peers.llm import KEY, MODEL

BANK = Path(__file__).parent / "bank"


class NoActions:
    async def run(self, call: Any) -> Any:
        raise AssertionError("no custom action is due here")


async def nobody() -> list[str]:
    return []


@pytest.fixture
async def peer() -> AsyncIterator[peers.Llm]:
    async with peers.llm() as peer:
        yield peer
        assert peer.mistakes == []


@pytest.fixture
async def mind(peer: peers.Llm, mongo_url: str, database_name: str) -> AsyncIterator[Llm]:
    store = Store(mongo_url, database_name)
    options = LlmOptions(mode="commands", base_url=peer.url, model=MODEL, api_key=Secret(KEY))
    client = LlmClient(options.base_url, options.model, options.api_key)
    mind = Llm(Brain.load(BANK), client, options, Budget(options, store), clock=lambda: START)
    yield mind
    await mind.close()
    await store.close()


async def test_a_model_starts_a_flow_and_picks_the_answer_to_its_question(mind: Llm, peer: peers.Llm) -> None:
    peer.choices = [
        ("understand", {"intent": "transfer_money"}),
        ("answer", {"value": "Anna"}),
        ("answer", {"value": "-3"}),
    ]
    memory: Any = None
    said = []
    for text in ("could I get something over to a friend?", "that would be Anna, you know", "make it -3"):
        heard, known = Heard(text, text, "webchat", START), Known("p1", "en", {}, "c1")
        turn = await mind.think(memory, heard, known, Help(NoActions(), nobody))
        memory = turn.tracker
        said += [content.text for content in turn.says]
    assert said == ["To whom?", "How much?", "-3 is not an amount", "How much?"]
    asked = [json.loads(request["messages"][1]["content"])["open_question"] for request in peer.requests]
    assert asked == [None, "recipient", "amount"]
