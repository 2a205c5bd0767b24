"""A no in a conversation: in the ledger with the message itself, later than every yes before it whatever the clocks."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from profiles.calendar import utc_now
from profiles.consent import verdict
from profiles.consents import Consents, Said
from profiles.ledgers import Ledgers
from profiles.permits import Permits
from profiles.profile import Profile
from profiles.snapshot import Changes, Work
from profiles.spoken import Word, heed, no, start_again
from profiles.store import Store
from profiles.timeline import BOT, Event
from profiles.topics import Topic
from profiles.writer import Writer

OFFERS = Topic("offers", {"fr": "Offres", "en": "Offers"}, {"fr": "Oui aux offres", "en": "Yes to offers"}, "3")
LOYALTY = Topic("loyalty", {"fr": "x", "en": "x"}, {"fr": "x", "en": "x"})
SLOW = timedelta(hours=1)


class Desk:
    """A writer whose clock is an hour slow, and consents beside it."""

    def __init__(self, store: Store) -> None:
        self.store, self.ledgers = store, Ledgers(store)
        self.writer = Writer(store, process="slow", clock=lambda: utc_now() - SLOW)
        permits = Permits(store, self.ledgers, clock=utc_now)
        self.consents = Consents(store, self.ledgers, permits)

    async def commit(self, changes: Changes) -> None:
        await self.writer.commit(Work(lambda snapshot: changes))

    async def yes(self, topic: Topic = OFFERS, channel: str = "telegram") -> None:
        await self.consents.give("anna", topic, channel, Said("form"), now=utc_now())

    async def verdict(self, channel: str = "telegram", topic: str = "offers") -> str | None:
        return verdict((await self.ledgers.read(["anna"]))["anna"], channel, topic, "given")


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    desk = Desk(store)
    await desk.commit(Changes(profiles=(Profile("anna", utc_now()),)))
    yield desk
    await desk.writer.close()


def stop(id: str = "telegram:1:stop") -> Word:
    return Word(id, "anna", "telegram", utc_now() - SLOW, wording="Arrêt", evidence={"message": "telegram:1"})


async def test_a_stop_of_a_slow_process_is_later_than_the_yes_before_it(desk: Desk) -> None:
    await desk.yes()
    assert await desk.verdict() is None
    await desk.commit(no(stop()))
    assert await desk.verdict() == "opted_out:channel:telegram"


async def test_a_stop_is_proved_by_what_was_typed(desk: Desk) -> None:
    await desk.commit(no(stop()))
    (proof,) = await desk.consents.proofs(["anna"])
    assert (proof.change, proof.channel, proof.topic, proof.source) == ("withdrawn", "telegram", "*", "keyword")
    assert (proof.wording, proof.evidence["message"]) == ("Arrêt", "telegram:1")


async def test_start_brings_back_what_was_said_before_the_stop(desk: Desk) -> None:
    await desk.yes()
    await desk.commit(no(stop()))
    await desk.commit(start_again(stop("telegram:2:start")))
    assert await desk.verdict() is None
    assert sorted(proof.change for proof in await desk.consents.proofs(["anna"])) == ["given", "restored", "withdrawn"]


async def test_a_stop_ends_what_waits_for_confirmation(desk: Desk) -> None:
    double = Topic("news", {"fr": "x", "en": "x"}, {"fr": "x", "en": "x"}, double_opt_in=True)
    await desk.yes(double)
    await desk.commit(no(stop()))
    assert (await desk.ledgers.read(["anna"]))["anna"].pending == {}


def heard(properties: dict[str, object], by: str = BOT, name: str = "consent.withdrawn") -> Changes:
    event = Event("telegram:9:e1", "anna", name, utc_now(), "telegram:7", by, "bot", properties)
    return heed(Changes(events=(event,)), "anna")


async def test_what_the_bot_heard_is_kept_for_each_topic_it_names(desk: Desk) -> None:
    for topic in (OFFERS, LOYALTY):
        await desk.yes(topic)
    await desk.commit(heard({"topic": ["offers", "loyalty"], "wording": "no more"}))
    assert await desk.verdict(topic="offers") == "opted_out:topic:offers"
    assert await desk.verdict(topic="loyalty") == "opted_out:topic:loyalty"
    assert await desk.verdict("email", "offers") == "opted_out:topic:offers"
    assert await desk.verdict(topic="service") == "no_consent:topic:service"


@pytest.mark.parametrize("said", [{}, {"topic": "all"}, {"topic": "No $uch.topic"}, {"topic": 7}])
async def test_a_no_without_a_name_that_we_know_is_a_no_to_all(desk: Desk, said: dict[str, object]) -> None:
    await desk.yes()
    await desk.commit(heard(said))
    assert await desk.verdict() == "opted_out:all"


async def test_only_what_the_bot_heard_from_them_changes_the_ledger(desk: Desk) -> None:
    assert not heard({"topic": "all"}, by="key:abc").amends
    assert not heard({"topic": "all"}, name="consent.given").amends
