"""Whose identity is this? Find or make the profile, add identities, recognise a visitor who proves who they are.

An address leads to one profile at most: its key is claimed in the commit that stores it, so of two that race one thinks
again. Two profiles become one only on proof; what is merely said never moves anything, it is listed for a person.
docs/profiles.md tells it whole.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from profiles.attributes import edit
from profiles.identity import USER, mention, normalise
from profiles.identity import key as key_of
from profiles.ids import new_id
from profiles.merging import merge, settle, undo
from profiles.profile import Identity, Profile, Suppression
from profiles.snapshot import Amend, Changes, Refusal, Snapshot
from profiles.timeline import Event

__all__ = ["Claimed", "doubts", "edit", "identified", "keys_for", "keys_of", "link", "merge", "resolve", "settle", "undo",
           "unlink"]  # fmt: skip

MOST_IDENTITIES = 100


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a signed token says of the visitor with this identity key; the signature verifies every handle in it."""

    key: str
    subject: str
    email: str = ""
    phone: str = ""
    name: str = ""
    language: str | None = None
    country: str = "FR"


def resolve(
    snapshot: Snapshot,
    key: str,
    identity: Identity,
    *,
    language: str | None,
    declared: Mapping[str, Any],
    now: datetime,
) -> tuple[Profile, Mapping[str, str]]:
    """Return the profile that this identity leads to, made if there is none, and the keys to claim for it.

    `declared` is what the provider says of the person; what does not fit the bounds of attributes is left out.
    """
    profile, claims = snapshot.holder(key), dict[str, str]()
    if profile is None:
        profile = Profile(id=new_id(now), created_at=now, identities=(_as_left(snapshot, key, identity, now),))
        claims = {key: profile.id}
    elif (known := profile.identity(key)) and identity.verified_at and not known.verified_at:
        profile = profile.with_identity(replace(known, verified_at=identity.verified_at))
    if language and profile.language is None:
        profile = replace(profile, language=language)
    for name, value in declared.items():
        if (told := profile.attributes.get(name)) and told.source == "declared" and told.value == value:
            continue
        learned = edit(profile, name, value, source="declared", by=identity.channel, now=now)
        profile = profile if isinstance(learned, Refusal) else learned
    return profile, claims


def keys_for(key: str) -> tuple[str, ...]:
    """Return what a work that links this identity must read: the key, and who said it before without proof."""
    return key, mention(key)


def link(snapshot: Snapshot, profile: Profile, identity: Identity, *, by: str, now: datetime) -> Changes | Refusal:
    """Return the changes that give the profile this identity; `answer` is the profile it ends on.

    Proved and free: it is claimed. Proved and another's: the two merge, unless each has its own proved user id, or the
    other holds it unproved beside things proved: then a person decides. Unproved: noted, never claimed, so that the
    true owner still can; another's unproved word for the same address is listed too. Refused: too_many_identities.
    """
    if profile.identity(identity.key) is None and len(profile.identities) >= MOST_IDENTITIES:
        return Refusal("too_many_identities", f"at most {MOST_IDENTITIES}")
    if identity.verified_at is None:
        return _note(snapshot, profile, identity, now)
    holder = snapshot.holder(identity.key)
    if holder is not None and holder.id != profile.id:
        return _meet(snapshot, profile, holder, identity, by=by, now=now)
    if identity.channel == USER and _subjects(profile) - {identity.address}:
        return Refusal("another_user", "this profile has proved to be another user")
    return _claim(snapshot, profile, identity, now, is_free=holder is None)


def unlink(snapshot: Snapshot, profile: Profile, key: str, *, now: datetime) -> Changes | Refusal:
    """Return the changes that take this identity off the profile. Refused: unknown_identity, suppressed_identity.

    A banned one stays: whoever had asked us to stop would be written to again.
    """
    identity = profile.identity(key)
    if identity is None:
        return Refusal("unknown_identity", key)
    if identity.suppression:
        return Refusal("suppressed_identity", key)
    held = [name for name in keys_for(key) if snapshot.identities.get(name) in (profile.id, *profile.absorbed)]
    left = profile.without(key)
    return Changes(profiles=(left,), releases=tuple(held), answer=left)


def keys_of(facts: Claimed) -> tuple[str, ...]:
    """Return every key that `identified` must be shown for these facts."""
    return (facts.key, *(name for space, address in _handles(facts) for name in keys_for(key_of(space, address))))


def identified(snapshot: Snapshot, facts: Claimed, *, now: datetime) -> Changes | Refusal:
    """Return the changes that make an anonymous visitor the person they proved to be; `answer` is that profile.

    Whoever already holds the user id absorbs the visitor. A visitor's browser that had proved another user before stays with
    that one, and `answer` is the other profile. Refused: bad_subject, too_many_identities.
    """
    handles = [Identity(space, address, added_at=now, verified_at=now) for space, address in _handles(facts)]
    if not handles or handles[0].channel != USER:
        return Refusal("bad_subject")
    profile, claims = _visitor(snapshot, facts, handles[0], now)
    was = profile
    changes = Changes(profiles=(profile,) if claims else (), claims=claims, answer=profile)
    for identity in handles:
        step = link(snapshot.after(changes), profile, identity, by=USER, now=now)
        if isinstance(step, Refusal):
            if identity.channel == USER:
                return step
            continue
        changes = changes.then(step)
        profile = changes.answer
    changes = changes.then(_described(profile, facts, now))
    if was != changes.answer and not _subjects(was):
        event = Event(new_id(now), changes.answer.id, "profile.identified", now, by="customer", source=USER,
                      properties={"identity": facts.key, "user": facts.subject[:256]})  # fmt: skip
        changes = changes.then(Changes(events=(event,)))
    return changes


def doubts(snapshot: Snapshot, key: str, now: datetime) -> Changes:
    """Return the conflicts to list now that this key is proved: others who had said it was theirs.

    For a work of its own after a first message from an address (read `keys_for(key)`), off the path of the message.
    """
    holder = snapshot.holder(key)
    identity = holder.identity(key) if holder else None
    if holder is None or identity is None or identity.verified_at is None:
        return Changes()
    return Changes(amends=tuple(_rivals(snapshot, holder, key, now)))


def _handles(facts: Claimed) -> Iterator[tuple[str, str]]:
    """Return (space, normalised address) of each handle that is one; the user id first."""
    handles = (
        (USER, normalise(USER, facts.subject, country=facts.country)),
        ("email", normalise("email", facts.email, country=facts.country)),
        ("sms", normalise("voice", facts.phone, country=facts.country)),  # a person's phone is no short code
    )
    return ((space, address) for space, address in handles if address)


def _visitor(snapshot: Snapshot, facts: Claimed, subject: Identity, now: datetime) -> tuple[Profile, Mapping[str, str]]:
    """Return the profile to identify: the visitor's, unless that one had proved to be somebody else."""
    visitor = snapshot.holder(facts.key)
    if visitor is None:
        channel, _, address = facts.key.partition(":")
        visitor = Profile(new_id(now), now, (Identity(channel, address, added_at=now),))
        return visitor, {facts.key: visitor.id}
    if not _subjects(visitor) - {subject.address}:
        return visitor, {}
    other = snapshot.holder(subject.key)
    if other is not None:
        return other, {}
    other = Profile(new_id(now), now, (subject,))
    return other, {subject.key: other.id}


def _described(profile: Profile, facts: Claimed, now: datetime) -> Changes:
    described = profile
    if facts.name:
        learned = edit(profile, "name", facts.name, source="declared", by=USER, now=now)
        described = profile if isinstance(learned, Refusal) else learned
    if facts.language and described.language is None:
        described = replace(described, language=facts.language)
    return Changes(profiles=(described,) if described != profile else (), answer=described)


def _note(snapshot: Snapshot, profile: Profile, identity: Identity, now: datetime) -> Changes:
    """Remember an address that the person only said, and who else says or has it."""
    if profile.identity(identity.key):
        return Changes(answer=profile)
    noted = profile.with_identity(_as_left(snapshot, identity.key, replace(identity, is_claimed=False), now))
    first = mention(identity.key)
    return Changes(
        profiles=(noted,),
        claims={} if first in snapshot.identities else {first: profile.id},
        amends=tuple(_rivals(snapshot, noted, identity.key, now)),
        answer=noted,
    )


def _claim(snapshot: Snapshot, profile: Profile, identity: Identity, now: datetime, *, is_free: bool) -> Changes:
    known = profile.identity(identity.key)
    proved = (
        replace(known, is_claimed=True, verified_at=known.verified_at or identity.verified_at)
        if known
        else _as_left(snapshot, identity.key, identity, now)
    )
    claimed = profile.with_identity(proved)
    return Changes(
        profiles=(claimed,) if claimed != profile else (),
        claims={identity.key: profile.id} if is_free else {},
        amends=tuple(_rivals(snapshot, claimed, identity.key, now)),
        answer=claimed,
    )


def _meet(
    snapshot: Snapshot, profile: Profile, holder: Profile, identity: Identity, *, by: str, now: datetime
) -> Changes | Refusal:
    """Settle that the profile proved an identity which another one holds."""
    ours, theirs = _subjects(profile), _subjects(holder)
    if identity.channel == USER:
        ours = ours | {identity.address}
    if ours and theirs and ours != theirs:
        return Changes(amends=(_conflict(profile, holder, identity.key, "two_users", now),), answer=profile)
    held = holder.identity(identity.key)
    if held and not held.verified_at and any(other.verified_at for other in holder.identities):
        return _take(profile, holder, held, identity, now)
    kept, absorbed = sorted((profile, holder), key=_weight)
    return merge(snapshot, kept, absorbed, by=by, why=f"proved {identity.channel}", now=now)


def _as_left(snapshot: Snapshot, key: str, identity: Identity, now: datetime) -> Identity:
    """Return the identity; that of somebody who was erased comes back banned, until they write themselves."""
    return replace(identity, suppression=Suppression("erased", now)) if key in snapshot.erased else identity


def _take(profile: Profile, holder: Profile, held: Identity, identity: Identity, now: datetime) -> Changes:
    """Give the key to who proved it. The one who only held it keeps what else they proved: it may be an impostor's."""
    proved = profile.with_identity(replace(identity, suppression=held.suppression))
    return Changes(
        profiles=(proved, holder.with_identity(replace(held, is_claimed=False))),
        moves={identity.key: profile.id},
        amends=(_conflict(proved, holder, identity.key, "held_without_proof", now),),
        answer=proved,
    )


def _rivals(snapshot: Snapshot, profile: Profile, key: str, now: datetime) -> Iterator[Amend]:
    for name, why in ((key, "held_by_another"), (mention(key), "said_by_another")):
        other = snapshot.holder(name)
        if other and other.id != profile.id:
            yield _conflict(profile, other, key, why, now)


def _conflict(one: Profile, other: Profile, key: str, why: str, now: datetime) -> Amend:
    """Return a row for a person to decide on; the pair has one, and one that was settled is not opened again."""
    pair = sorted((one.id, other.id))
    row = {"profiles": pair, "key": key, "why": why, "at": now, "settled_at": None}
    return Amend(":".join(pair), collection="conflicts", first=row)


def _subjects(profile: Profile) -> frozenset[str]:
    return frozenset(
        identity.address for identity in profile.identities if identity.channel == USER and identity.verified_at
    )


def _weight(profile: Profile) -> tuple[bool, bool, datetime, str]:
    """Sort first the profile to keep: one that proved its user id, one known beyond a browser, the older one."""
    return not _subjects(profile), not profile.is_known, profile.created_at, profile.id
