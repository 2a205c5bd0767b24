"""What an agent with the right does about a person's data as a whole: give it out, and erase it."""

from aiohttp import web

from admin import own_export
from admin.agents import audit_row
from admin.answers import answer, refuse
from admin.desk import DESK
from admin.erasure import begin
from admin.guard import agent_of, texts_of
from admin.incoming import body
from admin.people import read_profile
from admin.roles import may
from profiles.erased import Hashes
from profiles.ledgers import Ledgers


@may("erase")
async def erase(request: web.Request) -> web.Response:
    """Begin to erase a contact for good; only with `sure`, for it can not be undone."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    fields = await body(request, sure=bool)
    if not fields.get("sure"):
        return refuse(request, "not_sure")
    profile = await read_profile(desk, request.match_info["id"])
    if profile is None:
        return refuse(request, "unknown_profile", 404)
    work = await begin(desk.store, profile, Hashes(desk.secret), by=f"agent:{agent.id}")
    return await answer(request, desk.writer.commit(work))


@may("erase")
async def export(request: web.Request) -> web.StreamResponse:
    """Give all that is known of a contact as one JSON file, as they get it on their own page."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    profile = await read_profile(desk, request.match_info["id"])
    if profile is None or desk.consents is None:
        raise web.HTTPNotFound
    if not await own_export.may_read(desk.store, profile, f"agent:{agent.id}", now=desk.clock()):
        told = texts_of(request)("You took all that is known of this contact twice within the hour. Try again later.")
        raise web.HTTPTooManyRequests(text=told)
    row = audit_row("profile.exported", by=agent.id, about=profile.id, at=desk.clock())
    await desk.store.insert("audit", row)
    response = web.StreamResponse(headers={"Content-Disposition": f'attachment; filename="{profile.id}.json"'})
    response.content_type = "application/json"
    await response.prepare(request)
    async for piece in own_export.written(desk.store, desk.consents, Ledgers(desk.store), profile):
        await response.write(piece)
    await response.write_eof()
    return response
