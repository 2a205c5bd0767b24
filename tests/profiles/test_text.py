"""What of a person's text may be remembered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.text import LONGEST_TEXT, clean


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("", ""),
        ("Bonjour, où est ma commande ?", "Bonjour, où est ma commande ?"),
        ("a\x00b", "a\ufffdb"),
        ("a\ud800b\udfff", "a\ufffdb\ufffd"),
        ("\ud83d\ude00", "\ufffd\ufffd"),  # two halves that were never joined are two lone halves
        ("👩‍👩‍👧‍👦👍🏽", "👩‍👩‍👧‍👦👍🏽"),
        ("\u202eمرحبا\u202c", "\u202eمرحبا\u202c"),
        ("line\r\nline\ttab", "line\r\nline\ttab"),
    ],
)
def test_only_what_is_not_text_is_replaced(said: str, kept: str) -> None:
    assert clean(said) == kept


def test_a_text_too_long_is_cut_and_the_cut_is_seen() -> None:
    kept = clean("x" * 1_000_000)
    assert len(kept) == LONGEST_TEXT
    assert kept.endswith("x…")


def test_a_text_of_just_the_bound_is_whole() -> None:
    assert clean("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT


@given(st.text(st.characters(), max_size=60), st.integers(1, 30))
def test_whatever_is_kept_is_bounded_unicode_and_stays_so(said: str, longest: int) -> None:
    kept = clean(said, longest=longest)
    kept.encode()
    assert len(kept) <= longest
    assert "\x00" not in kept
    assert clean(kept, longest=longest) == kept
