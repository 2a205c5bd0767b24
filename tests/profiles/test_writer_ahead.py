"""While a group is on its way to disk the next is thought upon it; whatever becomes of the first, nothing wrong is stored."""

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from profiles.draft import Draft
from profiles.profile import Identity, Profile
from profiles.record import to_document
from profiles.snapshot import Amend, Changes, Done, Duplicate, Refusal, Snapshot, Work, Write
from profiles.store import Plan, Stale, Store, Unavailable
from profiles.timeline import Content, Message
from profiles.writer import Writer
from tests.profiles.works import counts, gives, hears
from tests.waiting import until
from tests.world import NOON


class Gate:
    """Holds back each commit of a store until it is let through, or made to fail."""

    def __init__(self, store: Store) -> None:
        self.waiting: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()
        self._commit = store.commit

    async def commit(self, plan: Plan) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.put_nowait(turn)
        await turn
        await self._commit(plan)

    async def next(self) -> "asyncio.Future[None]":
        return await asyncio.wait_for(self.waiting.get(), 10)

    async def open(self) -> None:
        """Let through whatever comes from now on."""
        while True:
            (await self.waiting.get()).set_result(None)


@pytest.fixture
def gate(store: Store, monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate(store)
    monkeypatch.setattr(store, "commit", gate.commit)
    return gate


@pytest.fixture
def later() -> Iterator[list["asyncio.Task[Any]"]]:
    """Tasks to end with the test."""
    tasks: list[asyncio.Task[Any]] = []
    yield tasks
    for task in tasks:
        task.cancel()


def noticed(work: Work) -> tuple[Work, asyncio.Event]:
    """Return the work, and what is set each time it thinks."""
    thought = asyncio.Event()

    def think(snapshot: Snapshot) -> Changes | Refusal:
        thought.set()
        return work.think(snapshot)

    return replace(work, think=think), thought


async def test_the_next_group_is_thought_while_one_is_written(store: Store, writer: Writer, gate: Gate) -> None:
    first = asyncio.create_task(writer.commit(hears(1)))
    turn = await gate.next()
    work, thought = noticed(hears(2))
    second = asyncio.create_task(writer.commit(work))
    await asyncio.wait_for(thought.wait(), 10)
    assert not first.done()
    turn.set_result(None)
    (await gate.next()).set_result(None)
    assert isinstance(await first, Done)
    assert isinstance(await second, Done)
    assert [m["seq"] for m in await store.find("messages", {}, sort=[("seq", 1)])] == [1, 2]
    assert writer.tally.conflicts == 0


async def test_nobody_is_told_before_those_it_rests_on(writer: Writer, gate: Gate) -> None:
    """A duplicate of what is on its way, and a refusal, are answers too: they wait like the others."""
    first = asyncio.create_task(writer.commit(hears(1)))
    turn = await gate.next()
    again = asyncio.create_task(writer.commit(hears(1)))
    work, thought = noticed(gives(Refusal("no")))
    refused = asyncio.create_task(writer.commit(work))
    await asyncio.wait_for(thought.wait(), 10)
    assert not again.done() and not refused.done()
    turn.set_result(None)
    assert await again == Duplicate("telegram:42/1")
    assert await refused == Refusal("no")
    assert first.done()


async def test_what_was_thought_upon_a_group_that_met_another_writer_is_thought_again(
    store: Store, writer: Writer, gate: Gate, later: list["asyncio.Task[Any]"]
) -> None:
    known = Profile("P1", writer._clock(), version=4).learn("count", 10, source="tracked", at=writer._clock())
    await store.insert("profiles", to_document(known))
    first = asyncio.create_task(writer.commit(counts("P1")))
    turn = await gate.next()
    work, thought = noticed(counts("P1"))
    second = asyncio.create_task(writer.commit(work))
    await asyncio.wait_for(thought.wait(), 10)
    await store.change("profiles", {"_id": "P1"}, {"$set": {"attributes.count.value": 50}, "$inc": {"version": 1}})
    turn.set_exception(Stale("profiles"))
    later.append(asyncio.create_task(gate.open()))
    assert isinstance(await first, Done)
    assert isinstance(await second, Done)
    document = await store.get("profiles", "P1")
    assert document is not None and document["attributes"]["count"]["value"] == 52


async def test_what_was_thought_upon_a_group_that_failed_does_not_know_of_it(
    store: Store, writer: Writer, gate: Gate, later: list["asyncio.Task[Any]"]
) -> None:
    first = asyncio.create_task(writer.commit(hears(1)))
    turn = await gate.next()
    work, thought = noticed(hears(2))
    second = asyncio.create_task(writer.commit(work))
    await asyncio.wait_for(thought.wait(), 10)
    turn.set_exception(Unavailable("gone"))
    later.append(asyncio.create_task(gate.open()))
    with pytest.raises(Unavailable):
        await first
    outcome = await second
    assert isinstance(outcome, Done)
    assert [message.seq for message in outcome.changes.messages] == [1]
    assert isinstance(await writer.commit(hears(1)), Done)  # as the provider repeats it
    assert [m["seq"] for m in await store.find("messages", {}, sort=[("seq", 1)])] == [1, 2]


async def test_a_repeat_of_what_failed_on_its_way_is_no_duplicate(
    writer: Writer, gate: Gate, later: list["asyncio.Task[Any]"]
) -> None:
    first = asyncio.create_task(writer.commit(hears(1)))
    turn = await gate.next()
    again = asyncio.create_task(writer.commit(hears(1)))
    await until(lambda: writer._aboard and writer._is_idle)
    turn.set_exception(Unavailable("gone"))
    later.append(asyncio.create_task(gate.open()))
    with pytest.raises(Unavailable):
        await first
    assert isinstance(await again, Done), "told that it was kept before, its sender would never say it again"


async def test_it_is_now_when_somebody_boards_not_when_the_group_before_left(
    store: Store, gate: Gate, later: list["asyncio.Task[Any]"]
) -> None:
    now = NOON
    writer = Writer(store, process="p1", clock=lambda: now)
    first = asyncio.create_task(writer.commit(hears(1)))
    turn = await gate.next()
    now += timedelta(minutes=5)
    second = asyncio.create_task(writer.commit(hears(2)))
    await until(lambda: writer._aboard and writer._is_idle)
    turn.set_result(None)
    later.append(asyncio.create_task(gate.open()))
    outcomes = await asyncio.gather(first, second)
    assert [one.changes.messages[0].at for one in outcomes if isinstance(one, Done)] == [NOON, now]
    await writer.close()


async def test_a_key_that_is_being_released_has_no_holder(store: Store, writer: Writer, gate: Gate) -> None:
    mine = Profile("P1", writer._clock(), (Identity("telegram", "42", writer._clock()),))
    claim = asyncio.create_task(writer.commit(gives(Changes(profiles=(mine,), claims={"telegram:42": "P1"}))))
    (await gate.next()).set_result(None)
    await claim
    release = asyncio.create_task(writer.commit(gives(Changes(releases=("telegram:42",)), identities=("telegram:42",))))
    turn = await gate.next()
    holders: list[Profile | None] = []

    def look(snapshot: Snapshot) -> Changes:
        holders.append(snapshot.holder("telegram:42"))
        return Changes()

    looked = asyncio.create_task(writer.commit(Work(look, identities=("telegram:42",))))
    await asyncio.sleep(0)
    turn.set_result(None)
    await asyncio.gather(release, looked)
    assert holders == [None]


def marks(state: str, seen: list[str]) -> Work:
    """Note what a delivery's state was, and set it, as a receipt does."""

    def think(snapshot: Snapshot) -> Changes:
        delivery = snapshot.messages["telegram:42/1"].delivery
        seen.append(delivery.state if delivery else "")
        return Changes(amends=(Amend("telegram:42/1", {"delivery": {"to": "telegram:42", "state": state}}),))

    return Work(think, messages=("telegram:42/1",))


async def test_a_work_that_reads_a_message_sees_what_became_of_it_just_before(store: Store, writer: Writer) -> None:
    """In one group, and in the group after one that is on its way: neither is in the database when it is read."""
    await writer.commit(hears(1))
    seen: list[str] = []
    states = ["sent", "delivered", "read", "failed"]
    await asyncio.gather(*(writer.commit(marks(state, seen)) for state in states))
    assert seen == ["", "sent", "delivered", "read"]


async def in_turn(writer: Writer, gate: Gate, one: Work, other: Work) -> None:
    """Let one be thought while a group is on its way, and the other come after it and before they leave."""
    tasks = [asyncio.create_task(writer.commit(hears(9, person="9")))]
    turn = await gate.next()
    for work in (one, other):
        tasks.append(asyncio.create_task(writer.commit(work)))
        await asyncio.sleep(0)
        await until(lambda: writer._is_idle and not writer._news.is_set())
    turn.set_result(None)
    opening = asyncio.create_task(gate.open())
    await asyncio.gather(*tasks)
    opening.cancel()


async def test_who_reads_a_message_waits_for_those_who_change_it_without_reading(
    store: Store, writer: Writer, gate: Gate
) -> None:
    await store.insert("messages", to_document(Message("telegram:42/1", "c", "P1", "telegram", "outbound", "bot",
                                                       Content("a"), 1, NOON)))  # fmt: skip
    seen: list[str] = []
    change = Changes(amends=(Amend("telegram:42/1", {"delivery": {"to": "telegram:42", "state": "sent"}}),))
    await in_turn(writer, gate, gives(change), marks("delivered", seen))
    assert seen == ["sent"]


async def test_who_reads_a_record_that_was_removed_just_before_finds_none(
    store: Store, writer: Writer, gate: Gate
) -> None:
    await store.insert("runs", {"_id": "r1", "steps": 7, "version": 2})
    seen: list[bool] = []

    def end(snapshot: Snapshot) -> Changes:
        seen.append(("runs", "r1") in snapshot.records)
        return Changes(writes=(Write("runs", "r1", None),))

    work = Work(end, records=(("runs", "r1"),))
    await in_turn(writer, gate, work, work)
    assert seen == [True, False]


async def test_who_reads_a_record_that_is_on_its_way_waits_for_it(
    store: Store, writer: Writer, gate: Gate, later: list["asyncio.Task[Any]"]
) -> None:
    def step(snapshot: Snapshot) -> Changes:
        steps = snapshot.records.get(("runs", "r1"), {}).get("steps", 0)
        return Changes(writes=(Write("runs", "r1", {"steps": steps + 1}),))

    tasks = [asyncio.create_task(writer.commit(Work(step, records=(("runs", "r1"),))))]
    turn = await gate.next()
    tasks.append(asyncio.create_task(writer.commit(Work(step, records=(("runs", "r1"),)))))
    await asyncio.sleep(0)
    await until(lambda: writer._is_idle and not writer._news.is_set())
    turn.set_result(None)
    later.append(asyncio.create_task(gate.open()))
    await asyncio.gather(*tasks)
    assert await store.get("runs", "r1") == {"_id": "r1", "steps": 2, "version": 2}
    assert writer.tally.conflicts == 0


async def test_groups_that_landed_are_forgotten_however_long_the_rush_lasts(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("profiles.writer.LARGEST_GROUP", 4)
    most = 0

    def count_drafts(_: list[Changes]) -> None:
        nonlocal most
        gc.collect()
        most = max(most, sum(type(one) is Draft for one in gc.get_objects()))

    writer.listen(count_drafts)
    await asyncio.gather(*(writer.commit(hears(n, person=str(n))) for n in range(60)))
    assert writer.tally.groups >= 10
    assert 1 <= most <= 4, "the one being thought, the one that landed, and those about to go"


async def test_a_burst_over_many_groups_counts_every_message(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("profiles.writer.LARGEST_GROUP", 7)
    outcomes = await asyncio.gather(*(writer.commit(hears(n, person=str(n % 3))) for n in range(200)))
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    for person in range(3):
        messages = await store.find("messages", {"conversation": f"telegram:{person}"}, sort=[("seq", 1)])
        assert [message["seq"] for message in messages] == list(range(1, len(messages) + 1))
    assert await store.count("messages", {}) == 200
    assert writer.tally.conflicts == 0
