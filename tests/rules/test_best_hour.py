"""`best hour: true` as contacts live it: each waits for their own hour, or the house's, once, and never too long."""

from dataclasses import replace
from datetime import time

from profiles.hours import Hours
from profiles.profile import Profile
from profiles.reactivity import Reactivity, Response
from tests.cast import NOON, anna, clara
from tests.rules.play import Play

RULE = """
rule: hello
state: live
topic: offers
when: {event: cart.updated, key: event.cart_id, again: parallel}
timing: {best hour: true%s}
steps:
  - send: {channel: telegram, template: hello}
"""
EVENING = tuple(8.0 if hour == 20 else 0.0 for hour in range(24))


def of_the_evening(profile: Profile) -> Profile:
    return replace(profile, reactivity=Reactivity(NOON, {"telegram": Response(10, 8)}, EVENING))


async def test_a_message_waits_for_the_contacts_own_hour_and_says_why() -> None:
    play = Play(RULE % "", people=(of_the_evening(anna()), clara()))
    await play.happens("cart.updated", cart_id="c1")
    await play.happens("cart.updated", "clara", cart_id="c2")
    assert (play.got(), play.got("clara")) == ([], ["telegram: hello"]), (
        "nothing is known of Clara's day, nor of the house's"
    )
    assert play.told() == ["best_hour->20:00"]
    await play.passes_until(2026, 11, 21, 19, 59)
    assert play.got() == []
    await play.passes_until(2026, 11, 21, 20, 1)
    assert play.got() == ["telegram: hello"] and play.told() == ["best_hour->20:00", "sent"]


async def test_whose_hour_is_not_known_waits_for_the_houses() -> None:
    play = Play(RULE % "", people=(anna(),))
    gatekeeper = play._simulation._turn._gatekeeper
    gatekeeper.policy = replace(gatekeeper.policy, best_hour=time(18, 30))
    await play.happens("cart.updated", cart_id="c1")
    await play.passes_until(2026, 11, 21, 18, 31)
    assert play.told() == ["best_hour->18:30", "sent"]


async def test_a_message_that_would_be_too_late_by_then_leaves_now() -> None:
    play = Play(RULE % ", late after: 2h", people=(of_the_evening(anna()),))
    await play.happens("cart.updated", cart_id="c1")
    assert play.got() == ["telegram: hello"]


async def test_quiet_hours_and_the_best_hour_agree_on_a_moment_that_serves_both() -> None:
    play = Play(RULE % "", people=(of_the_evening(anna()),), quiet=(Hours(time(12), time(17)),))
    await play.happens("cart.updated", cart_id="c1")
    await play.passes(days=2)
    assert play.told() == ["quiet->17:00", "best_hour->20:00", "sent"]
