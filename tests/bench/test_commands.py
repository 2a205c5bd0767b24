"""What each kind of work may cost the database, in commands, whatever the machine: nothing here is timed.

Each bound is some third above what it takes today, and below what one more command for each piece would make of it.
A message that arrives has its gate in test_gate.py, beside its CPU.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from bench import campaign, engine, outbox
from bench.crowd import Crowd, says
from channels.outbound import BackDoor
from profiles.append import begin, heard
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.snapshot import Changes
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer
from tests.admin.api_client import caller_on
from tests.admin.office import Office, close_office, open_office, person
from tests.channels.webchat_shop import browse, open_shop, welcomed
from tests.profiles.works import Commands
from tests.waiting import until
from tests.world import person as known

READING = ("find", "getMore", "aggregate", "distinct")


@contextmanager
def at_most(commands: Commands, pieces: int, *, reads: float, writes: float) -> Iterator[None]:
    """Fail when what is done in the block runs more commands for each of the pieces than this."""
    commands.seen.clear()
    yield
    seen = Counter(commands.seen)
    read = sum(seen[name] for name in READING) / pieces
    written = seen.total() / pieces - read
    told = f"{read:.4f} + {written:.4f} commands each, may be {reads} + {writes}: {dict(seen)} for {pieces}"
    assert read <= reads and 0 < written <= writes, told


async def test_a_campaigns_contact(
    mongo_url: str, database_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "collect_seldom", lambda: None)  # for this process is a test
    crowd, commands = Crowd(600), Commands()
    async with prepared(mongo_url, database_name) as store:
        await crowd.seed(store, now=utc_now())
        fired = campaign.fired(mongo_url, database_name, tmp_path, campaign.EVERYBODY, listeners=[commands])
        async with fired as process:
            with at_most(commands, crowd.contacts, reads=0.036, writes=0.047):
                assert await process.rules.occurrences.walk() == crowd.contacts
        assert await store.count("messages", {}) == crowd.reachable


async def test_an_event_of_a_batch(mongo_url: str, database_name: str) -> None:
    people, batch, batches, commands = 50, 500, 2, Commands()
    async with caller_on(mongo_url, database_name, listeners=[commands]) as caller:
        for number in range(people):
            await caller.add(known(f"P{number}", f"email:p{number}@example.com"))
        await caller.desk.store.change_many("keys", {}, {"$set": {"per_second": 1e6}})
        bodies = [
            {"events": [{"id": f"{one}-{n}", "name": "page.viewed", "profile": f"P{n % people}"} for n in range(batch)]}
            for one in range(batches)
        ]
        with at_most(commands, batch * batches, reads=0.006, writes=0.007):
            for body in bodies:
                assert (await caller.ask("POST", "/events/batch", body))[0] == 200
        assert await caller.desk.store.count("events", {}) == batch * batches


async def test_a_delivery_of_the_outbox(mongo_url: str, database_name: str) -> None:
    messages, commands, channel = 500, Commands(), outbox.Nowhere()
    async with prepared(mongo_url, database_name, commands) as store:
        writer = Writer(store, process="gate")
        back_door = BackDoor({"pigeon": channel}, writer, clock=utc_now)
        born = await outbox.committed(writer, messages)
        with at_most(commands, messages, reads=0, writes=0.012):  # a hundred are marked at once at least
            for message in born:
                back_door.send(message)
            await back_door.close(outbox.WITHIN_SECONDS)  # comes back when every outcome is recorded
        await writer.close()
        assert await store.count("messages", {"delivery.state": "sent"}) == messages == len(channel.sent)


async def test_what_a_visitor_says_in_the_web_chat(mongo_url: str, database_name: str, free_port: int) -> None:
    """With the bot's answer, and the record that it was delivered."""
    visitors, each, commands = 16, 4, Commands()
    async with AsyncExitStack() as opened:
        shop = await opened.enter_async_context(
            open_shop(mongo_url, database_name, free_port, listeners=[commands], sockets_per_address=100)
        )
        store = await opened.enter_async_context(prepared(mongo_url, database_name))  # looks, and is not counted
        chats = [await opened.enter_async_context(browse(shop)) for _ in range(visitors)]

        async def all_say(round: int) -> None:
            await asyncio.gather(
                *(chat.send(type="say", id=f"m000000{round}", text=f"hello {round}") for chat in chats)
            )
            await asyncio.gather(*(chat.messages_until(f"You said: hello {round}") for chat in chats))
            await until(lambda: all_recorded(round))

        async def all_recorded(round: int) -> bool:
            return await store.count("messages", {"delivery.state": "delivered"}) == visitors * round

        for chat in chats:
            await welcomed(chat)
        await all_say(1)  # who writes first is a new contact
        with at_most(commands, visitors * each, reads=0.05, writes=0.5):
            for round in range(2, 2 + each):
                await all_say(round)


async def test_an_agents_reply(mongo_url: str, database_name: str) -> None:
    conversations, commands = 32, Commands()
    office = await open_office(mongo_url, database_name, listeners=[commands])
    try:
        await office.commit(*(wrote(office, number) for number in range(conversations)))
        caller = await office.signed_in(await office.agent())
        with at_most(commands, conversations, reads=4, writes=0.8):
            answers = await asyncio.gather(*(
                caller.post(f"/conversations/telegram%3A{number}/reply", {"id": f"{number:032x}", "text": "Bonjour"})
                for number in range(conversations)
            ))  # fmt: skip
        assert {answer.status for answer in answers} == {200}
        assert await office.desk.store.count("messages", {"author": "agent:maya"}) == conversations
    finally:
        await close_office(office)


async def test_an_event_that_a_rule_answers(
    mongo_url: str, database_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the event's commit to the record that its message was handed over, 50 rules live, a permit for each."""
    monkeypatch.setattr(engine, "collect_seldom", lambda: None)
    monkeypatch.setattr(engine, "switch_soon", lambda: None)
    events, commands, channel = 100, Commands(), engine.Arrivals()
    async with prepared(mongo_url, database_name) as store:
        crowd = Crowd(events * 2)
        await crowd.seed(store, now=utc_now())
        some = [number for number in range(crowd.contacts) if says(number) == "yes"][:events]
        channel.began = dict.fromkeys(some, 0.0)
        opened = engine.opened(mongo_url, database_name, tmp_path, channel, listeners=[commands])
        async with AsyncExitStack() as until_recorded:
            process = await until_recorded.enter_async_context(opened)
            with at_most(commands, events, reads=0.08, writes=0.32):
                await asyncio.gather(*map(engine.told(process), some))
                await channel.all_of(events)
                await until_recorded.aclose()
        assert await store.count("messages", {"delivery.state": "sent"}) == events


def wrote(office: Office, number: int) -> Changes:
    """Return what is there once this customer has written."""
    now, key = office.clock(), f"telegram:{number}"
    profile = person(f"P{number}", f"Client {number}", now, ("telegram", str(number)))
    thread = begin(key, profile, channel="telegram", address=str(number), identity=key, now=now)
    thread, message = heard(thread, Content("Bonjour"), id=f"{key}/1", now=now)
    return Changes((profile,), (thread,), {key: profile.id}, messages=(message,))


@asynccontextmanager
async def prepared(url: str, database: str, *listeners: Commands) -> AsyncIterator[Store]:
    """Open a store that has its indexes."""
    store = Store(url, database, listeners=listeners)
    await store.prepare(INDEXES)
    try:
        yield store
    finally:
        await store.close()
