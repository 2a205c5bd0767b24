"""What people resent is said before launch: each warning for the rule that has it, none for the rule that has not."""

import pytest

from rules.book import Book
from rules.book_reading import read_book
from rules.intrusion import warnings

TOPICS = "offers:\n  title: {fr: O, en: O}\n  wording: {fr: O, en: O}\n"
WORDS = "attributes:\n  diet: {kind: text, sensitive: yes}\n  tier: {kind: text}\n"
PRESSURE = "at most: 3 per 7d\nquiet hours: 21:00-08:00\n"
CALM = """\
rule: {id}
state: live
topic: offers
when: {{event: order.paid}}
entry: {{grace: 7d}}
steps:
  - send: {{channel: sms, template: t}}
"""


def book(pressure: str = PRESSURE, **rules: str) -> Book:
    texts = {f"{name}.yml": text for name, text in rules.items()}
    read = read_book({**texts, "topics.yml": TOPICS, "vocabulary.yml": WORDS, "pressure.yml": pressure})
    assert read.mistakes == ()
    return read


def calm(id: str = "a", before: str = "", after: str = "") -> str:
    text = CALM.format(id=id)
    assert before in text
    return text.replace(before, after) if before else text


def codes(book: Book) -> list[str]:
    return [f"{warning.rule}:{warning.code}" for warning in warnings(book)]


def test_a_calm_rule_is_warned_of_nothing() -> None:
    assert codes(book(a=calm())) == []


@pytest.mark.parametrize(
    ("text", "pressure", "code"),
    [
        (calm(before="topic: offers\n").replace("live", "draft"), PRESSURE, "no_topic"),
        (calm(before="entry: {grace: 7d}\n"), "quiet hours: 21:00-08:00\n", "no_cap"),
        (calm(before="entry", after="timing: {window: 09:00-22:00}\nentry"), PRESSURE, "night"),
        (calm(before="entry", after="timing: {window: 22:00-02:00}\nentry"), PRESSURE, "night"),
        (calm(), "at most: 3 per 7d\n", "any_hour"),
        (calm(before="entry", after='for: contact.diet == "halal"\nentry'), PRESSURE, "sensitive"),
        (calm(before="{event: order.paid}", after="{change: contact.diet}"), PRESSURE, "sensitive"),
        (calm(before="paid}", after="paid, key: event.id, again: parallel}"), PRESSURE, "parallel"),
    ],
)
def test_what_is_resented_is_warned_of(text: str, pressure: str, code: str) -> None:
    assert codes(book(pressure, a=text)) == [f"a:{code}"]


def test_a_cap_below_a_priority_covers_only_the_rules_below_it() -> None:
    capless = calm(before="entry: {grace: 7d}\n", after="priority: 90\n")
    assert codes(book("at most: 3 per 7d below priority 80\nquiet hours: 21:00-08:00\n", a=capless)) == ["a:no_cap"]


def test_rules_that_hit_the_same_people_without_a_cap_over_both_are_warned_of() -> None:
    quiet = "quiet hours: 21:00-08:00\n"
    assert codes(book(quiet, a=calm(), b=calm("b"))) == ["b:crowd"]
    assert codes(book(PRESSURE, a=calm(), b=calm("b"))) == []
    apart = calm("b", "entry", 'for: contact.tier == "gold"\nentry')
    assert codes(book(quiet, a=calm(), b=apart)) == []


def test_rules_that_begin_one_another_are_warned_of() -> None:
    first = calm("a") + "  - start: b\n"
    second = calm("b", "{event: order.paid}", "{call: api}") + "  - emit: {event: order.paid}\n"
    assert codes(book(a=first, b=second, c=calm("c", "order.paid", "x.y"))) == ["a:circle", "b:circle"]


def test_a_transactional_message_is_warned_of_nothing() -> None:
    text = calm(before="topic: offers\n", after="class: transactional\n").replace("entry: {grace: 7d}\n", "")
    assert codes(book("control: 0%\n", a=text)) == []


def test_a_warning_says_where_in_both_languages() -> None:
    warning = warnings(book(a=calm(before="entry", after="timing: {window: 09:00-22:00}\nentry")))[0]
    assert str(warning) == "a.yml:5:1: a window at night: messages may leave between 21:00 and 8:00."
    assert warning.text.fr.startswith("une fenêtre de nuit")
