"""What a rule says of pressure, as its caps meet it: its labels, its priority, and what a full cap does to it."""

from datetime import timedelta

import pytest

from profiles.caps import Cap
from tests.rules.play import Play

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
