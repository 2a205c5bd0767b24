"""Whose phone is this? A push token belongs to one profile at a time: to whom it was last proved to be, else to nobody known.

People sign out and lend their phones, so a token that somebody else proves moves to them, and nothing else of its former holder
does: only what knew nobody yet (an app before its first sign-in) becomes a part of the person. Pure.
"""

from dataclasses import replace
from datetime import datetime

from profiles import people
from profiles.identity import USER
from profiles.identity import key as key_of
from profiles.ids import new_id
from profiles.people import MOST_IDENTITIES, Claimed
from profiles.profile import Identity, Profile
from profiles.snapshot import Changes, Refusal, Snapshot

OVER_WHEN_REGISTERED = ("unreachable", "bounced", "blocked")
"""Bans that end when the app says the token again; what the person asked for stays."""


def register(
    snapshot: Snapshot, key: str, whose: Claimed | str | None, *, locale: str | None = None, now: datetime
) -> Changes | Refusal:
    """Return the changes that give this token to its person; `answer` is that profile.

    `whose` is what a signed identity says (its `key` does not matter here), the id of a profile that a server vouches for, or
    None for an app that nobody signed in to: the token stays where it is, or gets a profile of its own.
    Refused: unknown_profile, bad_subject, too_many_identities.
    """
    found = _person(snapshot, key, whose, now)
    if isinstance(found, Refusal):
        return found
    person: Profile = found.answer
    if locale and person.language is None:
        person = replace(person, language=locale)
    held = _held(snapshot.after(found), _without_dead(person, key), key, now if whose else None, now)
    if isinstance(held, Refusal):
        return held
    dead = tuple(one.key for one in person.identities if _is_dead(one, key))
    return found.then(held).then(Changes(releases=dead, answer=held.answer))


def keys_of(key: str, whose: Claimed | str | None) -> tuple[str, ...]:
    """Return every identity key that `register` must be shown."""
    return (key, *(people.keys_of(_by_token(whose, key)) if isinstance(whose, Claimed) else ()))


def forget(snapshot: Snapshot, key: str, *, now: datetime) -> Changes:
    """Return the changes that take this token off whoever has it; one that its person banned stays banned."""
    holder = snapshot.holder(key)
    identity = holder.identity(key) if holder else None
    if holder is None or identity is None:
        return Changes()
    if identity.suppression and identity.suppression.reason not in OVER_WHEN_REGISTERED:
        return Changes()
    return Changes(profiles=(holder.without(key),), releases=(key,))


def _person(snapshot: Snapshot, key: str, whose: Claimed | str | None, now: datetime) -> Changes | Refusal:
    """Return the changes that find or make the person; `answer` is their profile."""
    holder = snapshot.holder(key)
    if isinstance(whose, str):
        named = snapshot.profile(whose)
        return Changes(answer=named) if named else Refusal("unknown_profile")
    if whose is None:
        return Changes(answer=holder or Profile(new_id(now), now))
    is_nobodys = holder is None or not holder.is_known
    facts = _by_token(whose, key) if is_nobodys else replace(whose, key=key_of(USER, whose.subject))
    return people.identified(snapshot, facts, now=now)


def _by_token(whose: Claimed, key: str) -> Claimed:
    return replace(whose, key=key)


def _held(
    snapshot: Snapshot, person: Profile, key: str, verified_at: datetime | None, now: datetime
) -> Changes | Refusal:
    holder = snapshot.holder(key)
    space, _, address = key.partition(":")
    known = person.identity(key) or Identity(space, address, added_at=now)
    if person.identity(key) is None and len(person.identities) >= MOST_IDENTITIES:
        return Refusal("too_many_identities", f"at most {MOST_IDENTITIES}")
    banned = known.suppression
    if banned and banned.reason in OVER_WHEN_REGISTERED:
        banned = None
    held = replace(known, verified_at=verified_at or known.verified_at, suppression=banned, is_claimed=True)
    person = person.with_identity(held)
    if holder is None:
        return Changes(profiles=(person,), claims={key: person.id}, answer=person)
    if holder.id == person.id:
        return Changes(profiles=(person,), answer=person)
    return Changes(profiles=(person, holder.without(key)), moves={key: person.id}, answer=person)


def _is_dead(identity: Identity, key: str) -> bool:
    """Whether this is a dead token of the same service: a living one comes in its place, or each reinstalling would leave one."""
    space = key.partition(":")[0]
    banned = identity.suppression
    return identity.channel == space and identity.key != key and banned is not None and banned.reason == "unreachable"


def _without_dead(person: Profile, key: str) -> Profile:
    return replace(person, identities=tuple(one for one in person.identities if not _is_dead(one, key)))
