"""Snapshot in, changes out: the shape of everything that thinks.

A `Work` names what it must read and carries a pure function from the `Snapshot` to `Changes`. The writer may call that
function more than once (somebody else changed a record meanwhile), so it must have no effect of its own.
"""

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from profiles.conversation import Conversation
from profiles.profile import Profile
from profiles.record import replace
from profiles.swift import swift
from profiles.timeline import Event, Message


@swift
@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the records say at `now`, including what earlier works of the same group changed."""

    now: datetime
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    conversations: Mapping[str, Conversation] = field(default_factory=dict)
    identities: Mapping[str, str] = field(default_factory=dict)
    """identity key -> id of the profile that has it."""
    messages: Mapping[str, Message] = field(default_factory=dict)
    records: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    """(collection, id) -> the document, of records that belong to those above (a rule's run)."""
    erased: Set[str] = frozenset()
    """Of the identity keys that nobody has, those whose holder was erased: nobody writes there unasked again."""

    def holder(self, key: str) -> Profile | None:
        """Return the profile that has this identity, or None if nobody has."""
        return self.profile(self.identities.get(key))

    def profile(self, id: str | None) -> Profile | None:
        """Return the profile, or the one it was merged into; None when there is none."""
        known = self.profiles.get(id) if id else None
        while known and known.merged_into and known.merged_into in self.profiles:
            known = self.profiles[known.merged_into]
        return known

    def after(self, changes: "Changes") -> "Snapshot":
        """Return what the next step of the same thinking sees, once these changes are made. The snapshot itself stays."""
        held = {**changes.claims, **changes.moves, **dict.fromkeys(changes.releases, "")}
        return replace(
            self,
            profiles=ChainMap({profile.id: profile for profile in changes.profiles}, _mutable(self.profiles)),
            conversations=ChainMap(
                {thread.id: thread for thread in changes.conversations}, _mutable(self.conversations)
            ),
            identities=ChainMap(held, _mutable(self.identities)),
            messages=ChainMap({message.id: message for message in changes.messages}, _mutable(self.messages)),
            records=after(self.records, changes.writes),
        )


@swift
@dataclass(frozen=True, slots=True)
class Amend:
    """A change to a message that exists: an edit, a receipt. Keys are document paths such as `delivery.state`.

    It also changes the simpler records that have no version: `message` is then the id in that `collection`.
    """

    message: str
    put: Mapping[str, Any] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    collection: str = "messages"
    first: Mapping[str, Any] = field(default_factory=dict)
    """What to put only if the document is not there yet; given, the document is then made."""
    stamp: tuple[str, ...] = ()
    """Paths to set to the database's own instant: what many processes, whose clocks differ, put in order."""


@swift
@dataclass(frozen=True, slots=True)
class Write:
    """A whole document to put in place of the one that the work has read, which must not have changed since.

    One that was not there, or that the work did not ask for, must be new. None removes it, changed or not.
    """

    collection: str
    id: str
    document: Mapping[str, Any] | None


@swift
@dataclass(frozen=True, slots=True)
class Changes:
    """All that one piece of thinking came to; it is written whole or not at all."""

    profiles: tuple[Profile, ...] = ()
    conversations: tuple[Conversation, ...] = ()
    claims: Mapping[str, str] = field(default_factory=dict)
    """identity key -> profile id; the key must be free."""
    moves: Mapping[str, str] = field(default_factory=dict)
    """identity key -> profile id; the key is known and changes hands (merge, undo)."""
    releases: tuple[str, ...] = ()
    """Identity keys that become free."""
    messages: tuple[Message, ...] = ()
    events: tuple[Event, ...] = ()
    amends: tuple[Amend, ...] = ()
    records: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """(collection, document) to insert as they are: audit rows, merge records, idempotency keys."""
    writes: tuple[Write, ...] = ()
    """Records with a `version` that are none of the nouns above; the last write of a record holds."""
    answer: Any = None
    """Handed back to whoever offered the work."""

    def __bool__(self) -> bool:
        return bool(
            self.profiles or self.conversations or self.claims or self.moves or self.releases
            or self.messages or self.events or self.amends or self.records or self.writes
        )  # fmt: skip

    @classmethod
    def of_all(cls, several: "Sequence[Changes]") -> "Changes":
        """Return the changes of many who share no record, in one."""
        return cls(
            profiles=tuple(record for one in several for record in one.profiles),
            conversations=tuple(record for one in several for record in one.conversations),
            claims={key: profile for one in several for key, profile in one.claims.items()},
            moves={key: profile for one in several for key, profile in one.moves.items()},
            releases=tuple(key for one in several for key in one.releases),
            messages=tuple(message for one in several for message in one.messages),
            events=tuple(event for one in several for event in one.events),
            amends=tuple(amend for one in several for amend in one.amends),
            records=tuple(record for one in several for record in one.records),
            writes=tuple(write for one in several for write in one.writes),
        )

    def then(self, later: "Changes") -> "Changes":
        """Return these changes followed by later ones of the same thinking; the later word on a record holds."""
        if not later and later.answer is None:
            return self  # most of what is asked for adds nothing, and a contact of a campaign asks five times
        if not self and self.answer is None and not later.releases:
            return later
        if not (self.claims or self.moves or later.claims or later.moves or later.releases):
            return Changes(
                profiles=_last_of(self.profiles, later.profiles),
                conversations=_last_of(self.conversations, later.conversations),
                releases=self.releases,
                messages=self.messages + later.messages,
                events=self.events + later.events,
                amends=self.amends + later.amends,
                records=self.records + later.records,
                writes=self.writes + later.writes,
                answer=self.answer if later.answer is None else later.answer,
            )
        claims, moves = {**self.claims, **later.claims}, {**self.moves, **later.moves}
        freed = [key for key in later.releases if claims.pop(key, None) is None]
        return Changes(
            profiles=_last_of(self.profiles, later.profiles),
            conversations=_last_of(self.conversations, later.conversations),
            claims=claims,
            moves={key: profile for key, profile in moves.items() if key not in freed},
            releases=(*self.releases, *freed),
            messages=(*self.messages, *later.messages),
            events=(*self.events, *later.events),
            amends=(*self.amends, *later.amends),
            records=(*self.records, *later.records),
            writes=(*self.writes, *later.writes),
            answer=self.answer if later.answer is None else later.answer,
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was done: a constant word for code, counted and logged; the edge turns it into a person's sentence."""

    reason: str
    detail: str = ""


Think: TypeAlias = Callable[[Snapshot], "Changes | Refusal"]


@swift
@dataclass(frozen=True, slots=True)
class Work:
    """One piece of thinking and what it must be shown."""

    think: Think
    identities: tuple[str, ...] = ()
    conversations: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    seen: tuple[Profile, ...] = ()
    """Of those, the ones just read: taken where the writer remembers none. One that is written and was stale fails the commit."""
    messages: tuple[str, ...] = ()
    records: tuple[tuple[str, str], ...] = ()
    """(collection, id): read afresh each time, never from memory."""
    fresh: frozenset[tuple[str, str]] = frozenset()
    """Of those, the ones that should not be there yet: not read at first. When one is, its insert meets it, and they are read."""
    key: str | None = None
    """The id of the message, event or record whose existence proves that this work was done before."""
    key_in: str = "messages"
    """The collection the key lives in."""


@swift
@dataclass(frozen=True, slots=True)
class Done:
    """The work is on disk."""

    changes: Changes


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The work had been done before; nothing changed."""

    key: str


Outcome: TypeAlias = Done | Duplicate | Refusal


def after(
    records: Mapping[tuple[str, str], Mapping[str, Any]], writes: tuple[Write, ...]
) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """Return the records as they are once these are written."""
    if not writes:
        return records
    left = dict(records)
    for write in writes:
        if write.document is None:
            left.pop((write.collection, write.id), None)
        else:
            left[write.collection, write.id] = write.document
    return left


def _last_of(earlier: tuple[Any, ...], later: tuple[Any, ...]) -> tuple[Any, ...]:
    if not (earlier and later):
        return earlier or later
    return tuple({record.id: record for record in (*earlier, *later)}.values())


def _mutable(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return mapping  # type: ignore[return-value]  # a ChainMap writes to its first map alone; ours is new
