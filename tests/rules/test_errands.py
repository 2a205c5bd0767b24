"""Webhooks of rules are made after their commit until somebody takes them, for three days, and one that is given up is seen."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from aiohttp.test_utils import TestServer

from profiles.indexes import INDEXES
from profiles.record import to_document
from profiles.secret import Secret
from profiles.store import Store
from rules.errands import SILENT_FOR, Errands, again
from rules.options import RulesOptions
from rules.outward import PublicResolver
from rules.webhooks import headers, key_of
from tests.cast import NOON, anna

SECRET = "whsec_" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr"


class Town:
    """A receiver on a real port, a database, and workers on both."""

    def __init__(self, store: Store, server: TestServer) -> None:
        self.store, self.server, self.now = store, server, NOON
        self.status = 200
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.reached = asyncio.Event()
        self.hold: asyncio.Event | None = None

    def clock(self) -> datetime:
        return self.now

    def worker(self, secret: str = SECRET, *, inside: bool = True, **more: Any) -> Errands:
        options = RulesOptions(webhook_secret=Secret(secret), webhooks_inside=inside)
        return Errands(self.store, options, clock=self.clock, **more)

    async def ask(self, id: str = "e1", target: str = "", **more: Any) -> None:
        """Put an errand there as a rule's step does."""
        await self.store.insert("errands", {
            "_id": id, "kind": "webhook", "target": target or str(self.server.make_url("/in")), "profile": "anna",
            "fields": {"x": "{{ contact.first_name }}"}, "rule": "tell", "run": "r1", "start": {"name": "api", "at": NOON},
            "at": self.now, "due_at": self.now, "attempts": 0, **more,
        })  # fmt: skip

    async def row(self, id: str = "e1") -> dict[str, Any]:
        found = await self.store.get("errands", id)
        assert found
        return found


@pytest.fixture
async def town(mongo_url: str, database_name: str) -> AsyncIterator[Town]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    await store.insert("profiles", to_document(anna()))
    app = web.Application()

    async def take(request: web.Request) -> web.Response:
        town.heard.append((dict(request.headers), await request.read()))
        town.reached.set()
        if town.hold:
            await town.hold.wait()
        return web.Response(status=town.status, headers={"Location": "/elsewhere"})

    app.router.add_post("/in", take)
    app.router.add_route("*", "/elsewhere", take)
    async with TestServer(app) as server:
        town = Town(store, server)
        yield town
    await store.close()


@pytest.fixture
async def worker(town: Town) -> AsyncIterator[Errands]:
    made = town.worker()
    yield made
    await made.close()


async def test_while_a_secret_is_replaced_webhooks_are_signed_with_both(town: Town) -> None:
    previous = Secret("whsec_" + "b29vb29vb29vb29vb29vb29vb29vb29vb29vb29v")
    both = RulesOptions(webhook_secret=Secret(SECRET), previous_webhook_secret=previous, webhooks_inside=True)
    for id, options in (("e1", both), ("e2", replace(both, webhook_secret=Secret()))):
        worker = Errands(town.store, options, clock=town.clock)
        await town.ask(id)
        await worker.look()
        await worker.close()
    ((sent, body),) = town.heard
    keys = [key_of(SECRET), key_of(previous.reveal())]
    assert sent["webhook-signature"] == headers("e1", body, keys, NOON)["webhook-signature"]
    assert (await town.row("e2"))["reason"] == "no_secret", "an old one alone signs nothing"


async def test_a_webhook_is_signed_and_taken_once(town: Town, worker: Errands) -> None:
    await town.ask()
    assert await worker.look() == 1
    ((sent, body),) = town.heard
    wanted = headers("e1", body, [key_of(SECRET)], NOON)
    assert {name: sent.get(name) for name in wanted} == wanted
    assert json.loads(body)["fields"] == {"x": "Anna"}
    row = await town.row()
    assert (row["state"], row["reason"], row["attempts"], row["ended_at"]) == ("done", "200", 1, NOON)
    assert "due_at" not in row
    assert await worker.look() == 0


async def test_what_is_not_taken_is_tried_again_later_and_later(town: Town, worker: Errands) -> None:
    town.status = 500
    await town.ask()
    pauses = []
    for _ in range(6):
        assert await worker.look() == 1
        due = (await town.row())["due_at"]
        pauses.append((due - town.now).total_seconds())
        town.now = due
    assert all(later > 2 * sooner for sooner, later in zip(pauses, pauses[1:], strict=False))
    assert 10 <= pauses[0] <= 13
    town.status = 204
    assert await worker.look() == 1
    assert (await town.row())["state"] == "done"
    assert {sent["webhook-id"] for sent, _ in town.heard} == {"e1"}
    assert len({sent["webhook-timestamp"] for sent, _ in town.heard}) == 7


async def test_after_three_days_it_is_given_up_seen_and_may_be_sent_by_hand(town: Town, worker: Errands) -> None:
    town.status = 503
    await town.ask()
    while "due_at" in (row := await town.row()):
        town.now = max(town.now, row["due_at"])
        await worker.look()
    assert (row["state"], row["reason"]) == ("dead", "503")
    assert timedelta(days=2, hours=16) < row["ended_at"] - NOON <= timedelta(days=3)
    town.status = 200
    assert await again(town.store, "e1", town.now) is True
    assert await worker.look() == 1
    assert (await town.row())["state"] == "done"
    assert await again(town.store, "e1", town.now) is False
    assert await again(town.store, "nope", town.now) is None


async def test_who_says_gone_is_left_alone(town: Town, worker: Errands) -> None:
    town.status = 410
    await town.ask()
    await worker.look()
    assert (await town.row())["state"] == "dead"


async def test_a_redirect_is_not_followed(town: Town, worker: Errands) -> None:
    town.status = 302
    await town.ask()
    await worker.look()
    assert len(town.heard) == 1
    assert (await town.row())["reason"] == "302"


async def test_two_processes_do_not_send_the_same_one_at_once(town: Town, worker: Errands) -> None:
    for number in range(40):
        await town.ask(f"e{number}")
    other = town.worker()
    tried = await asyncio.gather(worker.look(), other.look())
    await other.close()
    assert sum(tried) == 40
    assert len(town.heard) == 40


async def test_a_process_that_dies_in_between_leaves_it_to_the_next(town: Town, worker: Errands) -> None:
    town.hold = asyncio.Event()
    await town.ask()
    dying = asyncio.create_task(worker.look())
    await town.reached.wait()
    dying.cancel()
    town.hold.set()
    other = town.worker()
    assert await other.look() == 0, "it may still be under way"
    town.now += timedelta(minutes=2)
    assert await other.look() == 1
    await other.close()
    assert ((await town.row())["state"], len(town.heard)) == ("done", 2)


async def test_without_a_secret_webhooks_wait_for_one(town: Town) -> None:
    await town.ask()
    poor = town.worker("")
    await poor.look()
    await poor.close()
    row = await town.row()
    assert (row["reason"], town.heard) == ("no_secret", [])
    assert row["due_at"] > town.now


async def test_a_host_that_is_down_costs_the_others_no_time(town: Town, worker: Errands) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    for number in range(20):
        await town.ask(f"d{number:02}", f"http://localhost:{port}/")
    await town.ask("good")
    await worker.look()
    assert (await town.row("good"))["state"] == "done"
    rows = await town.store.find("errands", {"_id": {"$regex": "^d"}})
    assert {row["reason"] for row in rows} == {"unreachable", "silent"}
    assert {row["attempts"] for row in rows if row["reason"] == "silent"} == {0}


async def test_a_host_that_was_down_is_tried_again_and_forgotten(town: Town, worker: Errands) -> None:
    await town.ask("first", "http://localhost:1/")
    await town.ask("other", "http://127.0.0.1:1/", give_up_at=town.now)
    await worker.look()
    assert worker._silent.keys() == {"localhost", "127.0.0.1"}
    town.now += SILENT_FOR
    await town.ask("again", "http://localhost:1/")
    await worker.look()
    assert (await town.row("again"))["reason"] == "unreachable"
    assert worker._silent.keys() == {"localhost"}


@pytest.mark.parametrize(
    ("target", "reason"),
    [("http://shop.example/", "not_https"), ("https://127.0.0.1/", "not_public"), ("https://a:b@c.example/", "bad_address"),
     ("https://[::ffff:169.254.169.254]/", "not_public")],
)  # fmt: skip
async def test_an_address_inside_is_never_tried(town: Town, target: str, reason: str) -> None:
    await town.ask(target=target)
    careful = town.worker(inside=False)
    await careful.look()
    await careful.close()
    row = await town.row()
    assert (row["state"], row["reason"]) == ("dead", reason)


async def test_a_name_that_leads_inside_is_given_up_when_it_is_connected_to(town: Town) -> None:
    class Rebound(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:
            return [
                {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
            ]

        async def close(self) -> None:
            pass

    await town.ask(target="https://rebound.example/in")
    careful = town.worker(inside=False, connector=aiohttp.TCPConnector(resolver=PublicResolver(Rebound())))
    await careful.look()
    await careful.close()
    row = await town.row()
    assert (row["state"], row["reason"], town.heard) == ("dead", "not_public", [])


async def test_whom_nobody_knows_any_more_is_told_to_nobody(town: Town, worker: Errands) -> None:
    await town.ask(profile="gone")
    await worker.look()
    assert ((await town.row())["reason"], town.heard) == ("nobody", [])


@pytest.mark.parametrize(
    "make",
    [
        lambda: RulesOptions(webhook_secret=Secret("secret")),
        lambda: RulesOptions(webhook_secret=Secret(SECRET), previous_webhook_secret=Secret("secret")),
        lambda: RulesOptions(zone="Mars"),
    ],
)
def test_a_bad_option_is_refused(make: Callable[[], RulesOptions]) -> None:
    with pytest.raises(ValueError, match="expected"):
        make()
