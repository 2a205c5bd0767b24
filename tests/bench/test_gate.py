"""What a message may cost, whatever the machine: database commands are counted, and CPU is measured beside the obvious design.

Not rates: they follow whatever else the machine does. The bounds leave room for a busy machine, so that only a real loss fails.
"""

import asyncio

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from bench.inbound import Scale, levels, study
from bench.sayings import questions, small_talk
from bench.seed import remember, seed
from bench.webhooks import FIRST_CUSTOMER
from bot.answering import BotOptions, answerer, load_brain
from channels.channel import Inbound
from channels.inbound import FrontDoor
from profiles.snapshot import Done
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer
from tests.profiles.works import Commands

CLIENTS, MESSAGES = 128, 10
SAID = {"agent": list(small_talk()), "bot": list(questions())}


@pytest.mark.parametrize("owner", ["agent", "bot"])
async def test_at_128_clients_a_message_costs_at_most_a_tenth_of_a_command(
    mongo_url: str, database_name: str, owner: str
) -> None:
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(mongo_url)
    await seed(client, mongo_url, database_name, owner=owner)
    commands = Commands()
    store = Store(mongo_url, database_name, listeners=[commands])
    writer = Writer(store, process="gate")
    await remember(writer.recent)
    door = FrontDoor(writer, store, answer=answerer(load_brain(BotOptions())), limits={})

    async def writes(person: int) -> None:
        for number in range(MESSAGES):
            text = SAID[owner][(person * MESSAGES + number) % len(SAID[owner])]
            address = str(FIRST_CUSTOMER + person)
            inbound = Inbound("telegram", address, f"{address}.{number}", Content(text))
            assert isinstance(await door.receive(inbound), Done)

    commands.seen.clear()
    await asyncio.gather(*map(writes, range(CLIENTS)))
    assert commands.seen.total() <= 0.1 * CLIENTS * MESSAGES, commands.seen
    assert commands.seen["commitTransaction"] >= 1
    expected = CLIENTS * MESSAGES * (2 if owner == "bot" else 1)
    assert await store.count("messages", {}) == expected
    await writer.close()
    await store.close()
    client.close()


@pytest.mark.parametrize(("owner", "ratio"), [("agent", 5.0), ("bot", 2.5)])
async def test_a_message_takes_a_fraction_of_the_cpu_of_the_obvious_design(owner: str, ratio: float) -> None:
    found = await study(owner, Scale(clients=(CLIENTS,), rounds=1, seconds=1.5))
    (level,) = levels(found, (CLIENTS,))
    assert all(audit.is_right for audit in found.audits.values())
    assert level["cpu_ratio"] >= ratio, level
