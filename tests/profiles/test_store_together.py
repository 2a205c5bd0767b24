"""The statements of a plan go out in one trip, and fail as if they had gone one by one."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo.errors import DocumentTooLarge

from profiles import store_together
from profiles.store import AlreadyThere, Plan, Stale, Store, Update
from tests.profiles.works import Commands


def plan_of(id: str, version: int) -> Plan:
    plan = Plan()
    plan.insert("messages", {"_id": id, "conversation": id, "seq": 1})
    plan.insert("words", {"_id": id, "words": ["hello"]})
    plan.update("profiles", Update("P1", version, {"language": id}))
    plan.delete("identities", "nobody")
    return plan


@pytest.fixture
async def one(mongo_url: str, database_name: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A store with a single connection, so that an answer left unread would reach whoever asks next."""
    store = Store(f"{mongo_url}&maxPoolSize=1", database_name)
    await store.prepare({name: [] for name in ("messages", "words", "profiles", "identities")})
    yield store
    await store.close()


class Trips:
    """Notes how often something is sent and how many answers are read, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[str] = []
        read = store_together._read

        def reading(connection: Any, number: int) -> Any:
            self.seen.append("read")
            return read(connection, number)

        def written(*arguments: Any) -> Any:
            self.seen.append("written")
            return write(*arguments)

        write = store_together._written_out
        monkeypatch.setattr(store_together, "_read", reading)
        monkeypatch.setattr(store_together, "_written_out", written)


async def test_all_are_sent_before_the_first_answer_is_read(one: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    trips = Trips(monkeypatch)
    await one.commit(plan_of("m0", 0))
    await one.commit(plan_of("m1", 1))
    assert trips.seen == [*["written"] * 4, *["read"] * 4] * 2
    assert await one.get("profiles", "P1") == {"_id": "P1", "language": "m1", "version": 2}


async def test_the_first_that_failed_says_why_and_the_connection_goes_on(
    one: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips = Trips(monkeypatch)
    await one.commit(plan_of("m0", 0))
    with pytest.raises(AlreadyThere):  # the first statement; the others hear only that their transaction is over
        await one.commit(plan_of("m0", 1))
    with pytest.raises(Stale):  # the third
        await one.commit(plan_of("m1", 7))
    assert await one.get("messages", "m1") is None
    await one.commit(plan_of("m1", 1))
    assert await one.count("messages", {}) == 2
    assert trips.seen.count("read") == trips.seen.count("written") == 16, "what stays unread costs the connection"


async def test_what_no_command_can_hold_is_said_before_anything_is_sent(
    one: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips = Trips(monkeypatch)
    tried: list[str] = []

    def in_parts(*_: Any) -> None:
        tried.append("in parts")
        raise DocumentTooLarge("again")

    monkeypatch.setattr(one._transactions, "_write_in_parts", in_parts)
    plan = plan_of("m0", 0)
    for number in range(2):
        plan.insert("profiles", {"_id": f"L{number}", "text": "x" * 9_000_000})
    with pytest.raises(Exception, match="DocumentTooLarge|again"):
        await one.commit(plan)
    assert tried == ["in parts"]
    assert "read" not in trips.seen
    await one.commit(plan_of("m0", 0))


async def test_whoever_counts_commands_hears_of_each(mongo_url: str, database_name: str) -> None:
    commands = Commands()
    store = Store(mongo_url, database_name, listeners=[commands])
    await store.commit(plan_of("m0", 0))
    assert commands.seen == {"insert": 3, "delete": 1, "commitTransaction": 1}
    await store.close()
