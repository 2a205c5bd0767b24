"""From a rule to its message: what its caps, days and channels let through, which variant is told, and what is given back."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from profiles.caps import Cap
from profiles.conversation import Conversation
from profiles.hours import Hours
from profiles.ledger import Ledger
from profiles.profile import Identity
from rules.chance import is_held_out
from rules.gatekeeper import Unrendered
from rules.run import Run, Sent
from tests.cast import LONG_AGO, NOON, anna, clara, dmitri
from tests.rules.play import YES, Play, renders

WEEK = timedelta(days=7)
OFFER = """
rule: offer
state: live
topic: offers
{more}
when: {{event: cart.updated, key: event.cart_id, again: parallel}}
steps:
  - send: {{channel: email, template: hello}}
"""


@pytest.mark.parametrize(
    ("more", "cap", "got"),
    [
        ("labels: [promo]", Cap(1, WEEK, "label", "promo"), 1),
        ("labels: [news]", Cap(1, WEEK, "label", "promo"), 2),
        ("priority: 60", Cap(1, WEEK, below=80), 1),
        ("priority: 80", Cap(1, WEEK, below=80), 2),
    ],
)
async def test_a_cap_meets_the_rules_own_labels_and_priority(more: str, cap: Cap, got: int) -> None:
    play = Play(OFFER.format(more=more), caps=(cap,))
    for cart in ("c1", "c2"):
        await play.happens("cart.updated", cart_id=cart)
        await play.passes(days=1)
    assert play.got() == ["email: hello"] * got


@pytest.mark.parametrize(("more", "got"), [("", 1), ("pressure: {on cap: wait, wait at most: 9d}", 2)])
async def test_what_waits_for_a_cap_goes_when_it_is_free_and_what_does_not_is_dropped(more: str, got: int) -> None:
    play = Play(OFFER.format(more=more), caps=(Cap(1, WEEK),))
    for cart in ("c1", "c2"):
        await play.happens("cart.updated", cart_id=cart)
    await play.passes(days=8)
    assert play.got() == ["email: hello"] * got


async def test_a_rule_lives_on_the_days_of_the_contact() -> None:
    """Paris, where the house is, is an hour ahead of UTC; Vladivostok ten, Los Angeles eight behind."""
    los_angeles = clara().learn("zone", "America/Los_Angeles", source="declared", at=LONG_AGO)
    play = Play(OFFER.format(more="valid: {from: 2026-11-22, until: 2026-11-22}").replace("email", "telegram"),
                people=(dmitri(), los_angeles))  # fmt: skip
    await play.passes(hours=1, minutes=59)
    await play.happens("cart.updated", "dmitri", cart_id="too early")
    await play.passes(minutes=1)
    await play.happens("cart.updated", "dmitri", cart_id="at midnight")
    assert (play.now, play.told("dmitri")) == (NOON + timedelta(hours=2), ["not_yet_valid", "sent"])
    await play.passes_until(2026, 11, 23, 8, 59)
    await play.happens("cart.updated", "clara", cart_id="just in time")
    await play.passes(minutes=1)
    await play.happens("cart.updated", "clara", cart_id="too late")
    assert play.told("clara") == ["sent", "expired"]


async def test_a_rule_may_live_from_the_first_to_the_last_day_of_the_calendar() -> None:
    text = OFFER.format(more="valid: {from: 0001-01-01, until: 9999-12-31}")
    play = Play(text.replace("email", "telegram"), people=(dmitri(), clara()))
    for who in ("dmitri", "clara"):
        await play.happens("cart.updated", who, cart_id="c1")
        assert play.told(who) == ["sent"]


async def test_what_has_waited_past_the_last_day_is_not_sent() -> None:
    play = Play(OFFER.format(more="valid: {until: 2026-11-21}").replace("steps:", "steps:\n  - wait: 12h"))
    await play.happens("cart.updated", cart_id="c1")
    await play.passes(days=1)
    assert (play.got(), play.told()) == ([], ["expired"])


async def test_what_went_to_all_channels_falls_back_to_one() -> None:
    everywhere = OFFER.format(more="").replace(
        "channel: email",
        "channel: {all: [telegram, email]}, fallback: {unless: opened, within: 4h, channel: [sms, email]}",
    )
    person = clara().with_identity(Identity("email", "clara@example.com", LONG_AGO, verified_at=LONG_AGO))
    play = Play(everywhere, people=(person,))
    await play.happens("cart.updated", "clara", cart_id="c1")
    assert play.got("clara") == ["telegram: hello", "email: hello"]
    await play.passes(hours=5)
    assert play.got("clara") == ["telegram: hello", "email: hello", "twilio: hello"]


@pytest.mark.parametrize(
    ("channel", "got"), [("preferred", ["telegram", "email"]), ("[telegram, email]", ["telegram"])]
)
async def test_a_full_channel_gives_way_to_the_next_only_where_the_contacts_own_is_asked_for(
    channel: str, got: list[str]
) -> None:
    play = Play(OFFER.format(more="").replace("email", channel), caps=(Cap(1, WEEK, "channel", "telegram"),))
    for cart in ("c1", "c2"):
        await play.happens("cart.updated", cart_id=cart)
    assert play.got() == [f"{one}: hello" for one in got]


async def test_of_all_channels_those_are_sent_on_whose_text_can_be_written() -> None:
    play = Play(OFFER.format(more="").replace("channel: email", "channel: {all: [telegram, email]}"))

    def too_long_for_telegram(template: str, reach: Any, *rest: Any) -> Any:
        return Unrendered("too_long") if reach.channel == "telegram" else renders(template, reach, *rest)

    play._simulation._turn._gatekeeper._renders = too_long_for_telegram
    await play.happens("cart.updated", cart_id="c1")
    assert (play.told(), play.got()) == (["sent", "template:too_long"], ["email: hello"])


@pytest.mark.parametrize("on_cap", ["drop", "wait, wait at most: 9d", "fallback"])
async def test_of_all_channels_the_one_that_says_no_is_told_beside_those_that_went_ahead(on_cap: str) -> None:
    text = OFFER.format(more=f"pressure: {{on cap: {on_cap}}}").replace("email", "{all: [telegram, email, sms]}")
    person = anna().with_identity(Identity("sms", "+33639980012", LONG_AGO, verified_at=LONG_AGO))
    play = Play(text, caps=(Cap(1, WEEK, "channel", "telegram"),), people=(person,))
    await play.happens("cart.updated", cart_id="c1")
    play.withdraws("sms", "offers")
    await play.happens("cart.updated", cart_id="c2")
    assert play.got() == ["telegram: hello", "email: hello", "twilio: hello", "email: hello"]
    assert [(row["channel"], row["reason"]) for row in play.rows()][3:] == [
        ("email", "sent"), ("telegram", "capped:channel:telegram"), ("twilio", "opted_out:topic:offers"),
    ]  # fmt: skip


async def test_who_has_one_of_all_addresses_is_told_of_the_others_and_a_list_tells_of_none() -> None:
    everywhere = Play(OFFER.format(more="").replace("email", "{all: [telegram, email]}"), people=(dmitri(),))
    await everywhere.happens("cart.updated", "dmitri", cart_id="c1")
    assert [(row["channel"], row["reason"]) for row in everywhere.rows("dmitri")] == [
        ("telegram", "sent"), ("email", "no_address"),
    ]  # fmt: skip
    first = Play(OFFER.format(more="").replace("email", "[email, telegram]"), people=(dmitri(),))
    await first.happens("cart.updated", "dmitri", cart_id="c1")
    assert first.told("dmitri") == ["sent"]


@pytest.mark.parametrize(
    ("had", "tells"), [(("a", "b"), "b"), (("b", "a"), "a"), (("b", "gone"), "b"), (("gone",), "a")]
)
async def test_the_variant_had_last_stays_unless_there_is_none_of_that_name(had: tuple[str, ...], tells: str) -> None:
    """`had`: in runs one after the other. By chance alone it is a."""
    text = OFFER.format(more="").replace("hello", "hello, variants: {a: 50, b: 50}")
    play = Play(text)
    await play.happens("cart.updated", cart_id="c1")
    assert play.got() == ["email: hello a"]
    (first,) = play.contacts.runs_of("anna")
    (step,) = first.sends
    play = Play(text)
    for number, variant in enumerate(had):
        at = NOON - timedelta(days=9 - number)
        play.contacts.put_run(
            Run(f"r{number}", "offer", "", "anna", at, ended_at=at, sends={step: Sent(at, variant=variant)})
        )
    await play.happens("cart.updated", cart_id="c2")
    assert play.got() == [f"email: hello {tells}"]


QUIET = (Hours(time(12), time(20)),)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('hold if: contact.first_name == "Anna"', ['held:contact.first_name == "Anna"']),
        ('hold if: contact.first_name == "Bob"', ["quiet->20:00"]),
        ('hold if: start.cart_id == "c1"', ['held:start.cart_id == "c1"']),
        ('timing: {window: "mon-fri 09:00-18:00"}', ["quiet->09:00"]),
        ("class: service", ["quiet->20:00"]),
        ("class: service\npressure: {urgent: yes}", ["sent"]),
        ('class: transactional\ntiming: {window: "mon-fri 09:00-18:00"}', ["window->09:00"]),
        ('class: transactional\ntiming: {window: "13:00-15:00"}', ["sent"]),
        ('class: transactional\ntiming: {window: "13:00-15:00", zone: Asia/Tokyo}', ["window->05:00"]),
    ],
)
async def test_what_a_rule_says_is_asked_at_its_gate(more: str, told: list[str]) -> None:
    play = Play(OFFER.format(more=more), quiet=QUIET)
    await play.happens("cart.updated", cart_id="c1")
    assert play.told() == told


async def test_who_is_being_erased_a_topic_not_sent_here_and_a_rule_that_pauses_by_itself() -> None:
    play = Play(OFFER.format(more=""), people=(replace(anna(), erasing="e1"), clara()))
    gatekeeper = play._simulation._turn._gatekeeper
    gatekeeper.brakes = Braked()  # type: ignore[assignment]
    await play.happens("cart.updated", cart_id="c1")
    assert play.told() == ["erased"]
    play = Play(OFFER.format(more=""))
    gatekeeper = play._simulation._turn._gatekeeper
    gatekeeper.brakes = Braked()  # type: ignore[assignment]
    await play.happens("cart.updated", cart_id="c1")
    only_here = replace(gatekeeper.policy.topics["offers"], channels=("telegram",))
    gatekeeper.policy = replace(gatekeeper.policy, topics={"offers": only_here})
    await play.happens("cart.updated", cart_id="c2")
    assert play.told() == ["complaints", "not_on_channel"]


class Braked:
    """The rule of these tests pauses by itself."""

    def until(self, scope: str) -> datetime | None:
        return NOON + timedelta(days=1) if scope == "rule:offer" else None


@pytest.mark.parametrize(
    ("bought", "told"), [("", "no_consent:topic:offers"), ("event", "sent"), ("attribute", "sent")]
)
async def test_who_has_bought_is_sent_what_only_a_no_forbids(bought: str, told: str) -> None:
    play = Play(OFFER.format(more=""))
    gatekeeper = play._simulation._turn._gatekeeper
    soft = replace(gatekeeper.policy.topics["offers"], consent="opt_out")
    gatekeeper.policy = replace(gatekeeper.policy, topics={"offers": soft})
    play.contacts.ledgers["anna"] = Ledger("anna")
    if bought == "event":
        await play.happens("order.paid")
    if bought == "attribute":
        person = play.contacts.profiles["anna"]
        play.contacts.profiles["anna"] = person.learn("is_customer", True, source="declared", at=NOON)
    await play.happens("cart.updated", cart_id="c1")
    assert play.told() == [told]


WAIT = "pressure: {on cap: wait, wait at most: 9d}"
ONE_EACH = (Cap(1, WEEK, "channel", "telegram"), Cap(1, 2 * WEEK, "channel", "email"))


@pytest.mark.parametrize(
    ("channel", "more", "caps", "told", "got"),
    [
        ("[telegram, email]", "pressure: {on cap: fallback}", ONE_EACH[:1], "sent", ["telegram", "email"]),
        ("[telegram, email]", WAIT, ONE_EACH[:1], "capped:channel:telegram", ["telegram"]),
        ("[telegram, email]", f"{WAIT}\ntiming: {{late after: 1h}}", ONE_EACH[:1], "late", ["telegram"]),
        ("{all: [telegram, email]}", WAIT, ONE_EACH[:1], "capped:channel:telegram", ["telegram", "email", "email"]),
        ("{all: [telegram, email]}", "", ONE_EACH[:1], "capped:channel:telegram", ["telegram", "email", "email"]),
        ("{all: [telegram, email]}", "", ONE_EACH, "capped:channel:telegram", ["telegram", "email"]),
        ("{all: [telegram, email]}", WAIT, ONE_EACH, "capped:channel:telegram", ["telegram", "email"]),
        ("{all: [telegram, email]}", f"{WAIT}\ntiming: {{late after: 1h}}", ONE_EACH[:1], "late",
         ["telegram", "email", "email"]),
        ("email", "pressure: {at most: 1 per 7d}", (), "capped:rule:offer", ["email"]),
    ],
)  # fmt: skip
async def test_what_a_full_channel_means_for_the_others(
    channel: str, more: str, caps: tuple[Cap, ...], told: str, got: list[str]
) -> None:
    play = Play(OFFER.format(more=more).replace("channel: email", f"channel: {channel}"), caps=caps)
    for cart in ("c1", "c2"):
        await play.happens("cart.updated", cart_id=cart)
    assert (play.told()[-1], play.got()) == (told, [f"{one}: hello" for one in got])


async def test_a_channel_without_an_address_does_not_end_the_wait_for_the_other() -> None:
    text = OFFER.format(more="").replace("channel: email", "channel: {all: [sms, email]}")
    play = Play(text, quiet=QUIET)
    await play.happens("cart.updated", cart_id="c1")
    assert play.told() == ["quiet->20:00"]
    await play.passes_until(2026, 11, 21, 20, 0)
    assert play.got() == ["email: hello"]


async def test_a_hold_is_looked_at_again_every_quarter_of_an_hour() -> None:
    play = Play(OFFER.format(more='hold if: contact.first_name == "Anna"'))
    await play.happens("cart.updated", cart_id="c1")
    known = play.contacts.profiles["anna"]
    play.contacts.profiles["anna"] = known.learn("first_name", "Anne", source="declared", at=NOON)
    await play.passes(minutes=14)
    assert play.got() == []
    await play.passes(minutes=1)
    assert play.got() == ["email: hello"]


@pytest.mark.parametrize("more", ["entry: {holdout: 90%}", "class: service"])
async def test_who_is_held_out_and_what_is_no_marketing_cost_no_place_under_a_cap(more: str) -> None:
    held_out = next(name for number in range(99) if is_held_out("offer", name := f"p{number}", 0.9))
    text = OFFER.format(more=more).replace("channel: email", "channel: [telegram, email]")
    play = Play(text, caps=(Cap(1, WEEK),), people=(replace(anna(), id=held_out),))
    for cart in ("c1", "c2"):
        await play.happens("cart.updated", held_out, cart_id=cart)
    assert play.told(held_out) == (["holdout"] * 2 if "holdout" in more else ["sent"] * 2)
    assert play.contacts.ledgers[held_out].entries == ()


async def test_of_a_crowd_each_gets_a_place_and_each_gives_it_back() -> None:
    text = OFFER.replace("{{event: cart.updated, key: event.cart_id, again: parallel}}", '{{schedule: "14:00"}}')
    people = anna(), clara()
    for template, left in (("hello", 1), ("missing", 0)):
        crowd = text.format(more="").replace("email", "telegram").replace("hello", template)
        play = Play(crowd, caps=(Cap(1, WEEK),), people=people)
        await play.passes(hours=2)
        assert [len(play.contacts.ledgers[one.id].entries) for one in people] == [left, left]


async def test_a_campaign_of_the_calendar_waits_for_who_has_an_open_conversation() -> None:
    text = OFFER.replace("{{event: cart.updated, key: event.cart_id, again: parallel}}", '{{schedule: "14:00"}}')
    play = Play(text.format(more="hold if: conversation.open").replace("email", "telegram"), people=())
    thread = Conversation("telegram:anna", "anna", "telegram", "anna", NOON)
    play.contacts.add(anna(), ledger=Ledger("anna", YES), conversations=[thread])
    play.contacts.add(clara(), ledger=Ledger("clara", YES))
    await play.passes(hours=2)
    assert (set(play.told("anna")), play.told("clara")) == ({"held:conversation.open"}, ["sent"])
