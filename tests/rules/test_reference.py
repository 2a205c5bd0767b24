"""The manual's reference is what the schema says, in both languages."""

from pathlib import Path

import pytest

from rules.reference import reference
from rules.schema import RULE
from rules.schema_steps import STEP

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("language", "page"), [("en", "docs/rules-reference.md"), ("fr", "docs/fr/rules-reference.md")]
)
def test_the_manual_is_what_the_schema_says(language: str, page: str) -> None:
    assert (ROOT / page).read_text(encoding="utf-8") == reference(language), "run: make rules"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_key_of_a_rule_and_of_every_step_is_told(language: str) -> None:
    text = reference(language)
    keys = [key.name for record in (RULE, *STEP.kinds) for key in record.keys]
    assert [key for key in keys if f"| `{key}` |" not in text] == []
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert len(headings) == len(set(headings))
