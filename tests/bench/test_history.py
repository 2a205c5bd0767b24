"""The benchmarks of the console: an archive such as the product writes, and figures that a page without its index would spoil."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from bench import archive, console, history
from profiles.record import from_document, to_document
from profiles.timeline import Content, Message

Document = dict[str, Any]


@pytest.fixture
async def client(mongo_url: str, database_name: str) -> AsyncIterator["AsyncIOMotorClient[Document]"]:
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(mongo_url, tz_aware=True)
    yield client
    await client.drop_database(database_name)
    client.close()


async def test_the_archive_holds_messages_as_the_product_writes_them(
    client: "AsyncIOMotorClient[Document]", mongo_url: str, database_name: str
) -> None:
    await archive.fill(client[database_name], mongo_url, [3, 2])
    found = await client[database_name]["messages"].find().sort([("conversation", 1), ("seq", 1)]).to_list(None)
    assert [(one["conversation"], one["seq"]) for one in found] == [
        ("telegram:0", 1), ("telegram:0", 2), ("telegram:0", 3), ("telegram:1", 1), ("telegram:1", 2),
    ]  # fmt: skip
    last = from_document(Message, found[2])
    assert last == Message(
        "telegram:0:3", "telegram:0", "P0", "telegram", "inbound", "customer", Content(archive.SAID), 3, archive.LATEST
    )
    assert to_document(last) == found[2]
    assert "conversation_1_seq_1" in await client[database_name]["messages"].index_information()


async def test_a_long_history_opens_as_often_as_a_short_one_and_is_compared() -> None:
    found = await history.report(60, 3)
    assert found["messages"] == [50, 60]
    assert min(found["short_p50_ms"], found["long_p50_ms"], found["control_ms"]) > 0
    assert found["flat"] == (found["ratio"] <= history.FLAT_WITHIN)


async def test_every_page_of_the_console_is_asked_at_every_size() -> None:
    found = await console.report([20, 600], 2)
    assert [level["conversations"] for level in found["levels"]] == [20, 600]
    assert all(level[f"{page}_p50_ms"] > 0 for level in found["levels"] for page in console.PAGES)
    assert found["flat"] == all(found[f"{page}_p50_ratio"] <= console.FLAT_WITHIN for page in console.PAGES)
