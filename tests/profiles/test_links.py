"""Tokens say what we signed, for what we signed it, and nothing else."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.links import LONGEST, read, read_link, read_open, sign, sign_link, sign_open

SECRET, OTHER = b"s" * 32, b"o" * 32
RULES = "rule:" + "0a" * 15
WORDS = st.text(alphabet=st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), max_size=60)


@given(purpose=WORDS, parts=st.lists(WORDS, min_size=1, max_size=5))
def test_what_was_signed_is_read_again_for_its_purpose_alone(purpose: str, parts: list[str]) -> None:
    token = sign(SECRET, purpose, *parts)
    assert read(SECRET, purpose, token) == tuple(parts)
    assert read(SECRET, purpose + "2", token) is None
    assert read(OTHER, purpose, token) is None
    assert set(token) <= set(string.ascii_letters + string.digits + "-_.")


def test_a_part_can_not_hold_the_separator() -> None:
    with pytest.raises(ValueError, match="without U\\+001F"):
        sign(SECRET, "preferences", "anna\x1fclara")


@pytest.mark.parametrize("message", [RULES, "api:order-1", "rule:short", "é" * 50])
@pytest.mark.parametrize("number", [0, 1, 255])
def test_a_link_is_read_as_its_message_and_number(message: str, number: int) -> None:
    assert read_link(SECRET, sign_link(SECRET, message, number)) == (message, number)


def test_the_link_of_a_rules_message_has_32_characters() -> None:
    assert len(sign_link(SECRET, RULES, 7)) == 32


@pytest.mark.parametrize(
    "token", [sign_link(SECRET, RULES, 3), sign_link(SECRET, "api:1", 3), sign(SECRET, "link", "a", "0")]
)
def test_no_letter_of_a_token_can_be_changed(token: str) -> None:
    right = read_link(SECRET, token)
    assert right is not None
    for place in range(len(token)):
        for letter in "Ab0_-.":
            other = token[:place] + letter + token[place + 1 :]
            assert other == token or read_link(SECRET, other) is None, other


@pytest.mark.parametrize(
    "token", ["", ".", "..", "A" * 32, "é", "A" * 31, "a.b.c", "=" * 32, "A" * (LONGEST + 1), "\x00" * 32]
)
def test_what_is_no_token_reads_as_none(token: str) -> None:
    assert read_link(SECRET, token) is None
    assert read_open(SECRET, token) is None
    assert read(SECRET, "link", token) is None


def test_a_token_for_one_purpose_serves_no_other() -> None:
    assert read_open(SECRET, sign_open(SECRET, RULES)) == RULES
    assert read_open(SECRET, sign_link(SECRET, RULES, 0)) is None
    assert read_link(SECRET, sign_open(SECRET, RULES)) is None
    assert read(SECRET, "link", sign_open(SECRET, RULES)) is None
