"""A push token belongs to whom it was last proved to be; a lent phone never makes one person of two."""

import pytest

from profiles.devices import forget, register
from profiles.people import Claimed
from profiles.profile import Profile, Suppression
from profiles.record import replace
from profiles.snapshot import Changes, Refusal
from tests.world import World, person

TOKEN = "fcm:token-of-a-phone"
ANNA = Claimed("", subject="c-1001", email="anna@example.com", name="Anna", language="sv")
BORIS = Claimed("", subject="c-1002")


@pytest.fixture
def world() -> World:
    return World()


def signed_in(world: World, who: Claimed | str | None) -> Profile:
    changes = world.do(register(world.snapshot, TOKEN, who, locale="fr", now=world.later()))
    world.check()
    return world.profile(changes.answer.id)


def test_an_app_that_nobody_signed_in_to_has_a_profile_that_knows_nobody(world: World) -> None:
    profile = signed_in(world, None)
    assert not profile.is_known
    assert profile.identity(TOKEN)
    assert profile.language == "fr"
    assert signed_in(world, None).id == profile.id


def test_the_first_sign_in_makes_the_app_a_part_of_its_person(world: World) -> None:
    world.add(person("anna", "user:c-1001", "email:anna@example.com"))
    before = signed_in(world, None)
    anna = signed_in(world, ANNA)
    assert anna.id == "anna"
    assert world.profile(before.id).merged_into == "anna"
    token = anna.identity(TOKEN)
    assert token
    assert token.verified_at == world.now


def test_a_person_we_did_not_know_is_made_with_all_that_was_signed(world: World) -> None:
    anna = signed_in(world, ANNA)
    assert {one.key for one in anna.identities} == {TOKEN, "user:c-1001", "email:anna@example.com"}
    assert anna.name == "Anna"


def test_a_token_follows_who_signed_in_last_and_takes_nothing_along(world: World) -> None:
    world.add(person("anna", "user:c-1001", "email:anna@example.com"))
    world.add(person("boris", "user:c-1002", "sms:+33612345678"))
    signed_in(world, ANNA)
    boris = signed_in(world, BORIS)
    assert boris.id == "boris"
    assert world.holder(TOKEN) == "boris"
    anna = world.profile("anna")
    assert anna.identity(TOKEN) is None
    assert anna.merged_into is None
    assert {one.key for one in boris.identities} == {"user:c-1002", "sms:+33612345678", TOKEN}
    assert signed_in(world, ANNA).id == "anna"
    assert world.holder(TOKEN) == "anna"


def test_a_phone_of_somebody_known_without_a_user_id_is_not_merged_into_who_signs_in(world: World) -> None:
    world.add(person("clara", "email:clara@example.com"))
    signed_in(world, "clara")
    boris = signed_in(world, BORIS)
    assert boris.id != "clara"
    assert world.profile("clara").merged_into is None
    assert world.profile("clara").identity(TOKEN) is None


def test_a_server_says_whose_it_is(world: World) -> None:
    world.add(person("anna", "user:c-1001"))
    world.add(person("boris", "user:c-1002"))
    assert signed_in(world, "anna").id == "anna"
    assert signed_in(world, "boris").id == "boris"
    assert world.profile("anna").identity(TOKEN) is None
    assert register(world.snapshot, TOKEN, "nobody", now=world.now) == Refusal("unknown_profile")


def test_without_a_sign_in_the_token_stays_with_its_person(world: World) -> None:
    signed_in(world, ANNA)
    before = world.holder(TOKEN)
    assert signed_in(world, None).id == before


@pytest.mark.parametrize(("reason", "is_over"), [("unreachable", True), ("blocked", True), ("opted_out", False)])
def test_a_dead_token_that_the_app_says_again_lives_and_a_refusal_stays(
    world: World, reason: str, is_over: bool
) -> None:
    profile = signed_in(world, ANNA)
    token = profile.identity(TOKEN)
    assert token
    banned = replace(token, suppression=Suppression(reason, world.now))  # type: ignore[arg-type]
    world.do(Changes(profiles=(profile.with_identity(banned),)))
    again = signed_in(world, ANNA).identity(TOKEN)
    assert again
    assert (again.suppression is None) is is_over


def test_a_token_that_changes_hands_leaves_its_former_holders_refusal_behind(world: World) -> None:
    profile = signed_in(world, ANNA)
    token = profile.identity(TOKEN)
    assert token
    world.do(
        Changes(profiles=(profile.with_identity(replace(token, suppression=Suppression("opted_out", world.now))),))
    )
    boris = signed_in(world, BORIS).identity(TOKEN)
    assert boris
    assert boris.suppression is None


def test_a_forgotten_token_is_nobodys(world: World) -> None:
    anna = signed_in(world, ANNA)
    world.do(forget(world.snapshot, TOKEN, now=world.now))
    assert world.holder(TOKEN) is None
    assert world.profile(anna.id).identity(TOKEN) is None
    assert forget(world.snapshot, TOKEN, now=world.now) == Changes()


def test_a_token_that_its_person_banned_stays_banned(world: World) -> None:
    profile = signed_in(world, ANNA)
    token = profile.identity(TOKEN)
    assert token
    world.do(
        Changes(profiles=(profile.with_identity(replace(token, suppression=Suppression("opted_out", world.now))),))
    )
    assert forget(world.snapshot, TOKEN, now=world.now) == Changes()


def test_a_new_token_takes_the_place_of_the_dead_ones_of_its_service(world: World) -> None:
    dead = Suppression("unreachable", world.now)
    anna = person("anna", "fcm:old-1", "fcm:old-2", "apns:old-3", "email:anna@example.com")
    anna = replace(anna, identities=tuple(
        one if one.channel == "email" else replace(one, suppression=dead) for one in anna.identities
    ))  # fmt: skip
    world.add(anna)
    signed_in(world, "anna")
    assert {one.key for one in world.profile("anna").identities} == {"apns:old-3", "email:anna@example.com", TOKEN}
    assert world.holder("fcm:old-1") is None


def test_a_person_has_no_endless_number_of_devices(world: World) -> None:
    world.add(person("anna", *(f"fcm:token-{number}" for number in range(100))))
    refused = register(world.snapshot, TOKEN, "anna", now=world.now)
    assert isinstance(refused, Refusal)
    assert refused.reason == "too_many_identities"
