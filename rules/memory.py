"""Contacts in memory, in the place of the database: for simulations and previews, which run the engine's own thinking.

Everything decides as it does live; only the ledger's conditional update is replaced by the same conditions asked in memory
(profiles/caps.py holds both forms of each side by side). Everything is found by its contact, and what is due by a heap: a month of
a few thousand contacts takes seconds.
"""

import heapq
from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any

from profiles.caps import Cap, Slot
from profiles.conversation import Conversation
from profiles.expression import Expression, Facts
from profiles.ledger import Entry, Ledger, own_rid
from profiles.ledger_answer import Answer, Denied, Granted, Wanted, in_turn, why
from profiles.profile import Profile
from profiles.record import Document, from_document, to_document
from profiles.snapshot import Amend, Changes, Done, Outcome, Refusal, Snapshot, Work
from profiles.timeline import Event, Message
from rules.applying import DECISIONS, RUNS
from rules.membership import MEMBERSHIPS, row_id
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
    _runs: dict[str, dict[str, Run]] = field(default_factory=dict)
    _segments: dict[str, set[str]] = field(default_factory=dict)
    _threads: dict[str, dict[str, Conversation]] = field(default_factory=dict)
    _due: list[tuple[datetime, str, str]] = field(default_factory=list)
    """(when, profile, run): those that moved meanwhile are passed over when they come up."""

    def add(
        self,
        profile: Profile,
        *,
        ledger: Ledger | None = None,
        conversations: Iterable[Conversation] = (),
        events: Iterable[Event] = (),
        runs: Iterable[Run] = (),
    ) -> None:
        """Add a contact with their past."""
        self.profiles[profile.id] = profile
        self.identities |= {identity.key: profile.id for identity in profile.identities if identity.is_claimed}
        self.ledgers[profile.id] = ledger or Ledger(profile.id)
        self.events[profile.id] = sorted(events, key=_in_time)
        for thread in conversations:
            self.put_thread(thread)
        for run in runs:
            self.put_run(run)

    def put_thread(self, thread: Conversation) -> None:
        """Keep a conversation."""
        self.conversations[thread.id] = thread
        self._threads.setdefault(thread.profile, {})[thread.id] = thread

    def put_run(self, run: Run) -> None:
        """Keep a run."""
        document = to_document(run)
        del document["_id"]
        self.records[RUNS, run.id] = document
        self._runs.setdefault(run.profile, {})[run.id] = run
        if run.is_alive and run.due_at:
            heapq.heappush(self._due, (run.due_at, run.profile, run.id))

    def put_record(self, collection: str, id: str, document: Document | Mapping[str, Any] | None) -> None:
        """Keep a record, one version on; None takes it away."""
        before = self.records.pop((collection, id), {})
        row = {**(document or {}), "_id": id, "version": before.get("version", 0) + 1}
        if collection == MEMBERSHIPS:
            segments = self._segments.setdefault((document or before)["profile"], set())
            (segments.add if document else segments.discard)((document or before)["segment"])
        if collection == RUNS and document is not None:
            self.put_run(from_document(Run, row))
        elif document is not None:
            self.records[collection, id] = row

    def put_event(self, event: Event) -> None:
        """Keep an event in its place."""
        insort(self.events.setdefault(event.profile, []), event, key=_in_time)

    def runs(self) -> list[Run]:
        """Return every run."""
        return [run for runs in self._runs.values() for run in runs.values()]

    def let_again(self, rule: str) -> None:
        """Let the keys of this rule's ended runs begin it once more. The runs stay, for the limits that count them."""
        for run in [run for run in self.runs() if run.rule == rule and not run.is_alive]:
            del self._runs[run.profile][run.id], self.records[RUNS, run.id]
            self.put_run(replace(run, id=f"{run.id} before"))

    def runs_of(self, profile: str) -> tuple[Run, ...]:
        """Return the runs of one contact."""
        return tuple(self._runs.get(profile, {}).values())

    def segments_of(self, profile: str) -> frozenset[str]:
        """Return the watched segments that one contact is known to be in."""
        return frozenset(self._segments.get(profile, ()))

    def threads_of(self, profile: str) -> list[Conversation]:
        """Return the conversations of one contact, the one that moved last first."""
        threads = self._threads.get(profile, {}).values()
        return sorted(threads, key=lambda thread: thread.last_at or thread.opened_at, reverse=True)

    def next_due(self) -> datetime | None:
        """Return when the next run comes due."""
        while self._due and not self._is_due(*self._due[0]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def take_due(self, now: datetime) -> list[Run]:
        """Return the runs that are due, each once until it moves."""
        found: dict[str, Run] = {}
        while self._due and self._due[0][0] <= now:
            at, profile, id = heapq.heappop(self._due)
            if self._is_due(at, profile, id):
                found[id] = self._runs[profile][id]
        return list(found.values())

    def _is_due(self, at: datetime, profile: str, id: str) -> bool:
        run = self._runs[profile][id]
        return run.is_alive and run.due_at == at


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
        asked = {key: known.records[key] for key in work.records if key in known.records}
        snapshot = Snapshot(self._clock(), known.profiles, known.conversations, known.identities, known.messages, asked)
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
        for thread in changes.conversations:
            known.put_thread(thread)
        known.identities |= {**changes.claims, **changes.moves}
        known.messages |= {message.id: message for message in changes.messages}
        for event in changes.events:
            known.put_event(event)
        for collection, row in changes.records:
            self._insert(collection, row)
        for amend in changes.amends:
            self._amend(amend)
        for write in changes.writes:
            known.put_record(write.collection, write.id, write.document)

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

    def baseline(self, segments: Mapping[str, Expression], now: datetime) -> None:
        """Let whoever is in a segment now be a member of old."""
        for profile in self._contacts.profiles.values():
            facts = self.person(profile, now).facts
            for name, condition in segments.items():
                if condition.test(facts):
                    row = {"segment": name, "profile": profile.id, "version": 1}
                    self._contacts.put_record(MEMBERSHIPS, row_id(name, profile.id), row)

    async def persons(self, ids: Iterable[str], reads: Reads, now: datetime) -> dict[str, Person]:
        """Return these contacts."""
        known = self._contacts
        return {id: self.person(known.profiles[id], now) for id in dict.fromkeys(ids) if id in known.profiles}

    async def begun(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return none: whatever was begun is among a person's runs."""
        return {}

    def person(self, profile: Profile, now: datetime) -> Person:
        """Return one contact with all that is known of them."""
        known = self._contacts
        threads = known.threads_of(profile.id)
        past: defaultdict[str, list[Event]] = defaultdict(list)
        for event in known.events.get(profile.id, ()):
            if event.happened_at <= now:
                past[event.name].append(event)
        history = {name: tuple(events) for name, events in past.items()}
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
        return Person(facts, tuple(threads), known.segments_of(profile.id), known.runs_of(profile.id))


class MemoryLedgers:
    """Grants slots as profiles/ledgers.py does, in `contacts`."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts

    async def reserve_each(self, wanted: Sequence[Wanted], *, now: datetime) -> list[Answer]:
        """Take slots for many, in turn."""
        answers = {place: self._take(wanted[place], now) for place in in_turn(wanted)}
        return [answers[place] for place in range(len(wanted))]

    async def reserve_all(
        self,
        profiles: Sequence[str],
        slot: Slot,
        caps: Sequence[Cap],
        *,
        zones: Mapping[str, tzinfo],
        now: datetime,
        by_name: bool = False,
    ) -> dict[str, Answer]:
        """Take the same slot for many."""
        slots = {id: replace(slot, rid=own_rid(slot.rid, id)) if by_name else slot for id in profiles}
        return {id: self._take(Wanted(id, slots[id], tuple(caps), zones[id], now), now) for id in profiles}

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


def _in_time(event: Event) -> tuple[datetime, str]:
    return event.happened_at, event.id
