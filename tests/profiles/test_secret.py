"""Secrets: hidden in what is printed, and one of two that are accepted while one replaces the other."""

import pytest

from profiles.secret import Secret, is_one_of, live


def test_a_secret_hides_itself() -> None:
    assert "hush" not in f"{Secret('hush')} {Secret('hush')!r}"


def test_only_those_that_are_set_are_live_and_the_one_in_use_is_first() -> None:
    assert live(Secret("new"), Secret("old")) == ("new", "old")
    assert live(Secret("new"), Secret()) == ("new",)
    assert live(Secret(), Secret()) == ()


@pytest.mark.parametrize(
    ("shown", "secrets", "is_right"),
    [("new", ("new", "old"), True), ("old", ("new", "old"), True), ("old", ("new",), False), ("", (), False),
     ("", ("new",), False), ("ne", ("new",), False), ("newold", ("new", "old"), False), ("\udcff", ("new",), False),
     ("\ud800", ("?",), False), ("é", ("é",), True)],
)  # fmt: skip
def test_what_is_shown_must_be_one_of_them_whole(shown: str, secrets: tuple[str, ...], is_right: bool) -> None:
    assert is_one_of(shown, secrets) is is_right
