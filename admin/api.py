"""The JSON API, mounted at /api/v1: one table of routes, and one door that every request passes through.

The door: rate, key, scope, query, body, idempotency; then the route; then every mistake as application/problem+json. What a
request may say is in its schema (admin/api_bodies.py), and the OpenAPI document is made of the same table (admin/openapi.py).
"""

import asyncio
import json
import logging
import time
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from admin import (
    api_codes,
    api_consents,
    api_conversations,
    api_devices,
    api_erasure,
    api_events,
    api_messages,
    api_profiles,
    api_rules,
    api_webhooks,
    idempotency,
    openapi,
)
from admin.api_problems import problem
from admin.api_route import Call, Refused, Reply, Route
from admin.api_work import replay
from admin.desk import Desk
from admin.idempotency import Known, Mark, Reused, UnderWay
from admin.keys import Buckets, Key, Ring
from admin.schema import MOST_PROBLEMS, Problem
from admin.strict_json import Malformed, read_json
from admin.texts import preferred
from channels.webchat_limits import counted
from profiles.crash import crash_point
from profiles.store import Unavailable, Unstorable

log = logging.getLogger("admin.api")

PREFIX = "/api/v1"
KNOCKS_PER_SECOND = 5.0  # from one address without a good key, or with one that is in everybody's hands
ROUTES: tuple[Route, ...] = (
    *api_profiles.ROUTES,
    *api_erasure.ROUTES,
    *api_consents.ROUTES,
    *api_conversations.ROUTES,
    *api_messages.ROUTES,
    *api_events.ROUTES,
    *api_rules.ROUTES,
    *api_webhooks.ROUTES,
    *api_codes.ROUTES,
    *api_devices.ROUTES,
)
_SLUG_OF_STATUS = {400: "malformed", 408: "slow", 413: "too_large", 415: "media_type", 422: "invalid"}


def api(desk: Desk) -> web.Application:
    """Return the API as an application to mount at /api/v1."""
    door = _Door(desk)
    app = web.Application(middlewares=[door.edge])
    for route in ROUTES:
        app.router.add_route(route.method, route.path, door.handler(route))
    document = openapi.document(ROUTES, base=desk.public_url + PREFIX)

    async def give_document(request: web.Request) -> web.Response:
        return web.json_response(document, headers={"Access-Control-Allow-Origin": "*"})

    app.router.add_get("/openapi.json", give_document, allow_head=False)
    return app


class _Door:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ring, self._buckets = Ring(desk.store), Buckets()

    @property
    def edge(self) -> Any:
        """Return the middleware that turns whatever goes wrong into a problem."""

        @web.middleware
        async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await self._answered(request, handler)
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault("X-Content-Type-Options", "nosniff")
            return response

        return edge

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refusal:
            return self._problem(request, refusal.slug, detail=refusal.detail, **refusal.more)
        except Malformed as error:
            return self._problem(request, _SLUG_OF_STATUS[error.status], detail=error.detail, faults=error.problems)
        except Reused:
            return self._problem(request, "key_reused")
        except UnderWay:
            return self._problem(request, "in_progress", retry_after=1)
        except Unavailable:
            return self._problem(request, "unavailable", retry_after=2)
        except Unstorable:
            return self._problem(request, "invalid")
        except web.HTTPMethodNotAllowed as refusal:
            response = self._problem(request, "method")
            response.headers["Allow"] = ", ".join(sorted(refusal.allowed_methods))
            return response
        except web.HTTPNotFound:
            return self._problem(request, "unknown_route")
        except web.HTTPException as refusal:
            return self._problem(request, "malformed", detail=refusal.reason)
        except Exception as error:  # noqa: BLE001 (the last edge: nothing of the error may reach the outside)
            if isinstance(error, ConnectionError) and request.transport is None:
                raise  # they hung up before all was said: no mistake of ours, and nobody reads an answer
            log.error("api.broke route=%s error=%s", _place(request), type(error).__name__, exc_info=error)
            return self._problem(request, "internal")

    def handler(self, route: Route) -> Handler:
        """Return the handler that lets a request through to this route, checked."""

        async def handle(request: web.Request) -> web.StreamResponse:
            key = await self._let_in(request, route)
            query = _query(request, route)
            body, raw = (await read_json(request, largest=route.largest)) if route.body else (None, b"")
            body = _checked(route, body)
            if route.cost(body) > 1:
                self._charge(key, route.cost(body) - 1)
            mark = _mark(request, key, raw)
            if mark is None and route.needs_key:
                raise Refused("malformed", "Idempotency-Key: is missing; what is sent must not be sent twice")
            call = Call(self._desk, key, dict(request.match_info), query, body, mark)
            return _written(await _once(route, call))

        return handle

    async def _let_in(self, request: web.Request, route: Route) -> Key:
        now = self._desk.clock()
        key = await self._ring.key_of(request.headers.get("Authorization", ""), now=now)
        if key is None:
            self._slow_down(f"ip:{counted(request, self._desk.proxies)}", 1, KNOCKS_PER_SECOND)
            raise Refused("unauthorized")
        if route.in_apps and key.scopes == (route.scope,):  # else one phone could use up what all apps have together
            self._slow_down(f"app:{counted(request, self._desk.proxies)}", 1, KNOCKS_PER_SECOND)
        self._charge(key, 1)
        if route.scope not in key.scopes:
            raise Refused("forbidden", f"this key has no scope {route.scope}")
        return key

    def _charge(self, key: Key, cost: float) -> None:
        self._slow_down(key.actor, cost, key.per_second)

    def _slow_down(self, who: str, cost: float, per_second: float) -> None:
        wait = self._buckets.wait_for(who, cost, per_second=per_second, now=time.monotonic())
        if wait > 0:
            raise Refused("rate", retry_after=int(wait) + 1)

    def _problem(self, request: web.Request, slug: str, *, retry_after: int | None = None, **more: Any) -> web.Response:
        language = preferred(request.headers.get("Accept-Language", ""))
        response = problem(slug, language=language, base=self._desk.public_url, **more)
        if retry_after:
            response.headers["Retry-After"] = str(retry_after)
        return response


async def _once(route: Route, call: Call) -> Reply:
    """Answer the call; one whose work is several commits is answered once per Idempotency-Key from here."""
    if call.mark is None or not route.repeats_safely:
        return await route.answer(call)
    store, now = call.desk.store, call.now
    if known := await idempotency.begin(store, call.mark, now=now):
        return replay(known)
    try:
        reply = await route.answer(call)
    except (Exception, asyncio.CancelledError):
        await asyncio.shield(idempotency.give_up(store, call.mark, now=now))
        raise
    crash_point("call.done")
    await idempotency.finish(store, call.mark, Known(reply.status, reply.body, reply.location))
    crash_point("call.finished")
    return reply


def _query(request: web.Request, route: Route) -> dict[str, Any]:
    """Return the query's parameters, each known, once, and of its kind."""
    faults: list[Problem] = []
    found: dict[str, Any] = {}
    for name, text in request.query.items():
        field = route.query.get(name)
        if field is None:
            faults.append(Problem(name[:80], f"unknown; known are {', '.join(route.query) or 'none'}"))
        elif name in found:
            faults.append(Problem(name, "stands twice"))
        else:
            wrong: list[Problem] = []
            is_number = field.kind.describe().get("type") == "integer" and text.isascii() and text.isdigit()
            found[name] = field.kind.read(int(text[:20]) if is_number else text, name, wrong)
            faults += wrong
    faults += [
        Problem(name, "is missing") for name, field in route.query.items() if field.required and name not in found
    ]
    if faults:
        raise Refused("invalid", faults=tuple(faults[:MOST_PROBLEMS]), in_query=True)
    return found


def _checked(route: Route, body: Any) -> Any:
    if route.body is None:
        return None
    faults: list[Problem] = []
    read = route.body.read(body, "", faults)
    if faults:
        raise Refused("invalid", faults=tuple(faults[:MOST_PROBLEMS]))
    return read


def _mark(request: web.Request, key: Key, body: bytes) -> Mark | None:
    """Return the mark of a request that changes something, if it has an Idempotency-Key."""
    text = request.headers.get("Idempotency-Key")
    if text is None or request.method == "GET":
        return None
    if not 1 <= len(text) <= 255 or not text.isascii() or not text.isprintable():
        raise Refused("malformed", "Idempotency-Key: expected 1 to 255 visible ASCII characters")
    return idempotency.mark(key.id, text, method=request.method, path=request.rel_url.raw_path, body=body)


def _written(reply: Reply) -> web.Response:
    response = web.json_response(reply.body, status=reply.status, dumps=_dumps)
    if reply.location:
        response.headers["Location"] = PREFIX + reply.location
    if reply.is_replay:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _place(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "-"
