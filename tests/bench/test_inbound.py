"""The inbound benchmark: it measures, it would notice a loss, and its control does the same work."""

import math
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from bench.audit import audit
from bench.bot_api import bot_api
from bench.inbound import Scale, levels, study
from bench.load import drive
from bench.seed import seed
from bench.server import Design, Order, running
from bench.settle import settle
from bench.webhooks import QUESTIONS, SMALL_TALK, Webhooks

Document = dict[str, Any]
MESSAGES = 40
AS_ASKED = {
    "clients", "ours", "naive", "ratio", "p50_ms", "p99_ms", "app_us", "db_us", "naive_app_us", "naive_db_us", "cpu_ratio",
    "commands_per_message",
}  # fmt: skip
TEXTS = {"agent": SMALL_TALK, "bot": QUESTIONS}


@pytest.fixture
async def client(mongo_url: str) -> AsyncIterator["AsyncIOMotorClient[Document]"]:
    """A plain client of the test run's database; what the benchmark leaves there is dropped."""
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(mongo_url, tz_aware=True)
    yield client
    for design in ("ours", "naive"):
        await client.drop_database(f"bench_test_{design}")
    client.close()


async def test_it_measures_both_designs_at_each_number_of_clients_and_loses_nothing() -> None:
    found = await study("agent", Scale(clients=(1, 8), rounds=1, seconds=0.4))
    assert all(audit.is_right and audit.sent > 0 for audit in found.audits.values())
    alone, eight = levels(found, (1, 8))
    assert AS_ASKED <= alone.keys() == eight.keys()
    assert (alone["clients"], eight["clients"]) == (1, 8)
    assert all(math.isfinite(value) for value in eight.values())
    assert alone["naive_commands_per_message"] == pytest.approx(6, abs=0.5)  # two reads, four writes
    assert eight["commands_per_message"] < 4 < eight["naive_commands_per_message"]
    assert eight["group"] > 1


@pytest.mark.parametrize("owner", ["agent", "bot"])
async def test_the_control_stores_the_same_documents(
    client: "AsyncIOMotorClient[Document]", mongo_url: str, owner: str
) -> None:
    ours, naive = [await _stored(client, mongo_url, design, owner) for design in ("ours", "naive")]  # type: ignore[arg-type]
    assert len(ours["messages"]) == (2 * MESSAGES if owner == "bot" else MESSAGES)
    assert ours == naive


async def test_the_audit_sees_what_is_lost_doubled_or_left_out(
    client: "AsyncIOMotorClient[Document]", mongo_url: str
) -> None:
    sent = await _run(client, mongo_url, "ours", "bot")
    database = client["bench_test_ours"]
    assert (await audit(database, sent, answered=True)).is_right
    reply = await database["messages"].find_one_and_delete({"direction": "outbound"})
    assert reply
    other = await database["messages"].find_one({"direction": "outbound", "_id": {"$ne": reply["_id"]}})
    assert other
    await database["messages"].insert_one({**other, "_id": "double", "seq": 99})
    await database["messages"].delete_one({"_id": other["reply_to"]})
    await database["messages"].insert_one({"_id": "stranger", "direction": "inbound", "conversation": "x", "seq": 1})
    found = await audit(database, sent, answered=True)
    assert (found.lost, found.unknown, found.unanswered, found.answered_twice) == (1, 1, 1, 1)
    assert found.gaps > 0


async def _stored(
    client: "AsyncIOMotorClient[Document]", url: str, design: Design, owner: str
) -> dict[str, list[Document]]:
    await _run(client, url, design, owner)
    database = client[f"bench_test_{design}"]
    stored = {
        name: [_timeless(document) async for document in database[name].find().sort("_id", 1)]
        for name in ("messages", "profiles", "conversations", "identities", "events")
    }
    for profile in stored["profiles"]:
        del profile["version"]  # the control writes it with each message, ours once a minute
    return stored


async def _run(
    client: "AsyncIOMotorClient[Document]", url: str, design: Design, owner: str
) -> dict[int, tuple[int, bytes]]:
    name = f"bench_test_{design}"
    await client.drop_database(name)
    await seed(client, url, name, owner=owner)
    async with bot_api() as api, running(Order(design, url, name, api)) as server:
        webhooks = Webhooks(server.port, TEXTS[owner], seed=7)
        result = await drive(server.port, lambda: webhooks() if webhooks.next <= MESSAGES else None, clients=1)
        assert (len(result.latencies), result.refused) == (MESSAGES, 0)
        await settle(client[name])
    return webhooks.sent


def _timeless(value: Any) -> Any:
    """Return the value with every instant replaced by a word: the two ran at different times (the bot keeps seconds)."""
    if isinstance(value, dict):
        return {
            key: "seconds" if key == "at" and type(item) is float else _timeless(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    return "an instant" if isinstance(value, datetime) else value
