"""A database that falls silent: no packet comes, and nobody hangs up."""

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from profiles.store import Interrupted, Plan, Stale, Store, Unavailable, Update
from tests.wire import Road, by_road, road_to


@pytest.fixture
async def road(mongo_url: str) -> AsyncIterator[Road]:
    """The road to the database."""
    async with road_to(int(mongo_url.split("@127.0.0.1:")[1].split("/")[0])) as opened:
        yield opened


@pytest.fixture
async def far(mongo_url: str, database_name: str, road: Road, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """The store at the end of the road, which has one profile, and waits for an answer for less long than a test has."""
    store = Store(by_road(mongo_url, road.port), database_name)
    await store.commit(plan_of(0))
    for name in ("CONFIRM_WITHIN_SECONDS", "WRITE_WITHIN_SECONDS"):
        monkeypatch.setattr(f"profiles.store_transactions.{name}", 0.4)
    yield store
    await store.close()


def plan_of(version: int, language: str = "fr") -> Plan:
    plan = Plan()
    plan.insert("messages", {"_id": f"m{version}-{language}", "conversation": language, "seq": version})
    plan.update("profiles", Update("P1", version, {"language": language}))
    return plan


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_commit_that_nobody_answers_is_settled_on_another_connection(
    far: Store, road: Road, where: Any
) -> None:
    road.cut("commitTransaction", where, silently=True)
    await far.commit(plan_of(1))
    assert road.cuts == 1
    with pytest.raises(Stale):  # it is there, once
        await far.commit(plan_of(1, "en"))


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_statement_that_nobody_answers_leaves_nothing(
    far: Store, road: Road, where: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    road.cut("m1-fr", where, silently=True)
    with pytest.raises(Interrupted):
        await far.commit(plan_of(1))
    monkeypatch.undo()
    assert await far.get("messages", "m1-fr") is None
    await far.commit(plan_of(1))


async def test_a_commit_that_never_arrived_locks_nothing_and_can_not_arrive_later(
    far: Store, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("profiles.store_transactions.COMMIT_WITHIN_SECONDS", 0.5)
    road.cut("commitTransaction", "before", times=1_000, silently=True)
    with pytest.raises(Unavailable):
        await far.commit(plan_of(1))
    road.left = 0
    monkeypatch.undo()
    await far.commit(plan_of(1, "en"))  # a Stale here: the database still holds the records for the one before
    assert await far.get("messages", "m1-fr") is None


async def test_the_kernel_is_told_to_notice_a_silent_connection(far: Store) -> None:
    (server,) = far._client._topology._servers.values()
    connection = server._pool.conns[0].conn.sock
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7_000
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 3
