"""What would be cheaper as an SMS is told with the characters to write instead."""

from datetime import UTC, datetime

from channels.sms_text import bodies
from rules.book import Book, Surroundings
from rules.book_folder import read_folder
from rules.book_reading import read_book
from rules.options import RulesOptions, folder_of
from rules.thrift import Costly, costly

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RULE = "rule: r\nwhen: {event: order.paid}\nclass: transactional\nsteps:\n  - send: {channel: sms, template: t}\n"
VOCABULARY = "events:\n  order.paid: {properties: {total: number, url: text}}\n"
LONG = "Votre commande est partie ce matin et vous la recevrez demain avant midi, devant votre porte, sans rien signer"


def book_of(template: str, rule: str = RULE) -> Book:
    texts = {"r.yml": rule, "vocabulary.yml": VOCABULARY, "templates/t.yml": template}
    book = read_book(texts, Surroundings(channels=frozenset({"sms", "email"})))
    assert [str(mistake) for mistake in book.mistakes] == []
    return book


def told(template: str, rule: str = RULE, words: tuple[str, ...] = ("sms",)) -> tuple[Costly, ...]:
    return costly(book_of(template, rule), NOW, bodies=bodies, words=words)


def test_a_curly_quote_is_told_with_what_it_costs() -> None:
    (one,) = told(f'fr: {{text: "{LONG} : “promis…"}}\n')
    assert str(one) == ('templates/t.yml: this SMS of r is 2 segments, 1 if it is written in GSM-7: “ as ", … as ....')
    assert one.told("fr") == "ce SMS de r compte 2 segments, 1 s'il est écrit en GSM-7 : “ en \", … en ...."


def test_the_language_that_saves_most_is_told() -> None:
    (one,) = told(f'fr: {{text: "{LONG}“"}}\nen: {{text: "{LONG} {LONG[:40]}“"}}\n')
    assert (one.advice.segments, one.advice.fewer) == (3, 1)


def test_the_space_before_a_euro_costs_nothing() -> None:
    assert told(f'fr: {{text: "{LONG} {{{{ event.total | money }}}}"}}\n') == ()


def test_a_template_that_no_sms_shows_is_left_alone() -> None:
    text = f'fr: {{text: "{LONG}“"}}\n'
    assert told(text, RULE.replace("channel: sms", "channel: email")) == ()
    assert len(told(text, RULE.replace("channel: sms", "channel: preferred"))) == 1
    assert told(text, RULE.replace("channel: sms", "channel: preferred"), words=()) == ()
    assert told(f'fr: {{text: "{LONG}“", on: {{sms: {{text: "{LONG}"}}}}}}\n') == ()


def test_one_file_alone_is_read_when_it_is_named() -> None:
    book = book_of(f'fr: {{text: "{LONG}“"}}\n')
    assert costly(book, NOW, bodies=bodies, words=("sms",), file="other.yml") == ()
    assert len(costly(book, NOW, bodies=bodies, words=("sms",), file="templates/t.yml")) == 1


def test_the_shipped_book_writes_its_sms_cheaply() -> None:
    book = read_book(read_folder(folder_of(RulesOptions())))
    assert [str(one) for one in costly(book, NOW, bodies=bodies, words=("sms",))] == []
