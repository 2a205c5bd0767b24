"""What we know of one person, for the panel beside a conversation: attributes, identities, merges that can be undone, conflicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from admin.consenting import Heard, heard_of
from admin.desk import Desk
from admin.reactions import Reactions, reactions
from profiles.conversation import Conversation
from profiles.passes import PASSES, Card, Pass
from profiles.personal_links import PersonalLinks
from profiles.profile import Attribute, Profile
from profiles.record import from_document
from profiles.survivor import survivor


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two profiles that claim one address: a person must say whether they are one."""

    id: str
    key: str
    other: Profile


@dataclass(frozen=True, slots=True)
class Person:
    """The panel's content beside the profile itself."""

    attributes: tuple[tuple[str, Attribute], ...]
    """By name; first the name people call them by."""
    conflicts: tuple[Conflict, ...] = ()
    undoable: Mapping[str, Any] | None = None
    """The latest merge record of this profile that was not undone."""
    reactions: Reactions | None = None
    consents: Heard | None = None
    passes: tuple[Pass, ...] = ()
    """Their wallet cards, the newest first."""
    cards: Mapping[str, Card] = field(default_factory=dict)
    """The cards of the rule book, for their names."""
    cards_page: str = ""
    """Where they put their cards into their phone; empty where no wallet is switched on."""


_FIRST = ("first_name", "last_name", "name")


async def person(desk: Desk, profile: Profile) -> Person:
    """Return what the panel shows of a profile."""
    ordered = sorted(profile.attributes.items(), key=lambda pair: (pair[0] not in _FIRST, pair[0]))
    undoable = None
    if profile.absorbed:
        undoable = await desk.store.first("merges", {"kept": profile.id, "undone_at": None}, sort=[("_id", -1)])
    conflicts = await _conflicts(desk, profile)
    reacts, consents = reactions(profile, desk.clock()), await heard_of(desk, profile)
    passes = await _passes(desk, profile)
    cards = desk.rules.bookcase.book.cards if desk.rules else {}
    page = (
        PersonalLinks(desk.secret, desk.public_url).wallet(profile.id, desk.clock())
        if "wallet" in desk.channels
        else ""
    )
    return Person(tuple(ordered), conflicts, undoable, reacts, consents, passes, cards, page)


async def read_profile(desk: Desk, id: str) -> Profile | None:
    """Return the profile, or the one it was merged into."""
    return await survivor(desk.store, id)


async def threads_of(desk: Desk, profile: Profile) -> tuple[Conversation, ...]:
    """Return a person's conversations, the latest first."""
    documents = await desk.store.find(
        "conversations", {"profile": {"$in": [profile.id, *profile.absorbed]}}, sort=[("last_at", -1)], limit=50
    )
    return tuple(from_document(Conversation, document) for document in documents)


async def _passes(desk: Desk, profile: Profile) -> tuple[Pass, ...]:
    owners = {"profile": {"$in": [profile.id, *profile.absorbed]}}
    rows = await desk.store.find(PASSES, owners, sort=[("made_at", -1)], limit=20)
    return tuple(from_document(Pass, row) for row in rows)


async def _conflicts(desk: Desk, profile: Profile) -> tuple[Conflict, ...]:
    ids = [profile.id, *profile.absorbed]
    rows = await desk.store.find("conflicts", {"profiles": {"$in": ids}, "settled_at": None}, limit=10)
    found = []
    for row in rows:
        others = [id for id in row["profiles"] if id not in ids]
        other = await read_profile(desk, others[0]) if others else None
        if other and other.id != profile.id:
            found.append(Conflict(str(row["_id"]), str(row.get("key", "")), other))
    return tuple(found)
