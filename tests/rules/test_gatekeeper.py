"""From a rule to its message: what its caps, days and channels let through, which variant is told, and what is given back."""

from datetime import timedelta
from typing import Any

import pytest

from profiles.caps import Cap
from profiles.profile import Identity
from rules.gatekeeper import Unrendered
from rules.run import Run, Sent
from tests.cast import LONG_AGO, NOON, clara, dmitri
from tests.rules.play import Play, renders

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


async def test_a_message_that_can_not_be_written_costs_no_place_under_a_cap() -> None:
    broken = OFFER.format(more="").replace("steps:", "steps:\n  - send: {channel: telegram, template: missing}")
    play = Play(broken, caps=(Cap(1, WEEK),))
    await play.happens("cart.updated", cart_id="c1")
    assert (play.told(), play.got()) == (["template:unknown", "sent"], ["email: hello"])


async def test_of_all_channels_those_are_sent_on_whose_text_can_be_written() -> None:
    play = Play(OFFER.format(more="").replace("channel: email", "channel: {all: [telegram, email]}"))

    def too_long_for_telegram(template: str, reach: Any, *rest: Any) -> Any:
        return Unrendered("too_long") if reach.channel == "telegram" else renders(template, reach, *rest)

    play._simulation._turn._gatekeeper._renders = too_long_for_telegram
    await play.happens("cart.updated", cart_id="c1")
    assert (play.told(), play.got()) == (["sent"], ["email: hello"])


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
