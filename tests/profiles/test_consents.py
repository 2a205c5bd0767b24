"""Yes, no, not now: what the ledger then says, what was proved, and what two people who become one have said together."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from profiles.calendar import utc_now
from profiles.consent import CONFIRM_WITHIN, Proof, verdict
from profiles.consents import Consents, Said
from profiles.hours import Hours
from profiles.ledger import OwnCap, mark
from profiles.ledger_merging import merged, parted
from profiles.ledgers import Ledgers
from profiles.permits import Pass, Passage, Permits, Stopped
from profiles.profile import Profile
from profiles.record import to_document
from profiles.snapshot import Amend, Changes, Refusal, Work
from profiles.store import Store
from profiles.topics import Basis, Topic, basis, mistakes
from profiles.writer import Writer
from tests.profiles.works import Commands

OFFERS = Topic(
    "offers", {"fr": "Offres", "en": "Offers"}, {"fr": "Recevoir nos offres", "en": "Receive our offers"}, "3"
)
DOUBLE = Topic("news", {"fr": "Nouvelles", "en": "News"}, {"fr": "x", "en": "x"}, double_opt_in=True)
PAGE = Said("preference_centre", "fr", "192.0.2.1", {"form": "footer"})
IMPORT = Said("import", evidence={"file": "contacts.csv", "line": 7})


class Desk:
    """Ledgers, permits and consents of one database."""

    def __init__(self, store: Store) -> None:
        self.store, self.ledgers = store, Ledgers(store)
        self.permits = Permits(store, self.ledgers, clock=utc_now)
        self.consents = Consents(store, self.ledgers, self.permits)

    async def says(
        self, profile: str = "anna", channel: str = "email", topic: str = "offers", basis: Basis = "given"
    ) -> str:
        ledger = (await self.ledgers.read([profile]))[profile]
        return verdict(ledger, channel, topic, basis) or "yes"

    async def yes(self, topic: Topic = OFFERS, channel: str = "email", profile: str = "anna") -> Proof:
        proof = await self.consents.give(profile, topic, channel, PAGE, now=utc_now())
        assert isinstance(proof, Proof)
        return proof

    async def no(self, channel: str = "email", topic: str = "offers", profile: str = "anna") -> Proof:
        return await self.consents.withdraw(profile, channel, topic, PAGE, now=utc_now())

    async def hand_over(self, id: str = "m1/0", profile: str = "anna") -> Pass | Stopped:
        return await self.permits.ask(Passage(id, profile, "email:a@b.fr", "email", "offers", "marketing", "given"))


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    desk = Desk(store)
    yield desk
    await desk.permits.close()


async def test_nothing_said_is_no_to_what_needs_a_yes_alone(desk: Desk) -> None:
    assert await desk.says() == "no_consent:topic:offers"
    assert await desk.says(basis="not_withdrawn") == "yes"


async def test_a_yes_is_kept_with_the_words_that_were_shown(desk: Desk) -> None:
    proof = await desk.yes()
    assert await desk.says() == "yes" and await desk.says(channel="sms") == "no_consent:topic:offers"
    assert (proof.wording, proof.version, proof.ip) == ("Recevoir nos offres", "3", "192.0.2.1")
    assert await desk.consents.proofs(["anna"]) == [proof]


@pytest.mark.parametrize(
    ("channel", "topic", "reason"),
    [
        ("email", "offers", "opted_out:topic:offers"),
        ("email", "*", "opted_out:channel:email"),
        ("*", "offers", "opted_out:topic:offers"),
        ("*", "*", "opted_out:all"),
    ],
)
async def test_a_no_however_wide_ends_the_yes_before_it(desk: Desk, channel: str, topic: str, reason: str) -> None:
    await desk.yes()
    await desk.no(channel, topic)
    assert await desk.says() == reason
    assert await desk.says(basis="not_withdrawn") == reason
    assert await desk.says(basis="none") == "yes"


async def test_a_yes_after_a_wider_no_stands_alone(desk: Desk) -> None:
    await desk.no("*", "*")
    await desk.yes()
    assert await desk.says() == "yes"
    assert await desk.says(topic="news", basis="not_withdrawn") == "opted_out:all"


async def test_start_after_stop_brings_back_what_was_said_before(desk: Desk) -> None:
    await desk.yes()
    await desk.no("email", "*")
    await desk.consents.restore("anna", "email", PAGE, now=utc_now())
    assert await desk.says() == "yes"


async def test_an_import_never_undoes_a_no(desk: Desk) -> None:
    await desk.no("*", "*")
    refused = await desk.consents.give("anna", OFFERS, "email", IMPORT, now=utc_now())
    assert isinstance(refused, Refusal) and refused.reason == "withdrawn_before"
    assert isinstance(await desk.consents.give("boris", OFFERS, "email", IMPORT, now=utc_now()), Proof)


async def test_a_double_opt_in_counts_once_confirmed_and_once_only(desk: Desk) -> None:
    asked = await desk.yes(DOUBLE)
    assert asked.change == "asked" and await desk.says(topic="news") == "unconfirmed:topic:news"
    wrong = await desk.consents.confirm("anna", "email", "news", "other", PAGE, now=utc_now())
    late = await desk.consents.confirm("anna", "email", "news", asked.id, PAGE, now=utc_now() + CONFIRM_WITHIN)
    assert isinstance(wrong, Refusal) and isinstance(late, Refusal)
    assert isinstance(await desk.consents.confirm("anna", "email", "news", asked.id, PAGE, now=utc_now()), Proof)
    assert await desk.says(topic="news") == "yes"
    again = await desk.consents.confirm("anna", "email", "news", asked.id, PAGE, now=utc_now())
    assert isinstance(again, Refusal)


async def test_a_no_ends_what_waits_for_confirmation(desk: Desk) -> None:
    asked = await desk.yes(DOUBLE)
    await desk.no("*", "*")
    assert isinstance(await desk.consents.confirm("anna", "email", "news", asked.id, PAGE, now=utc_now()), Refusal)


@pytest.mark.parametrize("topic", [DOUBLE, OFFERS], ids=["confirmed", "imported"])
async def test_a_no_that_comes_before_a_yes_is_kept_but_after_it_was_proved_holds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, topic: Topic
) -> None:
    asked, prove, last = await desk.yes(DOUBLE), desk.consents._prove, iter([True])

    async def overtaken(*said: Any) -> Proof:
        proof = await prove(*said)
        if next(last, False):
            await desk.no(topic=topic.id)
        return proof

    monkeypatch.setattr(desk.consents, "_prove", overtaken)
    if topic is DOUBLE:
        refused = await desk.consents.confirm("anna", "email", "news", asked.id, PAGE, now=utc_now())
    else:
        refused = await desk.consents.give("anna", OFFERS, "email", IMPORT, now=utc_now())
    assert isinstance(refused, Refusal)
    assert await desk.says(topic=topic.id) == f"opted_out:topic:{topic.id}"


async def test_a_yes_after_a_wider_no_holds_though_the_database_says_that_it_was_the_same_instant(
    desk: Desk, store: Store
) -> None:
    await desk.no("*", "*")
    soon = utc_now().replace(microsecond=0) + timedelta(hours=1)
    await store.change("ledgers", {"_id": "anna"}, {"$set": {"at.*:*": soon}})
    await desk.yes()
    assert await desk.says() == "yes"


async def test_pauses_and_limits_are_kept_and_bounded(desk: Desk) -> None:
    until = utc_now() + timedelta(days=9)
    await desk.consents.pause("anna", "*", "*", until, PAGE, now=utc_now())
    own, quiet = OwnCap(1, timedelta(days=7), "email"), Hours(time(21), time(7, 30), frozenset({5, 6}))
    await desk.consents.limit("anna", [own], [quiet], PAGE, now=utc_now())
    ledger = (await desk.ledgers.read(["anna"]))["anna"]
    assert (ledger.paused, ledger.own, ledger.quiet) == ({"*:*": until}, (own,), (quiet,))
    await desk.consents.pause("anna", "*", "*", None, PAGE, now=utc_now())
    assert not (await desk.ledgers.read(["anna"]))["anna"].paused
    for bad in (OwnCap(1, timedelta(days=91)), OwnCap(1, timedelta(0)), OwnCap(-1, timedelta(days=1))):
        assert isinstance(await desk.consents.limit("anna", [bad], [], PAGE, now=utc_now()), Refusal)
    assert [proof.change for proof in await desk.consents.proofs(["anna"])] == ["resumed", "limited", "paused"]


@pytest.mark.parametrize("name", ["", "a.b", "$x", "a:b", "A", "x" * 41, "\x00"])
async def test_what_is_no_name_never_becomes_a_path_of_fields(desk: Desk, name: str) -> None:
    with pytest.raises(ValueError, match="expected a name"):
        await desk.no("email", name)
    assert mistakes(Topic(name))


def test_each_class_and_topic_asks_for_its_own_consent() -> None:
    soft = Topic("care", consent="opt_out")
    assert basis(OFFERS, "marketing", is_customer=True) == "given"
    assert basis(soft, "marketing", is_customer=True) == "not_withdrawn"
    assert basis(soft, "marketing", is_customer=False) == "given"
    assert basis(OFFERS, "service", is_customer=False) == "not_withdrawn"
    assert basis(OFFERS, "transactional", is_customer=False) == "none"
    assert mistakes(OFFERS) == () and len(mistakes(Topic("x", consent="opt_out", double_opt_in=True))) == 5


# -- permits


async def test_a_hand_over_needs_the_yes_at_its_very_moment(desk: Desk) -> None:
    assert await desk.hand_over() == Stopped("no_consent:topic:offers")
    await desk.yes()
    assert isinstance(await desk.hand_over(), Pass)


async def test_a_hand_over_that_began_elsewhere_is_not_made_again(desk: Desk) -> None:
    await desk.yes()
    first = await desk.hand_over()
    assert isinstance(first, Pass) and await desk.hand_over() == Stopped("begun")
    desk.permits.settle([first])
    await desk.permits.close()
    assert isinstance(await desk.hand_over(), Pass)


@pytest.mark.parametrize("kind", ["marketing", "transactional"])
async def test_what_had_begun_before_the_no_is_not_told_as_never_sent(desk: Desk, store: Store, kind: Any) -> None:
    asked = Passage("m1/0", "anna", "email:a@b.fr", "email", "offers", kind, "none")
    assert isinstance(await desk.permits.ask(asked), Pass)
    await store.change("ledgers", {"_id": "anna"}, {"$set": {f"off.{mark('email:a@b.fr')}": True}})
    assert await desk.permits.ask(asked) == Stopped("begun")
    assert await desk.permits.ask(replace(asked, id="m2/0")) == Stopped("suppressed")


async def test_what_is_transactional_may_begin_again(desk: Desk) -> None:
    order = Passage("m1/0", "anna", "email:a@b.fr", "email", "orders", "transactional", "none")
    assert isinstance(await desk.permits.ask(order), Pass) and isinstance(await desk.permits.ask(order), Pass)


async def test_a_banned_address_is_not_sent_to_whatever_the_class(desk: Desk, store: Store) -> None:
    await store.insert("ledgers", {"_id": "anna", "off": {mark("email:a@b.fr"): True}})
    order = Passage("m1/0", "anna", "email:a@b.fr", "email", "orders", "transactional", "none")
    assert await desk.permits.ask(order) == Stopped("suppressed")


async def test_a_pause_stops_marketing_alone(desk: Desk) -> None:
    await desk.consents.pause("anna", "email", "*", utc_now() + timedelta(days=1), PAGE, now=utc_now())
    await desk.yes()
    assert await desk.hand_over() == Stopped("paused")
    care = Passage("m2/0", "anna", "email:a@b.fr", "email", "care", "service", "not_withdrawn")
    assert isinstance(await desk.permits.ask(care), Pass)


async def test_many_ask_in_one_command_and_are_looked_for_only_when_one_is_refused(
    mongo_url: str, database_name: str
) -> None:
    commands = Commands()
    store = Store(mongo_url, database_name, listeners=[commands])
    desk, people = Desk(store), [f"p{n}" for n in range(300)]
    await desk.ledgers.make(people)
    commands.seen.clear()
    asked = [Passage(f"{id}/0", id, f"email:{id}", "email", "care", "service", "not_withdrawn") for id in people]
    answers = await asyncio.gather(*(desk.permits.ask(one) for one in asked))
    assert all(isinstance(answer, Pass) for answer in answers)
    assert commands.seen == {"update": 1}
    again = await asyncio.gather(desk.permits.ask(asked[0]), desk.permits.ask(replace(asked[1], id="other/0")))
    assert again[0] == Stopped("begun") and isinstance(again[1], Pass)
    await store.close()


# -- two people become one


async def join(store: Store, *changes: Amend) -> None:
    writer = Writer(store, process="p1")
    await writer.commit(Work(lambda _: Changes(amends=changes)))
    await writer.close()


async def test_a_no_of_either_wins_when_two_become_one(desk: Desk, store: Store) -> None:
    await desk.yes(profile="anna")
    await desk.yes(profile="anna", channel="sms")
    await desk.no("email", "*", profile="other")
    await desk.yes(profile="other", topic=Topic("news"))
    await desk.yes(profile="other", topic=Topic("news"), channel="sms")
    await join(store, *merged("anna", "other"))
    assert await desk.says() == "opted_out:topic:offers"
    assert await desk.says(channel="sms") == "yes"
    assert await desk.says(topic="news", channel="sms") == "yes"


async def test_a_no_said_to_the_absorbed_one_holds_for_who_they_became(desk: Desk, store: Store) -> None:
    await desk.yes()
    await join(store, *merged("anna", "other"))
    await desk.no(profile="other")
    assert await desk.says() == "opted_out:topic:offers"


async def test_a_no_said_to_the_absorbed_one_long_after_holds_for_who_they_became(desk: Desk, store: Store) -> None:
    await desk.yes()
    await join(store, *merged("anna", "other"))
    assert await desk.says() == "yes"  # whoever asks first brings the two ledgers together
    await desk.no(profile="other")
    assert await desk.says() == "opted_out:topic:offers"


async def test_a_pause_a_limit_and_a_start_said_to_the_absorbed_one_are_those_of_who_they_became(
    desk: Desk, store: Store
) -> None:
    await desk.yes()
    await join(store, *merged("anna", "other"))
    assert await desk.says() == "yes"
    now = utc_now()
    paused = await desk.consents.pause("other", "email", "offers", now + timedelta(days=7), PAGE, now=now)
    limited = await desk.consents.limit("other", [OwnCap(1, timedelta(days=7), "email")], [], PAGE, now=now)
    ledger = (await desk.ledgers.read(["anna"]))["anna"]
    assert "email:offers" in ledger.paused and [own.at_most for own in ledger.own] == [1]
    await desk.no(topic="*")
    started = await desk.consents.restore("other", "email", PAGE, now=now)
    assert await desk.says() == "yes"
    assert isinstance(limited, Proof) and {paused.profile, limited.profile, started.profile} == {"anna"}


async def test_a_hand_over_to_the_absorbed_one_asks_who_they_became(desk: Desk, store: Store) -> None:
    await desk.yes(profile="other")
    await join(store, *merged("anna", "other"))
    passed = await desk.hand_over(profile="other")
    assert isinstance(passed, Pass) and passed.profile == "anna"


async def test_undone_a_merge_gives_back_each_yes_and_keeps_each_no(desk: Desk, store: Store) -> None:
    await desk.yes(profile="other")
    await desk.yes(profile="other", topic=Topic("news"))
    await join(store, *merged("anna", "other"))
    assert await desk.says() == "yes"
    await desk.no(topic="news")
    await join(store, *parted("anna", "other"))
    assert await desk.says() == "no_consent:topic:offers"
    assert await desk.says(profile="other") == "yes"
    assert await desk.says(profile="other", topic="news") == "opted_out:topic:news"


async def test_the_acknowledgement_waits_for_hand_overs_to_the_absorbed_one(desk: Desk, store: Store) -> None:

    await desk.yes(profile="other")
    begun = await desk.hand_over(profile="other")
    assert isinstance(begun, Pass)
    await store.insert("profiles", to_document(Profile("anna", utc_now(), absorbed=("other",))))
    await join(store, *merged("anna", "other"))
    ending = asyncio.create_task(desk.no())
    assert not (await asyncio.wait([ending], timeout=0.3))[0]
    desk.permits.settle([begun])
    await ending


async def test_a_yes_said_to_the_absorbed_one_counts_for_who_they_became(desk: Desk, store: Store) -> None:
    await join(store, *merged("anna", "other"))
    assert (await desk.yes(profile="other")).profile == "anna"
    asked = await desk.yes(DOUBLE, profile="other")
    confirmed = await desk.consents.confirm("other", "email", "news", asked.id, PAGE, now=utc_now())
    assert isinstance(confirmed, Proof) and confirmed.profile == "anna"
    assert (await desk.says(), await desk.says(topic="news")) == ("yes", "yes")


async def test_a_yes_that_was_lent_and_then_said_is_ones_own(desk: Desk, store: Store) -> None:
    await desk.yes(profile="other")
    await join(store, *merged("anna", "other"))
    assert await desk.says() == "yes"
    await desk.yes()
    await join(store, *parted("anna", "other"))
    assert (await desk.says(), await desk.says(profile="other")) == ("yes", "yes")


async def test_what_is_refused_is_not_proved(desk: Desk) -> None:
    now = utc_now()
    await desk.no("*", "*")
    await desk.consents.give("anna", OFFERS, "email", IMPORT, now=now)
    elsewhere = await desk.consents.give("anna", replace(OFFERS, channels=("sms",)), "email", PAGE, now=now)
    assert isinstance(elsewhere, Refusal) and elsewhere.reason == "not_sent_here"
    asked = await desk.consents.give("anna", DOUBLE, "email", PAGE, now=now)
    assert isinstance(asked, Proof)
    await desk.consents.confirm("anna", "email", "news", "other", PAGE, now=now)
    await desk.consents.confirm("anna", "email", "news", asked.id, PAGE, now=now + CONFIRM_WITHIN)
    assert sorted(proof.change for proof in await desk.consents.proofs(["anna"])) == ["asked", "withdrawn"]


async def test_who_has_confirmed_once_is_not_asked_again(desk: Desk) -> None:
    asked = await desk.yes(DOUBLE)
    await desk.consents.confirm("anna", "email", "news", asked.id, PAGE, now=utc_now())
    assert (await desk.yes(DOUBLE)).change == "given" and await desk.says(topic="news") == "yes"
