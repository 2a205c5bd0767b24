"""What a rule's SMS come to: segments per language, times the house's prices, for the whole audience."""

from datetime import UTC, datetime

import pytest

from channels.sms_text import bodies
from profiles.identity import country_of
from rules.book import Book, Surroundings
from rules.book_reading import read_book
from rules.cast import cast
from rules.choice import as_listed
from rules.letters import Letters
from rules.memory import MemoryReader
from rules.policy import Reach, Reaches
from rules.sms_cost import Estimate, estimate

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RULE = (
    "rule: r\nwhen: {event: order.paid}\nclass: transactional\nsteps:\n  - send: {channel: [sms, email], template: t}\n"
)
PRICES = "sms prices: {currency: EUR, other: 0.1, countries: {FR: 0.05}}\n"


def book_of(text: str, prices: str = PRICES) -> Book:
    texts = {"r.yml": RULE, "templates/t.yml": f'fr: {{text: "{text}"}}\n', "pressure.yml": f"grace: 1h\n{prices}"}
    return read_book(texts, Surroundings(channels=frozenset({"sms", "email"})))


def told(book: Book, *, audience: int | None = 600) -> Estimate | None:
    assert [str(one) for one in book.mistakes] == []
    contacts = cast((), NOW)
    reader = MemoryReader(contacts, zone=UTC)
    persons = [reader.person(one, NOW) for one in contacts.profiles.values()]
    reaches = Reaches([Reach("twilio", "sms"), Reach("email", "email")])
    return estimate(
        book.rules["r"], book, persons, reaches=reaches, renders=Letters(book.templates, language="fr"),
        prefers=as_listed, bodies=bodies, audience=audience, now=NOW,
    )  # fmt: skip


def test_four_of_six_have_a_number_so_two_thirds_of_the_audience_get_an_sms() -> None:
    assert told(book_of("a" * 200)) == Estimate((("fr", 2.0),), 400, 800, 40.0, "EUR")


def test_a_curly_quote_is_paid_for() -> None:
    found = told(book_of("a" * 140 + "“"))
    assert found and found.segments == 1200 and found.total == pytest.approx(60.0)


def test_without_a_price_or_an_audience_no_total_is_told() -> None:
    unpriced, unknown = told(book_of("a", prices="")), told(book_of("a"), audience=None)
    assert unpriced and unpriced.messages == 400 and unpriced.total is None
    assert unknown == Estimate((("fr", 1.0),), None, None, None)


@pytest.mark.parametrize(
    "prices", ["{currency: euro}", "{other: 0.1}", "{currency: EUR, other: -1}", "{currency: EUR, countries: {fr: 1}}"]
)
def test_a_price_that_is_none_is_a_mistake(prices: str) -> None:
    assert book_of("a", prices=f"sms prices: {prices}\n").mistakes


@pytest.mark.parametrize(
    ("number", "country"), [("+33755550006", "FR"), ("+32470000000", "BE"), ("36180", ""), ("", "")]
)
def test_the_country_of_a_number(number: str, country: str) -> None:
    assert country_of(number) == country
