"""What is found in a text without training."""

from datetime import date

import pytest

from bot.finders import FINDERS, Here

HERE = Here(date(2026, 11, 21))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("email", "écrivez à Anna.B@Example.co.uk svp", "anna.b@example.co.uk"),
        ("email", "anna@", None),
        ("email", "@" * 1000, None),
        ("phone", "mon numéro : 06 12 34 56 78", "+33612345678"),
        ("phone", "call +44 20 7946 0958", "+442079460958"),
        ("phone", "12345678", None),
        ("order_number", "commande #12345678", "12345678"),
        ("order_number", "my order is cmd-98765", "CMD-98765"),
        ("order_number", "le 123", None),
        ("order_number", "rien", None),
        ("amount", "c'était 12,50 € je crois", 12.5),
        ("amount", "$20", 20.0),
        ("amount", "20 articles", None),
        ("date", "mardi", "2026-11-24"),
    ],
)
def test_a_value_is_found_and_normalised(kind, text, value):
    found = FINDERS[kind](text, HERE)
    assert (found[0] if found else None) == value


@pytest.mark.parametrize("kind", sorted(FINDERS))
@pytest.mark.parametrize(
    "text", ["a" * 1000, "1" * 1000, "1-" * 500, "(" * 1000, "+1 " * 300, "a.a@" * 250, "mars 1 " * 140]
)
def test_no_text_of_a_thousand_characters_takes_long(kind, text):
    from time import process_time

    began = process_time()
    FINDERS[kind](text, HERE)
    assert process_time() - began < 0.1
