"""What may be known of a person, under which name, and how much of it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from profiles.attributes import MOST_ATTRIBUTES, ROOM, edit
from profiles.profile import Attribute, Profile
from profiles.snapshot import Refusal

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANNA = Profile("P1", NOON)


def learned(value: Any, *, name: str = "city", profile: Profile = ANNA, source: Any = "declared") -> Profile | Refusal:
    return edit(profile, name, value, source=source, by="agent:7", now=NOON)


@pytest.mark.parametrize(
    "value",
    ["Lyon", "", 42, -(2**63), 2**63 - 1, 2.5, True, False, NOON, ["a", "b"], [], "👩‍👩‍👧", "\u202eمرحبا", "a\nb"],
)
def test_plain_values_are_kept_with_their_source(value: Any) -> None:
    profile = learned(value)
    assert isinstance(profile, Profile)
    assert profile.attributes["city"] == Attribute(value, "declared", NOON, "agent:7")


@pytest.mark.parametrize(
    "value",
    [
        2**63, float("nan"), float("inf"), {"$gt": ""}, {"a": 1}, [1], ["a", 1], [["a"]], ["x"] * 101, ["x" * 257], "x" * 2001,
        "a\x00b", "a\ud800", ["\ud800"], b"bytes", object(), NOON.replace(tzinfo=None), datetime(1, 1, 1, tzinfo=UTC),
    ],
)  # fmt: skip
def test_other_values_are_refused(value: Any) -> None:
    refusal = learned(value)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "bad_value"
    assert refusal.detail.startswith("city: expected ")


@pytest.mark.parametrize(
    "name", ["", "City", "1st", "a.b", "$where", "a b", "_id", "a\x00", "é", "x" * 65, "__proto__", "a-b"]
)
def test_other_names_are_refused(name: str) -> None:
    refusal = learned("x", name=name)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "bad_name"


@pytest.mark.parametrize("name", ["id", "version", "consent", "identities", "merged_into", "language", "suppression"])
def test_names_with_a_meaning_of_their_own_are_refused(name: str) -> None:
    assert learned("x", name=name) == Refusal("reserved_name", name)


def test_attributes_are_counted() -> None:
    full = Profile("P1", NOON, attributes={f"a{n}": Attribute(n, "tracked", NOON) for n in range(MOST_ATTRIBUTES)})
    refusal = learned("x", profile=full)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "too_many"
    changed = learned("x", name="a0", profile=full)
    assert isinstance(changed, Profile)


def test_all_attributes_together_have_bounded_room() -> None:
    full = Profile(
        "P1", NOON, attributes={f"a{n}": Attribute("x" * 2000, "tracked", NOON) for n in range(ROOM // 2000)}
    )
    refusal = learned("x" * 2000, profile=full)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "too_large"


def test_none_forgets() -> None:
    profile = learned("Lyon")
    assert isinstance(profile, Profile)
    forgotten = learned(None, profile=profile)
    assert isinstance(forgotten, Profile)
    assert "city" not in forgotten.attributes


def test_what_was_declared_is_not_overwritten_by_what_was_tracked() -> None:
    declared = learned("Lyon")
    assert isinstance(declared, Profile)
    assert learned("Paris", profile=declared, source="tracked") is declared


def test_what_was_tracked_becomes_declared_when_the_person_confirms_it() -> None:
    tracked = learned("Lyon", source="tracked")
    assert isinstance(tracked, Profile)
    confirmed = learned("Lyon", profile=tracked)
    assert isinstance(confirmed, Profile)
    assert confirmed.attributes["city"].source == "declared"


def test_an_instant_is_kept_as_it_reads_back() -> None:
    local = datetime(2026, 3, 2, 14, 0, 0, 123456, timezone(timedelta(hours=2)))
    profile = learned(local)
    assert isinstance(profile, Profile)
    assert profile.value("city") == datetime(2026, 3, 2, 12, 0, 0, 123000, tzinfo=UTC)
    assert profile.value("city").tzinfo is UTC
