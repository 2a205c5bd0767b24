"""The back door and the sweeper: in order, once, again when asked to, never to somebody who said stop, never lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from channels.channel import Failed, Later, Limits, Outbound, Sending, Sent, Unknown
from channels.lanes import BEGIN_AT_ONCE
from channels.outbound import BackDoor, outbound_of
from channels.sweeper import Sweeper
from profiles.append import begin, said
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.ledgers import Ledgers
from profiles.permits import Permits
from profiles.profile import Identity, Profile, Suppression
from profiles.record import from_document
from profiles.snapshot import Changes, Snapshot, Work
from profiles.steady import Steady
from profiles.store import Store
from profiles.timeline import BOT, Content, Message
from profiles.writer import Writer
from tests.waiting import until

ANNA = "pigeon:anna"


class Pigeon:
    """A channel in memory: it writes down what it was given and answers what the test told it to."""

    name = space = "pigeon"
    limits = Limits(text=20)

    def __init__(self) -> None:
        self.carried: list[Outbound] = []
        self.answers: list[Sending] = []

    def routes(self) -> list[object]:
        return []

    async def send(self, outbound: Outbound) -> Sending:
        self.carried.append(outbound)
        return self.answers.pop(0) if self.answers else Sent(f"p{len(self.carried)}")

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        raise LookupError(remote)

    async def close(self) -> None:
        return


class Server:
    """One process: a writer and, unless it is to die before sending, a back door that listens to it."""

    def __init__(self, store: Store, name: str, *, sends: bool = True) -> None:
        self.store, self.pigeon = store, Pigeon()
        self.writer = Writer(store, process=name)
        permits = Permits(store, Ledgers(store), clock=utc_now)
        self.back_door = BackDoor({"pigeon": self.pigeon}, self.writer, clock=utc_now, permits=permits)  # type: ignore[dict-item]
        self.sweeper = Sweeper(store, self.back_door, process=name, clock=utc_now)
        if sends:
            self.writer.listen(self.back_door.take)

    async def say(self, *texts: str, to: str = ANNA, **metadata: str) -> None:
        who = to.partition(":")[2]

        def think(snapshot: Snapshot) -> Changes:
            now, messages = snapshot.now, []
            profile = snapshot.holder(to)
            claims = {} if profile else {to: who}
            profile = profile or Profile(who, now, (Identity("pigeon", who, now),))
            conversation = snapshot.conversations.get(to) or begin(
                to, profile, channel="pigeon", address=who, identity=to, now=now
            )
            for text in texts:
                conversation, message = said(
                    conversation, Content(text), id=f"m:{text}", author=BOT, now=now, to=to, metadata=metadata
                )
                messages.append(message)
            return Changes((profile,), (conversation,), claims, messages=tuple(messages))

        await self.writer.commit(Work(think, identities=(to,), conversations=(to,)))

    async def message(self, text: str) -> Message:
        document = await self.store.get("messages", f"m:{text}")
        assert document
        return from_document(Message, document)

    async def reaches(self, text: str, state: str) -> Message:
        await until(lambda: self._is(text, state))
        return await self.message(text)

    async def _is(self, text: str, state: str) -> bool:
        delivery = (await self.message(text)).delivery
        return delivery is not None and delivery.state == state

    def carried(self) -> list[str]:
        return [outbound.content.text for outbound in self.pigeon.carried]


@pytest.fixture
async def start(mongo_url: str, database_name: str) -> AsyncIterator[Callable[..., Server]]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    servers: list[Server] = []

    def one(name: str, **how: bool) -> Server:
        servers.append(Server(store, name, **how))
        return servers[-1]

    yield one
    for server in servers:
        await server.back_door.close()
        await server.writer.close()
    await store.close()


async def test_messages_of_one_conversation_are_sent_in_order_and_marked(start: Callable[..., Server]) -> None:
    here = start("here")
    await here.say("one", "two", "three")
    three = await here.reaches("three", "sent")
    assert here.carried() == ["one", "two", "three"]
    assert three.delivery and three.delivery.provider_id == "pigeon:p3" and three.delivery.lease_until is None


async def test_what_a_crowd_is_sent_is_marked_while_the_others_are_still_being_sent(
    start: Callable[..., Server],
) -> None:
    """All of it at once would keep the loop, and with it every answer and every mark, until the last was handed over."""
    here = start("here", sends=False)
    told: list[Message] = []
    here.writer.listen(lambda several: told.extend(one for changes in several for one in changes.messages))
    await asyncio.gather(*(here.say(f"{number}", to=f"pigeon:{number}") for number in range(3 * BEGIN_AT_ONCE)))
    sent_when_begun_to_mark: list[int] = []
    mark = here.store.update_each

    async def noted(*args: Any, **named: Any) -> None:
        sent_when_begun_to_mark.append(len(here.pigeon.carried))
        await mark(*args, **named)

    here.store.update_each = noted  # type: ignore[method-assign]
    for message in told:
        here.back_door.send(message)
    await here.back_door.close()
    assert len(here.pigeon.carried) == len(set(here.carried())) == 3 * BEGIN_AT_ONCE
    assert sent_when_begun_to_mark[0] < 3 * BEGIN_AT_ONCE


async def test_a_long_text_goes_in_parts(start: Callable[..., Server]) -> None:
    here = start("here")
    await here.say("twelve words that are longer than twenty characters")
    await here.reaches("twelve words that are longer than twenty characters", "sent")
    assert len(here.carried()) > 2
    assert " ".join(here.carried()) == "twelve words that are longer than twenty characters"


async def test_later_is_tried_again_and_the_next_message_waits_its_turn(start: Callable[..., Server]) -> None:
    here = start("here")
    here.pigeon.answers = [Later(0.05), Sent("a"), Sent("b")]
    await here.say("one", "two")
    await here.reaches("two", "sent")
    assert here.carried() == ["one", "one", "two"]


async def test_a_long_later_lets_go_and_the_sweeper_comes_back(start: Callable[..., Server]) -> None:
    here = start("here")
    here.pigeon.answers = [Later(3600)]
    await here.say("one")
    await until(lambda: not here.back_door.holds("m:one"))
    message = await here.message("one")
    assert message.delivery and message.delivery.lease_until and message.delivery.lease_until > utc_now()
    assert await here.sweeper.sweep() == 0

    past = {"$set": {"delivery.lease_until": utc_now() - timedelta(seconds=1)}}
    await here.store.change("messages", {"_id": "m:one"}, past)
    assert await here.sweeper.sweep() == 1
    await here.reaches("one", "sent")


@pytest.mark.parametrize(("reason", "ban"), [("dead", "unreachable"), ("opted_out", "blocked"), ("content", None)])
async def test_a_refusal_is_recorded_and_bans_a_dead_or_unwilling_address(
    start: Callable[..., Server], reason: str, ban: str | None
) -> None:
    here = start("here")
    here.pigeon.answers = [Failed(reason)]  # type: ignore[arg-type]
    await here.say("one")
    message = await here.reaches("one", "failed")
    assert message.delivery and message.delivery.reason == reason

    async def suppression() -> str | None:
        profile = from_document(Profile, await here.store.get("profiles", "anna") or {})
        found = profile.identities[0].suppression
        return found.reason if found else None

    if ban:
        await until(suppression)
    assert await suppression() == ban


async def test_an_unknown_outcome_of_a_reply_is_tried_again_then_recorded(start: Callable[..., Server]) -> None:
    here = start("here")
    here.pigeon.answers = [Unknown("timeout"), Sent("a")]
    await here.say("one")
    await here.reaches("one", "sent")
    assert here.carried() == ["one", "one"]


async def test_nothing_is_sent_to_an_identity_that_was_suppressed_meanwhile(start: Callable[..., Server]) -> None:
    here = start("here")
    await here.say("one")
    await here.reaches("one", "sent")

    def stop(snapshot: Snapshot) -> Changes:
        anna = snapshot.profiles["anna"]
        banned = replace(anna.identities[0], suppression=Suppression("opted_out", snapshot.now))
        return Changes((anna.with_identity(banned),))

    await here.writer.commit(Work(stop, profiles=("anna",)))
    await here.say("two")
    message = await here.reaches("two", "suppressed")
    assert here.carried() == ["one"]
    assert message.delivery and message.delivery.reason == "opted_out"


async def test_of_what_has_waited_the_database_is_asked_whether_it_may_still_be_sent(
    start: Callable[..., Server],
) -> None:
    here, other = start("here", sends=False), start("other", sends=False)
    await here.say("one")
    here.writer.recent.is_shared = True

    def stop(snapshot: Snapshot) -> Changes:
        anna = snapshot.profiles["anna"]
        return Changes(
            (anna.with_identity(replace(anna.identities[0], suppression=Suppression("opted_out", snapshot.now))),)
        )

    await other.writer.commit(Work(stop, profiles=("anna",)))
    message = await here.reaches("one", "queued")
    here.back_door.send(replace(message, at=message.at - timedelta(seconds=2)))
    await here.reaches("one", "suppressed")


async def test_who_is_taken_for_dead_does_not_record_that_it_was_not_sent(start: Callable[..., Server]) -> None:
    """Others hold the message now, and may have sent it before the ban."""
    frozen = start("frozen")
    await frozen.say("one")
    await frozen.reaches("one", "sent")

    def stop(snapshot: Snapshot) -> Changes:
        anna = snapshot.profiles["anna"]
        return Changes(
            (anna.with_identity(replace(anna.identities[0], suppression=Suppression("opted_out", snapshot.now))),)
        )

    await frozen.writer.commit(Work(stop, profiles=("anna",)))
    frozen.back_door.stay_alive(0.0)
    await frozen.say("two")
    await until(lambda: not frozen.back_door.holds("m:two"))
    await frozen.reaches("two", "queued")


async def test_a_back_door_that_closes_leaves_what_comes_to_the_next_process(start: Callable[..., Server]) -> None:
    here = start("here")
    await here.back_door.close()
    await here.say("late")
    assert not here.back_door.holds("m:late") and here.carried() == []
    message = await here.reaches("late", "queued")
    assert message.delivery and message.delivery.leased_by == "here"


async def test_nothing_is_sent_to_who_was_erased_meanwhile(start: Callable[..., Server]) -> None:
    here = start("here", sends=False)
    await here.say("one")
    await here.store.remove("profiles", {"_id": "anna"})
    here.writer.recent.forget_all()
    row = await here.store.get("messages", "m:one")
    assert row
    here.back_door.send(from_document(Message, row))
    message = await here.reaches("one", "suppressed")
    assert (here.carried(), message.delivery and message.delivery.reason) == ([], "erased")


async def test_what_a_dead_process_held_is_sent_by_another_once(start: Callable[..., Server]) -> None:
    dead, one, two = start("dead", sends=False), start("one"), start("two")
    await dead.say("orphan")
    assert await one.sweeper.sweep() + await two.sweeper.sweep() == 1
    await one.reaches("orphan", "sent")
    assert len(one.carried() + two.carried()) == 1


async def test_what_another_process_holds_is_left_to_it_and_nothing_is_taken_twice(
    start: Callable[..., Server],
) -> None:
    here, other = start("here", sends=False), start("other", sends=False)
    told: list[Changes] = []
    other.writer.listen(told.extend)
    await other.say("theirs")
    here.back_door.take(told)
    assert here.back_door.held() == []
    other.back_door.take(told)
    other.back_door.take(told)
    await other.back_door.close()
    assert other.carried() == ["theirs"]


async def test_what_goes_to_a_channel_that_is_not_connected_has_failed(start: Callable[..., Server]) -> None:
    here = start("here")
    here.back_door._channels = {}
    await here.say("one")
    failed = await here.reaches("one", "failed")
    assert failed.delivery and (failed.delivery.reason or "").startswith("config")


async def test_what_died_on_this_machine_is_buried_at_the_next_look(start: Callable[..., Server]) -> None:
    dead, one = start("dead", sends=False), start("one")
    await dead.sweeper.sweep()
    gone = {"$set": {"began": "another process that had our number before"}}
    assert await dead.store.change("pulse", {"_id": "dead"}, gone)
    buried: list[str] = []

    async def bury(process: str) -> None:
        buried.append(process)

    one.sweeper.bury(bury)
    await dead.say("orphan")
    assert await one.sweeper.sweep() == 1 and buried == ["dead"]
    await one.reaches("orphan", "sent")
    assert await one.sweeper.sweep() == 0 and buried == ["dead"]


async def test_while_the_databases_clock_leaps_nobody_is_taken_for_dead(start: Callable[..., Server]) -> None:
    slow, other = start("slow", sends=False), start("other")
    await slow.sweeper.sweep()
    await slow.say("mine")
    long_ago = {"$set": {"at": utc_now() - timedelta(hours=1)}}
    assert await slow.store.change("pulse", {"_id": "slow"}, long_ago), "as it looks after a leap ahead"
    other.store.steady.read(utc_now() - timedelta(hours=1))
    assert await other.sweeper.sweep() == 0
    other.store.steady = Steady()
    assert await other.sweeper.sweep() == 1


async def test_what_a_living_process_holds_is_left_to_it(start: Callable[..., Server]) -> None:
    slow, other = start("slow", sends=False), start("other")
    await slow.sweeper.sweep()  # it shows its pulse
    await slow.say("mine")
    assert await other.sweeper.sweep() == 0


async def test_a_process_frozen_past_its_pulse_does_not_send(start: Callable[..., Server]) -> None:
    frozen, other = start("frozen"), start("other")
    frozen.back_door.stay_alive(0.0)
    await frozen.say("late")
    await until(lambda: not frozen.back_door.holds("m:late"))
    assert frozen.carried() == []
    assert await other.sweeper.sweep() == 1
    await other.reaches("late", "sent")


async def test_a_channel_that_raises_is_an_unknown_outcome_not_a_dead_lane(start: Callable[..., Server]) -> None:
    here = start("here")

    async def broken(outbound: Outbound) -> Sending:
        raise RuntimeError("a bug")

    here.pigeon.send, send = broken, here.pigeon.send  # type: ignore[method-assign]
    await here.say("one")
    await until(lambda: here.back_door.sending == 1)
    here.pigeon.send = send  # type: ignore[method-assign]
    await here.reaches("one", "sent")


async def test_answers_and_the_push_that_one_waits_behind_go_before_the_other_pushes(
    start: Callable[..., Server],
) -> None:
    here, answered = start("here"), asyncio.Event()
    here.pigeon.limits = Limits(text=100, at_once=1)
    send = here.pigeon.send

    async def slow(outbound: Outbound) -> Sending:
        await answered.wait()
        return await send(outbound)

    here.pigeon.send = slow  # type: ignore[method-assign]
    push = {"class": "service", "basis": "none"}
    for name in ("one", "two", "three", "four"):
        await here.say(f"push {name}", to=f"pigeon:{name}", **push)
        await until(lambda: len(here.back_door._paces["pigeon"]._waiting) == here.back_door.sending - 1)
    await here.say("answer four", to="pigeon:four")
    await here.say("answer five", to="pigeon:five")
    await until(lambda: here.back_door.sending == 5)
    answered.set()
    await here.reaches("push three", "sent")
    await here.reaches("answer four", "sent")
    assert here.carried()[:3] == ["push one", "push four", "answer five"]


@pytest.mark.parametrize(("noted", "language"), [("fr", "fr"), (["fr"], None), (7, None), (None, None)])
def test_a_language_that_is_no_word_is_not_told_to_a_channel(noted: Any, language: str | None) -> None:
    message = Message(
        "m1", "m1", "P1", "email", "outbound", "api", Content("Hi"), 1, utc_now(), metadata={"language": noted}
    )
    assert outbound_of(message, message.content).language == language
