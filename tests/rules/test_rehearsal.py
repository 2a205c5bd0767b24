"""What a reason means to whoever reads a report, and what begins a rule that is only tried."""

from datetime import timedelta

import pytest

from profiles.timeline import Event
from rules.book import Book, Surroundings
from rules.book_reading import read_book
from rules.entry import Occasion, name_of
from rules.letters import Letters
from rules.memory import Contacts
from rules.rehearsal import Stage, start_of, tried, verdict_of
from rules.run import Run
from tests.cast import NOON, anna, clara
from tests.rules.play import REACHES, as_listed

RULE = """
rule: paid
state: draft
class: transactional
when: {event: order.paid, where: event.total > 50}
steps:
  - send: {channel: telegram, template: t}
  - wait: 2d
  - send: {channel: telegram, template: t}
"""
TEXTS = {
    "paid.yml": RULE,
    "vocabulary.yml": "events:\n  order.paid: {properties: {total: number, order_id: text}}\n",
    "templates/t.yml": 'fr: {text: "Commande {{ event.order_id }} de {{ event.total }}"}\n',
}


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        ("sent", "sent"), ("quiet->09:00", "waits"), ("held:conversation.open", "waits"), ("exit:order.paid", "ended"),
        ("restarted", "ended"), ("capped:all", "not sent"), ("opted_out:topic:offers", "not sent"), ("holdout", "not sent"),
    ],
)  # fmt: skip
def test_a_reason_says_whether_something_went_out(reason: str, verdict: str) -> None:
    assert verdict_of(reason) == verdict


def book() -> Book:
    return read_book(TEXTS, Surroundings(frozenset(REACHES.words)))


async def test_a_draft_is_tried_with_the_last_such_event_or_one_made_up() -> None:
    contacts = Contacts()
    order = Event("o1", "anna", "order.paid", NOON - timedelta(days=3), properties={"total": 80, "order_id": "A-7"})
    contacts.add(anna(), events=[order])
    contacts.add(clara())
    stage = Stage(book(), REACHES, Letters(book().templates, language="fr"), as_listed)
    got = await tried(stage, contacts, "paid", now=NOON, ahead=timedelta(days=30))
    said = [(row.name, row.at - NOON, row.text) for row in got.told]
    assert said == [
        ("Anna Martin", timedelta(0), "Commande A-7 de 80"),
        ("Clara Rossi", timedelta(0), "Commande <order_id> de 100"),
        ("Anna Martin", timedelta(days=2), "Commande A-7 de 80"),
        ("Clara Rossi", timedelta(days=2), "Commande <order_id> de 100"),
    ]
    assert book().rules["paid"].state == "draft" and got.of_rule("paid") == {"sent": {"sent": 4}}


async def test_a_key_that_began_the_rule_before_begins_it_again_when_tried() -> None:
    keyed = read_book(
        {**TEXTS, "paid.yml": RULE.replace("where:", "key: event.order_id, where:")},
        Surroundings(frozenset(REACHES.words)),
    )
    contacts = Contacts()
    order = Event("o1", "anna", "order.paid", NOON - timedelta(days=3), properties={"total": 80, "order_id": "A-7"})
    occasion = Occasion("o1", NOON, key="A-7", event=order)
    had = Run(
        name_of(keyed.rules["paid"], "anna", occasion), "paid", "v1", "anna", NOON - timedelta(days=3), key="A-7",
        occurrence="o1", ended_at=NOON - timedelta(days=3), ended="done",
    )  # fmt: skip
    contacts.add(anna(), events=[order], runs=[had])
    stage = Stage(keyed, REACHES, Letters(keyed.templates, language="fr"), as_listed)
    got = await tried(stage, contacts, "paid", now=NOON, ahead=timedelta(days=1))
    assert [row.text for row in got.told] == ["Commande A-7 de 80"]


def test_what_begins_it_is_made_up_of_what_the_vocabulary_names() -> None:
    assert start_of(book().rules["paid"], book(), NOON) == {"total": 100, "order_id": "<order_id>"}
