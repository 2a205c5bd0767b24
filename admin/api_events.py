"""The API's routes for what happened elsewhere: one event or a batch, each kept once under the caller's own id."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from admin import api_bodies as bodies
from admin import api_schemas as shapes
from admin.api_problems import slug_of
from admin.api_route import EVENT_BYTES, Call, Refused, Reply, Route
from admin.api_work import identity_key
from admin.schema import Problem
from profiles.snapshot import Changes, Done, Duplicate, Refusal, Snapshot, Work
from profiles.store import Unstorable
from profiles.timeline import Event

Named: TypeAlias = tuple[Mapping[str, Any], str]
"""An event, and the key of the identity that says whom it is about; empty: a profile does."""

SOURCE = "api"
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=1)  # clocks differ; a fact is past
OURS = (
    "profile",
    "identity",
    "conversation",
    "message",
    "consent",
)  # first words of events that only the server reports


async def add_event(call: Call) -> Reply:
    """Keep one event; known already, it is a duplicate and changes nothing."""
    key = _check(call, call.body, "")
    with call.desk.shedding.place():
        result = await _keep(call, call.body, key)
    if result["status"] == "refused":
        raise Refused(slug_of(result["reason"]))
    return Reply(201 if result["status"] == "stored" else 200, result)


async def add_events(call: Call) -> Reply:
    """Keep a batch of events; each has its own result, and a refused one does not hold up the others."""
    events = call.body["events"]
    are_small = _bytes([event.get("properties") for event in events]) <= EVENT_BYTES  # then each of them is
    named = [
        (event, _check(call, event, f"/events/{number}", is_small=are_small)) for number, event in enumerate(events)
    ]
    holders = await _holders(call, named)
    with call.desk.shedding.place():
        try:
            outcome = await call.desk.writer.commit(_whole(call, named, holders))
        except Unstorable:  # one of them can not be kept: each by itself then
            return Reply(200, {"results": await asyncio.gather(*(_keep(call, event, key) for event, key in named))})
    assert isinstance(outcome, Done)
    return Reply(200, {"results": outcome.changes.answer})


async def _holders(call: Call, named: Iterable[Named]) -> Mapping[str, str]:
    """Return whom these events are about, by what names them: an identity's key, or a profile's id.

    Only whether the ids exist is read, which their index alone answers: 500 profiles out of a million would be most of what a
    batch costs. An event under the id of a profile that was merged away is read as that of the one it became.
    """
    store, names = call.desk.store, list(named)
    keys, ids = {key for _, key in names if key}, {event["profile"] for event, key in names if not key}
    found = {row["_id"]: str(row["profile"]) for row in await store.get_many("identities", keys)} if keys else {}
    rows = await store.get_many("profiles", {*ids, *found.values()}, only=["_id"])
    there = {row["_id"] for row in rows}
    return {name: id for name, id in {**found, **{id: id for id in ids}}.items() if id in there}


def _whole(call: Call, named: Iterable[Named], holders: Mapping[str, str]) -> Work:
    """Return a batch as one work: one look at which events are there, one result for each."""
    facts = [(event, _id(event), holders.get(key or event["profile"])) for event, key in named]

    def think(snapshot: Snapshot) -> Changes:
        events: dict[str, Event] = {}
        results = []
        for event, id, profile in facts:
            if profile is None:
                results.append({"id": event["id"], "status": "refused", "reason": "unknown_profile"})
            elif id in events or ("events", id) in snapshot.records:
                results.append({"id": event["id"], "status": "duplicate"})
            else:
                events[id] = _fact(call, event, id, profile, snapshot)
                results.append({"id": event["id"], "status": "stored"})
        return Changes(events=tuple(events.values()), answer=results)

    keys = tuple({("events", id): None for _, id, _ in facts})
    return Work(think, records=keys, fresh=frozenset(keys))  # who sends twice is met by the insert, and only then read


async def _keep(call: Call, event: Mapping[str, Any], key: str) -> dict[str, str]:
    try:
        outcome = await call.desk.writer.commit(_work(call, event, key))
    except Unstorable:
        outcome = Refusal("invalid")
    match outcome:
        case Done():
            return {"id": event["id"], "status": "stored"}
        case Duplicate():
            return {"id": event["id"], "status": "duplicate"}
        case Refusal(reason=reason):
            return {"id": event["id"], "status": "refused", "reason": reason}


def _work(call: Call, event: Mapping[str, Any], key: str) -> Work:
    id = _id(event)

    def think(snapshot: Snapshot) -> Changes | Refusal:
        profile = snapshot.holder(key) if key else snapshot.profile(event["profile"])
        if profile is None:
            return Refusal("unknown_profile")
        return Changes(events=(_fact(call, event, id, profile.id, snapshot),))

    profiles = (event["profile"],) if "profile" in event else ()
    return Work(think, profiles=profiles, identities=(key,) if key else (), key=id, key_in="events")


def _id(event: Mapping[str, Any]) -> str:
    return f"api:{event.get('source', SOURCE)}:{event['id']}"


def _fact(call: Call, event: Mapping[str, Any], id: str, profile: str, snapshot: Snapshot) -> Event:
    return Event(
        id=id, profile=profile, name=event["name"], happened_at=event.get("happened_at", snapshot.now),
        by=call.key.actor, source=event.get("source", SOURCE), properties=event.get("properties", {}),
    )  # fmt: skip


def _check(call: Call, event: Mapping[str, Any], at: str, *, is_small: bool = False) -> str:
    """Return the key of the identity that names whom it is about, if one does. Raises Refused for what the schema can not say."""
    faults: list[Problem] = []
    if event["name"].partition(".")[0] in OURS:
        faults.append(Problem(f"{at}/name", f"only the server reports {event['name'].partition('.')[0]} events"))
    happened = event.get("happened_at")
    if happened and not EARLIEST <= happened <= call.now + AHEAD:
        faults.append(Problem(f"{at}/happened_at", "expected an instant from the year 2000 to now"))
    if not is_small and _bytes(event.get("properties", {})) > EVENT_BYTES:
        faults.append(Problem(f"{at}/properties", f"expected at most {EVENT_BYTES} bytes"))
    if faults:
        raise Refused("invalid", faults=tuple(faults))
    return identity_key(call, event["identity"], f"{at}/identity") if "identity" in event else ""


def _bytes(properties: Any) -> int:
    return len(json.dumps(properties))


ROUTES = (
    Route("POST", "/events", add_event, "events:write", "Report one event.", "Signaler un événement.", shapes.EVENT_RESULT,
          status=201, body=bodies.EVENT_IN, problems=("unknown_profile",), largest=EVENT_BYTES, repeats_safely=True),
    Route("POST", "/events/batch", add_events, "events:write", "Report up to 500 events.", "Signaler jusqu'à 500 événements.",
          shapes.EVENT_RESULTS, body=bodies.EVENTS_IN, repeats_safely=True,
          cost=lambda body: len(body["events"])),
)  # fmt: skip
