"""The web chat's socket against the real front door and database: what is said is kept once, what is kept is seen."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from profiles.timeline import Content
from tests.channels.webchat_shop import Shop, browse, knock, open_shop, welcomed
from tests.waiting import until


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Shop]:
    async with open_shop(mongo_url, database_name, free_port, origins=("https://shop.example",)) as running:
        yield running


async def test_a_visitor_says_hello_and_is_answered(shop: Shop) -> None:
    async with browse(shop, language="fr", page=f"{shop.url}/host?secret=1") as anna:
        await welcomed(anna)
        ack = await anna.says("Bonjour", id="m0000001")
        assert ack["seq"] == 1
        answer = next((f for f in anna.frames if f.get("seq") == 2 and f["type"] == "message"), None)
        answer = answer or await anna.next("message")
        while answer["seq"] != 2:
            answer = await anna.next("message")
    assert (answer["author"], answer["text"]) == ("bot", "You said: Bonjour")
    kept = (await shop.said())[0]
    assert kept["content"]["text"] == "Bonjour"
    assert kept["metadata"]["page"] == f"{shop.url}/host"
