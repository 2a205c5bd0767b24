"""The API's routes about a person's data as a whole: give it out, and erase it."""

from admin import api_schemas as shapes
from admin import erasure, own_export
from admin.agents import audit_row
from admin.api_route import Call, Refused, Reply, Route
from admin.api_work import do
from admin.idempotency import Known
from admin.people import read_profile
from admin.throttle import seconds_left
from profiles.erased import Hashes
from profiles.ledgers import Ledgers
from profiles.profile import Profile


async def erase_profile(call: Call) -> Reply:
    """Begin to erase a person; asked again while it is under way, it is the same erasure."""
    profile = await _found(call)
    work = await erasure.begin(call.desk.store, profile, Hashes(call.desk.secret), by=call.key.actor)
    return await do(call, work, lambda changes: Known(202, {"erasure": changes.answer}))


async def export_profile(call: Call) -> Reply:
    """Answer all that is known of a person, as they get it on their own page."""
    profile, desk = await _found(call), call.desk
    if desk.consents is None:
        raise Refused("no_rules")
    if not await own_export.may_read(desk.store, profile, call.key.actor, now=call.now):
        raise Refused("rate", retry_after=seconds_left(own_export.EXPORTS, now=call.now))
    row = audit_row("profile.exported", by=call.key.actor, about=profile.id, at=call.now)
    await desk.store.insert("audit", row)
    return Reply(200, await own_export.whole(desk.store, desk.consents, Ledgers(desk.store), profile))


async def _found(call: Call) -> Profile:
    profile = await read_profile(call.desk, call.path["id"])
    if profile is None:
        raise Refused("unknown_profile")
    return profile


ROUTES = (
    Route("DELETE", "/profiles/{id}", erase_profile, "profiles:erase", "Erase a person for good; it goes on by itself.",
          "Effacer définitivement une personne ; cela se poursuit tout seul.", shapes.ERASURE, status=202,
          problems=("unknown_profile",)),
    Route("GET", "/profiles/{id}/export", export_profile, "profiles:export", "Read all that is kept about a person.",
          "Lire tout ce qui est gardé d'une personne.", shapes.EXPORT, problems=("unknown_profile", "no_rules")),
)  # fmt: skip
