"""Numbers as customers write them."""

import pytest

from bot.finders import fold
from bot.numbers import find_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("for ten people", 10),
        ("2 please", 2),
        ("a table for twenty-five", 25),
        ("one", 1),
        ("three hundred and twelve", 312),
        ("two thousand five hundred", 2500),
        ("pour quatre personnes", 4),
        ("quatre-vingts", 80),
        ("quatre-vingt-dix-sept", 97),
        ("soixante et onze", 71),
        ("deux cent trois", 203),
        ("mille deux cents", 1200),
        ("une", 1),
        ("1 200,50 euros", 1200.5),
        ("-3 degrés", -3),
        ("1.5 kg", 1.5),
        ("nous serons 12", 12),
        ("999 999 999 999 999", 999_999_999_999_999),
        ("3 000" + " 000" * 9 + ", pour 2", 2),
    ],
)
def test_a_number_is_found(text, value):
    found = find_number(fold(text))
    assert found is not None and found[0] == value and isinstance(found[0], type(value))


@pytest.mark.parametrize(
    "text",
    [
        "je veux une pizza",
        "et alors ?",
        "",
        "B12",
        "le 12/03",
        "someone is often there",
        "🤷",
        "1" + " 000" * 5,
        "1" + " 000" * 110,
        "1" + " 000" * 1_500,
    ],
)
def test_what_only_looks_like_a_number_is_none(text):
    assert find_number(fold(text)) is None


def test_the_place_is_that_of_the_number():
    assert find_number("a table for twenty-five please") == (25, 12, 23)


def test_a_very_long_text_costs_little():
    found = find_number("cent " * 20_000)
    assert found is not None and found[0] < 2**63  # what the database keeps
    assert find_number("et " * 50_000) is None
