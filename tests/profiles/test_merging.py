"""Merge makes one profile of two and keeps what matters of both; undo gives the same two back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.conversation import Conversation
from profiles.merging import merge, undo
from profiles.profile import Attribute, Identity, Profile, Suppression
from profiles.record import to_document
from profiles.snapshot import Changes, Refusal
from tests.world import NOON, World, person


def knowing(profile: Profile, **attributes: tuple[Any, str, int]) -> Profile:
    known = {
        name: Attribute(value, source, NOON + timedelta(hours=hours))  # type: ignore[arg-type]
        for name, (value, source, hours) in attributes.items()
    }
    return replace(profile, attributes=known)


def merged(world: World, kept: str = "P1", absorbed: str = "P2", **options: Any) -> Changes:
    changes = merge(
        world.snapshot, world.profile(kept), world.profile(absorbed), by="agent:7", why="same person", now=world.later(),
        **options,
    )  # fmt: skip
    world.do(changes)
    world.check()
    assert isinstance(changes, Changes)
    return changes


def undone(world: World, changes: Changes) -> Changes:
    record = world.records[str(changes.records[0][1]["_id"])]
    answer = world.do(undo(world.snapshot, record, by="agent:8", now=world.later()))
    world.check()
    return answer


def pair() -> World:
    world = World()
    world.add(person("P1", "telegram:42"))
    world.add(person("P2", "sms:+33612345678", at=world.later()))
    return world


def test_all_addresses_lead_to_the_kept_profile() -> None:
    world = pair()
    merged(world)
    assert world.holder("sms:+33612345678") == world.holder("telegram:42") == "P1"
    assert world.profile("P1").absorbed == ("P2",)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (("a", "declared", 1), ("b", "declared", 2), "b"),
        (("a", "declared", 2), ("b", "declared", 1), "a"),
        (("a", "declared", 1), ("b", "tracked", 2), "a"),
        (("a", "tracked", 2), ("b", "declared", 1), "b"),
        (("a", "inferred", 1), ("b", "tracked", 2), "b"),
        (("a", "tracked", 1), ("b", "tracked", 1), "a"),
    ],
)
def test_declared_beats_the_rest_and_then_the_newest(ours: Any, theirs: Any, expected: str) -> None:
    world = World()
    world.add(knowing(person("P1", "telegram:42"), city=ours))
    world.add(knowing(person("P2", "telegram:43"), city=theirs, size=("M", "tracked", 0)))
    merged(world)
    assert world.profile("P1").value("city") == expected
    assert world.profile("P1").value("size") == "M"


def test_a_ban_on_either_side_holds() -> None:
    world = pair()
    stop = Suppression("opted_out", NOON)
    sms = world.profile("P2").identities[0]
    world.do(Changes(profiles=(world.profile("P2").with_identity(replace(sms, suppression=stop)),)))
    merged(world)
    identity = world.profile("P1").identity(sms.key)
    assert identity is not None
    assert identity.suppression == stop


def test_conversations_follow_and_come_back() -> None:
    world = pair()
    world.do(Changes(conversations=(Conversation("smpp:+33612345678", "P2", "smpp", "+33612345678", NOON),)))
    changes = merged(world)
    assert world.snapshot.conversations["smpp:+33612345678"].profile == "P1"
    undone(world, changes)
    assert world.snapshot.conversations["smpp:+33612345678"].profile == "P2"


def test_a_conversation_that_began_after_the_merge_goes_where_its_address_goes() -> None:
    world = pair()
    changes = merged(world)
    for id in ("twilio:+33612345678", "telegram:42"):
        channel, _, address = id.partition(":")
        world.do(Changes(conversations=(Conversation(id, "P1", channel, address, NOON),)))
    undone(world, changes)
    assert world.snapshot.conversations["twilio:+33612345678"].profile == "P2"
    assert world.snapshot.conversations["telegram:42"].profile == "P1"


def test_merging_says_so_on_the_timeline() -> None:
    world = pair()
    changes = merged(world)
    event = changes.events[0]
    assert (event.name, event.profile, event.by) == ("profile.merged", "P1", "agent:7")
    assert event.properties["absorbed"] == "P2"
    event = undone(world, changes).events[0]
    assert (event.name, event.profile, event.properties["restored"]) == ("profile.merge_undone", "P1", "P2")


def test_a_merge_can_settle_the_conflict_it_answers() -> None:
    world = pair()
    merged(world, settles="P1:P2")
    assert world.conflicts["P1:P2"]["settled"] == "merged"
    assert world.conflicts["P1:P2"]["settled_by"] == "agent:7"


def test_a_profile_is_not_merged_with_itself_or_after_it_went() -> None:
    world = pair()
    one = world.profile("P1")
    assert merge(world.snapshot, one, one, by="", why="", now=NOON) == Refusal("same_profile", "P1")
    merged(world)
    shell = world.profile("P2")
    assert merge(world.snapshot, world.profile("P1"), shell, by="", why="", now=NOON) == Refusal("merged_away", "P2")


def test_a_merge_is_undone_once() -> None:
    world = pair()
    changes = merged(world)
    undone(world, changes)
    record = world.records[str(changes.records[0][1]["_id"])]
    assert record["undone_by"] == "agent:8"
    again = undo(world.snapshot, record, by="agent:8", now=NOON)
    assert isinstance(again, Refusal)
    assert again.reason == "already_undone"


@pytest.mark.parametrize("then", [("P1", "P3"), ("P3", "P1")])
def test_a_merge_that_a_later_one_builds_on_is_undone_after_it(then: tuple[str, str]) -> None:
    world = pair()
    world.add(person("P3", "email:anna@example.com"))
    first = merged(world)
    second = merged(world, *then)
    record = world.records[str(first.records[0][1]["_id"])]
    refused = undo(world.snapshot, record, by="agent:8", now=NOON)
    assert isinstance(refused, Refusal)
    assert refused.reason == "later_merge"
    undone(world, second)
    undone(world, first)
    assert world.holder("sms:+33612345678") == "P2"
    assert world.holder("email:anna@example.com") == "P3"


def test_what_was_learned_after_the_merge_stays_with_the_kept_one() -> None:
    world = pair()
    changes = merged(world)
    learned = world.profile("P1").learn("city", "Lyon", source="declared", at=world.later())
    world.do(Changes(profiles=(learned.with_identity(Identity("email", "a@example.com", NOON)),),
                     claims={"email:a@example.com": "P1"}))  # fmt: skip
    undone(world, changes)
    assert world.profile("P1").value("city") == "Lyon"
    assert world.holder("email:a@example.com") == "P1"
    assert world.profile("P2").value("city") is None


def test_what_was_forgotten_after_the_merge_stays_forgotten() -> None:
    world = World()
    world.add(person("P1", "telegram:42"))
    world.add(knowing(person("P2", "telegram:43"), illness=("flu", "declared", 0)))
    changes = merged(world)
    world.do(Changes(profiles=(world.profile("P1").forget("illness"),)))
    undone(world, changes)
    assert world.profile("P2").value("illness") is None


def test_a_stop_said_after_the_merge_holds_on_the_address_that_goes_back() -> None:
    world = pair()
    changes = merged(world)
    sms = world.profile("P1").identity("sms:+33612345678")
    assert sms is not None
    stop = Suppression("opted_out", world.later())
    world.do(Changes(profiles=(world.profile("P1").with_identity(replace(sms, suppression=stop)),)))
    undone(world, changes)
    assert world.profile("P2").identities[0].suppression == stop


def test_a_stop_lifted_after_the_merge_stays_lifted() -> None:
    world = World()
    world.add(person("P1", "telegram:42"))
    banned = replace(person("P2", "sms:+33612345678").identities[0], suppression=Suppression("opted_out", NOON))
    world.add(replace(person("P2"), identities=(banned,)))
    changes = merged(world)
    world.do(Changes(profiles=(world.profile("P1").with_identity(replace(banned, suppression=None)),)))
    undone(world, changes)
    assert world.profile("P2").identities[0].suppression is None


def test_an_address_taken_off_after_the_merge_does_not_come_back() -> None:
    world = pair()
    changes = merged(world)
    kept = world.profile("P1")
    without = replace(kept, identities=kept.identities[:1])
    world.do(Changes(profiles=(without,), releases=("sms:+33612345678",)))
    undone(world, changes)
    assert world.profile("P2").identities == ()
    assert world.holder("sms:+33612345678") is None


# -- whatever the two were, merge and undo give them back

_moments = st.integers(0, 5).map(lambda hours: NOON + timedelta(hours=hours))
_attributes = st.dictionaries(
    st.sampled_from(["city", "size", "first_name", "points"]),
    st.builds(Attribute, st.sampled_from(["a", "b", 1, 2.5, ["x"]]), st.sampled_from(["declared", "inferred", "tracked"]),
              _moments),
)  # fmt: skip
_bans = st.none() | st.builds(Suppression, st.sampled_from(["opted_out", "bounced"]), _moments)


@st.composite
def _two(draw: st.DrawFn) -> tuple[Profile, Profile]:
    """Two profiles; an address that both have is claimed by one of them at most."""
    identities: dict[str, list[Identity]] = {"P1": [], "P2": []}
    for address in draw(st.lists(st.sampled_from("abcdef"), unique=True)):
        owner = draw(st.sampled_from(["P1", "P2", None]))
        for id in draw(st.sampled_from([["P1"], ["P2"], ["P1", "P2"]])):
            identity = Identity(draw(st.just("sms")), address, draw(_moments), draw(st.none() | _moments), draw(_bans),
                                is_claimed=owner == id)  # fmt: skip
            identities[id].append(identity)
    return tuple(  # type: ignore[return-value]
        Profile(id, draw(_moments), tuple(identities[id]), draw(_attributes), draw(st.sampled_from([None, "fr", "en"])),
                draw(st.sampled_from([None, "sms", "telegram"])), draw(st.none() | _moments))
        for id in ("P1", "P2")
    )  # fmt: skip


@given(_two())
def test_merge_then_undo_gives_the_same_two_profiles(two: tuple[Profile, Profile]) -> None:
    world = World()
    for profile in two:
        world.add(profile)
    undone(world, merged(world))
    assert world.profile("P1") == two[0]
    assert world.profile("P2") == two[1]


@given(_two(), _attributes)
def test_nothing_known_is_lost_by_merging(two: tuple[Profile, Profile], learned: dict[str, Attribute]) -> None:
    world = World()
    for profile in two:
        world.add(profile)
    changes = merged(world)
    kept = world.profile("P1")
    assert kept.attributes.keys() == two[0].attributes.keys() | two[1].attributes.keys()
    for before in (*two[0].identities, *two[1].identities):
        identity = kept.identity(before.key)
        assert identity is not None
        assert identity.suppression or not before.suppression
        assert identity.verified_at or not before.verified_at
    world.do(Changes(profiles=(replace(kept, attributes={**kept.attributes, **learned}),)))
    undone(world, changes)
    for name, attribute in learned.items():
        if attribute != kept.attributes.get(name):
            assert world.profile("P1").attributes[name] == attribute


@given(_two())
def test_the_merge_record_survives_storing(two: tuple[Profile, Profile]) -> None:
    world = World()
    for profile in two:
        world.add(profile)
    record = dict(merged(world).records[0][1])
    assert record["kept_before"] == to_document(two[0])
    assert record["absorbed_before"] == to_document(two[1])


@pytest.mark.parametrize("erasing", ["P1", "P2"])
def test_nobody_who_is_being_erased_is_merged(erasing: str) -> None:
    world = pair()
    world.add(replace(world.profile(erasing), erasing="now", identities=()))
    refusal = merge(world.snapshot, world.profile("P1"), world.profile("P2"), by="a", why="", now=world.later())
    assert refusal == Refusal("erasing", erasing)


MAIL = "email:anna@example.org"
NOTED = Identity("email", "anna@example.org", added_at=NOON, is_claimed=False)


@pytest.mark.parametrize("had_it", ["P1", "P2"])
def test_an_address_proved_after_the_merge_goes_with_whom_had_said_it(had_it: str) -> None:
    world = pair()
    world.do(Changes(profiles=(world.profile(had_it).with_identity(NOTED),)))
    changes = merged(world)
    proved = replace(NOTED, verified_at=world.now, is_claimed=True)
    world.do(Changes(profiles=(world.profile("P1").with_identity(proved),), claims={MAIL: "P1"}))
    undone(world, changes)
    identity = world.profile(had_it).identity(MAIL)
    assert identity and identity.is_claimed and identity.verified_at == proved.verified_at
    assert world.holder(MAIL) == had_it


def test_an_address_that_the_absorbed_one_proved_is_the_kept_ones_who_had_said_it() -> None:
    world = pair()
    world.do(Changes(profiles=(world.profile("P1").with_identity(NOTED),)))
    proved = replace(NOTED, verified_at=NOON, is_claimed=True)
    world.do(Changes(profiles=(world.profile("P2").with_identity(proved),), claims={MAIL: "P2"}))
    merged(world)
    assert world.profile("P1").identity(MAIL) == proved


def test_a_conversation_that_moved_goes_back_though_its_address_is_nobodys_any_more() -> None:
    world = pair()
    thread = Conversation("email:old@example.org", "P2", "email", "old@example.org", NOON)
    world.do(Changes(conversations=(thread,)))
    changes = merged(world)
    assert world.snapshot.conversations[thread.id].profile == "P1"
    undone(world, changes)
    assert world.snapshot.conversations[thread.id].profile == "P2"


def test_a_profile_that_went_takes_nobody_in() -> None:
    world = pair()
    world.add(person("P3", "email:anna@example.com"))
    merged(world)
    refused = merge(world.snapshot, world.profile("P2"), world.profile("P3"), by="", why="", now=NOON)
    assert refused == Refusal("merged_away", "P2")


def test_of_both_the_first_dates_the_kept_ones_language_and_the_last_channel_count() -> None:
    first, later = NOON, NOON + timedelta(days=1)
    claimed = Identity("email", "anna@example.org", added_at=later, verified_at=later)
    mentioned = replace(claimed, added_at=first, verified_at=first, is_claimed=False)
    ours = Profile("P1", NOON, (claimed,), language="fr", last_channel="email", last_inbound_at=first)
    theirs = Profile("P2", NOON, (mentioned,), language="en", last_channel="sms", last_inbound_at=later)
    for one, other, channel in ((ours, theirs, "sms"), (replace(ours, last_inbound_at=later), theirs, "email")):
        world = World()
        world.add(one)
        world.add(other)
        merged(world)
        both = world.profile("P1")
        assert (both.language, both.last_channel, both.last_inbound_at) == ("fr", channel, later)
        assert both.identities == (replace(claimed, added_at=first, verified_at=first),)


def test_the_shell_knows_nothing_and_comes_back_as_its_next_version() -> None:
    world = pair()
    world.add(replace(knowing(world.profile("P2"), city=("Paris", "declared", 1)), identities=()))
    changes = merged(world)
    shell = world.profile("P2")
    assert (shell.identities, shell.attributes, shell.merged_into) == ((), {}, "P1")
    world.do(Changes(profiles=(replace(shell, version=7),)))
    assert undone(world, changes).answer.version == 7


def test_the_ledgers_are_brought_together_and_parted_in_the_same_commit() -> None:
    world = pair()
    changes = merged(world)
    assert [amend.message for amend in changes.amends if amend.collection == "ledgers"] == ["P1", "P2"]
    back = undone(world, changes)
    assert [amend.message for amend in back.amends if amend.collection == "ledgers"] == ["P1", "P2"]


def test_a_merge_undone_before_stays_so_when_the_two_are_merged_again() -> None:
    world = pair()
    first = merged(world)
    undone(world, first)
    merged(world)
    record = world.records[str(first.records[0][1]["_id"])]
    assert record["undone_at"] == world.now - timedelta(minutes=1)
    assert undo(world.snapshot, record, by="agent:8", now=NOON) == Refusal("already_undone", record["_id"])


def test_a_language_learned_after_the_merge_stays() -> None:
    world = pair()
    world.do(Changes(profiles=(replace(world.profile("P2"), language="fr"),)))
    changes = merged(world)
    world.do(Changes(profiles=(replace(world.profile("P1"), language="en"),)))
    undone(world, changes)
    assert (world.profile("P1").language, world.profile("P2").language) == ("en", "fr")


def test_an_address_that_both_had_said_is_the_kept_ones_when_it_is_proved() -> None:
    world = pair()
    for id in ("P1", "P2"):
        world.do(Changes(profiles=(world.profile(id).with_identity(NOTED),)))
    changes = merged(world)
    proved = replace(NOTED, verified_at=world.now, is_claimed=True)
    world.do(Changes(profiles=(world.profile("P1").with_identity(proved),), claims={MAIL: "P1"}))
    undone(world, changes)
    assert (world.profile("P1").identity(MAIL), world.profile("P2").identity(MAIL)) == (proved, NOTED)


def test_an_address_that_was_lost_after_the_merge_is_not_claimed_again() -> None:
    world = pair()
    changes = merged(world)
    sms = world.profile("P1").identity("sms:+33612345678")
    assert sms
    world.do(Changes(profiles=(world.profile("P1").with_identity(replace(sms, is_claimed=False)),)))
    undone(world, changes)
    lost = world.profile("P2").identity(sms.key)
    assert lost and not lost.is_claimed


def test_a_thread_that_is_somebody_elses_by_now_or_on_another_space_of_the_number_does_not_come_along() -> None:
    world = pair()
    world.add(person("P3", "email:anna@example.com"))
    moved = Conversation("smpp:+33612345678", "P2", "smpp", "+33612345678", NOON)
    world.do(Changes(conversations=(moved,)))
    changes = merged(world)
    began = Conversation("whatsapp:+33612345678", "P1", "whatsapp", "+33612345678", NOON)
    world.do(Changes(conversations=(replace(moved, profile="P3"), began)))
    undone(world, changes)
    assert world.snapshot.conversations[moved.id].profile == "P3"
    assert world.snapshot.conversations[began.id].profile == "P1"
