"""What may be known of a person, and how much of it: the bounds of attributes, whoever edits them."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from profiles.profile import Profile, Source
from profiles.snapshot import Refusal

MOST_ATTRIBUTES = 200
LONGEST_TEXT = 2_000  # characters
MOST_ITEMS = 100
LONGEST_ITEM = 256  # characters
ROOM = 64_000  # characters over all of one profile: it is read and written whole with every message

RESERVED = frozenset(
    {
        "id", "version", "profile", "profiles", "created_at", "absorbed", "merged_into", "identities", "attributes",
        "consent", "consents", "preferences", "suppression", "suppressions", "pressure",
        "language", "last_channel", "last_inbound_at",
    }
)  # fmt: skip

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


def edit(profile: Profile, name: str, value: Any, *, source: Source, by: str, now: datetime) -> Profile | Refusal:
    """Return the profile knowing this, or why it may not: bad_name, reserved_name, bad_value, too_many, too_large.

    Values: str, int (64 bit), float, bool, aware datetime, list of str. None forgets the attribute. What the person
    declared is not overwritten by what was inferred or tracked.
    """
    if not _NAME.fullmatch(name):
        return Refusal("bad_name", f"expected [a-z][a-z0-9_]*, at most 64 characters, got {name[:64]!r}")
    if name in RESERVED:
        return Refusal("reserved_name", name)
    if value is None:
        return profile.forget(name) if name in profile.attributes else profile
    if problem := why_not(value):
        return Refusal("bad_value", f"{name}: {problem}")
    if name not in profile.attributes and len(profile.attributes) >= MOST_ATTRIBUTES:
        return Refusal("too_many", f"at most {MOST_ATTRIBUTES} attributes")
    edited = profile.learn(name, _kept(value), source=source, at=now, by=by)
    if edited is not profile and _room(edited.attributes) > ROOM:
        return Refusal("too_large", f"at most {ROOM} characters over all attributes")
    return edited


def why_not(value: Any) -> str | None:
    """Return what is wrong with an attribute's value, or None."""
    match value:
        case bool():
            return None
        case int():
            return None if -(2**63) <= value < 2**63 else "expected an integer of 64 bits"
        case float():
            return None if math.isfinite(value) else "expected a finite number"
        case str():
            return _text_problem(value, LONGEST_TEXT)
        case datetime():
            return _instant_problem(value)
        case list() | tuple():
            if len(value) > MOST_ITEMS:
                return f"expected at most {MOST_ITEMS} items"
            if not all(isinstance(item, str) for item in value):
                return "expected a list of texts"
            return next((problem for item in value if (problem := _text_problem(item, LONGEST_ITEM))), None)
        case _:
            return f"expected a text, number, true, false, instant or list of texts, got {type(value).__name__}"


def _kept(value: Any) -> Any:
    """Return the value as it will read back: instants in UTC and whole milliseconds, lists as lists."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    return list(value) if isinstance(value, tuple) else value


def _instant_problem(moment: datetime) -> str | None:
    if moment.tzinfo is None:
        return "expected an instant with its time zone"
    return None if 1 < moment.year < 9999 else "expected a year from 2 to 9998"  # UTC must exist too


def _text_problem(text: str, longest: int) -> str | None:
    if len(text) > longest:
        return f"expected at most {longest} characters"
    return "expected Unicode text without NUL" if _NOT_TEXT.search(text) else None


def _room(attributes: Mapping[str, Any]) -> int:
    return sum(len(name) + _size(known.value) for name, known in attributes.items())


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return sum(len(item) for item in value) if isinstance(value, (list, tuple)) else 8
