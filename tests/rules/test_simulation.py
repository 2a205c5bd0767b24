"""The simulation says what the engine does: the same days through both give the same decisions, messages and times."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.rules.on_both import in_simulation, invented, on_the_engine
from tests.rules.play import Play

START = datetime(2026, 10, 19, 5, 30, tzinfo=UTC)
"""A Monday; in Paris the clocks go back on the Sunday after, in New York the Sunday after that."""
BOOK = {
    "topics.yml": """
offers:
  title: {fr: Offres, en: Offers}
  wording: {fr: Oui aux offres, en: Yes to offers}
service:
  title: {fr: Suivi, en: Follow-up}
  wording: {fr: Oui au suivi, en: Yes to follow-up}
  consent: opt_out
""",
    "pressure.yml": """
at most: [3 per 7d, 1 per day]
grace: 2h
channels:
  sms: {at most: 1 per week}
labels:
  promo: {at most: 2 per 7d}
quiet hours: 21:00-08:00
control: 10%
""",
    "cart.yml": """
rule: cart
state: live
topic: offers
labels: [promo]
priority: 80
when: {event: cart.updated, where: event.total >= 50, key: event.cart_id, again: restart}
entry: {at most: 3 per 7d, holdout: 20%}
exit on:
  - event: order.paid
    where: event.cart_id == start.cart_id
goal: {event: order.paid, within: 3d, value: event.total}
timing: {late after: 20h}
pressure: {on cap: wait, wait at most: 18h}
steps:
  - wait: 1h
  - send: {channel: [telegram, sms], template: cart_1, variants: {a: 50, b: 50}}
    id: first
  - wait until:
      any: [{event: survey.answered, where: event.score >= 4}]
      at most: 30h
    reached:
      - set: {contact.happy: last("survey.answered").score, contact.asked_at: now, contact.asked_on: today}
    otherwise:
      - send: {channel: preferred, template: cart_2}
""",
    "letter.yml": """
rule: letter
state: live
topic: offers
labels: [promo]
when: {schedule: "mon,wed,sun 02:30,09:30"}
for: did("order.paid", within="10d")
steps:
  - send: {channel: {all: [email, telegram]}, template: letter}
""",
    "notice.yml": """
rule: notice
state: live
topic: offers
when: {schedule: "tue 10:00", zone: Asia/Tokyo}
for: contact.points > 950
pressure: {on cap: fallback}
steps:
  - send: {channel: [sms, email], template: notice}
""",
    "birthday.yml": """
rule: birthday
state: live
topic: offers
when: {date: contact.born_on - 3d at 09:00}
pressure: {on cap: wait, wait at most: 2d}
steps:
  - send: {channel: preferred, template: soon}
  - wait: {for: 3d, until: 10:00}
  - send: {channel: preferred, template: today}
""",
    "score.yml": """
rule: score
state: live
class: service
topic: service
when: {event: survey.answered}
steps:
  - if: start.score <= 2
    then:
      - tag: {add: [unhappy]}
      - send: {channel: preferred, template: sorry}
    else:
      - add: {contact.points: start.score * 10}
      - start: thanks
""",
    "thanks.yml": """
rule: thanks
state: live
class: transactional
when: {call: api}
steps:
  - parallel:
      - - send: {channel: telegram, template: thanks}
      - - wait: 90m
        - emit: {event: thanked, properties: {points: contact.points, on: today}}
""",
    "points.yml": """
rule: points
state: live
topic: offers
when: {threshold: contact.points crosses 1000}
entry: {grace: 10d}
steps:
  - wait: {until: 18:00, on: mon-fri}
  - send: {channel: preferred, template: points}
""",
}  # fmt: skip


@pytest.fixture
def book(tmp_path: Path) -> Path:
    for name, text in BOOK.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("seed", range(4))
async def test_the_same_days_come_to_the_same_live_and_simulated(
    seed: int, book: Path, mongo_url: str, database_name: str
) -> None:
    days = invented(book, seed, START)
    simulated, live = await in_simulation(days), await on_the_engine(days, mongo_url, database_name)
    assert simulated.decisions == live.decisions
    assert simulated.messages == live.messages
    assert simulated.attributes == live.attributes
    told = {row[4].split(":")[0].split("->")[0] for row in live.decisions}
    assert {"sent", "capped", "quiet", "exit", "grace"} <= told, "the days have something of everything"


async def test_a_paused_rule_stands_still_and_time_goes_on() -> None:
    play = Play("rule: a\nstate: paused\nwhen: {event: x}\nsteps: [{wait: 1h}]\n")
    await play.happens("x")
    await play.passes(days=2)
    assert play.told() == []


async def test_a_fixed_zone_fires_once_for_everybody() -> None:
    play = Play(
        "rule: a\nstate: live\nclass: transactional\nwhen: {schedule: '09:00', zone: Asia/Tokyo}\n"
        "steps:\n  - send: {channel: telegram, template: hello}\n"
    )
    await play.passes(days=1)
    for who in ("anna", "dmitri"):
        (row,) = play.rows(who)
        assert row["at"] == datetime(2026, 11, 22, 0, 0, tzinfo=UTC), "nine o'clock in Tokyo, wherever they live"
