"""Ready means that a majority write commits in time; the figures count what was committed, without anybody's address."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from causerie.health import Health, health_routes
from causerie.mongod import StoreOptions, start
from channels.outbound import BackDoor
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.live import Feed
from profiles.neighbours import Neighbours
from profiles.snapshot import Amend, Changes, Work
from profiles.store import Store
from profiles.timeline import Content, Delivery, Event, Message
from profiles.writer import Writer
from tests.waiting import is_stopped, until


@asynccontextmanager
async def health_over(url: str, database: str) -> AsyncIterator[tuple[Health, Writer, Store]]:
    store = Store(url, database)
    await store.prepare(INDEXES)
    writer = Writer(store, process="test")
    back_door = BackDoor({}, writer, clock=utc_now)
    try:
        yield Health(store, writer, back_door), writer, store
    finally:
        await writer.close()
        await store.close()


@asynccontextmanager
async def asked(health: Health) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application()
    app.add_routes(health_routes(health))
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_health_is_200_while_writes_commit(mongo_url: str, database_name: str) -> None:
    async with health_over(mongo_url, database_name) as (health, _, store), asked(health) as client:
        answer = await client.get("/health")
        assert (answer.status, await answer.json()) == (200, {"status": "ready"})
        assert answer.headers["Cache-Control"] == "no-store"
        assert await store.get("health", "probe")


async def test_an_answer_is_trusted_for_a_second_and_then_proved_again(mongo_url: str, database_name: str) -> None:
    async with health_over(mongo_url, database_name) as (_, writer, store):
        now = 0.0
        health = Health(store, writer, BackDoor({}, writer, clock=utc_now), monotonic=lambda: now)
        assert await health.objection() is None
        await store.remove("health", {})
        now = 0.9
        assert await health.objection() is None
        assert await store.get("health", "probe") is None
        now = 1.1
        assert await health.objection() is None
        assert await store.get("health", "probe")


async def test_many_who_ask_at_once_cause_one_write(mongo_url: str, database_name: str) -> None:
    async with health_over(mongo_url, database_name) as (health, _, store):
        writes = 0
        change = store.change

        async def counted(*arguments: object, **named: object) -> object:
            nonlocal writes
            writes += 1
            return await change(*arguments, **named)  # type: ignore[arg-type]

        store.change = counted  # type: ignore[method-assign,assignment]
        assert await asyncio.gather(*(health.objection() for _ in range(50))) == [None] * 50
        assert writes == 1


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[tuple[Health, int]]:
    """A Health over a MongoDB that this test may hurt."""
    mongod = await start(StoreOptions(folder=str(tmp_path / "data")))
    assert mongod.pid
    async with health_over(f"{mongod.url}&serverSelectionTimeoutMS=500", "causerie") as (health, _, _):
        yield health, mongod.pid
    await mongod.stop()


async def test_health_is_503_when_the_database_is_dead(own: tuple[Health, int]) -> None:
    health, pid = own
    os.kill(pid, signal.SIGKILL)
    async with asked(health) as client:
        answer = await client.get("/health")
        assert answer.status == 503
        assert (await answer.json())["status"] == "unavailable"
        assert (await client.get("/metrics")).status == 200


async def test_health_is_503_within_its_time_when_the_database_hangs_and_200_when_it_is_back(
    own: tuple[Health, int],
) -> None:
    health, pid = own
    os.kill(pid, signal.SIGSTOP)
    try:
        await until(lambda: is_stopped(pid))
        async with asyncio.timeout(10):
            assert await health.objection() == "database_slow"
    finally:
        os.kill(pid, signal.SIGCONT)
    health._trusted_until = 0
    assert await health.objection() is None


def said(id: str, state: str) -> Message:
    return Message(
        id=id,
        conversation="sms:+33612345678",
        profile="P",
        channel="sms",
        direction="outbound",
        author="bot",
        content=Content("secret words"),
        seq=int(id),
        at=utc_now(),
        delivery=Delivery("sms:+33612345678", state),  # type: ignore[arg-type]
    )


async def test_the_figures_count_commits_messages_and_deliveries(mongo_url: str, database_name: str) -> None:
    async with health_over(mongo_url, database_name) as (health, writer, _):
        event = Event("E", "P", "conversation.handed_over", utc_now())
        invented = Event("F", "P", "anna@example.com", utc_now())
        first = Changes(messages=(said("1", "queued"), said("2", "queued")), events=(event, invented))
        await writer.commit(Work(lambda _: first, key="1"))
        await writer.commit(Work(lambda _: first, key="1"))
        sent = Amend("1", {"delivery.state": "sent"}, ("delivery.lease_until", "delivery.leased_by"))
        await writer.commit(Work(lambda _: Changes(amends=(sent,))))
        health.metrics.sockets("webchat", lambda: 7)
        async with asked(health) as client:
            answer = await client.get("/metrics")
            text = await answer.text()
    assert answer.headers["Content-Type"].startswith("text/plain")
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert figures['causerie_messages_total{channel="sms",direction="outbound"}'] == "2.0"
    assert figures['causerie_deliveries_total{state="queued"}'] == "2.0"
    assert figures['causerie_deliveries_total{state="sent"}'] == "1.0"
    assert figures['causerie_events_total{name="conversation.handed_over"}'] == "1.0"
    assert figures['causerie_events_total{name="other"}'] == "1.0"
    assert figures["causerie_commits_total"] == "3.0"
    assert figures['causerie_sockets{kind="webchat"}'] == "7.0"
    assert figures["causerie_duplicates_total"] == "1.0"
    assert figures["causerie_queue_deliveries"] == "1.0"
    assert 0 <= float(figures["causerie_queue_age_seconds"]) < 60
    assert float(figures["causerie_commit_seconds_total"]) > 0
    assert not any(word in text for word in ("33612345678", "secret words", "anna"))


async def test_a_server_that_is_about_to_go_says_so_at_once(mongo_url: str, database_name: str) -> None:
    async with health_over(mongo_url, database_name) as (health, _, _), asked(health) as client:
        assert (await client.get("/health")).status == 200
        health.stop()
        answer = await client.get("/health")
        assert (answer.status, await answer.json()) == (503, {"status": "unavailable", "reason": "stopping"})


async def test_the_figures_tell_how_many_processes_share_the_database(mongo_url: str, database_name: str) -> None:
    async with health_over(mongo_url, database_name) as (health, writer, store):
        neighbours = Neighbours(store, writer, Feed(), clock=utc_now)
        health.metrics.neighbours(neighbours)
        neighbours.see(["test", "another"])
        text = (await health.metrics.exposition()).decode()
        assert "causerie_processes 2.0" in text and "causerie_bulletin_gaps_total" in text
        await neighbours.close()
