"""`causerie serve --demo`: a shop with a month behind it. A rule book of one's own, all of it live, and 200 invented contacts.

What the rules did in that month is not made up: it is the simulation's own decisions, runs and messages over the invented events,
kept. Done once for a database; a book that is there already is left as it is. The rows of demo contacts begin with `demo-`.
"""

import random
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from causerie.demo_people import DAYS, SEED, Person, invented
from causerie.demo_talks import talks
from channels import house
from profiles.conversation import Conversation
from profiles.indexes import INDEXES
from profiles.ledger import EMPTY, Entry, Ledger
from profiles.record import Document, to_document
from profiles.seals import sealable
from profiles.store import Store
from profiles.timeline import Event, Message
from rules.book import Surroundings
from rules.book_folder import read_folder
from rules.book_reading import read_book
from rules.choice import most_reactive
from rules.letters import Letters
from rules.memory import Contacts
from rules.options import RulesOptions, folder_of
from rules.policy import Reach, Reaches
from rules.rehearsal import Stage
from rules.simulation import Simulation

MARK = "demo"
READ = 0.6
"""Share of the month's messages that were read."""


def lay_out_book(folder: Path) -> Path:
    """Copy the shipped book to a folder of one's own, its rules live; what is there already stays."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder_of(RulesOptions()), folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file in folder.glob("*.yml"):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("\nstate: draft", "\nstate: live", 1), encoding="utf-8")
    return folder


async def populate(store: Store, options: RulesOptions, *, language: str, now: datetime) -> int:
    """Put the demo's contacts and their month into the database, once; return how many contacts were new."""
    await store.prepare(INDEXES)
    if await store.get("settings", MARK):
        return 0
    now = now.replace(second=0, microsecond=0)
    around = Surroundings(house.words(), zone=ZoneInfo(options.zone), language=language)
    book = read_book(read_folder(folder_of(options)), around)
    reaches = Reaches([Reach("webchat", "webchat")])
    stage = Stage(book, reaches, Letters(book.templates, language=language), most_reactive)
    people = invented(tuple(book.policy.topics.values()), now)
    unread = await _lived(stage, people, (), now)
    # once more with what was read, for that decides what comes next; then the events of the database tell the whole month
    contacts = await _lived(stage, people, [_read_event(one) for one in _arrived(unread, now) if _is_read(one)], now)
    for collection, rows in _rows(people, contacts, now).items():
        await store.insert_missing(collection, rows)
    await store.insert_missing("settings", [{"_id": MARK, "at": now}])
    return len(people)


async def _lived(stage: Stage, people: Sequence[Person], reads: Sequence[Event], now: datetime) -> Contacts:
    """Let the month pass for these people, with talks and rules."""
    since = now - timedelta(days=DAYS)
    contacts = Contacts()
    spoken = talks([person.profile for person in people], now)
    coming = [*reads, *spoken.events]
    for person in people:
        before = [event for event in person.events if event.happened_at < since]
        coming += [event for event in person.events if event.happened_at >= since]
        contacts.add(person.profile, ledger=person.ledger, events=before)
    for thread in spoken.conversations:
        contacts.put_thread(thread)
    contacts.messages |= {message.id: message for message in spoken.messages}
    simulation = Simulation(
        contacts, stage.editions(), policy=stage.book.policy, reaches=stage.reaches, renders=stage.renders,
        prefers=stage.prefers, start=since,
    )  # fmt: skip
    simulation.expect(coming)
    await simulation.run(now)
    return contacts


def _rows(people: Sequence[Person], contacts: Contacts, now: datetime) -> Mapping[str, list[Document]]:
    """Return the documents of each collection, as the one writer would have left them."""
    threads, messages = _in_order(contacts, _arrived(contacts, now))
    return {
        "profiles": [to_document(profile) for profile in contacts.profiles.values()],
        "identities": [{"_id": key, "profile": profile} for key, profile in contacts.identities.items()],
        "ledgers": [_ledger(contacts.ledgers[person.profile.id]) for person in people],
        "consents": [sealable(to_document(proof)) for person in people for proof in person.proofs],
        "events": [to_document(event) for events in contacts.events.values() for event in events],
        "conversations": [to_document(thread) for thread in threads],
        "messages": [to_document(message) for message in messages],
        "decisions": [dict(row) for row in contacts.decisions],
        "runs": [to_document(run) for run in contacts.runs()],
    }


def _in_order(contacts: Contacts, messages: Sequence[Message]) -> tuple[list[Conversation], list[Message]]:
    """Return the conversations with their messages numbered by time: talks and rules came to us apart."""
    threads: list[Conversation] = []
    numbered: list[Message] = []
    for thread in contacts.conversations.values():
        mine = sorted((one for one in messages if one.conversation == thread.id), key=lambda one: one.at)
        numbered += [replace(message, seq=number) for number, message in enumerate(mine, 1)]
        last = mine[-1]
        threads.append(
            replace(
                thread,
                seq=len(mine),
                opened_at=min(thread.opened_at, mine[0].at),
                last_at=last.at,
                active_at=last.at,
                last_text=last.content.summary(),
                last_author=last.author,
            )  # fmt: skip
        )
    return threads, numbered


def _arrived(contacts: Contacts, now: datetime) -> list[Message]:
    return [_delivered(message, now) for message in contacts.messages.values()]


def _is_read(message: Message) -> bool:
    return message.delivery is not None and "read" in message.delivery.times


def _delivered(message: Message, now: datetime) -> Message:
    """Return a message of the month as one that arrived, and mostly was read."""
    if message.delivery is None or not message.author.startswith("rule:"):
        return message
    dice = random.Random(f"{SEED}{message.id}")
    times = {"sent": message.at, "delivered": message.at + timedelta(seconds=1)}
    read_at = message.at + timedelta(minutes=dice.randrange(1, 200))
    is_read = dice.random() < READ and read_at < now
    state: Any = "read" if is_read else "delivered"
    delivery = replace(message.delivery, state=state, times={**times, **({"read": read_at} if is_read else {})})
    return replace(message, delivery=delivery)


def _read_event(message: Message) -> Event:
    assert message.delivery
    at = message.delivery.times["read"]
    return Event(
        f"{message.id}:read", message.profile, "message.read", at, properties={"message": message.id}, source="demo"
    )


def _ledger(ledger: Ledger) -> Document:
    """Return the document of a ledger, as profiles/ledger.py reads it."""
    return {
        **EMPTY,
        "_id": ledger.profile,
        "on": dict(ledger.on),
        "at": dict(ledger.at),
        "h": list(_entries(ledger.entries)),
    }


def _entries(entries: Iterable[Entry]) -> Iterator[Document]:
    for one in entries:
        yield {
            "t": one.at,
            "r": one.rid,
            "c": one.channel,
            "k": one.topic,
            "u": one.rule,
            "g": list(one.labels),
            "y": one.priority,
        }
