"""The shop's own pages tell us what is looked at: /t/tracker.js, and the door that it posts to.

Whoever has not agreed, and whoever's browser says Do Not Track or Global Privacy Control, is counted and never recognised: no
token, no profile, no address kept. Who agreed is an anonymous profile under a visitor's address, the web chat's own when there is
one, and becomes the person once the shop's server vouches for them (channels/webchat_tokens.py). A page's word is never trusted:
only allowed origins, few at a time, small, each event once by the page's own id.
"""

import hmac
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from admin import strict_json
from admin.api_events import OURS
from admin.desk import Desk
from admin.options import TrackerOptions as TrackerOptions  # known from here, too
from admin.schema import Field, ListOf, MapOf, OrNull, Problem, Shape, Text, Truth
from channels.arrivals import work as arrival
from channels.channel import Identified
from channels.webchat_limits import Buckets, counted
from channels.webchat_origins import Origins
from channels.webchat_tokens import LONGEST_TOKEN, Identity, visitor_token
from channels.webchat_visitors import Keys, Locked, recognise
from profiles import people
from profiles.profile import Identity as Handle
from profiles.snapshot import Changes, Snapshot, Work
from profiles.store import Unavailable
from profiles.timeline import Event

SCRIPT = Path(__file__).parent / "static" / "tracker.js"
SOURCE = "site"
LARGEST = 64_000
PER_SECOND, AT_ONCE = 2.0, 40.0  # requests of one internet address
VISITS = "visits"
"""One row a day and event: how many came whom nobody recognises."""


class _Plain:
    """A property's value: short text, a number, true or false, or nothing."""

    def read(self, value: Any, at: str, problems: list[Problem]) -> Any:
        if isinstance(value, str):
            return Text(500).read(value, at, problems)
        if value is not None and not isinstance(value, bool | int | float):
            problems.append(Problem(at, "expected a plain value"))
        return value

    def describe(self) -> dict[str, Any]:
        return {"type": ["string", "number", "boolean", "null"]}


_HIT = Shape("Hit", {
    "id": Field(Text(40, 8, r"[0-9A-Za-z_-]+"), "The page's own id of it.", True),
    "name": Field(Text(80, 1, r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", "page.viewed"), "What happened.", True),
    "properties": Field(MapOf(_Plain(), Text(60, 1, r"[a-z][a-z0-9_]*"), 30), "What else there is to know."),
})  # fmt: skip
_BODY = Shape("Hits", {
    "consent": Field(Truth(), "Whether the visitor agreed to be recognised.", True),
    "visitor": Field(OrNull(Text(LONGEST_TOKEN)), "Their token."),
    "identity": Field(OrNull(Text(LONGEST_TOKEN)), "The shop's word on who they are."),
    "events": Field(ListOf(_HIT, 20), "What happened.", True),
})  # fmt: skip


def tracker_routes(
    desk: Desk, options: TrackerOptions, *, identity_secrets: tuple[str, ...], proxies: int = 0
) -> list[web.RouteDef]:
    """Return the routes of the tracker; none when it is switched off. Raises ValueError for a wrong origin."""
    if not options.enabled:
        return []
    own = hmac.digest(desk.secret, b"webchat", "sha256")  # the web chat's: its visitors are ours
    keys = Keys(own, tuple(filter(None, identity_secrets)))
    door = _Door(desk, Origins(options.origins, desk.public_url), keys, proxies)
    return [web.get("/t/tracker.js", door.script), web.post("/t/events", door.take)]


class _Door:
    def __init__(self, desk: Desk, origins: Origins, keys: Keys, proxies: int) -> None:
        self._desk, self._origins, self._keys, self._proxies = desk, origins, keys, proxies
        self._script = SCRIPT.read_bytes()
        self._buckets = Buckets(per_second=PER_SECOND, burst=AT_ONCE)

    async def script(self, request: web.Request) -> web.Response:
        """Give the script that a page includes."""
        headers = {"Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin"}
        headers["X-Content-Type-Options"] = "nosniff"
        return web.Response(body=self._script, content_type="text/javascript", charset="utf-8", headers=headers)

    async def take(self, request: web.Request) -> web.Response:
        """Keep or count what a page reports; what a new visitor is to be known by is in the answer."""
        if not self._origins.allows(request):
            return web.Response(status=403)
        cors = {**self._origins.headers(request), "Cache-Control": "no-store"}
        if wait := self._buckets.take(counted(request, self._proxies), time.monotonic()):
            return web.Response(status=429, headers={**cors, "Retry-After": str(int(wait) + 1)})
        body = await _body(request)
        if body is None:
            return web.Response(status=422, headers=cors)
        try:
            with self._desk.shedding.place():
                token = await self._keep(body) if body["consent"] and not _refuses(request) else None
            if token is None:
                await self._count(body["events"])
                return web.Response(status=204, headers=cors)
        except Unavailable:
            return web.Response(status=503, headers={**cors, "Retry-After": "2"})
        return web.json_response({"visitor": token}, headers=cors)

    async def _keep(self, body: dict[str, Any]) -> str | None:
        """Keep what a visitor who agreed did and return their token; None for one who is not to be recognised after all."""
        desk, now = self._desk, self._desk.clock()
        given, vouched = body.get("visitor") or "", body.get("identity") or ""
        visitor = await recognise(given, vouched, keys=self._keys, store=desk.store, now=now)
        if isinstance(visitor, Locked):
            return None  # the browser is a known person's who is not signed in: it may be somebody else's turn
        if visitor.identity:
            await desk.writer.commit(arrival(_proved(visitor.address, visitor.identity, now), country=desk.country))
        if body["events"]:
            await desk.writer.commit(_visit(visitor.address, body["events"]))
        return visitor_token(visitor.address, self._keys.own)

    async def _count(self, events: list[dict[str, Any]]) -> None:
        day = self._desk.clock().date().isoformat()
        names = Counter("page.viewed" if event["name"] == "page.viewed" else "other" for event in events)
        for name, number in names.items():
            added = {"$inc": {"count": number}, "$setOnInsert": {"day": day, "name": name}}
            await self._desk.store.change(VISITS, {"_id": f"{day}|{name}"}, added, upsert=True)


def _refuses(request: web.Request) -> bool:
    return request.headers.get("DNT") == "1" or request.headers.get("Sec-GPC") == "1"


async def _body(request: web.Request) -> Any:
    """Return what was posted, or None when it is not what our script posts. It comes as text, for which no page must ask first."""
    problems: list[Problem] = []
    try:
        raw = await strict_json.read_bytes(request, largest=LARGEST)
        body = _BODY.read(strict_json.parse(raw), "", problems)
    except strict_json.Malformed:
        return None
    if problems or any(event["name"].partition(".")[0] in OURS for event in body["events"]):
        return None
    return body


def _proved(address: str, who: Identity, now: datetime) -> Identified:
    return Identified(
        "webchat", address, now, who.subject, email=who.email, phone=who.phone, name=who.name, language=who.language
    )


def _visit(address: str, hits: list[dict[str, Any]]) -> Work:
    """Return the work that keeps a visitor's events, each once, and makes their profile when there is none."""
    key, ids = f"webchat:{address}", {f"{SOURCE}:{address}:{hit['id']}": hit for hit in hits}

    def think(snapshot: Snapshot) -> Changes:
        identity = Handle("webchat", address, added_at=snapshot.now)
        profile, claims = people.resolve(snapshot, key, identity, language=None, declared={}, now=snapshot.now)
        events = tuple(
            Event(id, profile.id, hit["name"], snapshot.now, by="customer", source=SOURCE,
                  properties=hit.get("properties", {}))
            for id, hit in ids.items() if ("events", id) not in snapshot.records
        )  # fmt: skip
        return Changes(profiles=(profile,) if claims else (), claims=claims, events=events)

    return Work(think, identities=(key,), records=tuple(("events", id) for id in ids))
