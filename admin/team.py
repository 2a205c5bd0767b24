"""The team: who is in it with which role and capacity, who is invited; changed by those who may, each change audited."""

from dataclasses import replace

from aiohttp import web

from admin import agents, invitations, sessions
from admin.agents import Agent, audit_row
from admin.desk import DESK, Desk
from admin.frame import frame
from admin.guard import agent_of, texts_of
from admin.incoming import form
from admin.live import LIVE
from admin.pages import at, page
from admin.roles import ROLES, may
from profiles.identity import normalise
from profiles.store import Stale

MOST_CAPACITY = 100


@may("team")
async def show(request: web.Request) -> web.Response:
    """Show the agents and the invitations."""
    return await _page(request)


@may("invite")
async def invite(request: web.Request) -> web.Response:
    """Make an invitation and show its link, this once."""
    desk, fields, speaks = request.config_dict[DESK], await form(request), texts_of(request)
    role, email = fields.get("role", ""), fields.get("email", "").casefold()
    if role not in ROLES or (email and normalise("email", email, country=desk.country) is None):
        return await _page(request, error=speaks("This e-mail address is not right."), status=422, typed=fields)
    if email and await agents.by_email(desk.store, email):
        error = speaks("Somebody with this e-mail address is here already.")
        return await _page(request, error=error, status=422, typed=fields)
    link = await invitations.invite(desk, role, by=agent_of(request).id, email=email)
    return await _page(request, link=link)


@may("invite")
async def withdraw(request: web.Request) -> web.StreamResponse:
    """End an invitation."""
    await invitations.withdraw(request.config_dict[DESK], request.match_info["id"], by=agent_of(request).id)
    raise web.HTTPSeeOther(at("team"))


@may("team")
async def change(request: web.Request) -> web.StreamResponse:
    """Change an agent's capacity and absence; those who may invite also change role and whether they may come in."""
    desk, by, fields = request.config_dict[DESK], agent_of(request), await form(request)
    speaks = texts_of(request)
    before = await agents.by_id(desk.store, request.match_info["id"])
    if before is None:
        raise web.HTTPNotFound
    after = _changed(before, fields, by)
    is_parting = before.role == "admin" and before.is_active and not (after.role == "admin" and after.is_active)
    left = await _another_admin(desk, before) if is_parting else None
    if is_parting and left is None:
        return await _page(request, error=speaks("There must be an administrator left."), status=409)
    row = audit_row("agent.changed", by=by.id, about=before.id, at=desk.clock(), role=after.role,
                    capacity=after.capacity, is_active=after.is_active, is_away=after.is_away)  # fmt: skip
    try:
        # the one who is left stands in the same commit: else two who send each other off at once leave nobody
        await agents.change(desk.store, before, after, row, witness=left)
    except Stale:
        error = speaks("Somebody changed this agent meanwhile. Look again.")
        return await _page(request, error=error, status=409)
    if (before.role, before.is_active) != (after.role, after.is_active):
        await sessions.revoke(desk, before.id)  # what they may do is decided afresh at their next sign-in
        request.config_dict[LIVE].end(before.id)
    desk.presence.nudge()
    request.config_dict[LIVE].say_who_is_here()
    raise web.HTTPSeeOther(at("team"))


def _changed(before: Agent, fields: dict[str, str], by: Agent) -> Agent:
    capacity = fields.get("capacity", "")
    known = capacity.isascii() and capacity.isdigit() and len(capacity) < 5
    after = replace(
        before,
        capacity=min(int(capacity), MOST_CAPACITY) if known else before.capacity,
        is_away=fields.get("away") == "yes",
    )
    if by.may("invite"):
        role = fields.get("role", before.role)
        after = replace(
            after,
            role=role if role in ROLES else before.role,
            is_active=fields.get("active") == "yes",
        )
    return after


async def _another_admin(desk: Desk, than: Agent) -> Agent | None:
    """Return somebody else who can invite and repair."""
    everyone = (await agents.everyone(desk.store)).values()
    return next(
        (other for other in everyone if other.role == "admin" and other.is_active and other.id != than.id), None
    )


async def _page(
    request: web.Request,
    *,
    link: str | None = None,
    error: str | None = None,
    status: int = 200,
    typed: dict[str, str] | None = None,
) -> web.Response:
    desk, agent = request.config_dict[DESK], agent_of(request)
    return page(
        request, "team.html", team=list((await agents.everyone(desk.store)).values()), roles=ROLES,
        invited=await invitations.open_ones(desk) if agent.may("invite") else [], link=link, error=error,
        typed=typed or {}, status=status, **await frame(desk, agent),
    )  # fmt: skip
