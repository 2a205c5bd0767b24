"""Turns that need the outside world: in order, once, after a crash too, and never over the head of an agent."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.actions import Actions
from bot.answering import BotOptions
from bot.contract import Heard, Known, Turn
from bot.outside import Outside
from profiles.append import begin, heard
from profiles.conversation import Conversation, take
from profiles.indexes import INDEXES
from profiles.profile import Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Snapshot, Work
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer
from tests.waiting import until

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHAT = "webchat:v"


class Slow:
    """A mind that always needs the outside: it answers when the test lets it, or breaks where it is told to."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.heard: list[str] = []
        self.breaks_on = ""
        self.counts_from = 0

    def at_once(self, memory: Mapping[str, Any] | None, heard: Heard, known: Known) -> Turn | None:
        return None

    async def think(self, memory: Mapping[str, Any] | None, heard: Heard, known: Known, help: Any) -> Turn:
        self.heard.append(heard.text)
        await self.may_answer.wait()
        if heard.text == self.breaks_on:
            raise RuntimeError("a bug")
        count = int((memory or {}).get("count", self.counts_from)) + 1
        return Turn({"count": count}, (Content(f"{count}: {heard.text}"),))

    async def people_took(self, conversation: str) -> None:
        return

    async def close(self) -> None:
        return


class Process:
    """One process: its writer, its mind, and its Outside, which hears what it commits unless it is to be deaf."""

    def __init__(self, store: Store, *, now: datetime = NOON, deaf: bool = False) -> None:
        self.store, self.mind = store, Slow()
        self.writer = Writer(store, process="p", clock=lambda: now)
        self.outside = Outside(self.mind, Actions(BotOptions()), self.writer, store, clock=lambda: now)
        if not deaf:
            self.writer.listen(self.outside.hear)

    async def hears(self, *texts: str) -> None:
        """Commit these messages as the front door does for such a mind: acknowledged, still owed an answer."""

        def think(snapshot: Snapshot) -> Changes:
            anna = Profile("anna", NOON)
            thread = begin(CHAT, anna, channel="webchat", address="v", identity=CHAT, now=NOON)
            messages = []
            for text in texts:
                thread, message = heard(thread, Content(text), id=f"m:{text}", now=NOON)
                messages.append(message)
            owed = tuple(message.id for message in messages)
            return Changes((anna,), (_owing(thread, owed),), messages=tuple(messages))

        await self.writer.commit(Work(think))

    async def said(self) -> list[str]:
        replies = await self.store.find("messages", {"direction": "outbound"}, sort=[("seq", 1)])
        return [reply["content"]["text"] for reply in replies]

    async def conversation(self) -> Conversation:
        return from_document(Conversation, await self.store.get("conversations", CHAT) or {})

    async def owes_nothing(self) -> bool:
        return not (await self.conversation()).pending


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


async def test_messages_that_came_while_one_was_thought_about_are_answered_in_order(store: Store) -> None:
    here = Process(store)
    here.mind.may_answer.set()
    await here.hears("one", "two", "three")
    await until(here.owes_nothing)
    assert await here.said() == ["1: one", "2: two", "3: three"]
    await here.outside.close()


async def test_what_a_dead_process_owed_is_answered_by_the_next_after_a_minute(store: Store) -> None:
    await Process(store, deaf=True).hears("one")
    soon = Process(store, now=NOON + timedelta(seconds=30))
    await soon.outside.sweep()
    assert soon.mind.heard == [], "whoever has it may still be at it"

    later = Process(store, now=NOON + timedelta(seconds=61))
    later.mind.may_answer.set()
    await later.outside.sweep()
    await until(later.owes_nothing)
    assert await later.said() == ["1: one"]
    await later.outside.close()


async def test_two_processes_that_think_about_the_same_message_answer_it_once(store: Store) -> None:
    await Process(store, deaf=True).hears("one")
    both = [Process(store, now=NOON + timedelta(seconds=61)) for _ in range(2)]
    for process in both:
        await process.outside.sweep()
        await until(lambda process=process: process.mind.heard)
    for process in both:
        process.mind.may_answer.set()
    await until(both[0].owes_nothing)
    for process in both:
        await process.outside.close()
    assert await both[0].said() == ["1: one"]


async def test_an_agent_who_takes_over_meanwhile_is_not_talked_over(store: Store) -> None:
    here = Process(store)
    await here.hears("one")
    await until(lambda: here.mind.heard)

    def agent_takes(snapshot: Snapshot) -> Changes:
        return Changes(conversations=(take(snapshot.conversations[CHAT], "claire"),))

    await here.writer.commit(Work(agent_takes, conversations=(CHAT,)))
    here.mind.may_answer.set()
    await until(lambda: not here.outside._tasks)
    assert await here.said() == []
    assert (await here.conversation()).owner == "agent"


async def test_a_bot_whose_own_code_raises_hands_over_and_keeps_the_message(store: Store) -> None:
    here = Process(store)
    here.mind.breaks_on = "one"
    here.mind.may_answer.set()
    await here.hears("one")
    await until(here.owes_nothing)
    conversation = await here.conversation()
    assert conversation.owner == "queue" and conversation.handover and conversation.handover.reason == "action"
    assert await here.store.get("messages", "m:one")


def _owing(conversation: Conversation, owed: tuple[str, ...]) -> Conversation:
    return replace(conversation, pending=owed)


async def test_an_answer_that_the_database_can_not_keep_is_given_to_people_and_thought_once(store: Store) -> None:
    here = Process(store)
    here.mind.may_answer.set()
    here.mind.counts_from = 10**30
    await here.hears("one")
    await until(here.owes_nothing)
    assert ((await here.conversation()).owner, here.mind.heard, await here.said()) == ("queue", ["one"], [])
    await here.outside.close()
