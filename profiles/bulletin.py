"""What one process tells the others of what it committed: names alone, so that each reads only what somebody there wants.

A bulletin is one small document for all that was committed in a twentieth of a second. It is a hint: the records are the truth.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from profiles.conversation import Conversation
from profiles.live import Feed
from profiles.profile import Profile
from profiles.record import Document, from_document
from profiles.snapshot import Amend, Changes
from profiles.store import Store
from profiles.timeline import Event, Message

Record = TypeVar("Record")
MOST_NAMES = 3_000  # beyond, all are told to look for themselves: cheaper for everybody than so many names
ROWS_TOLD = ("decisions",)
"""Collections of rows that stand in a person's timeline beside messages and events."""

Item = tuple[str, str, str, str]
"""(collection, id, conversation that it changes, profile)."""


@dataclass(slots=True)
class Bulletin:
    """The names of what changed, and the hints given with it."""

    conversations: set[str] = field(default_factory=set)
    profiles: set[str] = field(default_factory=set)
    items: dict[str, Item] = field(default_factory=dict)
    amended: set[str] = field(default_factory=set)
    mentioned: set[str] = field(default_factory=set)
    identities: set[str] = field(default_factory=set)
    """Keys that changed hands, or became free."""
    hints: list[tuple[str, Any]] = field(default_factory=list)
    is_hello: bool = False
    """Whoever hears it has missed what this process did before."""
    is_goodbye: bool = False
    is_too_much: bool = False

    def add(self, changes: Changes) -> None:
        """Take in what one work changed."""
        if self.is_too_much:
            return
        self.conversations |= {conversation.id for conversation in changes.conversations}
        self.profiles |= {profile.id for profile in changes.profiles}
        self.amended |= {amend.message for amend in changes.amends if amend.collection == "messages"}
        self.identities |= {*changes.moves, *changes.releases}
        for message in changes.messages:
            self.items[message.id] = ("messages", message.id, message.conversation, message.profile)
        for event in changes.events:
            thread = event.conversation if event.name.startswith("conversation.") else None
            self.items[event.id] = ("events", event.id, thread or "", event.profile)
        for collection, row in changes.records:
            if collection in ROWS_TOLD:
                self.items[row["_id"]] = (collection, row["_id"], "", str(row.get("profile", "")))
            elif collection == "mentions":
                self.mentioned.add(str(row["agent"]))
        if len(self.conversations) + len(self.items) + len(self.profiles) + len(self.amended) > MOST_NAMES:
            self._forget()

    def _forget(self) -> None:
        self.is_too_much = True
        for part in (self.conversations, self.profiles, self.items, self.amended, self.mentioned, self.identities):
            part.clear()

    def document(self) -> Document:
        """Return it as it is kept; what is empty is left out."""
        parts: Document = {
            "conversations": sorted(self.conversations), "profiles": sorted(self.profiles),
            "items": [list(item) for item in self.items.values()], "amended": sorted(self.amended),
            "mentioned": sorted(self.mentioned), "identities": sorted(self.identities),
            "hints": [list(hint) for hint in self.hints],
            "hello": self.is_hello, "goodbye": self.is_goodbye, "much": self.is_too_much,
        }  # fmt: skip
        return {name: part for name, part in parts.items() if part}

    def read(self, document: Mapping[str, Any]) -> None:
        """Take in a bulletin as it was kept: several are read together."""
        self.conversations |= set(document.get("conversations", ()))
        self.profiles |= set(document.get("profiles", ()))
        self.amended |= set(document.get("amended", ()))
        self.mentioned |= set(document.get("mentioned", ()))
        self.identities |= set(document.get("identities", ()))
        for collection, id, conversation, profile in document.get("items", ()):
            self.items[id] = (collection, id, conversation, profile)
        self.is_hello |= bool(document.get("hello"))
        self.is_too_much |= bool(document.get("much"))

    def __bool__(self) -> bool:
        return bool(
            self.conversations or self.profiles or self.items or self.amended or self.mentioned or self.identities
            or self.hints or self.is_hello or self.is_goodbye or self.is_too_much
        )  # fmt: skip


async def wanted(bulletin: Bulletin, feed: Feed, store: Store) -> Changes:
    """Return, of what a bulletin names, what somebody here wants, as it stands now. Raises Unavailable."""
    rows = [id for id in bulletin.conversations if feed.wants_row(id)]
    items = [item for item in bulletin.items.values() if _is_wanted(item, feed)]
    people = [id for id in bulletin.profiles if feed.wants_item("", id)]
    curious = feed.wants_rest()
    messages = await _all(store, Message, "messages", _ids(items, "messages"))
    events = await _all(store, Event, "events", _ids(items, "events"))
    records: list[tuple[str, Mapping[str, Any]]] = []
    for collection in ROWS_TOLD:
        ids = _ids(items, collection)
        records += [(collection, row) for row in (await store.get_many(collection, ids) if ids else ())]
    if curious:
        records += [("mentions", {"agent": agent}) for agent in sorted(bulletin.mentioned)]
    return Changes(
        profiles=tuple(await _all(store, Profile, "profiles", people)),
        conversations=tuple(await _all(store, Conversation, "conversations", rows)),
        messages=tuple(sorted(messages, key=lambda message: (message.conversation, message.seq))),
        events=tuple(sorted(events, key=lambda event: (event.happened_at, event.id))),
        amends=tuple(Amend(id) for id in sorted(bulletin.amended)) if curious else (),
        records=tuple(records),
    )


def _is_wanted(item: Item, feed: Feed) -> bool:
    collection, _, conversation, profile = item
    if feed.wants_item(conversation, profile):
        return True
    return collection == "events" and bool(conversation) and feed.wants_row(conversation)


def _ids(items: Iterable[Item], collection: str) -> list[str]:
    return [id for place, id, _, _ in items if place == collection]


async def _all(store: Store, kind: type[Record], collection: str, ids: list[str]) -> list[Record]:
    if not ids:
        return []
    return [from_document(kind, document) for document in await store.get_many(collection, ids)]
