"""Contacts of the database brought into memory, as they were at an instant, and what happened to them since: for simulations.

What is put back: slots of the ledger, runs, events, and the attributes that rules watch (their changes are events). What is not,
for nobody kept it: consent, addresses, conversations and other attributes are as they are today.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from profiles.conversation import Conversation
from profiles.ledgers import Ledgers
from profiles.profile import Profile
from profiles.record import Document, from_document
from profiles.store import Store
from profiles.timeline import Event
from rules.memory import Contacts
from rules.reaction import Watch
from rules.reading import Reads
from rules.run import Run
from rules.simulation import with_value
from rules.thinking import Editions
from rules.triggers import CHANGED, ENTERED, LEFT

MOST_CONTACTS = 20_000
AT_ONCE = 500

Counting = Callable[[int], None]
"""Told how many contacts were read so far."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """Contacts as they were, and what is to happen to them."""

    contacts: Contacts
    events: tuple[Event, ...]
    """What happened since, oldest first, without what rules did themselves: they will do it again."""


async def recall(
    store: Store,
    editions: Editions,
    *,
    since: datetime,
    until: datetime,
    only: Sequence[str] = (),
    most: int = MOST_CONTACTS,
    counting: Counting = lambda count: None,
) -> Recalled:
    """Return the contacts (`only` these, else the first `most` by id) as they were at `since`. Raises Unavailable.

    With `since` now, runs that are under way go on; in the past they are left out: where they stood then is not known.
    """
    contacts = Contacts()
    coming: list[Event] = []
    chosen: list[Document] = [{"$match": {"_id": {"$in": list(only)}, "merged_into": None}}]
    everybody: list[Document] = [{"$match": {"merged_into": None}}, {"$sort": {"_id": 1}}, {"$limit": most}]
    async for documents in store.stream("profiles", chosen if only else everybody, at_once=AT_ONCE):
        profiles = [from_document(Profile, document) for document in documents]
        coming += await _recall(store, editions, profiles, contacts, since, until)
        counting(len(contacts.profiles))
    return Recalled(contacts, tuple(sorted(coming, key=lambda event: (event.happened_at, event.id))))


async def _recall(
    store: Store,
    editions: Editions,
    profiles: Sequence[Profile],
    contacts: Contacts,
    since: datetime,
    until: datetime,
) -> list[Event]:
    owners = {id: profile.id for profile in profiles for id in (profile.id, *profile.absorbed)}
    whose = {"profile": {"$in": list(owners)}}
    ledgers = await Ledgers(store).read([profile.id for profile in profiles])
    threads = _by_owner(owners, [from_document(Conversation, one) for one in await store.find("conversations", whose)])
    before = {**whose, "started_at": {"$lt": since}, **({"ended_at": {"$lt": since}} if since < until else {})}
    runs = _by_owner(owners, [from_document(Run, one) for one in await store.find("runs", before)])
    names = {"name": {"$in": sorted(_names(editions))}, "happened_at": {"$lte": until}}
    events = _by_owner(owners, [from_document(Event, one) for one in await store.find("events", {**whose, **names})])
    coming: list[Event] = []
    for profile in profiles:
        ledger = ledgers[profile.id]
        old = tuple(entry for entry in ledger.entries if entry.at < since)
        later = [event for event in events[profile.id] if event.happened_at >= since]
        contacts.add(
            _as_it_was(profile, later),
            ledger=replace(ledger, entries=old, permits=()),
            conversations=threads[profile.id],
            events=(event for event in events[profile.id] if event.happened_at < since),
            runs=runs[profile.id],
        )
        coming += [event for event in later if _comes_again(event)]
    return coming


def _names(editions: Editions) -> frozenset[str]:
    """Return the events that these rules look at."""
    rules = [edition.rule for edition in editions.every]
    reads = Reads.of(rules, editions.segments)
    return Watch.of(rules, editions.segments.values()).events | reads.events.keys() | reads.followed | {"order.paid"}


def _as_it_was(profile: Profile, later: Iterable[Event]) -> Profile:
    """Return the profile with the watched attributes put back, from the last change to the first."""
    for event in sorted(later, key=lambda event: (event.happened_at, event.id), reverse=True):
        if event.name == CHANGED:
            name, before = str(event.properties.get("attribute", "")), event.properties.get("before")
            profile = with_value(profile, name, before, event.happened_at)
    return profile


def _comes_again(event: Event) -> bool:
    """Return whether an event is to be played: what rules did, and who entered a segment, comes of itself."""
    return not event.by.startswith("rule:") and event.name not in (ENTERED, LEFT)


def _by_owner(owners: dict[str, str], found: Iterable[Any]) -> defaultdict[str, list[Any]]:
    """Return records by the profile that has them now, also those of profiles that were merged into it."""
    by: defaultdict[str, list[Any]] = defaultdict(list)
    for one in found:
        owner = owners[one.profile]
        by[owner].append(one if one.profile == owner else replace(one, profile=owner))
    return by
