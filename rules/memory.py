"""Contacts in memory, in the place of the database: for simulations and previews, which run the engine's own thinking.

Everything decides as it does live; only the ledger's conditional update is replaced by the same conditions asked in memory
(profiles/caps.py holds both forms of each side by side).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any

from profiles.caps import Cap, Slot
from profiles.conversation import Conversation
from profiles.expression import Facts
from profiles.ledger import Entry, Ledger
from profiles.ledgers import Answer, Denied, Granted, Wanted, why
from profiles.profile import Profile
from profiles.record import Document, from_document
from profiles.snapshot import Amend, Changes, Done, Outcome, Refusal, Snapshot, Work
from profiles.timeline import Event, Message
from rules.applying import DECISIONS, RUNS
from rules.person import Person
from rules.reaction import Reaction
from rules.reading import Reads, sent_of, zone_of
from rules.run import Run

Key = tuple[str, str]


@dataclass(slots=True)
class Contacts:
    """All that is known, changed as it would be in the database."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)
    """profile -> what happened, oldest first."""
    records: dict[Key, Document] = field(default_factory=dict)
    decisions: list[Mapping[str, Any]] = field(default_factory=list)
    """The rows of decisions, in the order they were taken."""

    def add(
        self, profile: Profile, *, ledger: Ledger | None = None, conversations: Iterable[Conversation] = ()
    ) -> None:
        """Add a contact."""
        self.profiles[profile.id] = profile
        self.identities |= {identity.key: profile.id for identity in profile.identities if identity.is_claimed}
        self.ledgers[profile.id] = ledger or Ledger(profile.id)
        self.conversations |= {thread.id: thread for thread in conversations}

    def runs(self) -> list[Run]:
        """Return every run."""
        return [
            from_document(Run, {**document, "_id": id})
            for (collection, id), document in self.records.items()
            if collection == RUNS
        ]


class MemoryWriter:
    """Commits to `contacts` as the one writer commits to the database, one work at a time."""

    process = "memory"

    def __init__(self, contacts: Contacts, reaction: Reaction, clock: Callable[[], datetime]) -> None:
        self.contacts = contacts
        self._reaction, self._clock = reaction, clock
        self._listeners: list[Callable[[list[Changes]], None]] = []

    def listen(self, listener: Callable[[list[Changes]], None]) -> None:
        """Call this with the changes of each commit."""
        self._listeners.append(listener)

    async def commit(self, work: Work, *, patient: bool = False) -> Outcome:
        """Do the work at once."""
        known = self.contacts
        snapshot = Snapshot(
            self._clock(), known.profiles, known.conversations, known.identities, known.messages, known.records
        )
        thought = work.think(snapshot)
        if isinstance(thought, Refusal):
            return thought
        changes = self._reaction(snapshot, thought)
        self._keep(changes)
        for listener in self._listeners:
            listener([changes])
        return Done(changes)

    def _keep(self, changes: Changes) -> None:
        known = self.contacts
        known.profiles |= {profile.id: profile for profile in changes.profiles}
        known.conversations |= {thread.id: thread for thread in changes.conversations}
        known.identities |= {**changes.claims, **changes.moves}
        known.messages |= {message.id: message for message in changes.messages}
        for event in changes.events:
            known.events.setdefault(event.profile, []).append(event)
            known.events[event.profile].sort(key=lambda one: (one.happened_at, one.id))
        for collection, row in changes.records:
            self._insert(collection, row)
        for amend in changes.amends:
            self._amend(amend)
        for write in changes.writes:
            key = (write.collection, write.id)
            if write.document is None:
                known.records.pop(key, None)
            else:
                version = known.records.get(key, {}).get("version", 0) + 1
                known.records[key] = {**write.document, "_id": write.id, "version": version}

    def _insert(self, collection: str, row: Mapping[str, Any]) -> None:
        self.contacts.records[collection, row["_id"]] = dict(row)
        if collection == DECISIONS:
            self.contacts.decisions.append(row)

    def _amend(self, amend: Amend) -> None:
        if amend.first and (amend.collection, amend.message) not in self.contacts.records:
            self._insert(amend.collection, {"_id": amend.message, **amend.first})


class MemoryReader:
    """Reads contacts as rules/reading.py does, from `contacts`."""

    def __init__(self, contacts: Contacts, *, zone: tzinfo) -> None:
        self._contacts, self._zone = contacts, zone

    async def persons(self, ids: Iterable[str], reads: Reads, now: datetime) -> dict[str, Person]:
        """Return these contacts."""
        known = self._contacts
        return {id: self._person(known.profiles[id], now) for id in dict.fromkeys(ids) if id in known.profiles}

    def _person(self, profile: Profile, now: datetime) -> Person:
        known = self._contacts
        threads = [thread for thread in known.conversations.values() if thread.profile == profile.id]
        threads.sort(key=lambda thread: thread.last_at or thread.opened_at, reverse=True)
        history: dict[str, tuple[Event, ...]] = {}
        for event in known.events.get(profile.id, ()):
            if event.happened_at <= now:
                history[event.name] = (*history.get(event.name, ()), event)
        ledger = known.ledgers[profile.id]
        facts = Facts(
            now=now,
            profile=profile,
            zone=zone_of(profile, self._zone),
            ledger=ledger,
            conversation=threads[0] if threads else None,
            history=history,
            sent=sent_of(ledger),
        )
        return Person(facts, tuple(threads), tuple(run for run in known.runs() if run.profile == profile.id))


class MemoryLedgers:
    """Grants slots as profiles/ledgers.py does, in `contacts`."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts

    async def reserve_each(self, wanted: Sequence[Wanted], *, now: datetime) -> list[Answer]:
        """Take slots for many, the higher priority first, then what was due first."""
        order = sorted(range(len(wanted)), key=lambda place: (-wanted[place].slot.priority, wanted[place].due_at))
        answers = {place: self._take(wanted[place], now) for place in order}
        return [answers[place] for place in range(len(wanted))]

    async def reserve_all(
        self, profiles: Sequence[str], slot: Slot, caps: Sequence[Cap], *, zones: Mapping[str, tzinfo], now: datetime
    ) -> dict[str, Answer]:
        """Take the same slot for many."""
        return {id: self._take(Wanted(id, slot, tuple(caps), zones[id], now), now) for id in profiles}

    async def release(self, profile: str, rid: str) -> None:
        """Give a slot back."""
        ledger = self._contacts.ledgers[profile]
        left = tuple(entry for entry in ledger.entries if entry.rid != rid)
        self._contacts.ledgers[profile] = replace(ledger, entries=left)

    def _take(self, wanted: Wanted, now: datetime) -> Answer:
        ledger, slot = self._contacts.ledgers[wanted.profile], wanted.slot
        answer = why(ledger, slot, wanted.caps, zone=wanted.zone, now=now)
        if not isinstance(answer, Denied) or answer.code != "contended":
            return answer
        entry = Entry(now, slot.rid, slot.channel, slot.topic, slot.rule, slot.labels, slot.priority)
        self._contacts.ledgers[wanted.profile] = replace(ledger, entries=(entry, *ledger.entries))
        return Granted(now)
