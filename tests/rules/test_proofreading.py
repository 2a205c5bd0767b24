"""Templates are written for people who do not exist, so that a text that fails for everybody is told before it is sent."""

from datetime import UTC, datetime

from rules.book import Surroundings, read_book
from rules.book_folder import read_folder
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
