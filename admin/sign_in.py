"""The way in and out: e-mail and password, then the second factor where there is one; invitations; sign-out.

The same answer and the same time for an unknown address as for a wrong password; tries are counted before the hash.
"""

import base64
import hashlib
import hmac
from datetime import timedelta
from urllib.parse import unquote

from aiohttp import web

from admin import agents, invitations, known_browsers, sessions, throttle, totp
from admin.agents import Agent, audit_row
from admin.desk import DESK, PREFIX, Desk
from admin.guard import SESSION, agent_of, texts_of
from admin.incoming import form, posted
from admin.live import LIVE
from admin.pages import at, page
from admin.passwords import Busy, weakness
from admin.roles import may
from admin.speech import bound
from channels.webchat_limits import caller, counted
from profiles.identity import normalise
from profiles.store import AlreadyThere

CODE_WITHIN = timedelta(minutes=5)  # from the right password to the right code


@may("public")
async def show(request: web.Request) -> web.Response:
    """Show the sign-in form."""
    return page(request, "sign_in.html", email="", next=_safe(request.query.get("next", "")), error=None)


@may("public")
async def check(request: web.Request) -> web.Response:
    """Check e-mail and password: then in, or on to the second factor."""
    desk, fields = request.config_dict[DESK], await form(request)
    email, target = fields.get("email", "").casefold(), _safe(fields.get("next", ""))
    speaks = texts_of(request)
    account = known_browsers.known(desk, request, email) or f"account:{email}"
    if not await _may_try(desk, account, counted(request, desk.proxies)):
        return _again(request, email, target, speaks("Too many tries. Wait a minute and try again."), 429)
    agent = await agents.by_email(desk.store, email)
    kept = agent.password if agent and agent.is_active else None
    try:
        right = await desk.passwords.matches(kept, (await posted(request)).get("password", "")[:200])
    except Busy:
        return _again(request, email, target, bound(speaks).refusal("unavailable"), 503)
    if agent is None or not right:
        return _again(request, email, target, speaks("This e-mail address and password do not go together."), 401)
    if agent.totp:
        return page(request, "sign_in_code.html", ticket=_ticket(desk, agent), next=target, error=None)
    return await _let_in(request, agent, target)


@may("public")
async def check_code(request: web.Request) -> web.Response:
    """Check the second factor: a code of the app, each step once, or a recovery code, each once."""
    desk, fields = request.config_dict[DESK], await form(request)
    target, ticket = _safe(fields.get("next", "")), fields.get("ticket", "")
    agent = await _ticket_holder(desk, ticket)
    speaks = texts_of(request)
    if agent is None:
        return _again(request, "", target, speaks("That took too long. Sign in again."), 401)
    if not await may_try_code(desk, agent):
        error, status = speaks("Too many tries. Wait a minute and try again."), 429
    elif await use_code(desk, agent, fields.get("code", "")):
        return await _let_in(request, agent, target)
    else:
        error, status = speaks("This code is not right, or was used already."), 401
    return page(request, "sign_in_code.html", ticket=ticket, next=target, error=error, status=status)


async def may_try_code(desk: Desk, agent: Agent) -> bool:
    """Count a try of this agent's second factor; without the bound of a day, whoever has the password would guess it in weeks."""
    counted = [
        await throttle.allowed(desk.store, f"code:{agent.id}", allowance, now=desk.clock())
        for allowance in (throttle.PER_ACCOUNT, throttle.PER_DAY)
    ]
    return all(counted)


async def use_code(desk: Desk, agent: Agent, code: str) -> bool:
    """Use up a code of this agent and return whether it was valid. One conditional update decides a race."""
    if agent.totp is None:
        return False
    step = totp.step_of(agent.totp.secret, code, desk.clock())
    if step is not None:
        where = {"_id": agent.id, "totp.secret": agent.totp.secret, "$or": [
            {"totp.last_step": {"$lt": step}}, {"totp.last_step": None}]}  # fmt: skip
        used = {"$set": {"totp.last_step": step}, "$inc": {"version": 1}}
        return bool(await desk.store.change("agents", where, used))
    left = totp.recovery_hash(code)
    used_up = {"$pull": {"recovery": left}, "$inc": {"version": 1}}
    if not await desk.store.change("agents", {"_id": agent.id, "recovery": left}, used_up):
        return False
    await desk.store.insert("audit", audit_row("agent.recovered", by=agent.id, about=agent.id, at=desk.clock()))
    return True


@may("public")
async def welcome(request: web.Request) -> web.Response:
    """Show an invitation: choose name, e-mail and password."""
    invitation = await invitations.find(request.config_dict[DESK], request.match_info["token"])
    known = {"name": "", "email": invitation.email if invitation else "", "error": None}
    return page(request, "welcome.html", invitation=invitation, status=200 if invitation else 410, **known)


@may("public")
async def join(request: web.Request) -> web.Response:
    """Accept an invitation: make the agent and let them in."""
    desk, fields = request.config_dict[DESK], await form(request)
    invitation = await invitations.find(desk, request.match_info["token"])
    name, email = agents.called(fields.get("name", "")), fields.get("email", "").casefold()
    password = (await posted(request)).get("password", "")
    if invitation is None:
        return page(request, "welcome.html", invitation=None, name=name, email=email, error=None, status=410)
    error = _problem(request, invitation.email, name, email, password)
    if error is None:
        try:
            kept = await desk.passwords.hash(password)
            language = texts_of(request).language
            agent = await invitations.accept(desk, invitation, name=name, email=email, password=kept, language=language)
            if agent:
                return await _let_in(request, agent, at())
            error = texts_of(request)("This link was used meanwhile.")
        except AlreadyThere:
            error = texts_of(request)("Somebody with this e-mail address is here already.")
        except Busy:
            error = bound(texts_of(request)).refusal("unavailable")
    return page(request, "welcome.html", invitation=invitation, name=name, email=email, error=error, status=422)


@may("self")
async def sign_out(request: web.Request) -> web.Response:
    """End this session."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    await sessions.revoke(desk, agent.id, only=request[SESSION].id)
    request.config_dict[LIVE].leave(request[SESSION].id)
    await desk.store.insert("audit", audit_row("agent.signed_out", by=agent.id, about=agent.id, at=desk.clock()))
    response = web.HTTPSeeOther(at("sign-in"))
    response.del_cookie(sessions.cookie_name(desk), path="/")
    raise response


async def _let_in(request: web.Request, agent: Agent, target: str) -> web.Response:
    desk = request.config_dict[DESK]
    now = desk.clock()
    browser = request.headers.get("User-Agent", "")
    address = caller(request, desk.proxies)
    token = await sessions.begin(desk, agent.id, ip=address, browser=browser)
    await desk.store.insert("audit", audit_row("agent.signed_in", by=agent.id, about=agent.id, at=now, ip=address))
    response = web.Response(status=303, headers={"Location": target or at()})
    response.set_cookie(
        sessions.cookie_name(desk), token, httponly=True, samesite="Lax", secure=desk.is_https, path="/",
        max_age=desk.options.session_days * 86_400,
    )  # fmt: skip
    known_browsers.remember(desk, response, agent.email)
    return response


async def _may_try(desk: Desk, account: str, ip: str) -> bool:
    now, store = desk.clock(), desk.store
    # every counter is raised, whatever the others say; `and` would leave the later ones behind
    counted = [
        await throttle.allowed(store, f"ip:{ip}", throttle.PER_ADDRESS, now=now),
        await throttle.allowed(store, account, throttle.PER_ACCOUNT, now=now),
        await throttle.allowed(store, account, throttle.PER_DAY, now=now),
    ]
    return all(counted)


def _again(request: web.Request, email: str, target: str, error: str, status: int) -> web.Response:
    return page(request, "sign_in.html", email=email, next=target, error=error, status=status)


def _problem(request: web.Request, invited: str, name: str, email: str, password: str) -> str | None:
    speaks = texts_of(request)
    if not name:
        return speaks("Say how colleagues call you.")
    if normalise("email", email, country="FR") is None or (invited and email != invited):
        return speaks("This e-mail address is not right.")
    weak = weakness(password, about=(name, *name.split(), email, email.partition("@")[0]))
    return bound(speaks).weak(weak) if weak else None


def _ticket(desk: Desk, agent: Agent) -> str:
    """Return the proof that the password was right, good for five minutes and void once the password changes."""
    ends = int((desk.clock() + CODE_WITHIN).timestamp())
    claim = f"{agent.id}|{ends}"
    return f"{claim}|{_signature(desk, agent, claim)}"


async def _ticket_holder(desk: Desk, ticket: str) -> Agent | None:
    id, _, rest = ticket.partition("|")
    ends, _, signature = rest.partition("|")
    if not ends.isascii() or not ends.isdigit() or len(ends) > 12 or int(ends) < desk.clock().timestamp():
        return None
    agent = await agents.by_id(desk.store, id)
    if agent is None or not agent.is_active:
        return None
    right = _signature(desk, agent, f"{id}|{ends}")
    return agent if hmac.compare_digest(right.encode(), signature.encode()) else None


def _signature(desk: Desk, agent: Agent, claim: str) -> str:
    digest = hmac.new(desk.secret, f"code|{claim}|{agent.password}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode()


def _safe(target: str) -> str:
    """Return where to go after sign-in if it is a page of the console, else nothing: never another site."""
    plain = unquote(target)
    is_path = plain.startswith(f"{PREFIX}/") and "\\" not in plain and "//" not in plain
    return target if is_path and target.isprintable() else ""  # a line break can not stand in a header
