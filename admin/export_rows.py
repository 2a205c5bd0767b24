"""What a stored document says in one row of an export: plain values, by column. Pure.

People's columns are called as `causerie import` calls them, which leaves out what only tells (import_columns.TOLD).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from admin.import_columns import LANGUAGE, SPACES, TOLD
from profiles.ledger import Ledger
from profiles.profile import Identity, Profile
from profiles.store import Document

Kind = Literal["profiles", "messages", "deliveries", "events"]
Row = Mapping[str, Any]

PROFILES = (*TOLD[:2], *SPACES, LANGUAGE, *TOLD[2:])
MESSAGES = (
    "id", "at", "conversation", "profile", "channel", "direction", "author", "title", "text", "files",
)  # fmt: skip
STATES = ("sent", "delivered", "read", "failed", "suppressed", "unknown")
DELIVERIES = (
    "id", "at", "profile", "channel", "to", "state", "reason", "attempts", "provider_id",
    "rule", "step", "class", "topic", "variant", *(f"{state}_at" for state in STATES),
)  # fmt: skip
EVENTS = ("id", "happened_at", "profile", "name", "conversation", "source", "by", "properties")


def called(attribute: str) -> str:
    """Return the column of an attribute: its own name, unless that is taken."""
    return f"attribute.{attribute}" if attribute in PROFILES else attribute


def of_profile(profile: Profile, ledger: Ledger) -> Row:
    """Return one person: an address for each space, proved ones first, the others under `addresses.other`."""
    first = _first(profile.identities)
    others = (one.key for one in profile.identities if one not in first.values())
    known = {called(name): attribute.value for name, attribute in profile.attributes.items()}
    return {
        "profile.id": profile.id,
        "profile.created_at": profile.created_at,
        **{space: first[space].address if space in first else None for space in SPACES},
        LANGUAGE: profile.language,
        "addresses.other": list(others),
        "addresses.proved": [one.key for one in profile.identities if one.verified_at],
        "addresses.banned": [f"{one.key} {one.suppression.reason}" for one in profile.identities if one.suppression],
        "consent.given": sorted(name for name, said in ledger.on.items() if said),
        "consent.refused": sorted(name for name, said in ledger.on.items() if not said),
        **known,
    }


def of_message(document: Document, whose: Mapping[str, str]) -> Row:
    """Return what was said; `whose`: absorbed profile -> the one it is now."""
    content = document["content"]
    return {
        **_plain(document, "at", "conversation", "channel", "direction", "author"),
        "id": document["_id"],
        "profile": _now(document, whose),
        "title": content.get("title", ""),
        "text": content.get("text", ""),
        "files": [file.get("name") or file.get("kind") for file in content.get("attachments") or ()],
    }


def of_delivery(document: Document, whose: Mapping[str, str]) -> Row | None:
    """Return how it was sent, and None for what was never to be sent: a note, or what a customer wrote."""
    delivery = document.get("delivery")
    if not delivery:
        return None
    times: Mapping[str, datetime] = delivery.get("times") or {}
    return {
        **_plain(document, "at", "channel"),
        **_plain(delivery, "to", "state", "reason", "attempts", "provider_id"),
        **_plain(document.get("metadata") or {}, "rule", "step", "class", "topic", "variant"),
        **{f"{name}_at": times.get(name) for name in STATES},
        "id": document["_id"],
        "profile": _now(document, whose),
    }


def of_event(document: Document, whose: Mapping[str, str]) -> Row:
    """Return something that happened."""
    return {
        **_plain(document, "happened_at", "name", "conversation", "source", "by"),
        "id": document["_id"],
        "profile": _now(document, whose),
        "properties": document.get("properties") or {},
    }


def _first(identities: Iterable[Identity]) -> Mapping[str, Identity]:
    first: dict[str, Identity] = {}
    for one in sorted(identities, key=lambda one: (one.verified_at is None, one.added_at)):
        if one.channel in SPACES:
            first.setdefault(one.channel, one)
    return first


def _plain(document: Document, *names: str) -> Row:
    return {name: document.get(name) for name in names}


def _now(document: Document, whose: Mapping[str, str]) -> str:
    id: str = document["profile"]
    while id in whose:  # a merge is never undone into a ring
        id = whose[id]
    return id
