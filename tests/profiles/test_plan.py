"""How what a group came to becomes one transaction."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from profiles.conversation import Conversation
from profiles.plan import LEASE_FOR, Group
from profiles.profile import Profile
from profiles.snapshot import Amend, Changes
from profiles.store import Plan, Update
from profiles.timeline import Content, Delivery, Event, Message
from tests.world import NOON

ANNA = replace(Profile("P1", NOON), version=4)


def group(*profiles: Profile) -> Group:
    found = Group(NOON, "p1")
    found.read_profiles.update({profile.id: profile for profile in profiles})
    found.profiles.update(found.read_profiles)
    return found


def plan_of(group: Group, *changes: Changes) -> Plan:
    for change in changes:
        group.keep(change)
    return group.plan()


def outbound(**delivery: Any) -> Message:
    return Message(
        "m1", "c", "P1", "sms", "outbound", "bot", Content("a"), 1, NOON, delivery=Delivery("sms:1", **delivery)
    )


def test_a_record_changed_often_is_written_once() -> None:
    two = replace(ANNA, language="fr"), replace(ANNA, language="fr", last_channel="sms")
    plan = plan_of(group(ANNA), *(Changes(profiles=(profile,)) for profile in two))
    assert plan.updates == {"profiles": [Update("P1", 4, {"language": "fr", "last_channel": "sms"})]}


def test_a_record_that_ends_as_it_began_is_not_written() -> None:
    plan = plan_of(group(ANNA), Changes(profiles=(replace(ANNA, language="fr"),)), Changes(profiles=(replace(ANNA),)))
    assert not plan


def test_a_new_record_must_not_exist_yet() -> None:
    plan = plan_of(group(), Changes(profiles=(Profile("P2", NOON),)))
    assert plan.updates == {"profiles": [Update("P2", 0, {"created_at": NOON})]}


def test_what_became_its_default_is_unset() -> None:
    speaks = replace(ANNA, language="fr")
    plan = plan_of(group(speaks), Changes(profiles=(ANNA,)))
    assert plan.updates == {"profiles": [Update("P1", 4, {}, {"language": ""})]}


def test_the_next_in_a_group_sees_what_the_one_before_did() -> None:
    found = group(ANNA)
    snapshot = found.snapshot()
    found.keep(Changes(
        profiles=(replace(ANNA, language="fr"),), claims={"telegram:42": "P1"},
        conversations=(Conversation("c", "P1", "sms", "1", NOON),), messages=(outbound(),),
    ))  # fmt: skip
    holder = snapshot.holder("telegram:42")
    assert holder is not None
    assert holder.language == "fr"
    assert "c" in snapshot.conversations
    assert "m1" in snapshot.messages


def test_a_delivery_due_now_is_born_leased_to_this_process() -> None:
    plan = plan_of(group(ANNA), Changes(messages=(outbound(),)))
    delivery = plan.inserts["messages"][0]["delivery"]
    assert delivery["leased_by"] == "p1"
    assert delivery["lease_until"] == NOON + LEASE_FOR


def test_a_delivery_due_later_is_nobodys_until_then() -> None:
    due = NOON + timedelta(hours=1)
    plan = plan_of(group(ANNA), Changes(messages=(outbound(due_at=due),)))
    delivery = plan.inserts["messages"][0]["delivery"]
    assert "leased_by" not in delivery
    assert delivery["lease_until"] == due


def test_a_delivery_that_is_over_is_left_alone() -> None:
    plan = plan_of(group(ANNA), Changes(messages=(outbound(state="suppressed"),)))
    assert "lease_until" not in plan.inserts["messages"][0]["delivery"]


def test_what_the_caller_gets_back_is_what_is_stored() -> None:
    kept = group(ANNA).keep(Changes(messages=(outbound(),)))
    delivery = kept.messages[0].delivery
    assert delivery is not None
    assert delivery.leased_by == "p1"


def test_events_records_and_amends_go_where_they_belong() -> None:
    event = Event("e1", "P1", "order.paid", NOON)
    amends = (
        Amend("m1", {"delivery.state": "sent"}, ("delivery.lease_until",)),
        Amend("x", {"a": 1}, collection="conflicts"),
    )
    plan = plan_of(group(), Changes(events=(event,), records=(("audit", {"_id": "a"}),), amends=amends))
    assert plan.inserts == {
        "events": [{"_id": "e1", "profile": "P1", "name": "order.paid", "happened_at": NOON}], "audit": [{"_id": "a"}],
    }  # fmt: skip
    assert plan.updates == {
        "messages": [Update("m1", None, {"delivery.state": "sent"}, {"delivery.lease_until": ""})],
        "conflicts": [Update("x", None, {"a": 1})],
    }


def identities(*changes: Changes) -> tuple[list[Update], list[str]]:
    plan = plan_of(group(), *changes)
    return plan.updates.get("identities", []), plan.deletes.get("identities", [])


def test_a_key_is_written_once_as_the_group_leaves_it() -> None:
    claim, move, free = Changes(claims={"k": "P1"}), Changes(moves={"k": "P2"}), Changes(releases=("k",))
    assert identities(claim) == ([Update("k", 0, {"profile": "P1"})], [])
    assert identities(claim, move) == ([Update("k", 0, {"profile": "P2"})], [])
    assert identities(move) == ([Update("k", None, {"profile": "P2"})], [])
    assert identities(free) == ([], ["k"])
    assert identities(claim, free) == ([], [])
    assert identities(free, claim) == ([Update("k", None, {"profile": "P1"})], [])
    assert identities(move, free) == ([], ["k"])
    assert identities(claim.then(move)) == identities(claim, move)
    assert identities(claim.then(free)) == ([], [])
    assert identities(move.then(free)) == ([], ["k"])


def test_a_released_key_leads_nowhere_for_the_next_in_the_group() -> None:
    found = group(ANNA)
    found.keep(Changes(claims={"k": "P1"}))
    found.keep(Changes(releases=("k",)))
    assert found.snapshot().holder("k") is None
    assert found.released == {"k"}
    found.keep(Changes(claims={"k": "P1"}))
    assert found.released == set()


def test_changes_after_changes_are_seen_without_touching_the_snapshot() -> None:
    snapshot = group(ANNA).snapshot()
    later = snapshot.after(Changes(profiles=(replace(ANNA, language="fr"),), claims={"k": "P1"}))
    holder = later.holder("k")
    assert holder is not None
    assert holder.language == "fr"
    assert snapshot.holder("k") is None
    assert snapshot.profiles["P1"].language is None
    assert later.after(Changes(releases=("k",))).holder("k") is None
