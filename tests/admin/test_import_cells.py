"""Cells of a file of customers: read by the kind of their attribute, told when they are none."""

from datetime import UTC, datetime
from typing import Any

import pytest

from admin.import_cells import Given, given
from admin.import_columns import Fault, columns
from profiles.expression_tree import Kind
from rules.vocabulary_file import Called, Words

WORDS = Words(
    {
        "city": Called(Kind.TEXT),
        "born_on": Called(Kind.DATE),
        "points": Called(Kind.NUMBER),
        "is_staff": Called(Kind.FLAG),
        "seen_at": Called(Kind.INSTANT),
        "likes": Called(Kind.TEXTS),
    }
)


@pytest.mark.parametrize(
    ("name", "cell", "value"),
    [
        ("city", "01000", "01000"), ("city", "NO", "NO"), ("city", " Lyon ", "Lyon"),
        ("points", "1200.5", 1200.5), ("points", "1 200,5", 1200.5), ("points", "1\u202f200", 1200), ("points", "-3", -3),
        ("points", "1,200", None), ("points", "1.200,5", None), ("points", "twelve", None), ("points", "9" * 30, None),
        ("points", "1e5", None), ("points", "NaN", None),
        ("is_staff", "Oui", True), ("is_staff", "0", False), ("is_staff", "maybe", None),
        ("born_on", "1990-05-01", "1990-05-01"), ("born_on", "1990-05-01 00:00:00", "1990-05-01"),
        ("born_on", "01/05/1990", "1990-05-01"), ("born_on", "1.5.1990", "1990-05-01"), ("born_on", "31/02/1990", None),
        ("born_on", "1990-13-01", None), ("born_on", "01/05/90", None),
        ("seen_at", "2026-01-31T10:00:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC)), ("seen_at", "2026-01-31T10:00", None),
        ("likes", "tea | coffee", ["tea", "coffee"]), ("city", "x" * 2_001, None),
    ],
)  # fmt: skip
def test_a_cell_is_read_by_the_kind_of_its_attribute_and_never_guessed(name: str, cell: str, value: Any) -> None:
    found, _ = columns(["user", name], WORDS, proved=(), named={})
    row = given(["42", cell], found, country="FR", days="day")
    if value is None:
        assert isinstance(row, tuple) and [fault.column for fault in row] == [name]
    else:
        assert isinstance(row, Given) and row.attributes == {name: value}
        assert type(row.attributes[name]) is type(value)


def test_a_day_whose_order_nobody_told_is_not_guessed() -> None:
    found, _ = columns(["user", "born_on"], WORDS, proved=(), named={})
    assert given(["42", "03/11/1985"], found, country="FR", days="year") == (
        Fault(
            "born_on", 'expected a day such as 1990-05-01, got "03/11/1985". Hint: --days day, or month, comes first'
        ),
    )
    row = given(["42", "03/11/1985"], found, country="FR", days="month")
    assert isinstance(row, Given) and row.attributes == {"born_on": "1985-03-11"}


def test_all_that_is_wrong_in_a_row_is_told_at_once_and_empty_cells_say_nothing() -> None:
    found, _ = columns(["user", "email", "sms", "language", "points"], WORDS, proved=["email"], named={})
    wrong = given(["42", "nobody", "12", "French!", "x"], found, country="FR", days="year")
    assert isinstance(wrong, tuple) and [fault.column for fault in wrong] == ["email", "sms", "language", "points"]
    assert given(["", "", "06 39 98 11 22", "", ""], found, country="FR", days="year") == (
        Fault("row", "expected an address in user or email, got none"),
    )
    assert given(["42", "", "06 39 98 11 22", "", ""], found, country="FR", days="year") == Given(
        ("user:42",), ("sms:+33639981122",), None, {}
    )
    short = given(["42"], found, country="FR", days="year")
    assert short == (Fault("row", "expected 5 cells, got 1"),)
