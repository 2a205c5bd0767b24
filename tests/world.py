"""A world in memory for tests of pure thinking: changes are kept as the writer keeps them, and the rules of keys are checked."""

from datetime import UTC, datetime, timedelta

from profiles.plan import Group
from profiles.profile import Identity, Profile
from profiles.snapshot import Changes, Refusal, Snapshot

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class World:
    """Profiles, conversations and identity keys. `do` fails the test on a refusal, or on a key claimed twice."""

    def __init__(self) -> None:
        self._group = Group(NOON, "test")
        self.now = NOON
        self.conflicts: dict[str, dict[str, object]] = {}
        self.records: dict[str, dict[str, object]] = {}

    @property
    def snapshot(self) -> Snapshot:
        """Return what a work would see now."""
        group = self._group
        return Snapshot(self.now, group.profiles, group.conversations, group.identities, group.messages)

    def later(self, **length: float) -> datetime:
        """Let time pass and return the new instant."""
        self.now += timedelta(**(length or {"minutes": 1}))
        return self.now

    def do(self, changes: Changes | Refusal) -> Changes:
        """Make these changes; return them."""
        assert isinstance(changes, Changes), changes
        for key in changes.claims:
            assert key not in self._group.identities, f"{key} is claimed though it is not free"
        for key in (*changes.moves, *changes.releases):
            assert key in self._group.identities or key in changes.claims, f"{key} changes hands though it is free"
        for amend in changes.amends:
            if amend.collection == "conflicts":
                self.conflicts.setdefault(amend.message, dict(amend.first)).update(amend.put)
            elif amend.collection == "merges":
                self.records[amend.message].update(amend.put)
        self.records.update({str(document["_id"]): dict(document) for _, document in changes.records})
        return self._group.keep(changes)

    def add(self, profile: Profile) -> Profile:
        """Put a profile there, with the keys of what it claims."""
        self.do(Changes(profiles=(profile,), claims={i.key: profile.id for i in profile.identities if i.is_claimed}))
        return profile

    def profile(self, id: str) -> Profile:
        """Return a profile as it is now, merged or not."""
        return self._group.profiles[id]

    def holder(self, key: str) -> str | None:
        """Return the id of the profile that the key leads to."""
        found = self.snapshot.holder(key)
        return found.id if found else None

    def check(self) -> None:
        """Fail when a claimed identity's key does not lead to its profile, or two profiles show one key as theirs."""
        seen: dict[str, str] = {}
        for profile in self._group.profiles.values():
            for identity in profile.identities:
                if identity.is_claimed:
                    assert self.holder(identity.key) == profile.id, (identity.key, profile.id)
                    assert seen.setdefault(identity.key, profile.id) == profile.id


def person(id: str, *keys: str, proved: bool = True, at: datetime = NOON) -> Profile:
    """Return a profile with these identities, such as `telegram:42`."""
    identities = []
    for key in keys:
        channel, _, address = key.partition(":")
        identities.append(Identity(channel, address, added_at=at, verified_at=at if proved else None))
    return Profile(id=id, created_at=at, identities=tuple(identities))
