"""An agent's conversation goes back to the bot when nobody says a word, and only when the customer waits for nothing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.idle import IdleReturn
from profiles.append import begin, heard, said
from profiles.conversation import Conversation, snooze, take
from profiles.indexes import INDEXES
from profiles.profile import Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Snapshot, Work
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHAT = "webchat:v"


class House:
    """One conversation, owned by an agent since noon, and a clock that the test turns."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, NOON
        self.writer = Writer(store, process="here", clock=lambda: self.now)
        self.idle = IdleReturn(self.writer, store, after=timedelta(hours=1), clock=lambda: self.now)

    async def begins(self, *, answered: bool = True, asleep: bool = False) -> None:
        def think(snapshot: Snapshot) -> Changes:
            anna = Profile("anna", NOON)
            thread = begin(CHAT, anna, channel="webchat", address="v", identity=CHAT, now=NOON)
            thread, question = heard(take(thread, "claire"), Content("Are you there?"), id="m1", now=NOON)
            messages = [question]
            if answered:
                thread, answer = said(thread, Content("Yes."), id="m2", author="agent:claire", now=NOON, to=CHAT)
                messages.append(answer)
            thread = snooze(thread, NOON + timedelta(days=1)) if asleep else thread
            return Changes((anna,), (thread,), messages=tuple(messages))

        await self.writer.commit(Work(think))

    async def owner(self) -> str:
        return from_document(Conversation, await self.store.get("conversations", CHAT) or {}).owner


@pytest.fixture
async def house(mongo_url: str, database_name: str) -> AsyncIterator[House]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield House(store)
    await store.close()


async def test_after_the_idle_time_the_bot_answers_again_and_the_timeline_says_why(house: House) -> None:
    await house.begins()
    house.now = NOON + timedelta(minutes=61)
    assert await house.idle.look() == 1
    assert await house.owner() == "bot"
    (event,) = await house.store.find("events", {"name": "conversation.given_back"})
    assert event["properties"] == {"reason": "idle", "from": "claire"}
    assert await house.idle.look() == 0


async def test_before_it_nothing_happens(house: House) -> None:
    await house.begins()
    house.now = NOON + timedelta(minutes=59)
    assert await house.idle.look() == 0
    assert await house.owner() == "agent"


@pytest.mark.parametrize("case", [{"answered": False}, {"asleep": True}])
async def test_a_customer_who_waits_and_a_snoozed_conversation_stay_with_people(
    house: House, case: dict[str, bool]
) -> None:
    await house.begins(**case)
    house.now = NOON + timedelta(days=1)
    assert await house.idle.look() == 0
    assert await house.owner() == "agent"
