"""Who enters a rule and who does not, and what every refusal is called."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profiles.caps import Cap
from profiles.hours import Hours
from profiles.profile import Identity, Profile
from rules.chance import is_held_out, share, variant
from tests.cast import NOON, anna
from tests.rules.play import Play, time_of

SIMPLE = """
rule: simple
state: {state}
topic: offers
labels: [promo]
when: {{event: cart.updated, key: event.cart_id, again: parallel}}
{more}
steps:
  - send: {{channel: telegram, template: hello}}
"""


def simple(more: str = "", state: str = "live") -> str:
    return SIMPLE.format(more=more, state=state)


async def test_the_audience_is_asked_when_it_happens() -> None:
    play = Play(simple('for: contact.first_name == "Anna"'))
    await play.happens("cart.updated", cart_id="1")
    await play.happens("cart.updated", "clara", cart_id="1")
    assert play.got() == ["telegram: hello"]
    assert play.got("clara") == [] and play.told("clara") == [], "nearly everybody is not meant: nothing is kept of it"


async def test_a_draft_and_a_paused_rule_do_nothing_and_a_test_rule_speaks_to_its_testers() -> None:
    for state in ("draft", "paused"):
        play = Play(simple(state=state))
        await play.happens("cart.updated", cart_id="1")
        assert play.got() == []
    play = Play(simple("testers: [email:anna@example.com]", state="test"))
    await play.happens("cart.updated", cart_id="1")
    await play.happens("cart.updated", "clara", cart_id="1")
    assert (play.got(), play.got("clara")) == (["telegram: hello"], [])


async def test_at_most_so_many_entries_in_a_stretch() -> None:
    play = Play(simple("entry: {at most: 2 per 7d}"))
    for cart in "123":
        await play.happens("cart.updated", cart_id=cart)
    assert play.got() == ["telegram: hello"] * 2
    assert play.told()[-1] == "entry:2 per 7d"
    await play.passes(days=7, minutes=1)
    await play.happens("cart.updated", cart_id="4")
    assert len(play.got()) == 3


async def test_a_grace_period_after_the_last_message_of_the_rule() -> None:
    play = Play(simple("entry: {grace: 7d}"))
    await play.happens("cart.updated", cart_id="1")
    await play.passes(days=6)
    await play.happens("cart.updated", cart_id="2")
    assert play.told() == ["sent", "grace"]
    await play.passes(days=1, minutes=1)
    await play.happens("cart.updated", cart_id="3")
    assert len(play.got()) == 2


async def test_an_event_of_last_week_begins_nothing() -> None:
    play = Play(simple())
    await play.told_late("cart.updated", NOON - timedelta(days=7), cart_id="old")
    assert play.told() == ["late"]


async def test_a_rule_is_valid_from_a_day_to_a_day() -> None:
    early = Play(simple("valid: {from: 2026-11-22, until: 2026-11-23}"))
    await early.happens("cart.updated", cart_id="1")
    await early.passes(days=1)
    await early.happens("cart.updated", cart_id="2")
    await early.passes(days=2)
    await early.happens("cart.updated", cart_id="3")
    assert early.told() == ["not_yet_valid", "sent", "expired"]


async def test_the_house_cap_holds_over_all_rules_and_its_first_free_moment_is_waited_for() -> None:
    other = simple().replace("rule: simple", "rule: other").replace("hello", "other")
    play = Play(simple(), other, caps=(Cap(1, timedelta(days=7)),))
    await play.happens("cart.updated", cart_id="1")
    assert play.got() == ["telegram: hello"]
    assert sorted(play.told()) == ["capped:all", "sent"]
    waiting = Play(simple("pressure: {on cap: wait, wait at most: 8d}"), caps=(Cap(1, timedelta(days=7)),))
    await waiting.happens("cart.updated", cart_id="1")
    await waiting.happens("cart.updated", cart_id="2")
    assert len(waiting.got()) == 1
    await waiting.passes(days=7, seconds=1)
    assert len(waiting.got()) == 2


async def test_a_cap_by_label_counts_what_the_message_was_when_it_was_sent() -> None:
    play = Play(
        simple(), caps=(Cap(1, timedelta(days=1), "label", "promo"), Cap(9, timedelta(days=1), "label", "cart"))
    )
    await play.happens("cart.updated", cart_id="1")
    await play.happens("cart.updated", cart_id="2")
    assert play.told() == ["sent", "capped:label:promo"]


async def test_quiet_hours_hold_until_the_morning_of_whoever_it_is() -> None:
    quiet = (Hours(time_of("20:00"), time_of("09:00")),)
    play = Play(simple(), quiet=quiet)
    await play.happens("cart.updated", "dmitri", cart_id="1")  # 22:00 in Vladivostok
    await play.happens("cart.updated", cart_id="1")  # 13:00 in Paris
    assert (play.got(), play.got("dmitri")) == (["telegram: hello"], [])
    assert play.told("dmitri") == ["quiet->09:00"]
    await play.passes(hours=11)
    assert play.got("dmitri") == ["telegram: hello"]


async def test_a_message_that_would_come_too_late_is_not_sent_at_all() -> None:
    quiet = (Hours(time_of("12:00"), time_of("09:00")),)
    play = Play(simple("timing: {late after: 12h}"), quiet=quiet)
    await play.happens("cart.updated", cart_id="1")
    assert play.told() == ["late"], "twenty hours would be too late, and that is known now"
    assert play.rows()[0]["detail"] == "quiet->09:00"
    assert play.got() == []
    await play.passes(days=2)
    assert play.got() == []


async def test_who_is_held_out_walks_the_rule_as_a_ghost() -> None:
    people = tuple(anna_called(f"p{number}") for number in range(200))
    play = Play(simple("entry: {holdout: 20%}"), people=people)
    for person in people:
        await play.happens("cart.updated", person.id, cart_id="1")
    ghosts = [person.id for person in people if play.told(person.id) == ["holdout"]]
    reached = [person.id for person in people if play.got(person.id)]
    assert len(ghosts) + len(reached) == 200
    assert 20 <= len(ghosts) <= 60
    assert ghosts == [person.id for person in people if is_held_out("simple", person.id, 0.2)]


@pytest.mark.parametrize(("kind", "spares"), [("service", True), ("transactional", False)])
async def test_a_holdout_never_keeps_a_transactional_message_back(kind: str, spares: bool) -> None:
    held_out = next(name for number in range(99) if is_held_out("simple", name := f"p{number}", 0.2))
    play = Play(simple(f"class: {kind}\nentry: {{holdout: 20%}}"), people=(anna_called(held_out),))
    await play.happens("cart.updated", held_out, cart_id="1")
    assert play.told(held_out) == (["holdout"] if spares else ["sent"])
    assert bool(play.got(held_out)) is not spares


async def test_one_control_group_hears_of_no_marketing_at_all() -> None:
    people = tuple(anna_called(f"p{number}") for number in range(100))
    play = Play(simple(), simple().replace("rule: simple", "rule: other"), control=0.3, people=people)
    for person in people:
        await play.happens("cart.updated", person.id, cart_id="1")
    assert all(len(play.got(person.id)) in (0, 2) for person in people), "both rules spare the same contacts"
    assert 10 < sum(not play.got(person.id) for person in people) < 50


def test_a_variant_is_the_same_for_ever_and_the_shares_come_out() -> None:
    parts = {"a": 50, "b": 30, "c": 20}
    drawn = [variant("rule", "step", f"p{number}", parts) for number in range(10_000)]
    assert drawn == [variant("rule", "step", f"p{number}", parts) for number in range(10_000)]
    for name, part in parts.items():
        assert drawn.count(name) / 10_000 == pytest.approx(part / 100, abs=0.02)
    assert variant("rule", "step", "p1", {}) == ""
    assert share("x") != share("y")


async def test_a_template_that_can_not_be_rendered_gives_its_slot_back() -> None:
    play = Play(simple().replace("hello", "missing"), caps=(Cap(1, timedelta(days=7)),))
    await play.happens("cart.updated", cart_id="1")
    assert play.told() == ["template:unknown"]
    assert play.contacts.ledgers["anna"].entries == ()


async def test_who_never_said_yes_gets_nothing_and_the_reason_says_so() -> None:
    play = Play(simple())
    play.withdraws("telegram", "offers")
    await play.happens("cart.updated", cart_id="1")
    assert play.told() == ["opted_out:topic:offers"]


def anna_called(id: str) -> Profile:
    reached = Identity("telegram", id, added_at=NOON, verified_at=NOON)
    return replace(anna(), id=id, identities=(reached,))


async def test_waiting_for_a_free_slot_has_an_end_however_often_it_is_held() -> None:
    busy = simple().replace("rule: simple", "rule: busy").replace("hello", "busy")
    patient = simple("pressure: {on cap: wait, wait at most: 3d}")
    play = Play(busy, patient, caps=(Cap(1, timedelta(days=2)),))
    for day in range(4):
        await play.happens("cart.updated", cart_id=str(day))
        await play.passes(days=1)
    await play.passes(days=10)
    patient_rows = [row for row in play.rows() if row["rule"] == "simple"]
    held = [row for row in patient_rows if row["reason"] == "capped:all"]
    assert held, "it had to wait"
    sent = [row for row in patient_rows if row["reason"] == "sent"]
    begun = {run.id: run.started_at for run in play.contacts.runs()}
    assert all(row["at"] - begun[row["run"]] <= timedelta(days=3) for row in sent)
