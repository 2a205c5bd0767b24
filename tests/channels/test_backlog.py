"""A campaign larger than the back door's room waits in the database, and all of it is sent once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from channels import outbound
from channels.backlog import Backlog
from channels.channel import Limits, Outbound, Sending
from profiles.calendar import utc_now
from profiles.snapshot import Changes, Work
from profiles.store import Store, Unavailable
from profiles.timeline import Content, Delivery, Message
from tests.channels.test_outbound import Pigeon
from tests.channels.test_outbound_permits import Server, Town, store, town  # noqa: F401 (fixtures)
from tests.waiting import until

ROOM, MANY = 4, 23


class Loft(Pigeon):
    """Sends two at a time when it is open, and remembers the most that its back door held of rules."""

    limits = Limits(threads=False, at_once=2)

    def __init__(self) -> None:
        super().__init__()
        self.open, self.most = asyncio.Event(), 0
        self.server: Server

    async def send(self, outbound: Outbound) -> Sending:
        self.most = max(self.most, len(self.server.back_door.held()))
        await self.open.wait()
        return await super().send(outbound)

    def told(self) -> Counter[str]:
        return Counter(outbound.id for outbound in self.carried)


@pytest.fixture
async def loft(town: Town, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Loft]:  # noqa: F811
    monkeypatch.setattr(outbound, "ROOM", ROOM)
    loft = Loft()
    loft.server = town.server(pigeon=loft)
    backlog = Backlog(town.store, loft.server.back_door, process="here")
    await loft.server.yes()
    yield loft
    loft.open.set()
    await backlog.close()


async def campaign(server: Server, name: str = "n", many: int = MANY, **metadata: str) -> list[str]:
    """Commit notices to Anna, so many in one commit, and return their ids."""
    told = {"class": "marketing", "topic": "offers"} | metadata
    ids = [f"rule:{name}{number:02}" for number in range(many)]
    notices = tuple(
        Message(id, id, "anna", "pigeon", "outbound", "rule:r", Content(id), 1, utc_now(),
                delivery=Delivery("pigeon:anna"), metadata=told)
        for id in ids
    )  # fmt: skip
    await server.writer.commit(Work(lambda _: Changes(messages=notices)))
    return ids


async def all_sent(store: Store, ids: list[str]) -> None:  # noqa: F811
    async def ended() -> bool:
        return await store.count("messages", {"_id": {"$in": ids}, "delivery.state": "sent"}) == len(ids)

    await until(ended)


async def test_what_there_is_no_room_for_is_read_again_and_sent_once(loft: Loft) -> None:
    ids = await campaign(loft.server)
    assert loft.server.back_door.is_behind and len(loft.server.back_door.held()) == ROOM
    loft.open.set()
    await all_sent(loft.server.store, ids)
    assert loft.told() == Counter(ids)
    assert loft.most <= ROOM
    assert not loft.server.back_door.is_behind


async def test_an_answer_finds_room_at_once(loft: Loft) -> None:
    await campaign(loft.server)
    (answer,) = await campaign(loft.server, "answer", 1, **{"class": "transactional"})
    assert loft.server.back_door.holds(answer)


async def test_what_follows_in_a_thread_that_is_here_does_not_wait_behind_the_campaign(loft: Loft) -> None:
    await loft.server.say("first")
    await campaign(loft.server)
    await loft.server.say("second")
    assert loft.server.back_door.room("pigeon") == 0
    assert loft.server.back_door.holds("m:second")


async def test_the_sweeper_leaves_the_backlog_to_itself(loft: Loft) -> None:
    await campaign(loft.server)
    long_ago = {"delivery.lease_until": utc_now()}
    await loft.server.store.change_many("messages", {"delivery.leased_by": "here"}, {"$set": long_ago})
    assert await loft.server.sweeper.sweep() == 0


async def test_a_dead_processs_campaign_is_taken_over_beyond_the_room(loft: Loft, town: Town) -> None:  # noqa: F811
    ids = await campaign(town.server("dead", sends=False))
    loft.open.set()
    assert await loft.server.sweeper.sweep() == MANY
    await all_sent(loft.server.store, ids)
    assert loft.told() == Counter(ids)


async def test_reading_goes_on_after_the_database_was_away(loft: Loft, monkeypatch: pytest.MonkeyPatch) -> None:
    find, away = loft.server.store.find, iter([True])

    async def once_away(*where: object, **more: object) -> list[dict[str, object]]:
        if where[0] == "messages" and next(away, False):
            raise Unavailable("away")
        return await find(*where, **more)  # type: ignore[arg-type]

    ids = await campaign(loft.server)
    monkeypatch.setattr("channels.backlog.AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(loft.server.store, "find", once_away)
    loft.open.set()
    await all_sent(loft.server.store, ids)
    assert next(away, None) is None
    assert loft.told() == Counter(ids)
