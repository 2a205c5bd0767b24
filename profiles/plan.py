"""How a group's changes become one transaction: one update per record however often the group changed it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from profiles.conversation import Conversation
from profiles.profile import Profile
from profiles.record import difference, replace, to_document
from profiles.snapshot import Amend, Changes, Snapshot, Write
from profiles.store import Plan, Update
from profiles.timeline import Message

LEASE_FOR = timedelta(
    seconds=60
)  # longer than any provider call's deadline; a crashed holder's deliveries wait this long


Key: TypeAlias = tuple[str, str]
"""(collection, id)."""


@dataclass(slots=True)
class Group:
    """The records of one commit: as they were read, as they are now, and what is new."""

    now: datetime
    process: str
    read_profiles: dict[str, Profile] = field(default_factory=dict)
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
    kept: list[Changes] = field(default_factory=list)

    def snapshot(self) -> Snapshot:
        """Return what the next piece of thinking sees: a live view on this group."""
        return Snapshot(self.now, self.profiles, self.conversations, self.identities, self.messages, self.records)

    def keep(self, changes: Changes) -> Changes:
        """Take these changes into the group and return them as they will be stored (deliveries born leased)."""
        if any(message.delivery and message.delivery.state == "queued" for message in changes.messages):
            changes = _leased(changes, self.process, self.now)
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
            self._write(write)
        self.kept.append(changes)
        return changes

    def _write(self, write: Write) -> None:
        key = (write.collection, write.id)
        self.written[key] = write.document
        if write.document is None:
            self.records.pop(key, None)
        else:
            self.records[key] = write.document

    def plan(self) -> Plan:
        """Return the transaction that takes the database from what was read to what is now."""
        plan = Plan()
        for changes in self.kept:
            for message in changes.messages:
                plan.insert("messages", to_document(message))
            for event in changes.events:
                plan.insert("events", to_document(event))
            for collection, document in changes.records:
                plan.insert(collection, dict(document))
            for amend in changes.amends:
                plan.update(amend.collection, _amendment(amend))
        _identities(plan, self.kept)
        _records(plan, self.read_records, self.written)
        _differences(plan, "profiles", self.read_profiles, self.profiles)
        _differences(plan, "conversations", self.read_conversations, self.conversations)
        return plan


def _differences(plan: Plan, collection: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for id, record in after.items():
        known = before.get(id)
        if known is record:
            continue
        if known is None:
            document = to_document(record)
            document.pop("_id")
            plan.update(collection, Update(id, 0, document))
            continue
        put, drop = difference(known, record)
        if put or drop:
            plan.update(collection, Update(id, known.version, put, drop))


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


def _amendment(amend: Amend) -> Update:
    drop, first = dict.fromkeys(amend.drop, ""), dict(amend.first)
    return Update(amend.message, None, dict(amend.put), drop, first=first, upsert=bool(first))


def _leased(changes: Changes, process: str, now: datetime) -> Changes:
    def lease(message: Message) -> Message:
        delivery = message.delivery
        if delivery is None or delivery.state != "queued":
            return message
        if delivery.due_at and delivery.due_at > now:
            return replace(message, delivery=replace(delivery, lease_until=delivery.due_at))
        return replace(message, delivery=replace(delivery, leased_by=process, lease_until=now + LEASE_FOR))

    return replace(changes, messages=tuple(lease(message) for message in changes.messages))
