"""A person is to be erased: the commit that begins it, after which they are written to no more. admin/erasing.py carries it out.

Collection `erasing`: what is under way, one row a person, with what is needed to find the rest of them; gone when all is.
Collection `erasures`: the log, sealed, for ever: keyed hashes of ids and addresses, when, by whom. It is what a restored backup
is erased again by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from admin.agents import audit_row
from profiles import conversation as thread
from profiles.conversation import Conversation
from profiles.erased import Hashes
from profiles.ids import new_id
from profiles.profile import Profile, Suppression
from profiles.seals import sealable
from profiles.snapshot import Changes, Refusal, Snapshot, Work, Write
from profiles.store import Store

ERASING, LOG = "erasing", "erasures"
MOST_THREADS = 1_000
HELD_FOR = timedelta(minutes=10)
"""How long a process holds an erasure after its last batch; of one that dies the others know sooner (`Erasing.bury`)."""


async def begin(store: Store, profile: Profile, hashes: Hashes, *, by: str) -> Work:
    """Return the work that begins to erase this person, with all that they absorbed. Its answer is the id of the erasure.

    Asked again while it is under way, it is the same erasure. `by`: agent:<id>, key:<id>, command. Refused: unknown_profile.
    """
    rows = await store.find("conversations", {"profile": {"$in": whose(profile)}}, limit=MOST_THREADS, only=["_id"])
    threads = tuple(str(row["_id"]) for row in rows)

    def think(snapshot: Snapshot) -> Changes | Refusal:
        under_way = snapshot.records.get((ERASING, profile.id))
        if under_way is not None and not under_way.get("is_gone"):
            return Changes(answer=str(under_way["erasure"]))
        person = snapshot.profiles.get(profile.id)
        if person is None or person.merged_into:
            return Refusal("unknown_profile")
        return _begun(
            person, [snapshot.conversations[id] for id in threads if id in snapshot.conversations], snapshot.now
        )

    def _begun(person: Profile, conversations: Sequence[Conversation], now: datetime) -> Changes:
        id, ids = new_id(now), whose(person)
        row = {"erasure": id, "whose": ids, "by": by, "at": now, "due_at": now, "held_by": ""}
        entry = log_entry(id, hashes, person, by=by, now=now)
        audit = audit_row("profile.erasing", by=by.removeprefix("agent:"), about=f"erasure:{id}", at=now)
        return Changes(
            profiles=(_silent(person, id, now),),
            conversations=tuple(_blank(one, now) for one in conversations if one.profile in ids),
            # whole: one that was gone may be back with a backup, while it was still to be looked back at
            writes=(Write(ERASING, person.id, row),),
            records=((LOG, sealable(entry)), ("audit", audit)),
            answer=id,
        )

    return Work(think, profiles=(profile.id,), conversations=threads, records=((ERASING, profile.id),))


def whose(profile: Profile) -> list[str]:
    """Return the ids under which this person's rows stand: their own, and those of all that was merged into them."""
    return [profile.id, *profile.absorbed]


def log_entry(id: str, hashes: Hashes, person: Profile, *, by: str, now: datetime) -> Mapping[str, Any]:
    """Return what the log says of an erasure: nothing in it can be read back into a person."""
    return {
        "_id": id, "at": now, "kind": "erasure", "by": by, "key": hashes.fingerprint,
        "profiles": [hashes.profile(one) for one in whose(person)],
        "addresses": hashes.addresses(identity.key for identity in person.identities),
    }  # fmt: skip


def _silent(person: Profile, erasure: str, now: datetime) -> Profile:
    """Return the profile whose addresses nothing is sent to any more: the ledger learns it in the same commit."""
    banned = Suppression("erased", now)
    silent = tuple(replace(one, suppression=banned) for one in person.identities)
    return replace(person, identities=silent, erasing=erasure)


def _blank(conversation: Conversation, now: datetime) -> Conversation:
    """Return the conversation closed, and without what lists show of it or the bot remembers."""
    closed = thread.resolve(conversation, now)
    return replace(
        closed, last_text="", last_author="", bot={}, pending=(), offered=(), followed=(), labels=(), language=None
    )
