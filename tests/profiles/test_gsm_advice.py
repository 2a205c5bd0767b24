"""What to write instead of what makes an SMS UCS-2, and what that saves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.gsm import alphabet, count
from profiles.gsm_advice import advice, spaced


def test_a_curly_quote_that_makes_three_segments_of_one_is_told() -> None:
    found = advice("a" * 140 + "“")
    assert found and (found.segments, found.fewer, found.instead) == (3, 1, (("“", '"'),))


@pytest.mark.parametrize(
    ("char", "instead"),
    [("‘", "'"), ("“", '"'), ("«", '"'), ("…", "..."), ("–", "-"), ("—", "-"), ("ê", "e"), ("ç", "c"), ("œ", "oe"),
     ("🙂", ""), ("ﬁ", "fi"), ("★", "")],
)  # fmt: skip
def test_each_foreign_character_has_another(char: str, instead: str) -> None:
    found = advice("a" * 100 + char)
    assert found and found.instead == ((char, instead),)


@pytest.mark.parametrize("text", ["L’été", "a" * 300, "привет, " * 40, "ש" * 90, "", "a" * 160 + "\n€"])
def test_nothing_is_told_where_nothing_is_saved(text: str) -> None:
    assert advice(text) is None


def test_joined_emoji_are_told_without_what_joins_them() -> None:
    found = advice("a" * 100 + "👩\u200d🚀\ufe0f")
    assert found and found.instead == (("👩", ""), ("🚀", ""))


def test_it_is_told_in_both_languages() -> None:
    found = advice("a" * 100 + "–🙂")
    assert found and found.told("en") == "– as -, 🙂 left out" and found.told("fr") == "– en -, 🙂 à retirer"


def test_spaces_and_apostrophes_are_plain_in_an_sms() -> None:
    assert spaced("L’été, aujourd’hui") == "L'été, aujourd'hui" and advice("L’été, " * 30) is None
    assert alphabet(spaced("100,00\u00a0€ et 1\u202f000")) == "gsm7"
    assert advice("100,00\u00a0€ " * 9) is None


@given(st.integers(71, 310), st.text(st.sampled_from("“–…🙂œ★ﬁê\u200d\ufe0f\u00a0’€"), min_size=1, max_size=8))
def test_what_is_told_saves_what_it_says(plain: int, odd: str) -> None:
    text = "a" * plain + odd  # long enough to take a segment more for one odd character
    found = advice(text)
    if found:
        other = spaced(text)
        for joiner in "\u200b\u200c\u200d\ufe0e\ufe0f":
            other = other.replace(joiner, "")
        for char, instead in found.instead:
            other = other.replace(char, instead)
        assert found.segments == count(spaced(text)) > found.fewer == count(other)
