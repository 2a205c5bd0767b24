"""What only one process may send is given to it by the others, at once; when it does not hear of it, by the lease."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from channels.channel import Door, Elsewhere, Outbound, Sent
from channels.passing import Passing
from channels.smpp import Smpp, connect
from profiles.calendar import utc_now
from profiles.hints import Hints
from profiles.indexes import INDEXES
from profiles.plan import LEASE_FOR
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer
from tests.channels.kits.kit import Recorder
from tests.channels.kits.smpp import SmppKit
from tests.channels.test_outbound import Server
from tests.peers.smsc import running_smsc
from tests.waiting import until


@pytest.fixture
async def start(mongo_url: str, database_name: str) -> AsyncIterator[Callable[[str], Server]]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    servers: list[Server] = []

    def one(name: str) -> Server:
        servers.append(Server(store, name))
        return servers[-1]

    yield one
    for server in servers:
        await server.back_door.close()
        await server.writer.close()
    await store.close()


def acquainted(one: Server, other: Server) -> list[Passing]:
    """Let each hear the other's hints."""
    pairs = []
    for here, there in ((one, other), (other, one)):
        pairs.append((here, there, Hints()))
    for (here, _, hints), (_, _, others) in zip(pairs, reversed(pairs), strict=True):
        hints.send = lambda name, value, here=here, others=others: others.take(here.writer.process, name, value)  # type: ignore[misc]
    return [Passing(here.store, here.back_door, hints, process=here.writer.process) for here, _, hints in pairs]


async def test_a_message_is_passed_on_to_the_process_that_may_send_it(start: Callable[[str], Server]) -> None:
    here, bound = start("p1"), start("p2")
    passing = acquainted(here, bound)
    here.pigeon.answers = [Elsewhere("p2"), Elsewhere("p2")]
    await here.say("one", "two")
    message = await bound.reaches("two", "sent")
    assert bound.carried() == ["one", "two"], "in their order, once"
    assert message.delivery and message.delivery.leased_by is None
    assert not here.back_door.holds("m:one")
    for one in passing:
        await one.close()


async def test_what_the_other_did_not_hear_of_is_found_when_it_dies(
    start: Callable[[str], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, heir = start("p1"), start("p3")
    here.pigeon.answers = [Elsewhere("p2")]  # nobody carries the hint, and p2 shows no pulse
    late = utc_now() + timedelta(seconds=30)
    monkeypatch.setattr(here.back_door._outcomes, "_clock", lambda: late)
    await here.say("one")
    await until(lambda: not here.back_door.holds("m:one"))
    given = (await here.reaches("one", "queued")).delivery
    assert given and given.leased_by == "p2"
    assert given.lease_until and abs(given.lease_until - late - LEASE_FOR) < timedelta(milliseconds=1), "from now on"
    await heir.sweeper.sweep()
    await heir.reaches("one", "sent")
    assert heir.carried() == ["one"]


async def test_of_two_processes_one_is_bound_to_the_smsc_and_the_other_takes_over(
    mongo_url: str, database_name: str
) -> None:
    store, recorder = Store(mongo_url, database_name), Recorder()
    await store.prepare(INDEXES)
    async with running_smsc() as smsc:
        first, second = [await _bound(smsc, store, recorder, name) for name in ("p1", "p2")]
        await until(lambda: second._bound.holder == "p1", within_seconds=10)
        assert len(smsc.of("bound")) == 1
        outbound = Outbound("m1", "+33612345678", Content("bonjour"), "smpp:+33612345678", 1)
        assert await second.send(outbound) == Elsewhere("p1")
        assert isinstance(await first.send(outbound), Sent)
        await first.close()
        await smsc.event("bound", after=1)
        assert isinstance(await second.send(outbound), Sent)
        await second.close()
    await store.close()


async def _bound(smsc: Any, store: Store, recorder: Recorder, process: str) -> Smpp:
    nobody = cast(Any, None)
    door = Door(recorder.receive, "http://127.0.0.1:1", utc_now, store, Writer(store, process=process), nobody)
    channel = cast(Smpp, await connect(SmppKit(smsc).options, door))
    await until(lambda: channel._bound.holder)
    if channel._bound.is_ours:
        await smsc.event("bound", after=0)
    return channel
