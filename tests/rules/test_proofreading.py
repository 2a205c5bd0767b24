"""Templates are written for people who do not exist, so that a text that fails for everybody is told before it is sent."""

from datetime import UTC, datetime

from rules.book import Surroundings
from rules.book_folder import read_folder
from rules.book_reading import read_book
from rules.options import RulesOptions, folder_of
from rules.proofreading import proofread

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RULE = "rule: r\nwhen: {event: order.paid}\nclass: transactional\nsteps:\n  - send: {channel: preferred, template: t}\n"
VOCABULARY = "events:\n  order.paid: {properties: {total: number, url: text}}\n"


def told(template: str) -> list[str]:
    texts = {"r.yml": RULE, "vocabulary.yml": VOCABULARY, "templates/t.yml": template}
    book = read_book(texts, Surroundings())
    assert [str(mistake) for mistake in book.mistakes] == []
    return [str(one) for one in proofread(book, NOW)]


def test_the_shipped_book_can_be_written_for_everybody() -> None:
    assert proofread(read_book(read_folder(folder_of(RulesOptions()))), NOW) == ()


def test_a_sum_of_a_text_and_a_text_is_told_once() -> None:
    (line,) = told("fr: {text: \"Bonjour {{ 'x' + event.url }}\"}\n")
    assert line == "templates/t.yml: can not be written for r: SecurityError: expected numbers on both sides."


def test_only_what_one_file_writes_is_read_when_it_is_named() -> None:
    wrong = 'fr: {text: "{{ event.url + event.url }}"}\n'
    more = {"s.yml": RULE.replace("rule: r", "rule: s").replace("template: t", "template: u"), "templates/u.yml": wrong}
    texts = {"r.yml": RULE, "vocabulary.yml": VOCABULARY, "templates/t.yml": "fr: {text: Bonjour}\n", **more}
    book = read_book(texts, Surroundings())
    assert [one.rule for one in proofread(book, NOW)] == ["s"]
    assert [one.rule for one in proofread(book, NOW, file="s.yml")] == ["s"]
    assert [one.rule for one in proofread(book, NOW, file="templates/u.yml")] == ["s"]
    assert proofread(book, NOW, file="r.yml") == proofread(book, NOW, file="templates/t.yml") == ()


def test_a_link_that_is_no_address_is_told() -> None:
    (line,) = told("fr: {text: Bonjour, link: 'javascript:alert(1)'}\n")
    assert "javascript:alert(1)" in line


def test_a_field_that_somebody_lacks_is_no_mistake() -> None:
    assert told('fr: {text: "{{ contact.first_name }}, {{ event.total | money }}"}\n') == []


def test_a_field_that_nobody_can_have_is_told_with_the_nearest_one() -> None:
    words = "attributes:\n  first_name: {kind: text}\nevents:\n  order.paid: {properties: {total: number}}\n"
    text = (
        "{{ contact.first_nam | default('') }}{{ event.totl }}{{ first_name }}{{ links.unsubscribed }}{{ contact.name }}"
        "{% for one in start.total %}{{ one }}{{ loop.index }}{% endfor %}{{ contact['language'] }}{{ now | date }}{{ client }}"
    )
    texts = {"r.yml": RULE, "vocabulary.yml": words, "templates/t.yml": f'fr: {{on: {{sms: {{text: "{text}"}}}}}}\n'}
    assert [one.problem for one in proofread(read_book(texts, Surroundings()), NOW)] == [
        'expected a known field of contact, got "contact.first_nam". Hint: did you mean "contact.first_name"',
        'expected a known field of event, got "event.totl". Hint: did you mean "event.total"',
        'expected a field such as contact.first_name or event.total, got "first_name". Hint: did you mean "contact.first_name"',
        'expected a known field of links, got "links.unsubscribed". Hint: did you mean "links.unsubscribe"',
        'expected a field such as contact.first_name or event.total, got "client"',
    ]


def test_a_rule_that_no_event_begins_has_nothing_of_an_event_and_one_that_is_called_may_have_anything() -> None:
    texts = {"vocabulary.yml": VOCABULARY, "templates/t.yml": "fr: {text: '{{ event.total }}'}\n"}
    dated = {**texts, "r.yml": RULE.replace("event: order.paid", "schedule: mon 09:00")}
    called = {**texts, "r.yml": RULE.replace("event: order.paid", "call: api")}
    (one,) = proofread(read_book(dated, Surroundings()), NOW)
    assert one.problem == 'expected a field that this rule has: no event begins it, got "event.total"'
    assert proofread(read_book(called, Surroundings()), NOW) == ()
