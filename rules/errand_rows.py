"""Errands as they wait in the database: claimed by moving their instant ahead, put off with longer and longer pauses, ended.

A crash costs whoever waits for one 20 seconds, and may have it done twice. One that was not done in three days is given up.
"""

import asyncio
import logging
from datetime import datetime, timedelta

from profiles.profile import Profile
from profiles.record import Document, from_document
from profiles.store import Store
from rules.chance import share
from rules.effects import ERRANDS

log = logging.getLogger("rules.errands")

HELD_FOR = timedelta(seconds=20)  # longer than an attempt: whoever claimed it is gone
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=3)


async def claim(store: Store, kind: str, now: datetime, *, most: int) -> list[Document]:
    """Return errands of this kind that are due, ours for 20 seconds, the longest due first."""
    due = {"kind": kind, "due_at": {"$lte": now}}
    found = await store.find(ERRANDS, due, sort=[("due_at", 1)], limit=most)
    ours = await asyncio.gather(
        *(
            store.change(
                ERRANDS,
                {"_id": errand["_id"], "due_at": errand["due_at"]},
                {"$set": {"due_at": now + HELD_FOR}, "$inc": {"attempts": 1}},
            )
            for errand in found
        )
    )
    return [errand for errand in ours if errand]


async def put_off(
    store: Store, errand: Document, reason: str, now: datetime, *, again_in: timedelta | None = None
) -> None:
    """Let an errand that we claimed be tried later, or give it up. `again_in`: nothing was tried, so it counts no attempt."""
    attempts = errand["attempts"]
    pause = min(FIRST_PAUSE * 3 ** min(attempts - 1, 12), LONGEST_PAUSE)
    due = now + pause * (1 + share("errand", errand["_id"], str(attempts)) / 4)  # not all of them at once
    if again_in is not None:
        due, attempts = now + again_in, attempts - 1
    until = errand.get("give_up_at") or errand["at"] + GIVE_UP_AFTER
    if due > until:
        await end(store, errand, "dead", reason, now)
        return
    put = {"due_at": due, "reason": reason, "attempts": attempts}
    await store.change(ERRANDS, {"_id": errand["_id"], "due_at": errand["due_at"]}, {"$set": put})


async def end(store: Store, errand: Document, state: str, reason: str, now: datetime) -> None:
    """End an errand that we claimed: done, or dead."""
    if state == "dead":
        kind, rule = errand["kind"], errand["rule"]
        log.error("errands.%s dead rule=%s errand=%s reason=%s", kind, rule, errand["_id"], reason)
    ended = {"$set": {"state": state, "reason": reason, "ended_at": now}, "$unset": {"due_at": ""}}
    await store.change(ERRANDS, {"_id": errand["_id"], "due_at": errand["due_at"]}, ended)


async def profile_of(store: Store, id: str) -> Profile | None:
    """Return the profile, or the one that it became; None when there is none any more."""
    while document := await store.get("profiles", id):
        profile = from_document(Profile, document)
        if not profile.merged_into:
            return profile
        id = profile.merged_into
    return None
