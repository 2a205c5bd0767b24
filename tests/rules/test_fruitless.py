"""What of a rule comes to nothing is said where it stands: a note when its time is over, nothing of one that lives."""

from datetime import UTC, datetime

import pytest

from rules.book import Book
from rules.book_reading import read_book
from rules.fruitless import fruitless

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WORDS = """\
attributes:
  points: {kind: number}
  first_name: {kind: text}
events:
  order.paid: {properties: {total: number}}
"""
RULE = """\
rule: a
state: live
class: service
topic: offers
when: {event: order.paid}
steps:
  - send: {channel: sms, template: t}
"""
TOPICS = "offers:\n  title: {fr: O, en: O}\n  wording: {fr: O, en: O}\n"


def book(text: str) -> Book:
    read = read_book({"a.yml": text, "topics.yml": TOPICS, "vocabulary.yml": WORDS})
    assert read.mistakes == ()
    return read


def told(text: str) -> list[tuple[str, int, bool]]:
    return [(one.code, one.at.line, one.is_note) for one in fruitless(book(text), NOW)]


def stepped(*steps: str) -> str:
    return RULE + "".join(f"  - {step}\n" for step in steps)


def with_when(when: str, more: str = "") -> str:
    return RULE.replace("when: {event: order.paid}\n", f"{more}when: {when}\n")


def test_a_rule_that_goes_its_way_is_told_nothing() -> None:
    assert told(stepped("if: contact.points > 3\n    then: [{stop: rich}]\n    else: []", "wait: 1h")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (with_when("{once: 2026-11-20 10:00}"), [("over", 5, True)]),
        (with_when("{once: 2026-11-20 10:00}").replace("state: live", "state: draft"), [("over", 5, True)]),
        (with_when("{once: 2026-11-20 10:00}").replace("state: live", "state: paused"), []),
        (with_when("{once: 2026-12-20 10:00}"), []),
        # noon in Paris is over in Paris; where contacts live, it may not be so yet
        (with_when("{once: 2026-11-23 12:00, zone: Europe/Paris}"), [("over", 5, True)]),
        (with_when("{once: 2026-11-23 12:00}"), []),
        (with_when("{event: order.paid}", "valid: {until: 2026-10-31}\n"), [("over", 5, True)]),
        (with_when("{event: order.paid}", "valid: {until: 2026-11-23}\n"), []),
        (with_when("{event: order.paid}", "valid: {from: 2027-01-01}\n"), []),
        (with_when("{once: 2026-12-24 18:00}", "valid: {until: 2026-12-01}\n"), [("never_valid", 5, False)]),
    ],
)
def test_a_day_that_is_over_or_outside_is_told(text: str, expected: list[tuple[str, int, bool]]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RULE.replace("steps:", "entry: {at most: 0 per 7d}\nsteps:"), [("nobody_enters", 6, False)]),
        (RULE.replace("steps:", "pressure: {at most: 0 per 7d}\nsteps:"), [("never_sends", 6, False)]),
        (stepped("stop: done", "wait: 1h", "wait: 2h"), [("unreached", 9, False)]),
        (
            stepped("if: contact.points > 3\n    then: [{stop: a}]\n    else: [{stop: b}]", "wait: 1h"),
            [("unreached", 11, False)],
        ),
        (stepped("if: contact.points > 3\n    then: []"), [("does_nothing", 8, False)]),
        (stepped("switch:\n      - {if: contact.points > 3, then: []}"), [("does_nothing", 8, False)]),
        (stepped('hand over: {note: "{{ event.totl }}"}'), [("misnamed", 8, False)]),
        (stepped('hand over: {note: "{{ start.total }} {{ contact.first_name }} {{ now | date }}"}'), []),
        (stepped('webhook: {url: "https://a.example/b", body: {who: "{{ who }}"}}'), [("misnamed", 8, False)]),
    ],
)
def test_what_nobody_reaches_gets_or_fills_is_told(text: str, expected: list[tuple[str, int, bool]]) -> None:
    assert told(text) == expected


def test_a_misspelt_field_of_a_note_is_told_with_the_nearest_in_both_languages() -> None:
    (one,) = fruitless(book(stepped('hand over: {note: "{{ event.totl }}"}')), NOW)
    assert (
        one.told("en") == 'note: expected a known field of event, got "event.totl". Hint: did you mean "event.total".'
    )
    assert (
        one.told("fr")
        == "note : attendu un champ connu de event, trouvé « event.totl » (vouliez-vous dire « event.total » ?)."
    )


@pytest.mark.parametrize(
    ("window", "kind", "expected"),
    [
        ("mon-sat 22:00-07:00", "marketing", ["always_quiet"]),
        ("mon-sat 22:00-07:00", "service", ["always_quiet"]),
        ("mon-sat 22:00-07:00", "transactional", []),
        ("mon-sat 22:00-08:30", "marketing", []),
        ("22:00-07:00", "marketing", []),
        ("20:59-07:00", "marketing", []),
        ("sun 06:00-08:00", "marketing", ["always_quiet"]),
        ("sun 22:00-23:00", "marketing", []),
    ],
)
def test_a_window_that_quiet_hours_cover_whole_is_told(window: str, kind: str, expected: list[str]) -> None:
    text = RULE.replace("class: service", f"class: {kind}").replace("steps:", f'timing: {{window: "{window}"}}\nsteps:')
    quiet = "quiet hours:\n  - mon-sat 21:00-08:00\n  - sun 00:00-08:00\n"
    read = read_book({"a.yml": text, "topics.yml": TOPICS, "vocabulary.yml": WORDS, "pressure.yml": quiet})
    assert read.mistakes == ()
    assert [one.code for one in fruitless(read, NOW)] == expected
