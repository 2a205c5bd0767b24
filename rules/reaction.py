"""What happens is noted for the rules in the commit that makes it happen, so that no acknowledged event is lost to them.

A nudge is a row that says: this event may concern a rule. The commit that keeps the event keeps its nudge; the worker takes it
from memory right after, or finds it after a crash.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from profiles.expression import Expression
from profiles.ids import new_id
from profiles.profile import Profile
from profiles.record import Document, replace
from profiles.snapshot import Changes, Snapshot
from profiles.timeline import Event
from rules.rule import Rule
from rules.triggers import CHANGED, CONVERSATION, listens_to, watches

NUDGES = "nudges"
LEASE_FOR = timedelta(seconds=30)
_OPENED = CONVERSATION["opened"][0]


@dataclass(frozen=True, slots=True)
class Watch:
    """The names that some rule listens to; everything else costs a look in a set."""

    events: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rules: Iterable[Rule], segments: Iterable[Expression] = ()) -> "Watch":
        """Return what these rules, and the segments they watch, must be told of; also paused ones, for they go on later."""
        rules, segments = tuple(rules), tuple(segments)
        events = {name for rule in rules for name in listens_to(rule)}
        attributes = {name for rule in rules for name in watches(rule)}
        for condition in segments:
            events |= condition.needs.events.keys()
            attributes |= condition.needs.attributes
        return cls(frozenset(events | ({CHANGED} if segments else set())), frozenset(attributes))


class Reaction:
    """Called by the writer on what each work came to, before it is kept. Pure but for the rules it is told to watch for."""

    def __init__(self, process: str) -> None:
        self.watch = Watch()
        self._process = process

    def __call__(self, snapshot: Snapshot, changes: Changes) -> Changes:
        """Return the changes with what the rules must be told of noted in them."""
        watch = self.watch
        made: list[Event] = []
        if watch.attributes and changes.profiles:
            made += _changed(snapshot, changes, watch.attributes)
        if _OPENED in watch.events:
            made += _opened(snapshot, changes)
        told = [event for event in (*changes.events, *made) if event.name in watch.events]
        if not told and not made:
            return changes
        nudges = tuple((NUDGES, nudge(event, self._process, snapshot.now)) for event in told)
        return replace(changes, events=(*changes.events, *made), records=(*changes.records, *nudges))


def nudge(event: Event, process: str, now: datetime) -> Document:
    """Return the row that tells the rules of this event, born leased to this process."""
    return {"_id": event.id, "profile": event.profile, "leased_by": process, "lease_until": now + LEASE_FOR}


def _changed(snapshot: Snapshot, changes: Changes, watched: frozenset[str]) -> Iterator[Event]:
    for profile in changes.profiles:
        known = snapshot.profiles.get(profile.id)
        before = known.attributes if known else {}
        if before is profile.attributes:
            continue
        for name in watched:
            old, new = before.get(name), profile.attributes.get(name)
            if (old.value if old else None) != (new.value if new else None):
                yield _change(profile, name, old.value if old else None, snapshot.now)


def _change(profile: Profile, name: str, before: object, now: datetime) -> Event:
    known = profile.attributes.get(name)
    properties = {"attribute": name, "before": before, "after": known.value if known else None}
    return Event(new_id(now), profile.id, CHANGED, now, by=known.by if known else "system", properties=properties)


def _opened(snapshot: Snapshot, changes: Changes) -> Iterator[Event]:
    for thread in changes.conversations:
        if thread.id not in snapshot.conversations:
            yield Event(new_id(snapshot.now), thread.profile, _OPENED, snapshot.now, conversation=thread.id)
