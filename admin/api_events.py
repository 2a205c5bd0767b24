"""The API's routes for what happened elsewhere: one event or a batch, each kept once under the caller's own id."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from admin import api_schemas as shapes
from admin.api_problems import slug_of
from admin.api_route import EVENT_BYTES, Call, Refused, Reply, Route
from admin.api_work import identity_key
from admin.schema import Problem
from profiles.snapshot import Changes, Done, Duplicate, Refusal, Snapshot, Work
from profiles.timeline import Event

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
    _check(call, call.body, "")
    result = await _keep(call, call.body)
    if result["status"] == "refused":
        raise Refused(slug_of(result["reason"]))
    return Reply(201 if result["status"] == "stored" else 200, result)


async def add_events(call: Call) -> Reply:
    """Keep a batch of events; each has its own result, and a refused one does not hold up the others."""
    for number, event in enumerate(call.body["events"]):
        _check(call, event, f"/events/{number}")
    results = await asyncio.gather(*(_keep(call, event) for event in call.body["events"]))
    return Reply(200, {"results": results})


async def _keep(call: Call, event: Mapping[str, Any]) -> dict[str, str]:
    outcome = await call.desk.writer.commit(_work(call, event))
    match outcome:
        case Done():
            return {"id": event["id"], "status": "stored"}
        case Duplicate():
            return {"id": event["id"], "status": "duplicate"}
        case Refusal(reason=reason):
            return {"id": event["id"], "status": "refused", "reason": reason}


def _work(call: Call, event: Mapping[str, Any]) -> Work:
    source = event.get("source", SOURCE)
    id = f"api:{source}:{event['id']}"
    key = identity_key(call, event["identity"], "/identity") if "identity" in event else ""

    def think(snapshot: Snapshot) -> Changes | Refusal:
        profile = snapshot.holder(key) if key else snapshot.profile(event["profile"])
        if profile is None:
            return Refusal("unknown_profile")
        fact = Event(
            id=id, profile=profile.id, name=event["name"], happened_at=event.get("happened_at", snapshot.now),
            by=call.key.actor, source=source, properties=event.get("properties", {}),
        )  # fmt: skip
        return Changes(events=(fact,))

    profiles = (event["profile"],) if "profile" in event else ()
    return Work(think, profiles=profiles, identities=(key,) if key else (), key=id, key_in="events")


def _check(call: Call, event: Mapping[str, Any], at: str) -> None:
    """Raise Refused for what the schema can not say."""
    faults: list[Problem] = []
    if event["name"].partition(".")[0] in OURS:
        faults.append(Problem(f"{at}/name", f"only the server reports {event['name'].partition('.')[0]} events"))
    happened = event.get("happened_at")
    if happened and not EARLIEST <= happened <= call.now + AHEAD:
        faults.append(Problem(f"{at}/happened_at", "expected an instant from the year 2000 to now"))
    if len(json.dumps(event.get("properties", {}))) > EVENT_BYTES:
        faults.append(Problem(f"{at}/properties", f"expected at most {EVENT_BYTES} bytes"))
    if "identity" in event:
        identity_key(call, event["identity"], f"{at}/identity")
    if faults:
        raise Refused("invalid", faults=tuple(faults))


ROUTES = (
    Route("POST", "/events", add_event, "events:write", "Report one event.", "Signaler un événement.", shapes.EVENT_RESULT,
          status=201, body=shapes.EVENT_IN, problems=("unknown_profile",), largest=EVENT_BYTES, repeats_safely=True),
    Route("POST", "/events/batch", add_events, "events:write", "Report up to 500 events.", "Signaler jusqu'à 500 événements.",
          shapes.EVENT_RESULTS, body=shapes.EVENTS_IN, repeats_safely=True,
          cost=lambda body: len(body["events"])),
)  # fmt: skip
