"""Which channel a contact prefers: where they react, as far as that is known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profiles.caps import Cap
from profiles.expression import Facts, Sent
from profiles.reactivity import Reactivity, Response
from rules.choice import most_reactive
from rules.person import Person
from tests.cast import NOON, clara
from tests.rules.play import Play

SPACES = ["email", "sms", "telegram"]
SAYS_HELLO = """
rule: hello
state: live
topic: offers
when: {event: cart.updated, key: event.cart_id, again: parallel}
steps:
  - send: {channel: preferred, template: hello}
"""


def person(known: Reactivity | None, *, last: str | None = None, sent: tuple[str, ...] = ()) -> Person:
    """Return Clara with what was learned of her yesterday, and these sends since."""
    since = tuple(Sent(NOON - timedelta(hours=1), channel, "cart", "offers", ()) for channel in sent)
    profile = replace(clara(), reactivity=known, last_channel=last)
    return Person(Facts(now=NOON, profile=profile, zone=NOON.tzinfo, sent=since))  # type: ignore[arg-type]


def learned(**channels: tuple[float, float]) -> Reactivity:
    """Return a reactivity: channel -> (sends, reactions)."""
    return Reactivity(NOON - timedelta(days=1), {name: Response(*both) for name, both in channels.items()})


@pytest.mark.parametrize(
    ("known", "last", "sent", "expected"),
    [
        (None, None, (), ["email", "sms", "telegram"]),
        (None, "telegram", (), ["telegram", "email", "sms"]),
        (learned(email=(2, 2)), "sms", (), ["sms", "email", "telegram"]),  # too little to say anything
        (learned(email=(10, 1.5), sms=(10, 4)), "telegram", (), ["sms", "email", "telegram"]),
        (learned(email=(10, 0)), None, (), ["sms", "telegram", "email"]),  # a silent channel loses its place
        (learned(email=(4, 1)), None, ("email",) * 12, ["sms", "telegram", "email"]),  # nothing came back since
        (None, "sms", ("sms",) * 3, ["email", "telegram", "sms"]),
        (learned(telegram=(10, 2), sms=(10, 2)), "sms", (), ["sms", "telegram", "email"]),
    ],
)
def test_the_channel_with_the_best_rate_comes_first_and_too_little_data_says_nothing(
    known: Reactivity | None, last: str | None, sent: tuple[str, ...], expected: list[str]
) -> None:
    assert list(most_reactive(person(known, last=last, sent=sent), SPACES)) == expected


async def test_the_preferred_channel_is_one_that_is_under_its_cap() -> None:
    play = Play(SAYS_HELLO, caps=(Cap(1, timedelta(days=7), "channel", "telegram"),))
    await play.happens("cart.updated", cart_id="c1")
    await play.passes(days=1)
    await play.happens("cart.updated", cart_id="c2")
    assert play.got() == ["telegram: hello", "email: hello"]
