"""Reading many contacts at once, with all that their rules may ask: five commands for a batch, however large."""

import asyncio
import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TypeVar
from zoneinfo import ZoneInfo

from profiles.conversation import Conversation
from profiles.duration import Duration
from profiles.expression import Expression, Facts, Sent
from profiles.ledger import Ledger
from profiles.ledgers import Ledgers
from profiles.profile import Profile
from profiles.record import Document, from_document
from profiles.store import Filter, Store
from profiles.timeline import Event
from rules.membership import MEMBERSHIPS, row_id
from rules.person import Person
from rules.rule import Rule, tests_of
from rules.rule_step import Emit, If, SetValue, Switch, WaitUntil, walk
from rules.rule_trigger import EventMatch
from rules.run import Run
from rules.signals import REACTIONS

Item = TypeVar("Item")
ZONE = "zone"
"""The attribute that holds a contact's IANA time zone."""
EVENTS_AT_MOST = 5_000  # of one batch; who has more history than this is thought upon its newest part


@dataclass(frozen=True, slots=True)
class Reads:
    """What must be read of a contact's past so that these rules can be thought."""

    events: Mapping[str, Duration | None] = field(default_factory=dict)
    """event name -> how far back; None: however long ago."""
    followed: frozenset[str] = frozenset()
    """Events that matter from the beginning of a run on."""
    entries: Mapping[str, Duration | None] = field(default_factory=dict)
    """rule -> how far back its runs count for entry or grace."""
    segments: frozenset[str] = frozenset()
    """Segments whose members are known by name."""

    @classmethod
    def of(cls, rules: Iterable[Rule], segments: Mapping[str, Expression] | None = None) -> "Reads":
        """Return what these rules, and the segments they watch, need together."""
        events: dict[str, Duration | None] = {}
        followed: set[str] = set()
        entries: dict[str, Duration | None] = {}
        for condition in (segments or {}).values():
            for name, within in condition.needs.events.items():
                events[name] = _longer(events, name, within)
        for rule in rules:
            for expression in expressions(rule):
                for name, within in expression.needs.events.items():
                    events[name] = _longer(events, name, within)
            followed |= {match.name for match in _matches(rule)} | set(REACTIONS)
            entry = rule.entry
            if entry.at_most is not None:
                entries[rule.id] = entry.per
            if entry.grace:
                entries[rule.id] = _longer(entries, rule.id, entry.grace)
            if tests_of(rule):
                entries[rule.id] = None  # who had a variant keeps it
        return cls(events, frozenset(followed), entries, frozenset(segments or ()))


class Reader:
    """Reads contacts for the rules. `zone` is whose hours count when a contact's own are not known."""

    def __init__(self, store: Store, ledgers: Ledgers, *, zone: tzinfo) -> None:
        self._store, self._ledgers, self._zone = store, ledgers, zone

    async def persons(self, ids: Iterable[str], reads: Reads, now: datetime) -> dict[str, Person]:
        """Return the contacts with these profile ids that exist; one that was merged away is who it was merged into."""
        profiles = await self._profiles(list(dict.fromkeys(ids)))
        everyone = [id for profile in profiles for id in (profile.id, *profile.absorbed)]
        runs, members, threads, ledgers = await asyncio.gather(
            self._runs(everyone, reads, now),
            self._members([profile.id for profile in profiles], reads.segments),
            self._store.find("conversations", {"profile": {"$in": everyone}}),
            self._ledgers.read([profile.id for profile in profiles]),
        )
        history = _by_profile(await self._history(everyone, reads, runs, now), lambda event: event.profile)
        runs_of = _by_profile(runs, lambda run: run.profile)
        threads_of = _by_profile(threads, lambda thread: str(thread["profile"]))
        segments_of = _by_profile(members, lambda row: str(row["profile"]))
        found = {}
        for profile in profiles:
            ours = (profile.id, *profile.absorbed)
            mine = [from_document(Conversation, one) for id in ours for one in threads_of.get(id, ())]
            mine.sort(key=lambda thread: thread.last_at or thread.opened_at, reverse=True)
            found[profile.id] = Person(
                Facts(
                    now=now,
                    profile=profile,
                    zone=zone_of(profile, self._zone),
                    ledger=ledgers[profile.id],
                    conversation=mine[0] if mine else None,
                    history=_by_name(_in_time(tuple(history.get(id, ()) for id in ours))),
                    sent=sent_of(ledgers[profile.id]),
                ),
                tuple(mine),
                frozenset(row["segment"] for row in segments_of.get(profile.id, ())),
                tuple(run for id in ours for run in runs_of.get(id, ())),
            )
        return found

    async def begun(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return the runs of these that were ever begun: id -> the occurrence that began it."""
        rows = await self._store.get_many("runs", ids, only=["occurrence"])
        return {row["_id"]: row.get("occurrence", "") for row in rows}

    async def _profiles(self, ids: list[str]) -> list[Profile]:
        found: dict[str, Profile] = {}
        while ids:
            documents = await self._store.get_many("profiles", ids)
            profiles = [from_document(Profile, document) for document in documents]
            found |= {profile.id: profile for profile in profiles if not profile.merged_into}
            ids = [
                profile.merged_into for profile in profiles if profile.merged_into and profile.merged_into not in found
            ]
        return list(found.values())

    async def _runs(self, ids: list[str], reads: Reads, now: datetime) -> list[Run]:
        wanted: list[Filter] = [{"profile": {"$in": ids}, "watch_until": {"$gte": now}}]
        alike: defaultdict[Duration | None, list[str]] = defaultdict(list)
        for rule, within in reads.entries.items():
            alike[within].append(rule)
        for within, rules in alike.items():  # a branch for each rule made the database seek each contact fifty times
            since = {"started_at": {"$gt": within.before(now)}} if within else {}
            wanted.append({"profile": {"$in": ids}, "rule": {"$in": rules}, **since})
        documents = await self._store.find("runs", {"$or": wanted} if len(wanted) > 1 else wanted[0])
        return [from_document(Run, document) for document in documents]

    async def _members(self, ids: list[str], segments: frozenset[str]) -> list[Document]:
        if not segments:
            return []
        rows = [row_id(segment, id) for segment in segments for id in ids]
        return await self._store.get_many(MEMBERSHIPS, rows, only=["segment", "profile"])

    async def _history(self, ids: list[str], reads: Reads, runs: Sequence[Run], now: datetime) -> list[Event]:
        since = _since(reads, runs, now)
        if not since:
            return []
        wanted = {"$or": [{"name": name, "happened_at": {"$gte": begin}} for name, begin in since.items()]}
        documents: list[Document] = await self._store.find(
            "events", {"profile": {"$in": ids}, **wanted}, sort=[("happened_at", -1)], limit=EVENTS_AT_MOST
        )
        return [from_document(Event, document) for document in reversed(documents)]


def zone_of(profile: Profile, default: tzinfo) -> tzinfo:
    """Return the contact's own zone, or the default when none is known or its name is none."""
    name = profile.value(ZONE)
    if not isinstance(name, str) or not name:
        return default
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):  # LookupError: ZoneInfoNotFoundError is a KeyError
        return default


def sent_of(ledger: Ledger) -> tuple[Sent, ...]:
    """Return the proactive messages that a ledger remembers, oldest first."""
    return tuple(
        Sent(entry.at, entry.channel, entry.rule, entry.topic, entry.labels) for entry in reversed(ledger.entries)
    )


def expressions(rule: Rule) -> Iterable[Expression]:
    """Yield every expression of a rule."""
    trigger = rule.trigger
    yield from (it for it in (getattr(trigger, "where", None), getattr(trigger, "key", None), rule.audience) if it)
    yield from rule.holds
    yield from (way for way in rule.exits if isinstance(way, Expression))
    yield from (match.where for match in _matches(rule) if match.where)
    if rule.goal and rule.goal.value:
        yield rule.goal.value
    for step in walk(rule.steps):
        match step:
            case If(condition=condition):
                yield condition
            case Switch(cases=cases):
                yield from (condition for condition, _ in cases)
            case WaitUntil(signals=signals):
                yield from (signal for signal in signals if isinstance(signal, Expression))
            case SetValue(put=put, add=add):
                yield from (*put.values(), *add.values())
            case Emit(properties=properties):
                yield from properties.values()


def _matches(rule: Rule) -> Iterable[EventMatch]:
    own = getattr(rule.trigger, "match", None)
    yield from [own] if own else []
    yield from (way for way in rule.exits if isinstance(way, EventMatch))
    yield from [rule.goal.match] if rule.goal else []
    for step in walk(rule.steps):
        if isinstance(step, WaitUntil):
            yield from (signal for signal in step.signals if isinstance(signal, EventMatch))


def _since(reads: Reads, runs: Sequence[Run], now: datetime) -> dict[str, datetime]:
    since = {name: within.before(now) if within else _EVER for name, within in reads.events.items()}
    if runs:
        first = min(run.started_at for run in runs)
        since |= {name: min(first, since.get(name, first)) for name in reads.followed}
    return since


_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def _longer(known: Mapping[str, Duration | None], name: str, within: Duration | None) -> Duration | None:
    if name not in known:
        return within
    other = known[name]
    return max(other, within, key=lambda one: one.at_most) if other and within else None


def _by_profile(items: Iterable[Item], profile: Callable[[Item], str]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(profile(item), []).append(item)
    return found


def _in_time(several: Sequence[Sequence[Event]]) -> Iterable[Event]:
    """Return what happened to one contact under all their names, oldest first; each part is in order."""
    if len(several) == 1:
        return several[0]
    return heapq.merge(*several, key=lambda event: event.happened_at)


def _by_name(events: Iterable[Event]) -> Mapping[str, tuple[Event, ...]]:
    found: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        found[event.name].append(event)
    return {name: tuple(some) for name, some in found.items()}
