"""What strangers send is made storable."""

import pytest

from bot.cleaning import clean_text, clean_value


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("plain", "plain"),
        ("a\x00b", "ab"),
        ("\ud800 x", "\ufffd x"),
        ("🤷", "🤷"),
        ("\ud83e\udd37", "🤷"),
        ("é" * 20_000, "é" * 10_000),
    ],
)
def test_a_text_can_be_stored(dirty, clean):
    assert clean_text(dirty) == clean


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        (None, None),
        (True, True),
        (2**63, str(2**63)),
        (-(2**63), -(2**63)),
        (float("nan"), None),
        (float("inf"), None),
        ({"$where": 1, "a.b": 2, "": 3}, {"where": 1, "a_b": 2, "_": 3}),
        ((1, 2), [1, 2]),
        ([[[[[[[[1]]]]]]]], [[[[[[None]]]]]]),
        (list(range(500)), list(range(200))),
        (object, "<class 'object'>"),
    ],
)
def test_a_value_can_be_stored(dirty, clean):
    assert clean_value(dirty) == clean
