"""On which channel? The contact's addresses on the channels a step names, in the order they are to be tried."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from profiles.profile import Identity
from profiles.reactivity import LOOKS_BACK, rate
from profiles.swift import swift
from rules.person import Person
from rules.policy import Reach, Reaches

PREFERRED = "preferred"
MIDDLING = 0.1
"""The rate that a channel is taken to have until enough was sent there."""

Prefers: TypeAlias = Callable[[Person, Sequence[str]], Sequence[str]]
"""Puts spaces in the order this contact reacts on them, the best first."""


def as_listed(person: Person, spaces: Sequence[str]) -> Sequence[str]:
    """Prefer the channel the contact last wrote on, then the order of the channels."""
    last = person.facts.profile.last_channel
    return sorted(spaces, key=lambda space: space != last)


def most_reactive(person: Person, spaces: Sequence[str]) -> Sequence[str]:
    """Prefer where most of what rules sent found a reaction; where too little is known, as `as_listed` does.

    A channel of which too little is known is taken for a middling one, so that a silent one does not keep the first place.
    """
    facts, listed = person.facts, as_listed(person, spaces)
    known = facts.profile.reactivity
    since = known.at if known else facts.now - LOOKS_BACK
    fresh = Counter(sent.channel for sent in facts.sent if sent.at > since)
    rates = {space: rate(known, space, facts.now, unanswered=fresh[space]) for space in listed}
    return sorted(listed, key=lambda space: -_or(rates[space], MIDDLING))


def _or(rate: float | None, otherwise: float) -> float:
    return otherwise if rate is None else rate


@swift
@dataclass(frozen=True, slots=True)
class Target:
    """A channel, and the contact's address there; None: they have none."""

    reach: Reach
    identity: Identity | None


def targets(person: Person, channels: Sequence[str], reaches: Reaches, prefers: Prefers) -> tuple[Target, ...]:
    """Return where this could go, best first. A channel that is not connected is not among them."""
    words = _words(person, channels, reaches, prefers)
    found: dict[str, Target] = {}
    for word in words:
        reach = reaches.of(word)
        if reach and reach.channel not in found:
            found[reach.channel] = Target(reach, _address(person, reach))
    return tuple(found.values())


def _words(person: Person, channels: Sequence[str], reaches: Reaches, prefers: Prefers) -> Iterator[str]:
    for channel in channels:
        if channel == PREFERRED:
            known = [reach.space for reach in reaches if _address(person, reach)]
            yield from prefers(person, list(dict.fromkeys(known)))
        else:
            yield channel


def _address(person: Person, reach: Reach) -> Identity | None:
    """Return the contact's address on a channel: one that may be written to before a banned one, a proven one before a claimed."""
    own = [identity for identity in person.facts.profile.identities if identity.channel == reach.space]
    own.sort(key=lambda one: (one.suppression is not None, not one.is_claimed, one.verified_at is None))
    return own[0] if own else None
