"""The threat model names tests and attacks that exist, and says the same in both languages."""

import re
from pathlib import Path

import pytest

from tests.security.test_attacks import ATTACKS

ROOT = Path(__file__).parent.parent.parent
PAGES = ("docs/threat-model.md", "docs/fr/threat-model.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_test_it_names_is_there(page: str) -> None:
    named = re.findall(r"`(tests/[\w./]+\.py)`", (ROOT / page).read_text(encoding="utf-8"))
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_both_pages_tell_of_the_same_attacks_tests_and_gaps() -> None:
    english, french = ((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    for told in (r"`(tests/[\w./]+)`", r"^(\|)", r"^(- )", r"^(## )"):
        assert len(re.findall(told, english, re.MULTILINE)) == len(re.findall(told, french, re.MULTILINE)), told
    assert _numbers(english) == _numbers(french) and _numbers(english) <= set(ATTACKS)


def test_most_attacks_are_explained() -> None:
    assert len(_numbers((ROOT / PAGES[0]).read_text(encoding="utf-8"))) > 55


def _numbers(text: str) -> set[int]:
    """Return the numbers of the attacks in the third column."""
    found: set[int] = set()
    for told in re.findall(r"(?:attacks?|attaques?) ((?:\d+(?:, | to | à | and | et )?)+)", text):
        for first, _, last in re.findall(r"(\d+)( to | à )?(?(2)(\d+))", told):
            found |= set(range(int(first), int(last or first) + 1))
    return found
