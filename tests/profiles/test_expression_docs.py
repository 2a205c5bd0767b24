"""The manual of conditions: every example can be read, everything that exists is in it, in both languages."""

import re
from pathlib import Path

import pytest

from profiles.expression import Expression, Vocabulary, parse
from profiles.expression_calls import CALLS, FUNCTIONS
from profiles.expression_names import BUILTIN, THREAD
from profiles.expression_syntax import DEEPEST, LONGEST_SOURCE, MOST_NODES

DOCS = Path(__file__).parent.parent.parent / "docs"
MANUALS = [DOCS / "expressions.md", DOCS / "fr" / "expressions.md"]
SAID = Vocabulary(event="", start="", has_conversation=True, steps=frozenset({"first"}),
                  segments={"vip": "contact.x", "staff": "contact.y"})  # fmt: skip


@pytest.mark.parametrize("manual", MANUALS, ids=["en", "fr"])
def test_every_example_of_the_manual_can_be_read(manual: Path) -> None:
    text = manual.read_text(encoding="utf-8")
    examples = [line for block in re.findall(r"```condition\n(.*?)```", text, re.S) for line in block.splitlines()]
    calls = [call for call in re.findall(r"`((?:did|did_not|sent|segment|reachable|opened|clicked)\([^`]*\))`", text)
             if "..." not in call]  # fmt: skip
    assert len(examples) > 8 and len(calls) > 5
    for example in [*examples, *calls]:
        found = parse(example, SAID)
        assert isinstance(found, Expression), (example, [str(mistake) for mistake in found])


@pytest.mark.parametrize("manual", MANUALS, ids=["en", "fr"])
def test_everything_that_can_be_said_is_in_the_manual(manual: Path) -> None:
    text = manual.read_text(encoding="utf-8")
    assert [name for name in (*FUNCTIONS, *CALLS, "last") if f"{name}(" not in text] == []
    assert [name for name in BUILTIN if f"contact.{name}" not in text] == []
    assert [name for name in THREAD if f".{name}`" not in text] == []
    plain = text.replace(",", "").replace(" ", "").replace("\u202f", "").replace("\u00a0", "")
    assert all(str(bound) in plain for bound in (LONGEST_SOURCE, DEEPEST, MOST_NODES))


def test_the_sentences_of_the_manual_are_what_it_says() -> None:
    for manual, language in zip(MANUALS, ("en", "fr"), strict=True):
        text = manual.read_text(encoding="utf-8")
        first = re.findall(r"```condition\n(.*?)```", text, re.S)[0].strip()
        found = parse(first, SAID)
        assert isinstance(found, Expression) and f"> {found.sentence(language)}\n" in text
