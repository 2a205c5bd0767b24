"""Who knocks, and may they? One middleware before every route of the console: session, permission, origin, token, headers.

Denied is the default: a route whose handler names no permission answers 403 (admin/roles.py).
"""

import hmac
import secrets
from urllib.parse import quote, urlsplit

from aiohttp import web

from admin import agents, sessions
from admin.agents import Agent
from admin.desk import DESK, PREFIX, Desk
from admin.incoming import posted
from admin.roles import Page, permission_of
from admin.sessions import Session
from admin.texts import Texts, preferred, texts
from profiles.store import Stale, Unavailable

AGENT: web.RequestKey[Agent] = web.RequestKey("agent", Agent)
SESSION: web.RequestKey[Session] = web.RequestKey("session", Session)
TEXTS: web.RequestKey[Texts] = web.RequestKey("texts", Texts)
CSRF: web.RequestKey[str] = web.RequestKey("csrf", str)
FORM_COOKIE = "causerie_form"
FORM_TYPES = ("application/x-www-form-urlencoded", "")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
        "require-trusted-types-for 'script'; trusted-types causerie"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # no-referrer would make browsers send "Origin: null" with our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}


@web.middleware
async def guard(request: web.Request, handler: Page) -> web.StreamResponse:
    """Let the request through to its handler, or answer for it."""
    desk = request.config_dict[DESK]
    try:
        response = await _admitted(desk, request, handler)
    except web.HTTPException as refusal:
        _dress(desk, refusal)
        raise
    except Stale:  # two at once; who knows what to say to that says it (admin/team.py)
        response = web.Response(status=409, text=request[TEXTS]("This form is no longer valid. Load the page again."))
    except Unavailable:
        response = web.json_response({"error": "unavailable"}, status=503, headers={"Retry-After": "2"})
    if not response.prepared:
        _dress(desk, response)
    return response


async def dress(request: web.Request, response: web.StreamResponse) -> None:
    """Give our headers to an answer that is about to begin: one that is written piece by piece never comes back to `guard`."""
    _dress(request.config_dict[DESK], response)


def agent_of(request: web.Request) -> Agent:
    """Return who makes this request; only where the route asks for a session."""
    return request[AGENT]


def texts_of(request: web.Request) -> Texts:
    """Return the texts in the language of whoever makes this request."""
    return request[TEXTS]


def is_ours(desk: Desk, request: web.Request) -> bool:
    """Return whether this request comes from a page of our own, as far as its Origin says."""
    try:
        origin = urlsplit(request.headers.get("Origin", ""))
    except ValueError:  # http://[
        return False
    if not origin.netloc:
        return request.headers.get("Sec-Fetch-Site") == "same-origin"
    return origin.netloc == request.host or f"{origin.scheme}://{origin.netloc}" == desk.public_url


async def _admitted(desk: Desk, request: web.Request, handler: Page) -> web.StreamResponse:
    if request.match_info.http_exception is not None:
        raise request.match_info.http_exception
    permission = permission_of(request.match_info.handler)
    request[TEXTS] = texts(preferred(request.headers.get("Accept-Language", "")))
    if permission is None:
        raise web.HTTPForbidden(text="this page names no permission")
    if permission == "public":
        return await _public(desk, request, handler)
    session = await sessions.find(desk, request.cookies.get(sessions.cookie_name(desk)))
    agent = await agents.by_id(desk.store, session.agent) if session else None
    if session is None or agent is None or not agent.is_active:
        raise _sign_in_first(request)
    request[AGENT], request[SESSION] = agent, session
    request[TEXTS] = texts(agent.language)
    request[CSRF] = sessions.csrf_token(desk, session.id)
    if not agent.may(permission):
        raise web.HTTPForbidden(text=request[TEXTS]("You may not do this."))
    if permission != "self" and agent.role in desk.options.second_factor_roles and agent.totp is None:
        raise web.HTTPSeeOther(f"{PREFIX}/settings/second-factor")
    await _check_form(desk, request)
    return await handler(request)


async def _public(desk: Desk, request: web.Request, handler: Page) -> web.StreamResponse:
    """Serve a page that needs no session; its forms are bound to a cookie of their own."""
    key = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(18)
    request[CSRF] = sessions.csrf_token(desk, f"form|{key}")
    await _check_form(desk, request)
    response = await handler(request)
    if FORM_COOKIE not in request.cookies and response.content_type == "text/html":
        response.set_cookie(FORM_COOKIE, key, httponly=True, samesite="Lax", secure=desk.is_https, path=PREFIX)
    return response


async def _check_form(desk: Desk, request: web.Request) -> None:
    if request.method in ("GET", "HEAD"):
        return
    if not is_ours(desk, request):
        raise web.HTTPForbidden(text="this request does not come from the console")
    token = request.headers.get("X-CSRF", "")
    if not token and request.content_type in FORM_TYPES:
        token = (await posted(request)).get("csrf", "")
    if not hmac.compare_digest(token.encode(), request[CSRF].encode()):
        raise web.HTTPForbidden(text=request[TEXTS]("This form is no longer valid. Load the page again."))


def _sign_in_first(request: web.Request) -> web.HTTPException:
    wants_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
    if not wants_page or request.headers.get("X-Fragment"):
        return web.HTTPUnauthorized(text="sign in first")
    return web.HTTPSeeOther(f"{PREFIX}/sign-in?next={quote(str(request.rel_url))}")


def _dress(desk: Desk, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if desk.is_https:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
