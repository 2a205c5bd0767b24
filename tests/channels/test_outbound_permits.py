"""The back door asks the legal gate at the moment of sending: no hand-over against a no, none twice after a crash."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

import pytest

from channels.channel import Elsewhere, Failed, Later, Outbound, Sending, Sent, Unknown
from channels.outbound import BackDoor
from channels.sweeper import ATTEMPTS, Sweeper
from profiles.append import begin, said
from profiles.calendar import utc_now
from profiles.consents import Consents, Said
from profiles.indexes import INDEXES
from profiles.ledgers import Ledgers
from profiles.permits import Leave, Pass, Passage, Permits, Stopped
from profiles.profile import Identity, Profile, Suppression
from profiles.record import from_document
from profiles.snapshot import Changes, Snapshot, Work
from profiles.store import Store
from profiles.timeline import BOT, Content, Delivery, Message
from profiles.topics import Topic
from profiles.writer import Writer
from tests.channels.test_outbound import Pigeon
from tests.waiting import until

OFFERS, HERE = Topic("offers"), Said("form")
ANNA = "pigeon:anna"


class SlowPigeon(Pigeon):
    """Says when it has taken off, and arrives when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.gone, self.arrive = asyncio.Event(), asyncio.Event()

    async def send(self, outbound: Outbound) -> Sending:
        self.gone.set()
        await self.arrive.wait()
        return await super().send(outbound)


class Server:
    """One process with a permit desk: what it commits for a rule, it sends."""

    def __init__(self, store: Store, name: str, pigeon: Pigeon, *, sends: bool = True, seconds: float = 15) -> None:
        self.store, self.pigeon = store, pigeon
        self.writer = Writer(store, process=name)
        ledgers = Ledgers(store)
        self.permits = Permits(store, ledgers, clock=utc_now, seconds=seconds)
        self.consents = Consents(store, ledgers, self.permits)
        self.back_door = BackDoor({"pigeon": pigeon}, self.writer, clock=utc_now, permits=self.permits)  # type: ignore[dict-item]
        self.sweeper = Sweeper(store, self.back_door, process=name, clock=utc_now)
        if sends:
            self.writer.listen(self.back_door.take)

    async def yes(self) -> None:
        await self.consents.give("anna", OFFERS, "pigeon", HERE, now=utc_now())

    async def no(self) -> None:
        await self.consents.withdraw("anna", "pigeon", "offers", HERE, now=utc_now())

    async def say(self, text: str, **metadata: Any) -> None:
        told = {"class": "marketing", "topic": "offers"} | metadata

        def think(snapshot: Snapshot) -> Changes:
            now = snapshot.now
            known = snapshot.holder(ANNA)
            profile = known or Profile("anna", now, (Identity("pigeon", "anna", now),))
            thread = snapshot.conversations.get(ANNA) or begin(
                ANNA, profile, channel="pigeon", address="anna", identity=ANNA, now=now
            )
            thread, message = said(
                thread, Content(text), id=f"m:{text}", author="rule:r", now=now, to=ANNA, metadata=told
            )
            return Changes((profile,), (thread,), {} if known else {ANNA: "anna"}, messages=(message,))

        await self.writer.commit(Work(think, identities=(ANNA,), conversations=(ANNA,)))

    async def delivery(self, text: str) -> Delivery:
        document = await self.store.get("messages", f"m:{text}")
        assert document
        delivery = from_document(Message, document).delivery
        assert delivery
        return delivery

    async def ends(self, text: str) -> tuple[str, str | None]:
        async def ended() -> bool:
            return (await self.delivery(text)).state not in ("queued", "sending")

        await until(ended)
        delivery = await self.delivery(text)
        return delivery.state, delivery.reason


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


class Town:
    """Makes servers and closes them."""

    def __init__(self, store: Store) -> None:
        self.store, self.servers = store, list[Server]()

    def server(self, name: str = "here", pigeon: Pigeon | None = None, **how: Any) -> Server:
        self.servers.append(Server(self.store, name, pigeon or Pigeon(), **how))
        return self.servers[-1]


@pytest.fixture
async def town(store: Store) -> AsyncIterator[Town]:
    town = Town(store)
    yield town
    for server in town.servers:
        await server.back_door.close(within_seconds=0.1)
        await server.permits.close()
        await server.writer.close()


async def test_a_rules_message_is_sent_with_a_yes_and_suppressed_without(town: Town) -> None:
    here = town.server()
    await here.say("before")
    assert await here.ends("before") == ("suppressed", "no_consent:topic:offers")
    await here.yes()
    await here.say("after")
    assert await here.ends("after") == ("sent", None)


async def test_a_no_between_the_decision_and_the_sending_holds(town: Town) -> None:
    here = town.server(sends=False)
    await here.yes()
    await here.say("offer")
    await here.no()
    other = town.server("other")
    await until(other.sweeper.sweep)
    assert await other.ends("offer") == ("suppressed", "opted_out:topic:offers")
    assert other.pigeon.carried == []


async def test_a_no_is_acknowledged_once_the_hand_over_under_way_has_ended(town: Town) -> None:
    slow = SlowPigeon()
    here, elsewhere = town.server(pigeon=slow), town.server("elsewhere")
    await here.yes()
    await here.say("offer")
    await slow.gone.wait()
    acknowledged = asyncio.create_task(elsewhere.no())
    assert not (await asyncio.wait([acknowledged], timeout=0.3))[0]
    slow.arrive.set()
    await acknowledged
    await here.say("next")
    assert await here.ends("next") == ("suppressed", "opted_out:topic:offers")


async def test_a_provider_that_hangs_holds_a_no_up_no_longer_than_the_permit(town: Town) -> None:
    slow = SlowPigeon()
    here, elsewhere = town.server(pigeon=slow, seconds=2.5), town.server("elsewhere")
    await here.yes()
    await here.say("offer")
    await slow.gone.wait()
    async with asyncio.timeout(10):
        await elsewhere.no()
    assert await here.ends("offer") == ("unknown", "no answer within 0 s")


async def test_what_a_dead_process_had_begun_is_not_sent_twice(town: Town) -> None:
    dead = town.server("dead", sends=False)
    await dead.yes()
    await dead.say("offer")
    begun = Passage("m:offer/0", "anna", ANNA, "pigeon", "offers", "marketing", "given")
    assert not isinstance(await dead.permits.ask(begun), Stopped)  # and here it dies
    heir = town.server("heir")
    await until(heir.sweeper.sweep)
    assert await heir.ends("offer") == ("unknown", "begun") and heir.pigeon.carried == []


async def test_a_message_at_which_process_after_process_died_is_given_up_and_listed_as_unknown(town: Town) -> None:
    dead = town.server("dead", sends=False)
    await dead.yes()
    await dead.say("offer")
    await dead.store.change("messages", {"_id": "m:offer"}, {"$set": {"delivery.attempts": ATTEMPTS}})
    heir = town.server("heir")
    await until(heir.sweeper.sweep)
    assert await heir.ends("offer") == ("unknown", "gave_up") and heir.pigeon.carried == []


async def test_who_was_frozen_while_asking_finds_the_message_taken_and_does_not_send_it_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its permit would be granted: the other has sent, recorded and settled. And its sweeper has shown a pulse again."""
    frozen, other = town.server("frozen", sends=False), town.server("other")
    asks = frozen.permits.ask

    async def frozen_before_it_asks(asked: Passage) -> Leave:
        frozen.back_door.stay_alive(0.0)
        await until(other.sweeper.sweep)
        assert await other.ends("offer") == ("sent", None)
        await until(lambda: _has_no_permit(town.store))
        frozen.back_door.stay_alive(float("inf"))
        return await asks(asked)

    monkeypatch.setattr(frozen.permits, "ask", frozen_before_it_asks)
    await frozen.yes()
    frozen.writer.listen(frozen.back_door.take)
    await frozen.say("offer")
    await until(lambda: not frozen.back_door.holds("m:offer"))
    assert len(other.pigeon.carried) == 1 and frozen.pigeon.carried == []
    await until(lambda: _has_no_permit(town.store))


async def test_what_was_taken_over_is_not_sent_when_its_first_holder_thaws_and_records_it(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heir holds it in memory; the first holder had sent it, records that and settles its permit: the heir's is granted."""
    slow = SlowPigeon()
    frozen, heir = town.server("frozen", slow), town.server("heir")
    await frozen.yes()
    await frozen.say("offer")
    await slow.gone.wait()
    asks = heir.permits.ask

    times = 0

    async def thawed_before_the_heir_asks(asked: Passage) -> Leave:
        nonlocal times
        times += 1
        slow.arrive.set()
        assert await frozen.ends("offer") == ("sent", None)
        await until(lambda: _has_no_permit(town.store))
        return await asks(asked)

    monkeypatch.setattr(heir.permits, "ask", thawed_before_the_heir_asks)
    await until(heir.sweeper.sweep)
    await until(lambda: not heir.back_door.holds("m:offer"))
    assert heir.pigeon.carried == [] and len(slow.carried) == 1
    assert await heir.ends("offer") == ("sent", None)
    assert times == 1 and not heir.back_door._still_ours


async def test_a_no_waits_for_a_frozen_hand_over_that_was_recorded_as_unknown(town: Town) -> None:
    frozen, heir = town.server("frozen", sends=False), town.server("heir", seconds=1.0)
    short = Permits(town.store, Ledgers(town.store), clock=utc_now, seconds=1.0)
    await frozen.yes()
    await frozen.say("offer")
    begun = Passage("m:offer/0", "anna", ANNA, "pigeon", "offers", "marketing", "given")
    assert isinstance(await short.ask(begun), Pass)
    before = asyncio.get_running_loop().time()
    await until(heir.sweeper.sweep)
    assert await heir.ends("offer") == ("unknown", "begun")
    await heir.no()
    assert asyncio.get_running_loop().time() > before + 0.5, "it may still arrive until its permit has run out"


async def _has_no_permit(store: Store) -> bool:
    return (await store.get("ledgers", "anna") or {})["p"] == []


async def test_a_campaigns_unknown_outcome_is_not_tried_again_and_a_transaction_is(town: Town) -> None:
    here = town.server()
    await here.yes()
    here.pigeon.answers = [Unknown("lost")]
    await here.say("offer")
    assert await here.ends("offer") == ("unknown", "lost") and len(here.pigeon.carried) == 1
    here.pigeon.answers = [Unknown("lost"), Sent()]
    await here.say("order", **{"class": "transactional"})
    assert await here.ends("order") == ("sent", None) and len(here.pigeon.carried) == 3


async def test_asked_to_come_later_it_asks_the_gate_again(town: Town) -> None:
    here = town.server()
    await here.yes()
    here.pigeon.answers = [Later(0.1, "busy"), Later(0.1, "busy"), Sent()]
    await here.say("offer")
    assert await here.ends("offer") == ("sent", None) and len(here.pigeon.carried) == 3


async def test_a_long_text_asks_for_each_part_and_settles_all(town: Town, store: Store) -> None:
    here = town.server()
    await here.yes()
    await here.say("a message of three parts or so, for a pigeon")
    assert (await here.ends("a message of three parts or so, for a pigeon"))[0] == "sent"
    assert len(here.pigeon.carried) > 1

    async def settled() -> bool:
        return (await store.get("ledgers", "anna") or {})["p"] == []

    await until(settled)


async def test_a_hand_over_is_settled_when_its_outcome_is_on_record(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other way round, whoever takes over from a process that died in between would find nothing begun, and send again."""
    here, seen = town.server(), list[str]()
    record, settle = here.back_door._outcomes.record, here.permits.settle

    async def recording(message: Message, outcome: Sending) -> None:
        await record(message, outcome)
        seen.append("recorded")

    def settling(permits: Iterable[Pass]) -> None:
        seen.append("settled")
        settle(permits)

    monkeypatch.setattr(here.back_door._outcomes, "record", recording)
    monkeypatch.setattr(here.permits, "settle", settling)
    await here.yes()
    await here.say("offer")
    await until(lambda: not here.back_door.holds("m:offer"))
    assert seen == ["recorded", "settled"]


async def test_while_it_closes_nobody_waits_for_a_busy_provider(town: Town) -> None:
    slow = SlowPigeon()
    slow.answers = [Later(30.0, "busy")]
    here = town.server(pigeon=slow)
    await here.yes()
    await here.say("offer")
    await slow.gone.wait()
    closing = asyncio.create_task(here.back_door.close(within_seconds=2))
    await asyncio.sleep(0)
    slow.arrive.set()
    await closing
    delivery = await here.delivery("offer")
    assert (delivery.state, delivery.leased_by) == ("queued", None), "whoever looks first sends it"


async def test_a_no_between_two_parts_leaves_it_unknown_and_not_unsent(town: Town, store: Store) -> None:
    """Some of it has arrived. The no is written past the desk, which would wait until this hand-over ends."""
    text = "a message of three parts or so, for a pigeon"

    class Halfway(Pigeon):
        async def send(self, outbound: Outbound) -> Sending:
            await store.change("ledgers", {"_id": "anna"}, {"$set": {"on.pigeon:offers": False}})
            return await super().send(outbound)

    here = town.server(pigeon=Halfway())
    await here.yes()
    await here.say(text)
    state, reason = await here.ends(text)
    assert len(here.pigeon.carried) == 1
    assert state == "unknown" and reason and reason.startswith("part 2 of") and "opted_out" in reason


async def test_what_is_passed_on_leaves_no_permit_behind(town: Town, store: Store) -> None:
    """The process that may send it would find its hand-over begun, and never send it."""
    here = town.server()
    await here.yes()
    here.pigeon.answers = [Elsewhere("other")]
    await here.say("offer")
    await until(lambda: not here.back_door.holds("m:offer"))
    await until(lambda: _has_no_permit(store))


async def test_a_refused_send_leaves_no_permit(town: Town, store: Store) -> None:
    here = town.server()
    await here.yes()
    here.pigeon.answers = [Failed("dead")]
    await here.say("offer")
    assert await here.ends("offer") == ("failed", "dead")

    async def known_as_dead() -> bool:
        document = await store.get("ledgers", "anna") or {}
        return document["p"] == [] and bool(document.get("off"))

    await until(known_as_dead)


async def test_a_stop_is_confirmed_when_nothing_is_under_way_any_more(town: Town, store: Store) -> None:
    """The hand-over is another process's; the ban stands in the ledger with the commit of the STOP."""
    slow = SlowPigeon()
    there, here = town.server("there", slow), town.server("here")
    await there.yes()
    await there.say("offer")
    await slow.gone.wait()

    def stop(snapshot: Snapshot) -> Changes:
        thread, message = said(
            snapshot.conversations[ANNA], Content("stopped"), id="m:stopped", author=BOT, now=snapshot.now, to=ANNA,
            metadata={"lawful": "stop"},
        )  # fmt: skip
        profile = snapshot.profiles["anna"]
        stopped = replace(profile.identities[0], suppression=Suppression("opted_out", snapshot.now))
        return Changes((profile.with_identity(stopped),), (thread,), messages=(message,))

    await here.writer.commit(Work(stop, conversations=(ANNA,), profiles=("anna",)))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await here.ends("stopped")
    slow.arrive.set()
    assert (await here.ends("stopped"))[0] == "sent"
    await here.say("later")
    assert await here.ends("later") == ("suppressed", "opted_out")


async def test_without_a_permit_desk_no_rules_message_leaves(town: Town) -> None:
    here = town.server(sends=False)
    await here.yes()
    bare = BackDoor({"pigeon": here.pigeon}, here.writer, clock=utc_now)  # type: ignore[dict-item]
    here.writer.listen(bare.take)
    await here.say("offer")
    assert await here.ends("offer") == ("suppressed", "no_gate")
    await bare.close()
