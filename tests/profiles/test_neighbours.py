"""Two processes on one database: each hears what the other committed, only what somebody there wants, and of every gap."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from pymongo.monitoring import CommandListener, CommandStartedEvent

from profiles.append import begin, heard
from profiles.calendar import utc_now
from profiles.hints import Hints
from profiles.indexes import INDEXES
from profiles.live import Abroad, Feed, Lagging
from profiles.neighbours import PULSES, RING, Neighbours
from profiles.profile import Profile
from profiles.snapshot import Amend, Changes, Work
from profiles.store import Store
from profiles.timeline import Content, Event
from profiles.writer import Writer
from tests.waiting import until

EVERYTHING = Abroad(lambda _: True, lambda *_: True, lambda: True)


class Commands(CommandListener):
    """Counts the commands of one client by name."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


@dataclass
class Process:
    """One process's share: a writer, a feed, and who hears what comes in."""

    store: Store
    writer: Writer
    feed: Feed
    neighbours: Neighbours
    commands: Commands
    changes: list[Changes] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)

    def hear(self, abroad: Abroad = EVERYTHING) -> None:
        """Begin to hear."""
        self.feed.hear(self.changes.append, abroad=abroad, missed=lambda: self.missed.append(1))

    @property
    def events(self) -> set[str]:
        """Return the names of the events heard."""
        return {event.name for changes in self.changes for event in changes.events}

    async def happens(self, name: str, profile: str = "P1") -> None:
        """Commit one event."""
        changes = Changes(events=(Event(f"{name}-{self.writer.process}", profile, name, utc_now()),))
        await self.writer.commit(Work(lambda _: changes))


@asynccontextmanager
async def process(url: str, database: str, name: str) -> AsyncIterator[Process]:
    """Open one, its pulse shown."""
    commands = Commands()
    store = Store(url, database, listeners=[commands])
    await store.prepare(INDEXES)
    writer, feed = Writer(store, process=name), Feed()
    writer.listen(feed.announce)
    await store.change(PULSES, {"_id": name}, {"$set": {"at": utc_now()}}, upsert=True)
    neighbours = Neighbours(store, writer, feed, clock=utc_now)
    await neighbours.start()
    try:
        yield Process(store, writer, feed, neighbours, commands)
    finally:
        await writer.close()
        await neighbours.close()
        await store.close()


@asynccontextmanager
async def two(url: str, database: str) -> AsyncIterator[tuple[Process, Process]]:
    """Open two that know each other, and have told each other so."""
    async with process(url, database, "here") as here, process(url, database, "there") as there:
        here.neighbours.see(["here", "there"])
        here.hear()
        there.hear()
        await until(lambda: here.missed and there.missed, within_seconds=10)
        await _acquainted(here, there)
        yield here, there


async def _acquainted(*all: Process) -> None:
    """Wait until each hears each other: what is told before one listens is a gap, not news."""
    greeted: set[tuple[str, str]] = set()

    def note(here: str) -> Callable[[str, Any], None]:
        return lambda there, _: greeted.add((here, there))

    for one in all:
        one.feed.hints.on("ping", note(one.writer.process))

    def ping() -> bool:
        for one in all:
            one.feed.hints.tell("ping", 1)
        return len(greeted) == len(all) * (len(all) - 1)

    await until(ping)


async def test_what_one_commits_the_other_hears(mongo_url: str, database_name: str) -> None:
    async with two(mongo_url, database_name) as (here, there):
        await here.happens("order_placed")
        await there.happens("cart_left")
        await until(lambda: "order_placed" in there.events and "cart_left" in here.events)
        assert sum(event.name == "order_placed" for one in here.changes for event in one.events) == 1, "its own, once"


async def test_messages_come_with_their_text_and_the_record_as_it_stands(mongo_url: str, database_name: str) -> None:
    async with two(mongo_url, database_name) as (here, there):
        now = utc_now()
        person = Profile("P1", now)
        thread = begin("webchat:v1", person, channel="webchat", address="v1", identity="webchat:v1", now=now)
        thread, said = heard(thread, Content("hello"), id="webchat:v1:1", now=now)
        changes = Changes(profiles=(person,), conversations=(thread,), messages=(said,))
        await here.writer.commit(Work(lambda _: changes, conversations=(thread.id,), profiles=("P1",)))
        await until(lambda: any(one.messages for one in there.changes))
        told = next(one for one in there.changes if one.messages)
        assert [message.content.text for message in told.messages] == ["hello"]
        assert [conversation.seq for conversation in told.conversations] == [1]
        assert [profile.id for profile in told.profiles] == ["P1"]


async def test_only_what_somebody_wants_is_read(mongo_url: str, database_name: str) -> None:
    async with two(mongo_url, database_name) as (here, there), process(mongo_url, database_name, "third") as third:
        for one in (here, there):
            one.neighbours.see(["here", "there", "third"])
        third.hear(Abroad(item=lambda conversation, profile: profile == "P2"))
        await _acquainted(here, there, third)
        await here.happens("not_wanted", "P1")
        await here.happens("wanted", "P2")
        await until(lambda: "wanted" in third.events)
        assert "not_wanted" not in third.events


async def test_who_is_amended_and_mentioned_is_told_without_reading(mongo_url: str, database_name: str) -> None:
    async with two(mongo_url, database_name) as (here, there):
        row = {"_id": "m1", "agent": "maya", "at": utc_now()}
        await here.store.insert("messages", {"_id": "telegram:1", "conversation": "telegram:5", "seq": 1})
        changes = Changes(amends=(Amend("telegram:1", {"x": 1}),), records=(("mentions", row),))
        await here.writer.commit(Work(lambda _: changes))
        await until(lambda: any(one.amends for one in there.changes))
        told = next(one for one in there.changes if one.amends)
        assert [amend.message for amend in told.amends] == ["telegram:1"]
        assert [row["agent"] for collection, row in told.records if collection == "mentions"] == ["maya"]


async def test_a_process_that_is_alone_notes_nothing(mongo_url: str, database_name: str) -> None:
    async with process(mongo_url, database_name, "here") as here:
        here.commands.names.clear()
        await here.happens("order_placed")
        here.feed.hints.tell("typing", {"conversation": "webchat:v1"})
        assert here.neighbours.told == 0
        assert "getMore" not in here.commands.names
        assert await here.store.find(RING, {}) == []


async def test_a_thousand_commits_cost_few_commands(mongo_url: str, database_name: str) -> None:
    async with two(mongo_url, database_name) as (here, there):
        for one in (here, there):
            one.commands.names.clear()
        for turn in range(10):
            await asyncio.gather(*(here.happens(f"e{turn}.{number}") for number in range(100)))
        await until(lambda: sum(len(one.events) for one in there.changes) >= 1)
        extra = [name for name in here.commands.names + there.commands.names if name in ("getMore", "insert", "find")]
        groups = here.writer.tally.groups
        # one insert a group is the writer's own; a bulletin, its reading and what it names add at most so many a tick
        assert len(extra) <= groups + 4 * here.neighbours.told + 20, (len(extra), groups, here.neighbours.told)
        assert here.neighbours.told <= groups + 1


async def test_what_another_changed_is_read_again(mongo_url: str, database_name: str) -> None:
    async with two(mongo_url, database_name) as (here, there):
        now = utc_now()
        await here.writer.commit(Work(lambda _: Changes(profiles=(Profile("P1", now),)), profiles=("P1",)))
        assert await here.writer.recent.profile("P1")

        def learn(snapshot: Any) -> Changes:
            return Changes(profiles=(snapshot.profiles["P1"].learn("city", "Lyon", source="declared", at=now),))

        await there.writer.commit(Work(learn, profiles=("P1",)))

        async def knows() -> bool:
            profile = await here.writer.recent.profile("P1")
            return profile is not None and "city" in profile.attributes

        await until(knows)
        await here.writer.commit(Work(learn, profiles=("P1",)))
        assert here.writer.tally.conflicts == 0


async def test_hints_reach_the_others_and_end_with_their_process(mongo_url: str, database_name: str) -> None:
    async with two(mongo_url, database_name) as (here, there):
        said: list[tuple[str, Any]] = []
        there.feed.hints.on("who", lambda process, value: said.append((process, value)))
        here.feed.hints.keep("who", lambda: ["maya"])
        here.feed.hints.changed("who")
        await until(lambda: said)
        assert said == [("here", ["maya"])]
        there.neighbours.see(["there"])
        assert said[-1] == ("here", None)


async def test_a_plain_collection_of_the_rings_name_becomes_a_ring(store: Store) -> None:
    await store.note(RING, {"_id": "noted before there was a ring"})
    for _ in range(2):
        await store.make_ring(RING, 4096)
    async for noted in store.tail(RING):
        assert noted
        break


async def test_a_newcomer_is_told_what_holds(mongo_url: str, database_name: str) -> None:
    async with two(mongo_url, database_name) as (here, there):
        here.feed.hints.keep("who", lambda: ["maya"])
        async with process(mongo_url, database_name, "late") as late:
            said: list[Any] = []
            late.feed.hints.on("who", lambda process, value: said.append(value))
            for one in (here, there):
                one.neighbours.see(["here", "there", "late"])
            await until(lambda: ["maya"] in said)


async def test_a_killed_neighbour_may_have_said_too_little(mongo_url: str, database_name: str) -> None:
    async with two(mongo_url, database_name) as (here, there):
        before = len(here.missed)
        here.neighbours.see(["here"])  # its pulse has ended, and no goodbye was heard
        assert len(here.missed) == before + 1
        there.neighbours.see(["there"])


async def test_a_polite_neighbour_leaves_no_gap(mongo_url: str, database_name: str) -> None:
    async with process(mongo_url, database_name, "here") as here:
        async with process(mongo_url, database_name, "there") as there:
            here.neighbours.see(["here", "there"])
            here.hear()
            await _acquainted(here, there)
        await until(lambda: here.neighbours._left)
        before = len(here.missed)
        here.neighbours.see(["here"])
        assert len(here.missed) == before


async def test_a_bulletin_that_is_missing_is_noticed(mongo_url: str, database_name: str) -> None:
    async with two(mongo_url, database_name) as (here, there):
        before = len(there.missed)
        here.neighbours._number += 1  # as if the database had not kept the one before
        await here.happens("order_placed")
        await until(lambda: "order_placed" in there.events)
        assert len(there.missed) > before


async def test_a_listener_is_cut_off_when_something_was_missed() -> None:
    feed = Feed()
    with feed.listen(lambda _: True, abroad=EVERYTHING) as changes:
        feed.missed()
        with pytest.raises(Lagging):
            await anext(changes)
    assert not feed.wants_rest(), "nothing is wanted after the block"


async def test_who_does_not_listen_abroad_is_left_alone() -> None:
    feed = Feed()
    with feed.listen(lambda _: True) as changes:
        feed.missed()
        feed.announce([Changes(events=(Event("1", "P1", "x.y", utc_now()),))])
        assert (await anext(changes)).events[0].id == "1"


def test_a_hint_goes_nowhere_while_nobody_carries_it() -> None:
    hints, said = Hints(), []
    hints.on("who", lambda process, value: said.append(value))
    hints.tell("who", 1)
    assert said == []


async def test_too_much_at_once_is_told_as_such(mongo_url: str, database_name: str) -> None:
    async with two(mongo_url, database_name) as (here, there):
        before = len(there.missed)
        now = utc_now()
        many = Changes(events=tuple(Event(f"e{number}", "P1", "order_placed", now) for number in range(3_100)))
        await here.writer.commit(Work(lambda _: many))
        await until(lambda: len(there.missed) > before)
        assert "order_placed" not in there.events


@pytest.mark.parametrize("turn", range(8))
async def test_two_who_begin_at_the_same_moment_hear_each_other(mongo_url: str, database_name: str, turn: int) -> None:
    """The ring's first document is being written while it is opened: MongoDB then gives a cursor that sees nothing."""
    async with process(mongo_url, database_name, "here") as here, process(mongo_url, database_name, "there") as there:
        here.neighbours.see(["here", "there"])
        await _acquainted(here, there)


async def test_an_odd_hint_silences_nobody(
    mongo_url: str, database_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with two(mongo_url, database_name) as (here, there):
        before = len(there.missed)
        here.feed.hints.tell("odd", object())  # nothing that a database keeps
        await until(lambda: "neighbours.tell broke" in caplog.text)
        await here.happens("order_placed")
        await until(lambda: "order_placed" in there.events and len(there.missed) > before)


async def test_an_odd_bulletin_is_passed_over(mongo_url: str, database_name: str) -> None:
    async with two(mongo_url, database_name) as (here, there):
        await here.store.note(RING, {"_id": "odd"})  # of another release, perhaps
        before = len(there.missed)
        await here.store.note(RING, {"_id": "odder", "process": "odd", "number": 1, "items": [["messages"]]})
        await until(lambda: len(there.missed) > before)
        await here.happens("order_placed")
        await until(lambda: "order_placed" in there.events)
