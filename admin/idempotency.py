"""The same request twice does its work once: an Idempotency-Key remembers the answer for 48 hours.

One commit: the row with the answer is part of it, so there is no moment in between. Work of several commits opens its row first
and closes it afterwards; a row left open by a crash may be taken over after 20 seconds.
(draft-ietf-httpapi-idempotency-key-header; the index on `at` removes old rows.)
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.store import AlreadyThere, Store

COLLECTION = "idempotency"
OPEN_FOR = timedelta(seconds=20)  # longer than a call: a no may wait 15 seconds for the hand-overs under way


@dataclass(frozen=True, slots=True)
class Mark:
    """One Idempotency-Key of one API key, and what it stands for."""

    id: str
    request: str
    """A hash of method, path and body: the same key for another request is a mistake of the caller."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was answered before."""

    status: int
    body: Any
    location: str = ""


class Reused(Exception):
    """The key was used for another request."""


class UnderWay(Exception):
    """The same request is being worked on."""


def mark(key: str, text: str, *, method: str, path: str, body: bytes) -> Mark:
    """Return the mark of a request: the API key's id, the header's text, and the request."""
    request = hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()
    return Mark(f"{key}:{hashlib.sha256(text.encode()).hexdigest()}", request)


def remembering(work: Work, mark: Mark) -> Work:
    """Return the work that also stores its answer under the mark; the work's changes carry a Known as `answer`."""

    def think(snapshot: Snapshot) -> Changes | Refusal:
        changes = work.think(snapshot)
        if isinstance(changes, Refusal):
            return changes  # nothing was done, so nothing is remembered: the caller may mend and repeat
        row = {"_id": mark.id, "request": mark.request, "at": snapshot.now, **_kept(changes.answer)}
        return replace(changes, records=(*changes.records, (COLLECTION, row)))

    return replace(work, think=think, key=mark.id, key_in=COLLECTION)


async def recall(store: Store, mark: Mark, *, now: datetime) -> Known | None:
    """Return the answer this mark had, or None if it had none yet. Raises Reused, UnderWay."""
    row = await store.get(COLLECTION, mark.id)
    return _known(row, mark, now) if row else None


async def begin(store: Store, mark: Mark, *, now: datetime) -> Known | None:
    """Open the mark's row for work of several commits, or return the answer it has. Raises Reused, UnderWay."""
    until = now + OPEN_FOR
    try:
        await store.insert(COLLECTION, {"_id": mark.id, "request": mark.request, "at": now, "open_until": until})
    except AlreadyThere:
        return await _take_over(store, mark, until, now)
    return None


async def _take_over(store: Store, mark: Mark, until: datetime, now: datetime) -> Known | None:
    """Return the row's answer, or None once the row that a crash left open is ours."""
    known = await recall(store, mark, now=now)
    if known:
        return known
    left_open = {"_id": mark.id, "open_until": {"$lte": now}}
    if await store.change(COLLECTION, left_open, {"$set": {"open_until": until}}):
        return None
    known = await recall(store, mark, now=now)  # it was closed, or taken over, this very moment
    if known is None:
        raise UnderWay
    return known


async def finish(store: Store, mark: Mark, known: Known) -> None:
    """Close the row that `begin` opened, with the answer."""
    await store.change(COLLECTION, {"_id": mark.id}, {"$set": _kept(known), "$unset": {"open_until": ""}})


async def give_up(store: Store, mark: Mark, *, now: datetime) -> None:
    """Remove the row that `begin` opened at `now`: the work came to nothing and may be tried again at once.

    Who was so slow that another took the row over leaves it to them.
    """
    await store.remove(COLLECTION, {"_id": mark.id, "open_until": now + OPEN_FOR})


def _known(row: Mapping[str, Any], mark: Mark, now: datetime) -> Known | None:
    if row["request"] != mark.request:
        raise Reused
    if "status" in row:
        return Known(row["status"], json.loads(row["body"]), row.get("location", ""))
    if row["open_until"] > now:
        raise UnderWay
    return None


def _kept(known: Known) -> dict[str, Any]:
    # as text: the answer's keys are the customer's own, and no business of the database
    return {"status": known.status, "body": json.dumps(known.body, ensure_ascii=False), "location": known.location}
