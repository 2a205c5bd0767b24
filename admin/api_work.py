"""From a checked request to the one writer and back: commit, remember the answer under the Idempotency-Key, name refusals."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from admin import idempotency
from admin.api_problems import slug_of
from admin.api_route import Call, Refused, Reply
from admin.idempotency import Known
from admin.schema import Problem
from profiles.identity import key as key_of
from profiles.identity import normalise
from profiles.snapshot import Changes, Done, Refusal, Snapshot, Work

Shown = Callable[[Changes], Known]


async def do(call: Call, work: Work, shown: Shown) -> Reply:
    """Commit the work and answer what `shown` makes of its changes; with an Idempotency-Key, the answer it had before."""

    def think(snapshot: Snapshot) -> Changes | Refusal:
        changes = work.think(snapshot)
        return changes if isinstance(changes, Refusal) else replace(changes, answer=shown(changes))

    showing = replace(work, think=think)
    if call.mark:
        showing = idempotency.remembering(showing, call.mark)
    outcome = await call.desk.writer.commit(showing)
    if isinstance(outcome, Refusal):
        raise refused(outcome, call)
    if isinstance(outcome, Done):
        new: Known = outcome.changes.answer
        return Reply(new.status, new.body, new.location)
    known = await idempotency.recall(call.desk.store, call.mark, now=call.now) if call.mark else None
    if known is None:
        raise Refused("in_progress")  # its row went between the commit and this reading: 48 hours are over
    return replay(known)


def replay(known: Known) -> Reply:
    """Return the answer that the same request had before."""
    return Reply(known.status, known.body, known.location, is_replay=True)


def refused(refusal: Refusal, call: Call) -> Refused:
    """Return the exception for a Refusal; who holds a taken identity is told to those who may read profiles."""
    if refusal.reason == "identity_taken" and "profiles:read" in call.key.scopes:
        return Refused("identity_taken", profile=refusal.detail)
    detail = "" if refusal.reason == "identity_taken" else refusal.detail
    return Refused(slug_of(refusal.reason), detail)


def identity_key(call: Call, named: Mapping[str, Any], at: str) -> str:
    """Return the key of a {space, address}. Raises Refused when it can not be an address there."""
    address = normalise(named["space"], named["address"], country=call.desk.country)
    if address is None:
        fault = Problem(f"{at}/address", f"expected an address of the space {named['space']}")
        raise Refused("invalid", faults=(fault,))
    return key_of(named["space"], address)
