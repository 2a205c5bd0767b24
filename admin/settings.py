"""An agent's own settings: name, language, signature, absence, password, second factor, sessions."""

from dataclasses import replace

from aiohttp import web

from admin import agents, qr, sessions, sign_in, throttle, totp
from admin.agents import Totp, audit_row
from admin.answers import refuse
from admin.desk import DESK
from admin.frame import frame
from admin.guard import SESSION, agent_of, texts_of
from admin.incoming import body, form, posted
from admin.live import LIVE
from admin.pages import at, page
from admin.passwords import Busy, weakness
from admin.roles import may
from admin.speech import bound
from admin.texts import LANGUAGES
from profiles.store import Stale


@may("self")
async def show(request: web.Request) -> web.Response:
    """Show the settings."""
    return await _page(request)


@may("self")
async def save(request: web.Request) -> web.StreamResponse:
    """Change name, language and signature."""
    desk, agent, fields = request.config_dict[DESK], agent_of(request), await form(request)
    name, language = agents.called(fields.get("name", "")), fields.get("language", "")
    if not name or language not in LANGUAGES:
        error = texts_of(request)("Say how colleagues call you.")
        return await _page(request, error=error, status=422, typed=fields)
    signature = (await posted(request)).get("signature", "").replace("\r\n", "\n").strip()[:500]
    after = replace(agent, name=name, language=language, signature=signature)
    row = audit_row("agent.settings", by=agent.id, about=agent.id, at=desk.clock())
    await agents.change(desk.store, agent, after, row)
    raise web.HTTPSeeOther(at("settings", saved="1"))


@may("converse")
async def away(request: web.Request) -> web.Response:
    """Say whether the queue may give this agent anything."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    fields = await body(request, away=bool)
    after = replace(agent, is_away=bool(fields.get("away")))
    row = audit_row("agent.settings", by=agent.id, about=agent.id, at=desk.clock(), is_away=after.is_away)
    try:
        await agents.change(desk.store, agent, after, row)
    except Stale:
        return refuse(request, "unavailable", 409)
    desk.presence.nudge()
    request.config_dict[LIVE].say_who_is_here()
    return web.json_response({"ok": True})


@may("self")
async def change_password(request: web.Request) -> web.StreamResponse:
    """Change the password and end every other session."""
    desk, agent = request.config_dict[DESK], agent_of(request)
    fields, speaks = await posted(request), texts_of(request)
    old, new = fields.get("old", "")[:200], fields.get("new", "")
    if not await throttle.allowed(desk.store, f"password:{agent.id}", throttle.PER_ACCOUNT, now=desk.clock()):
        return await _page(request, error=speaks("Too many tries. Wait a minute and try again."), status=429)
    weak = weakness(new, about=(*agent.name.split(), agent.email, agent.email.partition("@")[0]))
    try:
        if not await desk.passwords.matches(agent.password, old):
            return await _page(request, error=speaks("The present password is not right."), status=422)
        if weak:
            return await _page(request, error=bound(speaks).weak(weak), status=422)
        kept = await desk.passwords.hash(new)
    except Busy:
        return await _page(request, error=bound(speaks).refusal("unavailable"), status=503)
    row = audit_row("agent.password_changed", by=agent.id, about=agent.id, at=desk.clock())
    await agents.change(desk.store, agent, replace(agent, password=kept), row)
    await _end_others(request)
    raise web.HTTPSeeOther(at("settings", saved="password"))


@may("self")
async def show_second_factor(request: web.Request) -> web.Response:
    """Show a fresh secret to put into an authenticator app, or the way to remove the factor."""
    return await _second_factor(request, totp.new_secret(), error=None)


@may("self")
async def set_second_factor(request: web.Request) -> web.Response:
    """Turn the second factor on, once a code proves that the app has the secret; show the recovery codes, this once."""
    desk, agent, fields = request.config_dict[DESK], agent_of(request), await form(request)
    secret = fields.get("secret", "")
    step = totp.step_of(secret, fields.get("code", ""), desk.clock()) if _is_secret(secret) else None
    if agent.totp or step is None:
        error = texts_of(request)("This code is not right. Is the clock of your phone right?")
        return await _second_factor(request, secret if _is_secret(secret) else totp.new_secret(), error=error)
    codes = totp.new_recovery_codes()
    after = replace(agent, totp=Totp(secret, step), recovery=tuple(map(totp.recovery_hash, codes)))
    row = audit_row("agent.second_factor_on", by=agent.id, about=agent.id, at=desk.clock())
    await agents.change(desk.store, agent, after, row)
    await _end_others(request)
    return page(request, "recovery_codes.html", codes=codes, **await frame(desk, agent))


@may("self")
async def remove_second_factor(request: web.Request) -> web.StreamResponse:
    """Turn the second factor off; it takes one last code."""
    desk, agent, fields = request.config_dict[DESK], agent_of(request), await form(request)
    within = await sign_in.may_try_code(desk, agent)
    if agent.totp is None or not within or not await sign_in.use_code(desk, agent, fields.get("code", "")):
        error = texts_of(request)("This code is not right, or was used already.")
        return await _second_factor(request, "", error=error)
    present = await agents.by_id(desk.store, agent.id)
    if present:
        row = audit_row("agent.second_factor_off", by=agent.id, about=agent.id, at=desk.clock())
        await agents.change(desk.store, present, replace(present, totp=None, recovery=()), row)
    await _end_others(request)
    raise web.HTTPSeeOther(at("settings", saved="1"))


@may("self")
async def end_session(request: web.Request) -> web.StreamResponse:
    """End one of the agent's own sessions, or all the others."""
    desk, agent, fields = request.config_dict[DESK], agent_of(request), await form(request)
    if id := fields.get("session", ""):
        await sessions.revoke(desk, agent.id, only=id)
        row = audit_row("agent.revoked", by=agent.id, about=agent.id, at=desk.clock())
        await desk.store.insert("audit", row)
        request.config_dict[LIVE].end(agent.id, spare=request[SESSION].id)
    else:
        await _end_others(request)
    raise web.HTTPSeeOther(at("settings"))


async def _end_others(request: web.Request) -> None:
    desk, agent = request.config_dict[DESK], agent_of(request)
    await sessions.revoke(desk, agent.id, spare=request[SESSION].id)
    request.config_dict[LIVE].end(agent.id, spare=request[SESSION].id)


def _is_secret(text: str) -> bool:
    return len(text) == 32 and all(letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" for letter in text)


async def _second_factor(request: web.Request, secret: str, *, error: str | None) -> web.Response:
    desk, agent = request.config_dict[DESK], agent_of(request)
    uri = totp.uri(secret, account=agent.email, issuer="Causerie") if secret else ""
    return page(
        request, "second_factor.html", secret=secret, uri=uri, picture=qr.picture(uri) if uri else None, error=error,
        status=422 if error else 200, **await frame(desk, agent),
    )  # fmt: skip


async def _page(
    request: web.Request, *, error: str | None = None, status: int = 200, typed: dict[str, str] | None = None
) -> web.Response:
    desk, agent = request.config_dict[DESK], agent_of(request)
    shown = {"name": agent.name, "language": agent.language, "signature": agent.signature}
    return page(
        request, "settings.html", sessions=await sessions.of_agent(desk, agent.id), this=request[SESSION].id,
        languages=LANGUAGES, saved=request.query.get("saved", ""), error=error, status=status,
        shown=shown | (typed or {}),
        **await frame(desk, agent),
    )  # fmt: skip
