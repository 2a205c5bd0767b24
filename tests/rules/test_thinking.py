"""Thinking again with the gate's answers: the short way comes to what the long way comes to."""

import random
from datetime import timedelta
from typing import Any

import pytest

import rules.turn
from profiles.caps import Cap
from profiles.profile import Identity, Profile
from tests.cast import NOON
from tests.rules.play import Play

NEWS = """
rule: news
state: live
topic: offers
when: {event: cart.updated, key: event.cart_id, again: restart}
entry: {holdout: 20%}
steps:
  - if: start.total > 50
    then:
      - send: {channel: [email, telegram], template: dear, variants: {a: 50, b: 50}}
    else:
      - send: {channel: sms, template: cheap}
  - set: {contact.nudged: now}
  - send: {channel: telegram, template: missing}
  - wait: 1h
  - send: {channel: {all: [telegram, sms]}, template: later}
"""
FOLLOWED = """
rule: followed
state: live
class: transactional
when: {event: order.paid}
steps:
  - send: {channel: telegram, template: thanks}
  - start: next
  - emit: {event: cart.updated, properties: {total: "80", cart_id: "start.name"}}
"""
NEXT = """
rule: next
state: live
topic: news
when: {event: never.happens}
steps:
  - send: {channel: telegram, template: next, fallback: {channel: sms, within: 2h, unless: opened}}
"""
CHANNELS = ("telegram", "sms", "email")
CAPS = (Cap(3, timedelta(days=1)), Cap(1, timedelta(hours=3), "channel", "sms"))


@pytest.mark.parametrize("seed", range(12))
async def test_who_is_answered_the_short_way_gets_what_the_long_way_gives(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, taken = rules.turn.answered, []

    def watched(*arguments: Any) -> Any:
        found = short(*arguments)
        taken.append(found is not None)
        return found

    monkeypatch.setattr(rules.turn, "answered", watched)
    plainly = await _played(seed)
    monkeypatch.setattr(rules.turn, "answered", lambda *_: None)
    thought_again = await _played(seed)
    assert any(taken), "the short way was never taken"
    assert plainly == thought_again


async def _played(seed: int) -> dict[str, Any]:
    """Return all that three days of random events left behind."""
    chance, people = random.Random(seed), tuple(_contact(number) for number in range(12))
    play = Play(NEWS, FOLLOWED, NEXT, caps=CAPS, people=people)
    for _ in range(30):
        who = chance.choice(people).id
        name = chance.choice(("cart.updated", "cart.updated", "order.paid"))
        await play.happens(name, who, total=chance.choice((20, 80)), cart_id=chance.choice(("c1", "c2")))
        await play.passes(minutes=chance.choice((1, 30, 200)))
    known = play.contacts
    return {
        "messages": {id: message for id, message in known.messages.items()},
        "runs": sorted(known.runs(), key=lambda run: run.id),
        "ledgers": known.ledgers,
        "decisions": known.decisions,
    }


def _contact(number: int) -> Profile:
    reached = tuple(Identity(channel, f"{channel}{number}", NOON) for channel in CHANNELS[number % 3 :])
    return Profile(f"c{number}", NOON, reached, language="fr")
