"""Two profiles turn out to be one person, or one turns out to be two after all: merge, and its exact undo.

The absorbed profile stays as an empty shell that points to the kept one. Messages and events are never rewritten: a timeline
reads those of the profile and of all it absorbed. The merge record holds both profiles as they were.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from profiles.conversation import Conversation
from profiles.identity import PHONE_SPACES
from profiles.ids import new_id
from profiles.ledger_merging import merged as ledgers_merged
from profiles.ledger_merging import parted as ledgers_parted
from profiles.profile import Attribute, Identity, Profile
from profiles.record import from_document, to_document
from profiles.snapshot import Amend, Changes, Refusal, Snapshot
from profiles.timeline import Event

Document = Mapping[str, Any]


def merge(
    snapshot: Snapshot,
    kept: Profile,
    absorbed: Profile,
    *,
    by: str,
    why: str,
    now: datetime,
    settles: str | None = None,
) -> Changes | Refusal:
    """Return the changes that make `absorbed` a part of `kept`; `answer` is the merged profile.

    Refused: same_profile, merged_away, erasing.
    The work must read both profiles, and should read their conversations: those it does not show follow through the shell.
    `settles` is the id of the conflict that this merge ends. Suppressions and verifications of both stay.
    """
    if kept.id == absorbed.id:
        return Refusal("same_profile", kept.id)
    if kept.merged_into or absorbed.merged_into:
        return Refusal("merged_away", kept.id if kept.merged_into else absorbed.id)
    if kept.erasing or absorbed.erasing:
        return Refusal("erasing", kept.id if kept.erasing else absorbed.id)
    id = new_id(now)
    moving = [thread for thread in snapshot.conversations.values() if thread.profile == absorbed.id]
    record = {
        "_id": id, "kept": kept.id, "absorbed": absorbed.id, "at": now, "by": by, "why": why,
        "kept_before": to_document(kept), "absorbed_before": to_document(absorbed),
        "conversations": [thread.id for thread in moving],
    }  # fmt: skip
    merged = _united(kept, absorbed)
    settled = (settle(settles, by=by, how="merged", now=now),) if settles else ()
    return Changes(
        profiles=(merged, _shell(absorbed, kept.id)),
        conversations=tuple(replace(thread, profile=kept.id) for thread in moving),
        moves={identity.key: kept.id for identity in absorbed.identities if identity.is_claimed},
        events=(_event("profile.merged", kept.id, by, now, {"absorbed": absorbed.id, "merge": id, "why": why}),),
        amends=(*settled, *ledgers_merged(kept.id, absorbed.id)),
        records=(("merges", record),),
        answer=merged,
    )


def undo(snapshot: Snapshot, merge: Document, *, by: str, now: datetime) -> Changes | Refusal:
    """Return the changes that make two profiles of one again. Refused: unknown_profile, already_undone, later_merge.

    What was learned after the merge stays with the kept one; what was forgotten after it stays forgotten; bans laid on an
    identity after it hold wherever that identity goes. In the ledgers a yes goes back to who said it, a no stays with both, and
    what was sent counts for both. Only the latest merge of a profile can be undone.
    """
    kept, absorbed = snapshot.profiles.get(str(merge["kept"])), snapshot.profiles.get(str(merge["absorbed"]))
    if kept is None or absorbed is None:
        return Refusal("unknown_profile")
    if merge.get("undone_at") or absorbed.merged_into != kept.id:
        return Refusal("already_undone", str(merge["_id"]))
    tail = (absorbed.id, *absorbed.absorbed)
    if kept.merged_into or kept.absorbed[-len(tail) :] != tail:
        return Refusal("later_merge", kept.merged_into or kept.id)
    kept_before = from_document(Profile, merge["kept_before"])
    absorbed_before = from_document(Profile, merge["absorbed_before"])
    merged = _united(kept_before, absorbed_before)
    remaining = _without(kept, kept_before, merged, absorbed_before)
    restored = replace(_restored(absorbed_before, merged, kept, kept_before), version=absorbed.version)
    returning = [identity for identity in restored.identities if identity.is_claimed]
    return Changes(
        profiles=(remaining, restored),
        conversations=tuple(
            replace(thread, profile=restored.id)
            for thread in snapshot.conversations.values()
            if thread.profile == kept.id and _belongs(thread, merge, returning)
        ),
        moves={identity.key: restored.id for identity in returning},
        events=(
            _event("profile.merge_undone", kept.id, by, now, {"restored": absorbed.id, "merge": str(merge["_id"])}),
        ),
        amends=(
            Amend(str(merge["_id"]), {"undone_at": now, "undone_by": by}, collection="merges"),
            *ledgers_parted(kept.id, absorbed.id),
        ),
        answer=restored,
    )


def settle(conflict: str, *, by: str, how: str, now: datetime) -> Amend:
    """Return the change that takes a conflict off the list; `how`: merged, or different (they are two people)."""
    return Amend(conflict, {"settled_at": now, "settled_by": by, "settled": how}, collection="conflicts")


def _united(kept: Profile, absorbed: Profile) -> Profile:
    united = kept
    for identity in absorbed.identities:
        known = united.identity(identity.key)
        united = united.with_identity(_both(known, identity) if known else identity)
    latest = max(kept, absorbed, key=lambda profile: (_instant(profile.last_inbound_at), profile is kept))
    return replace(
        united,
        attributes={**absorbed.attributes, **kept.attributes, **_better(kept.attributes, absorbed.attributes)},
        language=kept.language or absorbed.language,
        last_channel=latest.last_channel,
        last_inbound_at=latest.last_inbound_at,
        absorbed=(*kept.absorbed, absorbed.id, *absorbed.absorbed),
    )


def _better(kept: Mapping[str, Attribute], absorbed: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """Return the absorbed one's attributes that beat the kept one's: declared beats the rest, then the newest."""
    return {
        name: theirs
        for name, theirs in absorbed.items()
        if (ours := kept.get(name))
        and ((theirs.source == "declared"), theirs.at) > ((ours.source == "declared"), ours.at)
    }


def _both(ours: Identity, theirs: Identity) -> Identity:
    verified = [moment for moment in (ours.verified_at, theirs.verified_at) if moment]
    return replace(
        ours,
        added_at=min(ours.added_at, theirs.added_at),
        verified_at=min(verified, default=None),
        suppression=ours.suppression or theirs.suppression,
        is_claimed=ours.is_claimed or theirs.is_claimed,
    )


def _shell(absorbed: Profile, kept: str) -> Profile:
    return replace(absorbed, identities=(), attributes={}, merged_into=kept)


def _without(kept: Profile, before: Profile, merged: Profile, theirs: Profile) -> Profile:
    """Return the kept profile as if it had never absorbed the other, but with all that was learned since."""

    def was(name: str) -> Any:
        now, then = getattr(kept, name), getattr(merged, name)
        return getattr(before, name) if now == then else now

    return replace(
        kept,
        identities=tuple(
            _again(own, merged, now, wins=True) if (own := before.identity(now.key)) else now
            for now in kept.identities
            if before.identity(now.key) or not theirs.identity(now.key)
        ),
        attributes=dict(_attributes_without(kept, before, merged)),
        language=was("language"),
        last_channel=was("last_channel"),
        last_inbound_at=was("last_inbound_at"),
        absorbed=before.absorbed,
    )


def _attributes_without(kept: Profile, before: Profile, merged: Profile) -> Iterable[tuple[str, Attribute]]:
    for name, known in kept.attributes.items():
        if known != merged.attributes.get(name):
            yield name, known  # learned after the merge
        elif name in before.attributes:
            yield name, before.attributes[name]


def _restored(before: Profile, merged: Profile, kept: Profile, kept_before: Profile) -> Profile:
    """Return the absorbed profile as it was, less what was forgotten or removed since."""
    return replace(
        before,
        attributes={name: known for name, known in before.attributes.items() if name in kept.attributes},
        identities=tuple(
            _again(own, merged, now, wins=kept_before.identity(own.key) is None)
            for own in before.identities
            if (now := kept.identity(own.key))
        ),
    )


def _again(before: Identity, merged: Profile, now: Identity, *, wins: bool) -> Identity:
    """Return an identity as it was, with what befell the address since the merge: a ban set or lifted, a proof, a loss.

    `wins` says which of the two profiles keeps the key when it was only claimed after the merge.
    """
    then = merged.identity(before.key) or now
    claimed = before.is_claimed if now.is_claimed == then.is_claimed else now.is_claimed and wins
    return replace(
        before,
        is_claimed=claimed,
        suppression=before.suppression if now.suppression == then.suppression else now.suppression,
        verified_at=now.verified_at if claimed and now.verified_at != then.verified_at else before.verified_at,
    )


def _belongs(thread: Conversation, merge: Document, identities: Iterable[Identity]) -> bool:
    """Whether it moved with the merge, or began after it on an identity that goes back (`sms` has many channels)."""
    spaces = {thread.channel} if thread.channel in PHONE_SPACES else {thread.channel, "sms"}
    return thread.id in merge["conversations"] or any(
        identity.address == thread.address and identity.channel in spaces for identity in identities
    )


def _instant(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _event(name: str, profile: str, by: str, now: datetime, properties: Mapping[str, Any]) -> Event:
    return Event(id=new_id(now), profile=profile, name=name, happened_at=now, by=by, properties=properties)
