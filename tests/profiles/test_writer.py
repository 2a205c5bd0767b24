"""Whoever waits is committed together, each gets an answer of their own, and nobody overwrites anybody."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from causerie.mongod import StoreOptions, start
from profiles import people
from profiles.indexes import INDEXES
from profiles.profile import Profile
from profiles.record import to_document
from profiles.snapshot import Amend, Changes, Done, Duplicate, Outcome, Refusal, Snapshot, Work, Write
from profiles.store import Store, Unavailable, Unstorable
from profiles.timeline import Event
from profiles.writer import Writer
from tests.profiles.dropped import drop_the_next
from tests.profiles.works import Commands, counts, fails, gives, hears
from tests.waiting import until
from tests.world import NOON, person


async def all_of(writer: Writer, *works: Work) -> list[Outcome | BaseException]:
    return await asyncio.gather(*(writer.commit(work) for work in works), return_exceptions=True)


@pytest.fixture
async def second(mongo_url: str, database_name: str) -> AsyncIterator[Writer]:
    """The writer of another process: its own connections, its own memory."""
    store = Store(mongo_url, database_name)
    writer = Writer(store, process="p2")
    yield writer
    await writer.close()
    await store.close()


async def count(store: Store, id: str = "P42") -> int:
    document = await store.get("profiles", id)
    assert document is not None
    return int(document["attributes"]["count"]["value"])


# -- groups


async def test_what_was_answered_done_is_on_disk(store: Store, writer: Writer) -> None:
    outcome = await writer.commit(hears(1))
    assert isinstance(outcome, Done)
    assert await store.get("messages", "telegram:42/1") is not None
    assert await store.get("identities", "telegram:42") == {"_id": "telegram:42", "profile": "P42", "version": 1}


async def test_those_who_wait_are_written_together(store: Store, writer: Writer) -> None:
    outcomes = await all_of(writer, *(hears(n, person=str(n % 10)) for n in range(200)))
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert await store.count("messages", {}) == 200
    assert writer.tally.groups <= 2
    assert writer.tally.works == 200


async def test_messages_of_one_person_in_one_group_count_up(store: Store, writer: Writer) -> None:
    await all_of(writer, *(hears(n) for n in range(100)))
    messages = await store.find("messages", {}, sort=[("seq", 1)])
    assert [message["seq"] for message in messages] == list(range(1, 101))
    assert await count(store) == 100


async def test_a_full_group_costs_few_commands(mongo_url: str, database_name: str) -> None:
    commands = Commands()
    store = Store(mongo_url, database_name, listeners=[commands])
    await store.prepare(INDEXES)
    writer = Writer(store, process="p1")
    works = 200
    await all_of(writer, *(hears(0, person=str(n)) for n in range(works)))
    commands.seen.clear()
    await all_of(writer, *(hears(1, person=str(n)) for n in range(works)))
    # messages and what they are found by, profiles, conversations, commit; everything read is remembered
    assert commands.seen == {"insert": 2, "update": 2, "commitTransaction": 1}
    commands.seen.clear()
    fresh = Writer(store, process="p2")
    await all_of(fresh, *(hears(2, person=str(n)) for n in range(works)))
    assert commands.seen["find"] == 3
    assert commands.seen.total() <= 8
    await store.close()


async def test_one_who_is_alone_does_not_wait_for_company(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiles.writer.GATHER_SECONDS", 30.0)
    for number in range(3):
        await asyncio.wait_for(writer.commit(hears(number)), 10)


async def test_a_work_that_changes_nothing_costs_no_command(mongo_url: str, database_name: str) -> None:
    commands = Commands()
    store = Store(mongo_url, database_name, listeners=[commands])
    writer = Writer(store, process="p1")
    assert isinstance(await writer.commit(gives(Changes())), Done)
    assert not commands.seen
    await store.close()


# -- the same thing twice


async def test_the_same_message_twice_in_a_group_is_stored_once(store: Store, writer: Writer) -> None:
    first, second = await all_of(writer, hears(1), hears(1))
    assert isinstance(first, Done)
    assert second == Duplicate("telegram:42/1")
    assert await count(store) == 1


async def test_a_message_seen_before_is_a_duplicate_and_the_rest_of_its_group_is_written(
    store: Store, writer: Writer
) -> None:
    await writer.commit(hears(1))
    outcomes = await all_of(writer, hears(2), hears(1), hears(3))
    assert [type(outcome) for outcome in outcomes] == [Done, Duplicate, Done]
    assert await count(store) == 3


async def test_a_message_that_another_process_stored_is_a_duplicate(
    store: Store, writer: Writer, second: Writer
) -> None:
    await writer.commit(hears(1))
    assert await second.commit(hears(1)) == Duplicate("telegram:42/1")
    assert await count(store) == 1


async def test_after_a_crash_what_was_stored_is_a_duplicate(store: Store, writer: Writer) -> None:
    """The commit reached the disk, the answer did not reach us: the provider repeats, to a server started afresh."""
    commit = store.commit

    async def crashes(plan: Any) -> None:
        await commit(plan)
        raise Unavailable("gone")

    store.commit = crashes  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await writer.commit(hears(1))
    store.commit = commit  # type: ignore[method-assign]
    again = Writer(store, process="p1")
    assert await again.commit(hears(1)) == Duplicate("telegram:42/1")
    assert isinstance(await again.commit(hears(2)), Done)
    assert await count(store) == 2


async def test_equal_keys_in_two_collections_are_two_things(store: Store, writer: Writer) -> None:
    event = Event("x", "P1", "order.paid", NOON)
    outcomes = await all_of(
        writer,
        gives(Changes(records=(("idempotency", {"_id": "x"}),)), key="x", key_in="idempotency"),
        gives(Changes(events=(event,)), key="x", key_in="events"),
    )
    assert [type(outcome) for outcome in outcomes] == [Done, Done]
    assert await store.get("events", "x") is not None


async def test_the_same_first_message_at_two_processes_makes_one_profile(
    store: Store, writer: Writer, second: Writer
) -> None:
    for anybody in map(str, range(20)):
        outcomes = await asyncio.gather(
            *(process.commit(hears(n, person=anybody)) for n in range(3) for process in (writer, second))
        )
        assert sum(isinstance(outcome, Done) for outcome in outcomes) == 3
    assert await store.count("profiles", {}) == 20
    assert await store.count("messages", {}) == 60


# -- the poison fails alone


@pytest.mark.parametrize(
    "text", ["\ud800", "x" * 17_000_000, object(), 2**70], ids=["surrogate", "17 MB", "object", "2**70"]
)
async def test_what_can_not_be_stored_fails_alone(store: Store, writer: Writer, text: Any) -> None:
    outcomes = await all_of(writer, *(hears(n, person=str(n), text=text if n == 17 else "salut") for n in range(40)))
    assert isinstance(outcomes.pop(17), Unstorable)
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert await store.count("messages", {}) == 39


async def test_reading_what_can_not_be_there_fails_alone(store: Store, writer: Writer) -> None:
    outcomes = await all_of(writer, hears(1), hears(2, person="\ud800"), hears(3))
    assert [type(outcome) for outcome in outcomes] == [Done, Unstorable, Done]


async def test_changes_that_are_no_records_fail_alone(store: Store, writer: Writer) -> None:
    broken = Changes(profiles=("not a profile",))  # type: ignore[arg-type]
    outcomes = await all_of(writer, hears(1), gives(broken), gives(None), gives({"$gt": ""}), hears(2))
    assert [isinstance(outcome, Done) for outcome in outcomes] == [True, False, False, False, True]
    assert await count(store) == 2


async def test_thinking_that_breaks_fails_alone(store: Store, writer: Writer) -> None:
    outcomes = await all_of(writer, hears(1), fails(ZeroDivisionError("oops")), hears(2))
    assert [type(outcome) for outcome in outcomes] == [Done, ZeroDivisionError, Done]
    assert await count(store) == 2


async def test_a_refusal_is_an_answer_and_changes_nothing(store: Store, writer: Writer) -> None:
    outcomes = await all_of(writer, hears(1), gives(Refusal("not_yours")), hears(2))
    assert outcomes[1] == Refusal("not_yours")
    assert await count(store) == 2


async def test_what_was_refused_may_be_said_again_in_the_same_group(writer: Writer) -> None:
    refused, done = await all_of(writer, gives(Refusal("no"), key="k"), gives(Changes(), key="k"))
    assert refused == Refusal("no")
    assert isinstance(done, Done)


async def test_a_change_to_what_is_not_there_fails_alone_and_soon(store: Store, writer: Writer) -> None:
    lost = gives(Changes(amends=(Amend("telegram:0/0", {"edited_at": NOON}),)))
    outcomes = await asyncio.wait_for(all_of(writer, hears(1), lost, hears(2)), 20)
    assert [type(outcome) for outcome in outcomes] == [Done, Unavailable, Done]
    assert await count(store) == 2


async def test_a_record_whose_key_is_taken_fails_alone(store: Store, writer: Writer) -> None:
    await writer.commit(gives(Changes(records=(("audit", {"_id": "a"}),))))
    taken = gives(Changes(records=(("audit", {"_id": "a"}),)))
    outcomes = await all_of(writer, hears(1), taken, hears(2))
    assert [type(outcome) for outcome in outcomes] == [Done, Unavailable, Done]


async def test_the_log_says_neither_text_nor_address(writer: Writer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="profiles"):
        await all_of(writer, hears(1, text="my secret \ud800"), hears(2, text="my secret" + "x" * 17_000_000))
    assert "broke" in caplog.text
    assert "secret" not in caplog.text


# -- two processes never overwrite each other


async def test_a_stale_memory_is_read_again(store: Store, writer: Writer, second: Writer) -> None:
    await writer.commit(hears(1))
    await second.commit(hears(2))
    await writer.commit(hears(3))
    assert await count(store) == 3
    assert writer.tally.conflicts == 1


async def test_two_processes_that_hammer_one_profile_lose_nothing(store: Store, writer: Writer, second: Writer) -> None:
    async def hammer(process: Writer) -> None:
        for _ in range(60):
            await process.commit(counts("P1"))

    await asyncio.gather(*(hammer(process) for process in (writer, second) for _ in range(3)))
    assert await count(store, "P1") == 360
    assert writer.tally.conflicts + second.tally.conflicts > 0, "they never met: this test proves nothing"
    assert writer.tally.failures + second.tally.failures == 0


async def test_without_versions_the_hammer_would_lose_counts(
    store: Store, writer: Writer, second: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same hammer on changes that do not check the version."""
    monkeypatch.setattr("profiles.plan.Update", _unchecked)

    async def hammer(process: Writer) -> None:
        for _ in range(60):
            await process.commit(counts("P1"))

    await asyncio.gather(hammer(writer), hammer(second))
    assert await count(store, "P1") < 120


async def test_those_who_meet_nobody_are_written_though_one_of_their_group_is_contended(
    store: Store, writer: Writer, second: Writer
) -> None:
    async def hammer() -> None:
        while not done.is_set():
            await second.commit(counts("HOT"))

    done = asyncio.Event()
    hammering = asyncio.create_task(hammer())
    failed: list[Any] = []
    for n in range(20):
        outcomes = await all_of(writer, counts("HOT"), *(hears(n, person=str(p)) for p in range(30)))
        failed += [outcome for outcome in outcomes if not isinstance(outcome, Done)]
    done.set()
    await hammering
    assert not failed
    assert await store.count("messages", {}) == 600


async def test_merges_at_two_processes_at_once_leave_one_of_each(store: Store, writer: Writer, second: Writer) -> None:
    """P1 takes P2 here, P2 takes P1 there: one of them is refused, and every key leads to the one that is left."""
    for round in range(10):
        ids = (f"A{round}", f"B{round}")
        for id in ids:
            profile = person(id, f"telegram:{id}")
            await writer.commit(gives(Changes(profiles=(profile,), claims={f"telegram:{id}": id}), profiles=(id,)))
        outcomes = await asyncio.gather(writer.commit(_merge(*ids)), second.commit(_merge(*reversed(ids))))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Done", "Refusal"]
        documents = await store.get_many("identities", [f"telegram:{id}" for id in ids])
        assert len({document["profile"] for document in documents}) == 1


# -- the database goes away


async def test_a_restart_of_the_database_is_unavailable_and_then_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("profiles.store_transactions.COMMIT_WITHIN_SECONDS", 0.5)
    mongod = await start(StoreOptions(folder=str(tmp_path / "data")))
    store = Store(mongod.url, "shop")
    await store.prepare(INDEXES)
    writer = Writer(store, process="p1")
    acknowledged: set[str] = set()
    refused = 0

    async def customer(person: str) -> None:
        nonlocal refused
        for number in range(40):
            while True:  # as a provider does: the same message again until it is taken
                try:
                    outcome = await asyncio.wait_for(writer.commit(hears(number, person=person)), 30)
                except Unavailable:
                    refused += 1
                    await asyncio.sleep(0.05)
                    continue
                assert isinstance(outcome, (Done, Duplicate))
                acknowledged.add(f"telegram:{person}/{number}")
                break

    customers = [asyncio.create_task(customer(str(n))) for n in range(8)]
    await until(lambda: len(acknowledged) > 80)
    assert mongod.pid is not None
    os.kill(mongod.pid, signal.SIGKILL)
    await until(lambda: refused >= 8)
    watch = asyncio.create_task(mongod.supervise())
    await asyncio.gather(*customers)
    stored = {document["_id"] for document in await store.find("messages", {}, only=["_id"])}
    assert stored == acknowledged
    assert len(stored) == 320
    for number in range(8):
        assert await count(store, f"P{number}") == 40
    await store.close()
    await mongod.stop()
    await watch


async def test_a_lost_connection_is_tried_again_once(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = drop_the_next(monkeypatch)
    assert isinstance(await writer.commit(hears(1)), Done)
    assert len(dropped) == 1
    assert await count(store) == 1


# -- nobody is left waiting


async def test_who_gives_up_waiting_leaves_no_trace_on_the_others(store: Store, writer: Writer) -> None:
    tasks = [asyncio.create_task(writer.commit(hears(n))) for n in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes.pop(3), asyncio.CancelledError)
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert await count(store) == 10, "what was offered is written, whether or not its caller still listens"


async def test_close_waits_for_all_that_were_offered(store: Store, writer: Writer) -> None:
    tasks = [asyncio.create_task(writer.commit(hears(n))) for n in range(50)]
    await asyncio.sleep(0)
    await writer.close()
    assert await count(store) == 50
    await asyncio.gather(*tasks)


async def test_a_writer_that_is_cancelled_tells_all_who_wait(store: Store, writer: Writer) -> None:
    tasks = [asyncio.create_task(writer.commit(hears(n))) for n in range(5)]
    await asyncio.sleep(0)
    assert writer._flusher is not None
    tasks.append(asyncio.create_task(writer.commit(hears(9))))
    await asyncio.sleep(0)
    writer._flusher.cancel()
    outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert isinstance(await writer.commit(hears(20)), Done)


async def test_listeners_hear_every_commit_in_order_and_one_that_breaks_harms_nobody(
    store: Store, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(changes: list[Changes]) -> None:
        raise RuntimeError("listener")

    heard: list[int] = []
    writer.listen(broken)
    writer.listen(lambda group: heard.extend(message.seq for changes in group for message in changes.messages))
    outcomes = await all_of(writer, *(hears(n) for n in range(30)))
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert heard == list(range(1, 31))
    assert "writer.listener broke" in caplog.text


async def test_a_memory_that_breaks_after_the_commit_does_not_write_again(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> None:
        raise RuntimeError("memory")

    await writer.commit(counts("P1"))
    monkeypatch.setattr(writer.recent, "learn", broken)
    outcomes = await all_of(writer, counts("P1"), counts("P1"))
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert await count(store, "P1") == 3
    monkeypatch.undo()
    await writer.commit(counts("P1"))
    assert writer.tally.conflicts == 0, "what it remembered from before is forgotten"


async def test_nobody_hears_of_what_was_not_written(store: Store, writer: Writer) -> None:
    heard: list[str] = []
    writer.listen(lambda group: heard.extend(message.id for changes in group for message in changes.messages))
    await writer.commit(hears(1))
    await all_of(writer, hears(1), hears(2, text="\ud800"), hears(3))
    assert heard == ["telegram:42/1", "telegram:42/3"]


def _merge(kept: str, absorbed: str) -> Work:
    def think(snapshot: Any) -> Changes | Refusal:
        profiles: dict[str, Profile] = snapshot.profiles
        return people.merge(snapshot, profiles[kept], profiles[absorbed], by="agent:1", why="test", now=snapshot.now)

    return Work(think, profiles=(kept, absorbed))


def _unchecked(id: str, version: int | None, *rest: Any, **options: Any) -> Any:
    from profiles.store import Update

    return Update(id, version if version == 0 else None, *rest, **options)


# -- records of others, with a version


def steps_on(id: str, seen: list[int]) -> Work:
    """Count a run's steps, and note what each attempt read."""

    def think(snapshot: Snapshot) -> Changes:
        there = dict(snapshot.records.get(("runs", id), {}))
        seen.append(there.get("steps", 0))
        return Changes(writes=(Write("runs", id, {**there, "steps": there.get("steps", 0) + 1}),))

    return Work(think, records=(("runs", id),))


async def test_records_are_read_afresh_and_two_works_of_a_group_build_on_one_another(
    store: Store, writer: Writer
) -> None:
    seen: list[int] = []
    await all_of(writer, *(steps_on("r1", seen) for _ in range(5)))
    await writer.commit(steps_on("r1", seen))
    assert seen == [0, 1, 2, 3, 4, 5]
    assert await store.get("runs", "r1") == {"_id": "r1", "steps": 6, "version": 2}


async def test_what_a_caller_wrongly_knows_of_the_database_is_read_at_the_next_attempt(
    store: Store, writer: Writer
) -> None:
    await store.insert("runs", {"_id": "r1", "steps": 7, "version": 2})
    known = Profile("P1", NOON, version=3).learn("count", 7, source="tracked", at=NOON)
    await store.insert("profiles", to_document(known))
    ours: list[int] = []
    stale = replace(known, version=2).learn("count", 6, source="tracked", at=NOON)
    await writer.commit(replace(steps_on("r1", ours), fresh=frozenset({("runs", "r1")})))
    await writer.commit(replace(counts("P1"), seen=(stale,)))
    assert ours == [0, 7]
    assert await count(store, "P1") == 8
    assert writer.tally.conflicts == 2, "one each"


async def test_two_processes_never_overwrite_a_record(store: Store, writer: Writer, second: Writer) -> None:
    ours: list[int] = []
    theirs: list[int] = []
    await all_of(writer, steps_on("r1", ours))
    await asyncio.gather(
        *(writer.commit(steps_on("r1", ours)) for _ in range(20)),
        *(second.commit(steps_on("r1", theirs)) for _ in range(20)),
    )
    document = await store.get("runs", "r1")
    assert document is not None and document["steps"] == 41


async def test_a_record_is_removed_once_and_fields_that_went_are_gone(store: Store, writer: Writer) -> None:
    await store.insert("runs", {"_id": "r1", "due_at": 1, "version": 3})

    def rest(snapshot: Snapshot) -> Changes:
        return Changes(writes=(Write("runs", "r1", {"steps": 1}), Write("nudges", "gone before", None)))

    def end(snapshot: Snapshot) -> Changes:
        return Changes(writes=(Write("runs", "r1", None),))

    await writer.commit(Work(rest, records=(("runs", "r1"),)))
    assert await store.get("runs", "r1") == {"_id": "r1", "steps": 1, "version": 4}
    await writer.commit(Work(end, records=(("runs", "r1"),)))
    assert await store.get("runs", "r1") is None


async def test_a_record_that_nobody_read_must_be_new(store: Store, writer: Writer) -> None:
    await store.insert("runs", {"_id": "r1", "version": 1})
    work = Work(lambda snapshot: Changes(writes=(Write("runs", "r1", {"steps": 1}),)), key="r1", key_in="runs")
    assert await writer.commit(work) == Duplicate("r1")
