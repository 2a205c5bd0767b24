"""Receipts, read marks and replies make reactions of a rule's message in their own commit; other messages make none."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from channels.channel import Channel, Inbound, Limits, Outbound, Read, Receipt, Sending, Sent
from channels.inbound import FrontDoor
from channels.outbound import BackDoor
from profiles.answer import Answer
from profiles.append import begin, said
from profiles.conversation import Conversation
from profiles.indexes import INDEXES
from profiles.profile import Profile
from profiles.snapshot import Changes, Done, Snapshot, Work
from profiles.store import Store
from profiles.timeline import Content, Message
from profiles.writer import Writer
from tests.cast import NOON, anna, clara
from tests.waiting import until

RULE = {"rule": "cart", "step": "first", "class": "transactional"}


def silent(snapshot: Snapshot, profile: Profile, conversation: Conversation, message: Message) -> Answer:
    """Say nothing."""
    return Answer(profile, conversation, ())


class Pigeon:
    """A channel that knows when what it carries arrives."""

    name = space = "telegram"
    limits = Limits()

    def routes(self) -> list[Any]:
        return []

    async def send(self, outbound: Outbound) -> Sending:
        return Sent(f"p:{outbound.id}", delivered=True)

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        raise LookupError(remote)

    async def close(self) -> None:
        return None


class Shop:
    """A front door, a back door that waits to be asked, and what rules and the bot say."""

    def __init__(self, store: Store) -> None:
        self.now = NOON
        self.store, self.writer = store, Writer(store, process="here", clock=self.clock)
        limits = {"telegram": Limits(keywords=("stop",))}
        self.door = FrontDoor(self.writer, store, answer=silent, limits=limits, language="en")

    def clock(self) -> datetime:
        return self.now

    async def knows(self, *people: Profile) -> None:
        for person in people:
            claims = {identity.key: person.id for identity in person.identities}
            await self.writer.commit(Work(lambda _, it=person, keys=claims: Changes(profiles=(it,), claims=keys)))  # type: ignore[misc]

    async def says(
        self, id: str, metadata: Mapping[str, Any] | None, to: str = "telegram:7001", person: Profile | None = None
    ) -> None:
        """Let us say this, as handed over to the provider."""
        who = person or anna()

        def think(snapshot: Snapshot) -> Changes:
            channel, address = to.split(":")
            thread = snapshot.conversations.get(to) or begin(
                to, who, channel=channel, address=address, identity=to, now=snapshot.now
            )
            author = "rule:cart" if metadata else "bot"
            thread, message = said(
                thread, Content(id), id=id, author=author, now=snapshot.now, to=to, metadata=metadata
            )
            assert message.delivery
            sent = replace(message.delivery, state="sent", provider_id=f"{channel}:{id}")
            return Changes(conversations=(thread,), messages=(replace(message, delivery=sent),))

        assert isinstance(await self.writer.commit(Work(think, conversations=(to,))), Done)

    async def hears(self, text: str, id: str) -> None:
        await self.door.receive(Inbound("telegram", "7001", id, Content(text)))

    async def told(self) -> list[tuple[str, str]]:
        rows = await self.store.find("events", {}, sort=[("happened_at", 1), ("_id", 1)])
        return [(row["name"], row["properties"].get("message")) for row in rows]


@pytest.fixture
async def shop(mongo_url: str, database_name: str) -> AsyncIterator[Shop]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    opened = Shop(store)
    await opened.knows(anna(), clara())
    yield opened
    await opened.door.close()
    await opened.writer.close()
    await store.close()


async def test_receipts_of_a_rules_message_are_told_once_each(shop: Shop) -> None:
    await shop.says("m1", RULE)
    for minute, state in enumerate(("delivered", "delivered", "read", "delivered", "read")):
        at = NOON + timedelta(minutes=minute)
        await shop.door.receive(Receipt("telegram", "m1", state, at))  # type: ignore[arg-type]
    assert await shop.told() == [("message.delivered", "m1"), ("message.read", "m1")]
    (event, _) = await shop.store.find("events", {}, sort=[("happened_at", 1)])
    assert event["profile"] == "anna" and event["properties"]["channel"] == "telegram"


async def test_receipts_of_what_the_bot_says_are_told_to_nobody(shop: Shop) -> None:
    await shop.says("m1", None)
    await shop.door.receive(Receipt("telegram", "m1", "read", NOON))
    await shop.hears("hello", "1")
    assert await shop.told() == []


async def test_a_receipt_that_says_failed_is_no_reaction(shop: Shop) -> None:
    await shop.says("m1", RULE)
    await shop.door.receive(Receipt("telegram", "m1", "failed", NOON, "content"))
    assert await shop.told() == []


async def test_a_reply_answers_the_last_message_of_a_rule(shop: Shop) -> None:
    await shop.says("m1", RULE)
    await shop.says("m2", RULE)
    await shop.says("b1", None)
    shop.now += timedelta(hours=2)
    await shop.hears("yes please", "1")
    await shop.hears("and another thing", "2")
    assert await shop.told() == [("message.answered", "m2")]


async def test_stop_is_no_answer_that_we_would_like_to_learn_from(shop: Shop) -> None:
    await shop.says("m1", RULE)
    await shop.hears("STOP", "1")
    assert "message.answered" not in [name for name, _ in await shop.told()]


async def test_the_web_chats_read_mark_tells_of_each_message_of_a_rule(shop: Shop) -> None:
    to = "webchat:webchat-clara"
    await shop.says("m1", RULE, to, clara())
    await shop.says("b1", None, to, clara())
    await shop.says("m2", RULE, to, clara())
    for seq in (2, 2, 3):
        await shop.door.receive(Read("webchat", "webchat-clara", seq, NOON))
    assert sorted(await shop.told()) == [("message.read", "m1"), ("message.read", "m2")]


async def test_a_channel_that_knows_at_once_tells_of_the_arrival(shop: Shop) -> None:
    channels: dict[str, Channel] = {"telegram": Pigeon()}
    door = BackDoor(channels, shop.writer, clock=shop.clock)
    shop.writer.listen(door.take)

    def think(snapshot: Snapshot) -> Changes:
        thread = begin("telegram:7001", anna(), channel="telegram", address="7001", identity="telegram:7001", now=NOON)
        messages = []
        for id, metadata in (("b1", None), ("m1", {"rule": "cart", "step": "first"})):
            thread, message = said(
                thread, Content(id), id=id, author="bot", now=NOON, to="telegram:7001", metadata=metadata
            )
            messages.append(message)
        return Changes(conversations=(thread,), messages=tuple(messages))

    await shop.writer.commit(Work(think))

    async def both_arrived() -> bool:
        return await shop.store.count("messages", {"delivery.state": "delivered"}) == 2

    await until(both_arrived)
    assert await shop.told() == [("message.delivered", "m1")]
    await door.close()
