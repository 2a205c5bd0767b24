"""What a provider's refusal means for the address: a dead one and an unwilling one are not written to again."""

from dataclasses import replace
from typing import Literal

from profiles.profile import Suppression
from profiles.snapshot import Changes, Refusal, Snapshot, Work

_MEANS: dict[str, Literal["blocked", "bounced", "unreachable"]] = {"dead": "unreachable", "opted_out": "blocked"}


def is_final(reason: str | None) -> bool:
    """Whether this reason of a refusal or receipt (`dead 30006`) says that no message will ever get there."""
    return bool(reason) and str(reason).partition(" ")[0] in _MEANS


def ban(key: str, reason: str) -> Work:
    """Return the Work that suppresses this identity; refused when nobody has it or it is suppressed already."""
    means = _MEANS[reason.partition(" ")[0]]
    if means == "unreachable" and key.startswith("email:"):
        means = "bounced"  # the word people know for a mailbox that does not exist

    def think(snapshot: Snapshot) -> Changes | Refusal:
        profile = snapshot.holder(key)
        identity = profile.identity(key) if profile else None
        if profile is None or identity is None or identity.suppression:
            return Refusal("nothing_to_suppress", key)
        suppressed = replace(identity, suppression=Suppression(means, snapshot.now))
        return Changes(profiles=(profile.with_identity(suppressed),))

    return Work(think, identities=(key,))
