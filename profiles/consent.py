"""What did this person agree to? The verdict of a ledger, the same verdict as a database filter, and what a change of mind does.

A key that was said decides; nothing said follows the topic's basis. A wider no (the whole channel, the topic everywhere,
everything) holds against every yes that was said before it, and a yes said after it stands. What is said is kept for ever as a row
of proof (collection `consents`, append-only): the wording, its version, where it came from, when.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from profiles.caps import Slot
from profiles.ledger import Ledger, key, wider
from profiles.snapshot import Refusal
from profiles.topics import EVERY, Basis, Topic

PROOFS = "consents"
CONFIRM_WITHIN = timedelta(days=7)
"""How long a yes waits for its confirmation."""

Change = Literal["given", "withdrawn", "asked", "confirmed", "restored", "paused", "resumed", "limited"]


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing a person said about being written to: who, what, in answer to which words, from where, when."""

    id: str
    profile: str
    change: Change
    channel: str
    topic: str
    at: datetime
    source: str
    """preference_centre, one_click, keyword, form, api:<key>, agent:<id>, import ..."""
    version: str = ""
    """The version of the wording that was shown."""
    wording: str = ""
    ip: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What else shows it: the message's id, the form's address, the file and line of an import."""


def verdict(ledger: Ledger, channel: str, topic: str, basis: Basis) -> str | None:
    """Return why this person may not be sent this, or None: `opted_out:topic:offers`, `no_consent:topic:offers` ..."""
    if basis == "none":
        return None
    name = key(channel, topic)
    said = ledger.on.get(name)
    if said is False:
        return f"opted_out:topic:{topic}"
    if wide := _wider_no(ledger, channel, topic):
        return _refused(wide)
    if said is None and basis == "given":
        return f"unconfirmed:topic:{topic}" if name in ledger.pending else f"no_consent:topic:{topic}"
    return None


def paused_until(ledger: Ledger, channel: str, topic: str, now: datetime) -> datetime | None:
    """Return until when this person wants to hear nothing about this here, or None."""
    ends = [ledger.paused[name] for name in (key(channel, topic), *wider(channel, topic)) if name in ledger.paused]
    return max((end for end in ends if end > now), default=None)


def lawful(channel: str, topic: str, basis: Basis) -> dict[str, Any]:
    """Return the filter over ledgers that agrees with `verdict`; a pause is not asked here, nor a ban of an address."""
    if basis == "none":
        return {}
    name, wide = key(channel, topic), wider(channel, topic)
    no_wider_no = {f"on.{one}": {"$ne": False} for one in wide}
    later = [
        {"$or": [{"$ne": [f"$on.{one}", False]}, {"$gt": [f"$at.{name}", f"$at.{one}"]}]}
        for one in wide
    ]  # fmt: skip
    said = {"$or": [no_wider_no, {f"on.{name}": True, "$expr": {"$and": later}}]}
    return {f"on.{name}": True if basis == "given" else {"$ne": False}, **said}


def awake(channel: str, topic: str) -> list[dict[str, Any]]:
    """Return the expressions over ledgers that agree with `paused_until` being None."""
    return [{"$not": [{"$gt": [f"$mute.{name}", "$$NOW"]}]} for name in (key(channel, topic), *wider(channel, topic))]


def allows(ledger: Ledger, slot: Slot) -> str | None:
    """Return why nothing may be reserved for this slot, or None: merged away, being united, no consent."""
    if ledger.into:
        return "merged"
    if ledger.joining:
        return "merging"
    return verdict(ledger, slot.channel, slot.topic, slot.basis)


def may_give(ledger: Ledger, topic: Topic, channel: str, source: str) -> Refusal | None:
    """Return why this yes is not taken, or None. Refused: not_sent_here, withdrawn_before (an import never undoes a no)."""
    if not topic.is_sent_on(channel):
        return Refusal("not_sent_here", f"{topic.id} is not sent on {channel}")
    if source == "import" and (ledger.on.get(key(channel, topic.id)) is False or _wider_no(ledger, channel, topic.id)):
        return Refusal("withdrawn_before", key(channel, topic.id))
    return None


def _wider_no(ledger: Ledger, channel: str, topic: str) -> str | None:
    """Return the widest no that no later yes to the very key outlived."""
    name = key(channel, topic)
    given_at = ledger.at.get(name) if ledger.on.get(name) else None
    refused = (one for one in reversed(wider(channel, topic)) if ledger.on.get(one) is False)
    return next((one for one in refused if given_at is None or given_at <= ledger.at[one]), None)


def _refused(wide: str) -> str:
    channel, _, topic = wide.partition(":")
    if channel != EVERY:
        return f"opted_out:channel:{channel}"
    return f"opted_out:topic:{topic}" if topic != EVERY else "opted_out:all"
