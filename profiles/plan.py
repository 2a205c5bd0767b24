"""How a group's changes become one transaction: one update per record however often the group changed it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from profiles import words
from profiles.conversation import Conversation
from profiles.ledger import COLLECTION as LEDGERS
from profiles.ledger import EMPTY, bans
from profiles.profile import Profile
from profiles.record import difference, replace, to_document
from profiles.snapshot import Amend, Changes, Snapshot, Work, Write
from profiles.store import Plan, Update
from profiles.timeline import Message
from profiles.words import Entries

LEASE_FOR = timedelta(
    seconds=60
)  # longer than any provider call's deadline; a crashed holder's deliveries wait this long


Key: TypeAlias = tuple[str, str]
"""(collection, id)."""


React: TypeAlias = Callable[[Snapshot, Changes], Changes]
"""Adds to what a work came to, upon the snapshot it thought on. Pure, and quick: every work goes through it."""


@dataclass(slots=True)
class Group:
    """The records of one commit: as they were read, as they are now, and what is new."""

    now: datetime
    process: str
    react: React | None = None
    """What others note of a work's changes in the same commit: nothing, when nobody asked."""
    read_profiles: dict[str, Profile] = field(default_factory=dict)
    lent: set[str] = field(default_factory=set)
    """Profiles that came with the works: nothing to remember unless they change, or a campaign would fill the memory."""
    read_conversations: dict[str, Conversation] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    read_records: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    records: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    written: dict[Key, Mapping[str, Any] | None] = field(default_factory=dict)
    """What the works of this group put in place of those; None is removed."""
    released: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    """Of the keys that were read and nobody has, those whose holder was erased."""
    amended: set[str] = field(default_factory=set)
    """Ids of what this group changes without having read it whole."""
    kept: list[Changes] = field(default_factory=list)
    _view: Snapshot | None = None
    _plan: Plan = field(default_factory=Plan)
    _entries: Entries = field(default_factory=Entries)

    def snapshot(self) -> Snapshot:
        """Return what the next piece of thinking sees: a live view on this group."""
        if self._view is None or self._view.now is not self.now:
            known = (self.profiles, self.conversations, self.identities, self.messages, self.records, self.erased)
            self._view = Snapshot(self.now, *known)
        return self._view

    def keep(self, changes: Changes) -> Changes:
        """Take these changes into the group and return them as they will be stored (deliveries born leased)."""
        if self.react:
            changes = self.react(self.snapshot(), changes)
        if any(message.delivery and message.delivery.state == "queued" for message in changes.messages):
            changes = _leased(changes, self.process, self.now)
        self._write_new(changes)
        for profile in changes.profiles:
            self.profiles[profile.id] = profile
        for conversation in changes.conversations:
            self.conversations[conversation.id] = conversation
        for key in changes.releases:
            self.identities.pop(key, None)
            self.released.add(key)
        held = {**changes.claims, **changes.moves}
        self.identities.update(held)
        self.released -= held.keys()
        for message in changes.messages:
            self.messages[message.id] = message
        for write in changes.writes:
            self._put(write)
        self.kept.append(changes)
        return changes

    def amends(self, work: Work) -> bool:
        """Return whether this group changes a message that the work will read from the database."""
        return not self.amended.isdisjoint(work.messages)

    def touches(self, work: Work) -> bool:
        """Return whether this group changes or makes anything that the work will read from the database, not from memory."""
        return (
            self.amends(work)
            or not self.messages.keys().isdisjoint(work.messages)
            or not self.written.keys().isdisjoint(work.records)
        )

    def _write_new(self, changes: Changes) -> None:
        """Write out at once what no later change of the group can alter: nothing of it is left for the commit to wait for."""
        messages = [to_document(message) for message in changes.messages]
        events = [to_document(event) for event in changes.events]
        amends = [(amend.collection, amendment(amend)) for amend in changes.amends]
        for document, message in zip(messages, changes.messages, strict=True):
            self._plan.insert("messages", document)
            self._entries.add(message.id, message.at, message.content.text)
        for document in events:
            self._plan.insert("events", document)
        for collection, record in changes.records:
            self._plan.insert(collection, dict(record))
        for collection, update in amends:
            self._plan.update(collection, update)
            self.amended.add(update.id)
            if "content" in update.put and (edited := self.messages.get(update.id)):
                self._entries.add(edited.id, edited.at, str(update.put["content"].get("text", "")))

    def _put(self, write: Write) -> None:
        key = (write.collection, write.id)
        self.written[key] = write.document
        if write.document is None:
            self.records.pop(key, None)
        else:
            self.records[key] = write.document

    def plan(self) -> Plan:
        """Return the transaction that takes the database from what was read to what is now; asked for once, at the end.

        The group's profiles and conversations then have the versions that the database will have after it.
        """
        for entry in self._entries.documents():
            self._plan.insert(words.COLLECTION, entry)
        _identities(self._plan, self.kept)
        _records(self._plan, self.read_records, self.written)
        _differences(self._plan, "profiles", self.read_profiles, self.profiles)
        _bans(self._plan, self.read_profiles, self.profiles)
        _differences(self._plan, "conversations", self.read_conversations, self.conversations)
        return self._plan


def _differences(plan: Plan, collection: str, before: Mapping[str, Any], after: dict[str, Any]) -> None:
    for id, record in after.items():
        known = before.get(id)
        if known is record:
            continue
        if known is None:
            document = to_document(record)
            document.pop("_id")
            plan.update(collection, Update(id, 0, document))
            after[id] = replace(record, version=1)
            continue
        put, drop = difference(known, record)
        if put or drop:
            plan.update(collection, Update(id, known.version, put, drop))
            after[id] = replace(record, version=known.version + 1)


def _records(
    plan: Plan, before: Mapping[Key, Mapping[str, Any]], after: Mapping[Key, Mapping[str, Any] | None]
) -> None:
    for (collection, id), document in after.items():
        known = before.get((collection, id))
        if document is None:
            plan.delete(collection, id)
            continue
        put = {name: value for name, value in document.items() if name not in _OWN and _other(known, name, value)}
        if known is None:
            plan.update(collection, Update(id, 0, put))
            continue
        drop = dict.fromkeys(known.keys() - document.keys() - _OWN, "")
        if put or drop:
            plan.update(collection, Update(id, int(known.get("version", 0)), put, drop))


_OWN = frozenset({"_id", "version"})


def _other(known: Mapping[str, Any] | None, name: str, value: Any) -> bool:
    return known is None or name not in known or known[name] != value


def _bans(plan: Plan, before: Mapping[str, Profile], after: Mapping[str, Profile]) -> None:
    """Tell the ledgers which addresses nothing may be sent to any more, or again."""
    for id, profile in after.items():
        put, drop = bans(before.get(id), profile)
        if put or drop:
            plan.update(LEDGERS, Update(id, None, put, drop, upsert=True, first=dict(EMPTY)))


def _identities(plan: Plan, kept: list[Changes]) -> None:
    """Write each key once, as the group leaves it: claimed and then moved is claimed by the last."""
    was_free: dict[str, bool] = {}
    holders: dict[str, str | None] = {}
    for changes in kept:
        for key in changes.releases:
            was_free.setdefault(key, False)
            holders[key] = None
        for key, profile in changes.claims.items():
            was_free.setdefault(key, True)
            holders[key] = profile
        for key, profile in changes.moves.items():
            was_free.setdefault(key, False)
            holders[key] = profile
    for key, holder in holders.items():
        if holder is not None:
            plan.update("identities", Update(key, 0 if was_free[key] else None, {"profile": holder}))
        elif not was_free[key]:
            plan.delete("identities", key)


def amendment(amend: Amend) -> Update:
    """Return what it changes, whatever else was changed meanwhile."""
    drop, first = dict.fromkeys(amend.drop, ""), dict(amend.first)
    return Update(amend.message, None, dict(amend.put), drop, first=first, upsert=bool(first), stamp=amend.stamp)


def _leased(changes: Changes, process: str, now: datetime) -> Changes:
    def lease(message: Message) -> Message:
        delivery = message.delivery
        if delivery is None or delivery.state != "queued":
            return message
        if delivery.due_at and delivery.due_at > now:
            return replace(message, delivery=replace(delivery, lease_until=delivery.due_at))
        return replace(message, delivery=replace(delivery, leased_by=process, lease_until=now + LEASE_FOR))

    return replace(changes, messages=tuple(lease(message) for message in changes.messages))
