"""One person as we know them: identities, attributes with their source, language, suppressions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from profiles.reactivity import Reactivity
from profiles.swift import swift

Source = Literal["declared", "inferred", "tracked"]
ANONYMOUS = ("webchat", "webpush", "inapp", "fcm", "apns")
"""Spaces whose addresses are a browser or a phone: they say nothing of who sits before it."""
_RANK: dict[str, int] = {"declared": 2, "inferred": 1, "tracked": 1}


@swift
@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing we know: its value, how we know it, since when, and who told us (a channel, an agent, an API key)."""

    value: Any
    source: Source
    at: datetime
    by: str = ""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A standing ban on an identity, whatever the consent."""

    reason: Literal["opted_out", "blocked", "bounced", "complained", "unreachable", "erased"]
    at: datetime


@swift
@dataclass(frozen=True, slots=True)
class Identity:
    """One (channel, address) of a profile. `verified_at` means that the person proved it is theirs."""

    channel: str
    address: str
    added_at: datetime
    verified_at: datetime | None = None
    suppression: Suppression | None = None
    is_claimed: bool = True
    """Whether the key leads to this profile; False for an address that somebody only said is theirs."""

    @property
    def key(self) -> str:
        """Return channel:address, the unique key over all profiles."""
        return f"{self.channel}:{self.address}"


@swift
@dataclass(frozen=True, slots=True)
class Profile:
    """One person. Whoever writes it must have read this `version`, or the commit is thought again."""

    id: str
    created_at: datetime
    identities: tuple[Identity, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    language: str | None = None
    last_channel: str | None = None
    last_inbound_at: datetime | None = None
    absorbed: tuple[str, ...] = ()
    """Profiles merged into this one; their messages and events belong to this timeline."""
    merged_into: str | None = None
    bot: Mapping[str, Any] = field(default_factory=dict)
    """The bot's newest memory of whoever may write by several channels (bot/together.py), opaque to everybody else."""
    reactivity: Reactivity | None = None
    """What came back to the messages of rules, by channel and hour (profiles/reactivity.py)."""
    erasing: str = ""
    """The erasure that is under way (admin/erasure.py): nothing is begun with them any more."""
    version: int = 0

    @property
    def is_known(self) -> bool:
        """Whether we could recognise this person elsewhere: something beyond the ids of anonymous browsers."""
        return any(identity.channel not in ANONYMOUS for identity in self.identities)

    @property
    def name(self) -> str:
        """Return the name people call them by, or an empty string when none was ever said."""
        spoken = [self.value("first_name"), self.value("last_name")]
        return " ".join(str(part) for part in spoken if part) or str(self.value("name") or "")

    @property
    def fields(self) -> dict[str, Any]:
        """Return what a text may name of this person (`contact.`): plain values, never an object of ours."""
        known = {name: attribute.value for name, attribute in self.attributes.items()}
        return known | {"name": self.name, "language": self.language or ""}

    def value(self, attribute: str) -> Any:
        """Return an attribute's value, or None."""
        known = self.attributes.get(attribute)
        return known.value if known else None

    def identity(self, key: str) -> Identity | None:
        """Return the identity with this channel:address, or None if it is not this person's."""
        for identity in self.identities:  # not next(...): it is asked four times for each message
            if identity.key == key:
                return identity
        return None

    def with_identity(self, identity: Identity) -> "Profile":
        """Return the profile with this identity added, or replaced where the key was known."""
        others = tuple(known for known in self.identities if known.key != identity.key)
        if len(others) == len(self.identities):
            return replace(self, identities=(*self.identities, identity))
        return replace(
            self,
            identities=tuple(identity if known.key == identity.key else known for known in self.identities),
        )

    def without(self, key: str) -> "Profile":
        """Return the profile without the identity of this key."""
        return replace(self, identities=tuple(known for known in self.identities if known.key != key))

    def learn(self, name: str, value: Any, *, source: Source, at: datetime, by: str = "") -> "Profile":
        """Return the profile knowing this; what the person declared is not overwritten by what we inferred or tracked."""
        known = self.attributes.get(name)
        weaker = known is not None and _RANK[source] < _RANK[known.source]
        if known and (weaker or (known.value == value and _RANK[source] == _RANK[known.source])):
            return self
        attribute = Attribute(value=value, source=source, at=at, by=by)
        return replace(self, attributes={**self.attributes, name: attribute})

    def forget(self, name: str) -> "Profile":
        """Return the profile without this attribute."""
        return replace(self, attributes={key: value for key, value in self.attributes.items() if key != name})
