"""On which channel? The contact's addresses on the channels a step names, in the order they are to be tried."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from profiles.profile import Identity
from rules.person import Person
from rules.policy import Reach, Reaches

PREFERRED = "preferred"

Prefers: TypeAlias = Callable[[Person, Sequence[str]], Sequence[str]]
"""Puts spaces in the order this contact reacts on them, the best first."""


def as_listed(person: Person, spaces: Sequence[str]) -> Sequence[str]:
    """Prefer the channel the contact last wrote on, then the order of the channels."""
    last = person.facts.profile.last_channel
    return sorted(spaces, key=lambda space: space != last)


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
