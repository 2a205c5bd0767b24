"""A file that people wrote stays theirs: only the lines that a change is about are changed."""

from pathlib import Path
from typing import Any

import pytest

from bot.roundtrip import literal, rewritten

BOT = Path(__file__).parent.parent.parent / "bot" / "content" / "shop"
OTHERS = Path(__file__).parent / "conformance"
WRITTEN = sorted([*BOT.rglob("*.yml"), *OTHERS.glob("*/d*.yml"), *OTHERS.glob("*/data/*.yml")])

ODD = """\
# On top: who wrote this and why
version:   "3.1"    # spaces that nobody needs

intents: [greet,   bye]
slots: {name: {type: text, mappings: [{type: custom}]}}
nothing: null
also_nothing:
answer: yes   # a text in YAML 1.2
nlu:
- intent: greet   # how people begin
  examples: |
    - hello
    - hi: there # no comment
# between two
- intent: bye
  examples: |
    - bye

# at the very end
"""


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(path.parents[2]).as_posix())
def test_a_file_in_which_nothing_changes_stays_as_it_is_to_the_letter(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert rewritten(text, lambda table: None) == text


def test_only_the_new_line_is_new_and_every_comment_stays() -> None:
    def add(table: Any) -> None:
        item = table["nlu"][0]
        item["examples"] = literal([*item["examples"].splitlines(), "- good morning"], like=item["examples"])

    assert rewritten(ODD, add) == ODD.replace("# no comment\n", "# no comment\n    - good morning\n")


def test_what_stands_between_two_sections_stays_between_them() -> None:
    text = "intents:\n  - greet  # first\n  - bye\n\n# what they talk about\nentities: [place]\n"
    changed = rewritten(text, lambda table: table["intents"].append("order"))
    assert changed == text.replace("  - bye\n", "  - bye\n  - order\n")


def test_an_empty_file_is_filled() -> None:
    assert rewritten("", lambda table: table.update({"version": "3.1"})) == "version: '3.1'\n"


def test_a_file_that_is_a_list_is_refused_instead_of_lost() -> None:
    with pytest.raises(ValueError, match="keys"):
        rewritten("- one\n- two\n", lambda table: None)


def test_a_long_line_is_never_folded() -> None:
    text = f'says: "{"word " * 200}end"\nmore: 1\n'
    assert rewritten(text, lambda table: table.update({"more": 2})) == text.replace("more: 1", "more: 2")
