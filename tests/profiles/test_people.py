"""Who a message is from, how a visitor becomes known, and what never makes two people one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profiles import people
from profiles.conversation import Conversation
from profiles.people import Claimed
from profiles.profile import Identity, Profile, Suppression
from profiles.snapshot import Changes, Refusal
from tests.world import NOON, World, person

ANNA = "user:anna"
MAIL = "email:anna@example.com"
PHONE = "sms:+33612345678"
VISITOR = "webchat:v1"


def proved(key: str) -> Identity:
    channel, _, address = key.partition(":")
    return Identity(channel, address, added_at=NOON, verified_at=NOON)


def said(key: str) -> Identity:
    return replace(proved(key), verified_at=None)


def token(**facts: str) -> Claimed:
    return Claimed(key=facts.pop("key", VISITOR), subject=facts.pop("subject", "anna"), **facts)


def identify(world: World, facts: Claimed) -> Profile:
    changes = world.do(people.identified(world.snapshot, facts, now=world.later()))
    world.check()
    profile = changes.answer
    assert isinstance(profile, Profile)
    return profile


# -- resolve


def test_a_first_message_makes_a_profile_that_holds_the_address() -> None:
    world = World()
    profile, claims = people.resolve(
        world.snapshot, "telegram:42", proved("telegram:42"), language="fr", declared={"first_name": "Anna"}, now=NOON
    )
    assert claims == {"telegram:42": profile.id}
    assert profile.language == "fr"
    assert profile.name == "Anna"
    assert profile.attributes["first_name"].source == "declared"
    assert profile.attributes["first_name"].by == "telegram"


def test_a_second_message_meets_the_same_profile() -> None:
    world = World()
    anna = world.add(person("P1", "telegram:42"))
    profile, claims = people.resolve(
        world.snapshot, "telegram:42", proved("telegram:42"), language=None, declared={}, now=NOON
    )
    assert profile is anna
    assert claims == {}


def test_an_address_of_a_merged_profile_leads_to_the_one_it_became() -> None:
    world = World()
    world.add(person("P1", "telegram:42"))
    world.add(person("P2", PHONE))
    world.do(people.merge(world.snapshot, world.profile("P1"), world.profile("P2"), by="agent:1", why="", now=NOON))
    profile, claims = people.resolve(world.snapshot, PHONE, proved(PHONE), language=None, declared={}, now=NOON)
    assert profile.id == "P1"
    assert not claims


def test_an_address_held_unproved_is_proved_by_a_message_the_provider_vouches_for() -> None:
    world = World()
    world.add(person("P1", PHONE, proved=False))
    profile, _ = people.resolve(world.snapshot, PHONE, proved(PHONE), language=None, declared={}, now=NOON)
    identity = profile.identity(PHONE)
    assert identity is not None
    assert identity.verified_at == NOON


def test_what_a_provider_says_beyond_the_bounds_is_left_out() -> None:
    declared = {"first_name": "x" * 5000, "$where": "1", "id": "P9", "last_name": "\ud800", "username": "anna"}
    profile, _ = people.resolve(
        World().snapshot, "telegram:42", proved("telegram:42"), language=None, declared=declared, now=NOON
    )
    assert set(profile.attributes) == {"username"}


def test_the_language_people_have_is_not_changed_by_a_hint() -> None:
    world = World()
    world.add(replace(person("P1", "telegram:42"), language="fr"))
    profile, _ = people.resolve(
        world.snapshot, "telegram:42", proved("telegram:42"), language="en", declared={}, now=NOON
    )
    assert profile.language == "fr"


def test_what_was_only_guessed_is_declared_once_the_provider_says_the_same() -> None:
    world = World()
    world.add(person("P1", "telegram:42").learn("first_name", "Anna", source="tracked", at=NOON))
    profile, _ = people.resolve(
        world.snapshot, "telegram:42", proved("telegram:42"), language=None, declared={"first_name": "Anna"}, now=NOON
    )
    assert profile.attributes["first_name"].source == "declared"


# -- link


def test_a_proved_free_address_is_claimed() -> None:
    world = World()
    anna = world.add(person("P1", "telegram:42"))
    changes = world.do(people.link(world.snapshot, anna, proved(MAIL), by="api", now=NOON))
    assert changes.claims == {MAIL: "P1"}
    assert world.profile("P1").identity(MAIL) == proved(MAIL)


def test_an_address_that_is_only_said_stays_free_for_its_owner() -> None:
    world = World()
    anna = world.add(person("P1", "telegram:42"))
    world.do(people.link(world.snapshot, anna, said(MAIL), by="bot", now=NOON))
    identity = world.profile("P1").identity(MAIL)
    assert identity is not None
    assert not identity.is_claimed
    assert world.holder(MAIL) is None
    assert not world.conflicts


def test_the_owner_who_proves_an_address_that_another_said_is_listed_and_not_merged() -> None:
    world = World()
    world.do(people.link(world.snapshot, world.add(person("P1", "telegram:42")), said(MAIL), by="bot", now=NOON))
    owner = world.add(person("P2", ANNA))
    world.do(people.link(world.snapshot, owner, proved(MAIL), by="api", now=NOON))
    assert world.holder(MAIL) == "P2"
    assert world.conflicts["P1:P2"]["why"] == "said_by_another"
    assert world.profile("P1").merged_into is None


def test_saying_an_address_that_another_holds_is_listed_and_not_merged() -> None:
    world = World()
    world.add(person("P1", MAIL))
    other = world.add(person("P2", "telegram:42"))
    world.do(people.link(world.snapshot, other, said(MAIL), by="bot", now=NOON))
    assert world.conflicts["P1:P2"] == {
        "profiles": ["P1", "P2"], "key": MAIL, "why": "held_by_another", "at": NOON, "settled_at": None,
    }  # fmt: skip
    assert world.holder(MAIL) == "P1"
    world.check()


def test_saying_it_again_changes_nothing() -> None:
    world = World()
    world.do(people.link(world.snapshot, world.add(person("P1", "telegram:42")), said(MAIL), by="bot", now=NOON))
    assert not people.link(world.snapshot, world.profile("P1"), said(MAIL), by="bot", now=world.later())


def test_what_was_said_is_claimed_once_it_is_proved() -> None:
    world = World()
    world.do(people.link(world.snapshot, world.add(person("P1", "telegram:42")), said(MAIL), by="bot", now=NOON))
    world.do(people.link(world.snapshot, world.profile("P1"), proved(MAIL), by="mail", now=NOON))
    identity = world.profile("P1").identity(MAIL)
    assert identity is not None
    assert identity.is_claimed
    assert identity.verified_at == NOON
    assert world.holder(MAIL) == "P1"
    assert not world.conflicts


def test_two_who_say_the_same_address_are_listed() -> None:
    world = World()
    for id in ("P1", "P2"):
        world.do(people.link(world.snapshot, world.add(person(id, f"telegram:{id}")), said(MAIL), by="bot", now=NOON))
    assert world.conflicts["P1:P2"]["why"] == "said_by_another"


def test_a_settled_conflict_is_not_opened_again() -> None:
    world = World()
    world.add(person("P1", MAIL))
    world.do(people.link(world.snapshot, world.add(person("P2", "telegram:42")), said(MAIL), by="bot", now=NOON))
    world.do(Changes(amends=(people.settle("P1:P2", by="agent:7", how="different", now=NOON),)))
    world.do(people.link(world.snapshot, world.profile("P2"), said(PHONE), by="bot", now=NOON))
    world.do(people.link(world.snapshot, world.profile("P1"), proved(PHONE), by="api", now=NOON))
    assert world.conflicts["P1:P2"]["settled"] == "different"


def test_proving_an_address_that_another_proved_makes_the_two_one() -> None:
    world = World()
    world.add(person("P1", MAIL, "telegram:42"))
    changes = world.do(people.link(world.snapshot, world.add(person("P2", PHONE)), proved(MAIL), by="mail", now=NOON))
    assert changes.answer.id == "P1"
    assert world.profile("P2").merged_into == "P1"
    assert world.holder(PHONE) == "P1"
    assert [event.name for event in changes.events] == ["profile.merged"]
    world.check()


def test_two_users_of_the_shop_are_never_merged_by_a_shared_address() -> None:
    world = World()
    world.add(person("P1", "user:anna", MAIL))
    boris = world.add(person("P2", "user:boris"))
    world.do(people.link(world.snapshot, boris, proved(MAIL), by="api", now=NOON))
    assert world.conflicts["P1:P2"]["why"] == "two_users"
    assert world.profile("P2").merged_into is None
    assert world.holder(MAIL) == "P1"
    world.check()


def test_who_holds_an_address_unproved_beside_proved_ones_loses_it_and_is_not_merged() -> None:
    """Else an impostor who wrote with a forged sender would see what the true owner is told."""
    world = World()
    impostor = replace(person("P1", "telegram:666"), identities=(proved("telegram:666"), said(MAIL)))
    world.add(impostor)
    world.do(people.link(world.snapshot, world.add(person("P2", ANNA)), proved(MAIL), by="api", now=NOON))
    assert world.holder(MAIL) == "P2"
    assert world.profile("P1").merged_into is None
    assert world.conflicts["P1:P2"]["why"] == "held_without_proof"
    world.check()


def test_a_ban_follows_the_address_to_who_proves_it() -> None:
    world = World()
    banned = replace(said(MAIL), suppression=Suppression("opted_out", NOON))
    world.add(replace(person("P1", "telegram:666"), identities=(proved("telegram:666"), banned)))
    world.do(people.link(world.snapshot, world.add(person("P2", ANNA)), proved(MAIL), by="api", now=NOON))
    identity = world.profile("P2").identity(MAIL)
    assert identity is not None
    assert identity.suppression == Suppression("opted_out", NOON)


def test_a_profile_is_one_user_of_the_shop() -> None:
    world = World()
    anna = world.add(person("P1", ANNA))
    refusal = people.link(world.snapshot, anna, proved("user:boris"), by="api", now=NOON)
    assert refusal == Refusal("another_user", "this profile has proved to be another user")


def test_identities_are_bounded() -> None:
    world = World()
    crowd = world.add(person("P1", *(f"telegram:{number}" for number in range(people.MOST_IDENTITIES))))
    refusal = people.link(world.snapshot, crowd, proved(MAIL), by="api", now=NOON)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "too_many_identities"


def test_who_has_as_many_as_there_may_be_can_still_prove_one_of_them() -> None:
    world = World()
    others = (f"telegram:{number}" for number in range(people.MOST_IDENTITIES - 1))
    crowd = world.add(person("P1", *others).with_identity(replace(said(MAIL), is_claimed=False)))
    world.do(people.link(world.snapshot, crowd, proved(MAIL), by="api", now=NOON))
    assert world.holder(MAIL) == "P1"


def test_of_two_one_known_beyond_a_browser_is_kept_and_not_an_older_browser() -> None:
    world = World()
    world.add(replace(person("P1", VISITOR), created_at=NOON - timedelta(days=9)))
    anna = world.add(person("P2", PHONE))
    world.do(people.link(world.snapshot, anna, proved(VISITOR), by="api", now=NOON))
    assert world.holder(VISITOR) == "P2"


# -- unlink


def test_an_address_taken_off_is_free_again() -> None:
    world = World()
    anna = world.add(person("P1", MAIL, PHONE))
    world.do(people.unlink(world.snapshot, anna, MAIL, now=NOON))
    assert world.holder(MAIL) is None
    assert world.profile("P1").identity(MAIL) is None


def test_what_was_only_said_is_forgotten_when_taken_off() -> None:
    world = World()
    world.do(people.link(world.snapshot, world.add(person("P1", PHONE)), said(MAIL), by="bot", now=NOON))
    world.do(people.unlink(world.snapshot, world.profile("P1"), MAIL, now=NOON))
    world.do(people.link(world.snapshot, world.add(person("P2", ANNA)), proved(MAIL), by="api", now=NOON))
    assert not world.conflicts


def test_an_address_taken_off_is_free_also_when_its_key_leads_to_whom_they_absorbed() -> None:
    world = World()
    world.add(person("P1", PHONE))
    world.add(person("P2", MAIL))
    world.do(people.merge(world.snapshot, world.profile("P1"), world.profile("P2"), by="agent:1", why="", now=NOON))
    snapshot = replace(world.snapshot, identities={**world.snapshot.identities, MAIL: "P2"})
    changes = people.unlink(snapshot, world.profile("P1"), MAIL, now=NOON)
    assert isinstance(changes, Changes) and changes.releases == (MAIL,)


def test_taking_off_an_address_that_another_proved_leaves_it_to_them() -> None:
    world = World()
    world.add(person("P1", MAIL))
    world.do(people.link(world.snapshot, world.add(person("P2", PHONE)), said(MAIL), by="bot", now=NOON))
    world.do(people.unlink(world.snapshot, world.profile("P2"), MAIL, now=NOON))
    assert world.holder(MAIL) == "P1"


def test_a_banned_address_can_not_be_taken_off() -> None:
    world = World()
    banned = replace(proved(MAIL), suppression=Suppression("opted_out", NOON))
    profile = world.add(replace(person("P1"), identities=(banned,)))
    assert people.unlink(world.snapshot, profile, MAIL, now=NOON) == Refusal("suppressed_identity", MAIL)


# -- identified


def test_a_visitor_who_proves_who_they_are_keeps_their_profile() -> None:
    world = World()
    world.add(person("P1", VISITOR, proved=False))
    profile = identify(world, token(email="Anna@Example.com", phone="06 12 34 56 78", name="Anna", language="fr"))
    assert profile.id == "P1"
    assert profile.name == "Anna"
    assert profile.language == "fr"
    assert [world.holder(key) for key in (VISITOR, ANNA, MAIL, PHONE)] == ["P1"] * 4


def test_a_visitor_who_proves_to_be_somebody_known_is_absorbed_with_their_conversation() -> None:
    world = World()
    world.add(person("P1", VISITOR, proved=False))
    world.do(Changes(conversations=(Conversation(VISITOR, "P1", "webchat", "v1", NOON),)))
    world.add(person("P2", ANNA, "telegram:42", at=world.later()))
    profile = identify(world, token())
    assert profile.id == "P2"
    assert world.snapshot.conversations[VISITOR].profile == "P2"
    assert world.profile("P2").absorbed == ("P1",)


def test_three_profiles_become_one_when_a_token_proves_them_all() -> None:
    world = World()
    world.add(person("P1", VISITOR, proved=False))
    world.add(person("P2", MAIL))
    world.add(person("P3", PHONE))
    profile = identify(world, token(email="anna@example.com", phone="+33612345678"))
    assert {world.holder(key) for key in (VISITOR, ANNA, MAIL, PHONE)} == {profile.id}
    assert len(profile.absorbed) == 2


def test_a_visitor_unknown_so_far_is_made_known_at_once() -> None:
    world = World()
    profile = identify(world, token())
    assert world.holder(VISITOR) == world.holder(ANNA) == profile.id


def test_proving_it_again_changes_nothing() -> None:
    world = World()
    identify(world, token(email="anna@example.com", name="Anna"))
    again = people.identified(world.snapshot, token(email="anna@example.com", name="Anna"), now=world.later())
    assert not again


def test_a_token_does_not_change_the_language_people_have() -> None:
    world = World()
    world.add(replace(person("P1", VISITOR), language="fr"))
    assert identify(world, token(language="en")).language == "fr"


def test_becoming_known_is_an_event_once() -> None:
    world = World()
    world.add(person("P1", VISITOR, proved=False))
    first = world.do(people.identified(world.snapshot, token(), now=NOON))
    second = world.do(people.identified(world.snapshot, token(email="anna@example.com"), now=NOON))
    assert [event.name for event in first.events] == ["profile.identified"]
    assert second.events == ()


def test_a_second_person_at_the_same_browser_is_another_profile() -> None:
    world = World()
    anna = identify(world, token(subject="anna", email="anna@example.com"))
    boris = identify(world, token(subject="boris", email="boris@example.com"))
    assert boris.id != anna.id
    assert world.holder(VISITOR) == anna.id
    assert world.holder("email:boris@example.com") == boris.id
    assert not world.conflicts


def test_a_shared_phone_of_two_users_is_listed_and_each_keeps_their_own() -> None:
    world = World()
    anna = identify(world, token(subject="anna", phone="+33612345678"))
    boris = identify(world, token(key="webchat:v2", subject="boris", phone="+33612345678", email="b@example.com"))
    assert world.holder(PHONE) == anna.id
    assert world.holder("email:b@example.com") == boris.id
    assert [row["why"] for row in world.conflicts.values()] == ["two_users"]


@pytest.mark.parametrize("subject", ["", " ", "a\x00b", "x" * 300, "\ud800"])
def test_a_token_without_a_usable_subject_is_refused(subject: str) -> None:
    facts = token(subject=subject, email="anna@example.com")
    assert people.identified(World().snapshot, facts, now=NOON) == Refusal("bad_subject")


def test_a_handle_that_can_not_be_one_is_passed_over() -> None:
    world = World()
    profile = identify(world, token(email="not an address", phone="abc", name="A" * 9000))
    assert [identity.key for identity in profile.identities] == [VISITOR, ANNA]


def test_the_keys_to_read_are_all_that_the_thinking_asks_for() -> None:
    facts = token(email="Anna@Example.com", phone="0612345678")
    assert people.keys_of(facts) == (VISITOR, ANNA, "?" + ANNA, MAIL, "?" + MAIL, PHONE, "?" + PHONE)


# -- doubts


def test_a_message_from_an_address_that_another_said_is_theirs_is_listed() -> None:
    world = World()
    world.do(
        people.link(world.snapshot, world.add(person("P1", VISITOR, proved=False)), said(PHONE), by="bot", now=NOON)
    )
    world.add(person("P2", PHONE))
    world.do(people.doubts(world.snapshot, PHONE, NOON))
    assert world.conflicts["P1:P2"]["key"] == PHONE


def test_nobody_doubts_an_address_that_nobody_else_said() -> None:
    world = World()
    world.add(person("P2", PHONE))
    assert not people.doubts(world.snapshot, PHONE, NOON)
