"""The kinds at the edge say all that is wrong, where, and read whatever JSON holds without breaking."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.api import ROUTES
from admin.schema import (
    Choice,
    Field,
    Instant,
    ListOf,
    MapOf,
    OrNull,
    Problem,
    Shape,
    Text,
    Truth,
    Whole,
    instant,
)
from admin.strict_json import Malformed, parse

SHAPE = Shape("Thing", {
    "name": Field(Text(5, 1, r"[a-z]+", "abc"), "", True), "size": Field(Whole(1, 9), ""), "on": Field(Truth(), ""),
    "at": Field(Instant(), ""), "kind": Field(Choice(("a", "b")), ""), "tags": Field(ListOf(Text(3), 2), ""),
    "more": Field(MapOf(OrNull(Whole()), Text(3)), ""),
})  # fmt: skip


def wrong(value: Any) -> list[str]:
    problems: list[Problem] = []
    SHAPE.read(value, "", problems)
    return [f"{problem.pointer}: {problem.detail}" for problem in problems]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {
                "name": "abc",
                "size": 1,
                "on": False,
                "at": "2026-01-01T00:00:00Z",
                "kind": "a",
                "tags": ["x"],
                "more": {"k": None},
            },
            [],
        ),
        ([], [": expected an object, got a list"]),
        ({}, ["/name: is missing"]),
        ({"name": {"$gt": ""}}, ["/name: expected a text, got an object"]),
        ({"name": "ABC"}, ["/name: expected text like abc"]),
        ({"name": "abc\n"}, ["/name: expected text like abc"]),
        ({"name": "abcdef"}, ["/name: expected 1 to 5 characters, got 6"]),
        ({"name": "a", "size": True}, ["/size: expected a whole number, got true or false"]),
        ({"name": "a", "size": 1.0}, ["/size: expected a whole number, got a number"]),
        ({"name": "a", "size": 10}, ["/size: expected 1 to 9"]),
        ({"name": "a", "on": 1}, ["/on: expected true or false, got a number"]),
        ({"name": "a", "kind": ["a"]}, ["/kind: expected one of a, b"]),
        ({"name": "a", "tags": ["x", 1]}, ["/tags/1: expected a text, got a number"]),
        ({"name": "a", "tags": ["x"] * 3}, ["/tags: expected 0 to 2 items, got 3"]),
        ({"name": "a", "more": {"k/~": -1}}, ["/more/k~1~0: expected 0 to 9007199254740991"]),
        ({"name": "a", "x": 1}, ["/x: unknown; known are name, size, on, at, kind, tags, more"]),
    ],
)
def test_what_is_wrong_is_said_with_its_place(value: Any, expected: list[str]) -> None:
    assert wrong(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T12:00:00Z", datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ("2026-03-02t13:00:00.123456+01:00", datetime(2026, 3, 2, 12, 0, 0, 123000, tzinfo=UTC)),
        ("2026-03-02 12:00:00z", datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ("2026-03-02T12:00:00", None), ("2026-03-02", None), ("2026-02-30T12:00:00Z", None), ("now", None), (1, None),
        ("0001-01-01T00:00:00+12:00", None), ("9999-12-31T23:59:59-12:00", None), ("2026-W10-1T12:00:00Z", None),
        ("2026-03-02T23:59:60Z", None), ("２０２６-03-02T12:00:00Z", None), ("20260302T120000Z", None),
    ],
)  # fmt: skip
def test_an_instant_is_one_spelling_of_rfc_3339(text: Any, expected: datetime | None) -> None:
    assert instant(text) == expected


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(json_values, st.sampled_from([route.body for route in ROUTES if route.body]))
def test_whatever_comes_is_read_or_refused(value: Any, kind: Any) -> None:
    problems: list[Problem] = []
    kind.read(value, "", problems)
    for problem in problems:
        problem.pointer.encode()
        problem.detail.encode()


@given(st.binary(max_size=60) | st.text('{}[]":,0123eE.-ntf\\u d8', max_size=40).map(str.encode))
def test_whatever_bytes_come_are_json_or_malformed(body: bytes) -> None:
    try:
        parse(body)
    except Malformed as error:
        assert error.status in (400, 422)
