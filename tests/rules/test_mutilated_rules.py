"""Whatever is done to a rule file, reading it ends soon, in a rule or in mistakes that have a place, never in an exception."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.findings import Findings
from rules.book_reading import read_book
from rules.file_reading import Names
from rules.intrusion import warnings
from rules.rule_file import read_rule
from rules.sentences import sentences

EXAMPLE = (Path(__file__).parent / "cart-reminder.yml").read_text(encoding="utf-8")
LINES = EXAMPLE.splitlines()
HOUSE = {
    path.name: path.read_text(encoding="utf-8") for path in (Path(__file__).parents[2] / "rules" / "book").glob("*.yml")
}


def end(text: str) -> None:
    findings = Findings()
    rule = read_rule(text, "r.yml", Names(), findings)
    assert (rule is None) == bool(findings.errors)
    assert all(error.at.file == "r.yml" and error.at.line > 0 and error.at.column > 0 for error in findings.errors)
    for language in ("en", "fr") if rule else ():
        assert rule is not None and all(sentences(rule, language))


@pytest.mark.parametrize("number", range(len(LINES)))
def test_a_line_that_is_lost_doubled_or_cut(number: int) -> None:
    before, line, after = LINES[:number], LINES[number], LINES[number + 1 :]
    for spoiled in ([], [line, line], [line[: len(line) // 2]], [line + ":"], ["  " + line], [line.replace(":", "")]):
        end("\n".join([*before, *spoiled, *after]))


def test_values_of_every_other_kind_in_every_place() -> None:
    for number, line in enumerate(LINES):
        key, colon, _ = line.partition(":")
        for value in ("", "[]", "{}", "[[]]", "{a: [b]}", "'x'", "- a", "|\n      text", "9" * 40, *"!&*@`%"):
            if colon:
                end("\n".join([*LINES[:number], f"{key}: {value}", *LINES[number + 1 :]]))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(EXAMPLE) - 1), st.text("{}[]:,-#'\"&*! \n0aé\x00", max_size=3)), max_size=6)
)
def test_letters_anywhere(edits: list[tuple[int, str]]) -> None:
    text = EXAMPLE
    for at, letters in edits:
        text = text[:at] + letters + text[at + len(letters) :]
    end(text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(HOUSE)), st.integers(0, 400), st.text("{}[]:,-#'\" \n0a", max_size=4))
def test_a_house_file_that_is_spoiled(file: str, at: int, letters: str) -> None:
    spoiled = HOUSE[file][:at] + letters + HOUSE[file][at + 2 :]
    book = read_book({**HOUSE, file: spoiled, "cart.yml": EXAMPLE}, good=HOUSE)
    assert set(book.policy.topics) and all(mistake.at.line > 0 for mistake in book.mistakes)
    warnings(book)


def test_a_rule_of_steps_within_steps_ends_at_the_bound() -> None:
    nested = "stop"
    for _ in range(40):
        nested = f"{{if: contact.x == 1, then: [{nested}]}}"
    end(f"rule: deep\nwhen: {{event: a.b}}\nsteps: [{nested}]\n")


def test_a_long_list_of_conditions_ends_at_the_bound() -> None:
    begun = time.process_time()
    end("rule: long\nwhen: {event: a.b}\nfor:\n" + "  - contact.x == 1\n" * 3000 + "steps: [stop]\n")
    assert time.process_time() - begun < 5.0
