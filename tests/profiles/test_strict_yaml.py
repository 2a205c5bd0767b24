"""Every scalar stays the text that was written, and what a plain loader would let through is refused by name."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.findings import Findings
from profiles.strict_yaml import DEEPEST, LARGEST, Scalar, read_strictly
from profiles.written import Nothing, Place, Table, plain


def read(text: str) -> tuple[Table | None, list[str]]:
    findings = Findings()
    table = read_strictly(text, "r.yml", findings)
    return table, [str(error) for error in findings.errors]


QUOTE = "Hint: a text that begins with ! must stand in quotes"
TRAPS = "12:30 1:30 NO no on off yes true null ~ 0x1F 1e3 012 2026-11-22 .5 1_000"


@pytest.mark.parametrize("written", TRAPS.split())
def test_a_scalar_stays_what_was_written(written: str) -> None:
    table, errors = read(f"key: {written}\n{written}: value\nlist: [{written}]\n")
    assert errors == []
    assert plain(table) == {"key": written, written: "value", "list": [written]}


def test_what_is_left_empty_is_nothing_and_an_empty_quoted_text_is_a_text() -> None:
    table, _ = read("a:\nb: ''\n")
    assert table is not None and table["a"] is None and table["b"] == ""
    rows = read("a:\n  - x\n  -\n")[0]
    assert rows is not None and rows["a"][1] == Nothing(Place("r.yml", 3, 4))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a: 1\nb: 2\na: 3\n", 'r.yml:3:1: expected each key once, got "a" again. Hint: it stands in line 1 already'),
        ("a: &x 1\n", 'r.yml:1:4: expected no anchor, got "&x". Hint: write the value where it is used'),
        ("a: !!str 1\n", f'r.yml:1:4: expected no tag, got "tag:yaml.org,2002:str". {QUOTE}'),
        ("a: !call x\n", f'r.yml:1:4: expected no tag, got "!call". {QUOTE}'),
        ("a: 1\n---\nb: 2\n", 'r.yml:2:1: expected one document, got a second one after "---".'),
        ("? [a]\n: 1\n", "r.yml:1:3: expected a text as key, got a list or a mapping."),
        ("- a\n", "r.yml:1:1: expected keys at the top of the file, got a list."),
        ("word\n", "r.yml:1:1: expected keys at the top of the file, got a text."),
        ("", "r.yml:1:1: expected keys at the top of the file, got nothing."),
        ("# a remark\n", "r.yml:1:1: expected keys at the top of the file, got nothing."),
        ("where: x == y: z\n", "r.yml:1:14: expected YAML, got something unreadable: mapping values are not allowed here. "
         "Hint: a value with a colon and a space in it must stand in quotes, or below after |"),
        ("a:\n\tb: 1\n", "r.yml:2:1: expected YAML, got something unreadable: found character '\\t' that cannot start any token. "
         "Hint: indent with spaces, not with tabs"),
        ('a: "x" in y\n', "r.yml:1:8: expected YAML, got something unreadable: expected <block end>, but found '<scalar>'. "
         "Hint: a value that begins with a quote or a sign must stand in '...' as a whole, or below after |"),
        ("a: [1, 2\n", "r.yml:2:1: expected YAML, got something unreadable: expected ',' or ']', but got '<stream end>'. "
         "Hint: a quote or a bracket is not closed"),
        ("a: \x00\n", None),
    ],
)  # fmt: skip
def test_what_surprises_is_refused(text: str, error: str | None) -> None:
    _, errors = read(text)
    assert len(errors) == 1
    assert error is None or errors == [error]


def test_an_alias_is_refused_where_it_stands() -> None:
    _, errors = read("a: &x [1]\nb: *x\n")
    assert errors[1] == 'r.yml:2:4: expected the value itself, got the alias "*x".'


def test_several_mistakes_are_told_together() -> None:
    _, errors = read("a: &x 1\na: !t 2\nb: *x\n")
    assert len(errors) == 4


def test_a_file_too_large_is_not_read() -> None:
    _, errors = read("a: " + "x" * LARGEST)
    assert errors == ["r.yml:1:1: expected a file of at most 64,000 bytes, got 64,003."]


@pytest.mark.parametrize("opening", ["[", "{", "- ", "{a: ", "[{a: ", "? "])
def test_a_file_of_nothing_but_openings_ends_at_once(opening: str) -> None:
    begun = time.process_time()
    _, errors = read(f"a:\n  {opening * (60_000 // len(opening))}")
    assert len(errors) == 1
    assert time.process_time() - begun < 1.0


def test_the_deepest_file_is_still_read() -> None:
    table, errors = read("a: " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1))
    assert table is not None and errors == []
    assert len(read("a: " + "[" * DEEPEST + "]" * DEEPEST)[1]) == 1


def test_a_text_knows_where_its_first_character_stands() -> None:
    table, _ = read("a: x == 1\nb: 'y == 2'\nc: >\n  z\nd: 'it''s'\ne: [v]\n")
    assert table is not None
    first = [value.first if isinstance(value, Scalar) else None for value in table.values()]
    assert first == [Place("r.yml", 1, 4), Place("r.yml", 2, 5), None, None, None]
    assert table["e"][0].in_flow and not table["a"].in_flow


@given(st.text(max_size=80) | st.text("ab:-[]{}&*!|>'\"#%@`,? \n\t", max_size=60))
def test_whatever_the_text_there_is_a_table_or_an_error(text: str) -> None:
    table, errors = read(text)
    assert table is not None or errors
