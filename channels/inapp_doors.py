"""The doors of the inbox: what an app or the widget asks over HTTP, and by what it shows whose inbox it means.

The widget brings its visitor token (Authorization) and, where somebody is signed in, the shop's signed identity (X-Identity); an
app brings the signed identity alone. A browser that nobody knows has no inbox, and none is made for it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import orjson
from aiohttp import web

from channels.bodies import body_of
from channels.channel import Door, Identified
from channels.inapp_inbox import Inbox, item
from channels.inapp_receipts import DID, delivered, reported
from channels.webchat_limits import Buckets, counted
from channels.webchat_origins import Origins
from channels.webchat_visitors import Keys, Locked, Visitor, recognise
from profiles.identity import USER, normalise
from profiles.people import MOST_IDENTITIES
from profiles.profile import Identity, Profile
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.store import Unavailable

log = logging.getLogger("channels.inapp")

PAGE, LARGEST_PAGE = 20, 50
LARGEST_BODY = 64_000
PER_SECOND, AT_ONCE = 5.0, 60.0  # requests of one internet address
MOST_REPORTED = 50
REPORTED_ON = ("inapp", "fcm", "apns")
"""Whose messages an app may tell about: those that it shows."""


_Answer: TypeAlias = Callable[[web.Request], Awaitable[dict[str, object]]]


class Refused(Exception):
    """The request can not be answered: its status, and the reason as a word for code."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Doors:
    """GET /messages and POST /receipts."""

    def __init__(self, door: Door, keys: Keys, origins: Origins, *, proxies: int) -> None:
        self._door, self._keys, self._origins, self._proxies = door, keys, origins, proxies
        self._inbox = Inbox(door.store)
        self._buckets = Buckets(per_second=PER_SECOND, burst=AT_ONCE)

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the routes, and what browsers ask before they ask."""
        return [
            web.options("/messages", self._preflight),
            web.options("/receipts", self._preflight),
            web.get("/messages", self._list),
            web.post("/receipts", self._report),
        ]

    async def _preflight(self, request: web.Request) -> web.Response:
        return web.Response(status=204, headers=self._origins.headers(request))

    async def _list(self, request: web.Request) -> web.Response:
        return await self._answered(request, self._messages)

    async def _report(self, request: web.Request) -> web.Response:
        return await self._answered(request, self._receipts)

    async def _answered(self, request: web.Request, answer: _Answer) -> web.Response:
        headers = {**self._origins.headers(request), "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        try:
            if "Origin" in request.headers and not self._origins.allows(request):
                raise Refused(403, "origin")
            if wait := self._buckets.take(counted(request, self._proxies), time.monotonic()):
                headers["Retry-After"] = str(int(wait) + 1)
                raise Refused(429, "too_many")
            return web.json_response(await answer(request), headers=headers)
        except Refused as refusal:
            return web.json_response({"error": refusal.reason}, status=refusal.status, headers=headers)
        except Unavailable:
            headers["Retry-After"] = "2"
            return web.json_response({"error": "unavailable"}, status=503, headers=headers)

    async def _messages(self, request: web.Request) -> dict[str, object]:
        now, limit = self._door.clock(), _limit(request.query.get("limit", ""))
        profiles = await self._whose(request)
        if not profiles:
            return {"messages": [], "unread": 0, "next": None}
        try:
            messages, after = await self._inbox.page(profiles, now, before=request.query.get("before", ""), limit=limit)
        except ValueError as error:
            raise Refused(422, "before") from error
        fresh = [message for message in messages if message.delivery and message.delivery.state == "sent"]
        await asyncio.gather(*(self._door.writer.commit(delivered(message, now)) for message in fresh))
        unread = await self._inbox.unread(profiles, now)
        return {"messages": [item(message) for message in messages], "unread": unread, "next": after or None}

    async def _receipts(self, request: web.Request) -> dict[str, object]:
        body, now = await _body(request), self._door.clock()
        profiles = await self._whose(request)
        messages = [
            message for message in await self._inbox.some(body["messages"])
            if message.profile in profiles and message.channel in REPORTED_ON
        ]  # fmt: skip
        await asyncio.gather(*(self._door.writer.commit(reported(message, body["did"], now)) for message in messages))
        return {"taken": len(messages), "unread": await self._inbox.unread(profiles, now) if profiles else 0}

    # -- whose inbox

    async def _whose(self, request: web.Request) -> tuple[str, ...]:
        """Return the ids of the profile that asks, its own first; none for somebody whom we do not know. Raises Refused."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        identity = request.headers.get("X-Identity", "")
        if not (token or identity):
            raise Refused(401, "token")
        door = self._door
        visitor = await recognise(token, identity, keys=self._keys, store=door.store, now=door.clock())
        if isinstance(visitor, Locked):
            raise Refused(401, visitor.reason or "locked")
        if visitor.problem:
            raise Refused(401, visitor.problem)
        if visitor.identity is None and visitor.moved:
            raise Refused(401, "token")  # it was none of ours: the address is new, and nobody's
        profile = await self._profile(visitor)
        known = await door.writer.recent.profile(profile, afresh=True) if profile else None
        return (known.id, *known.absorbed) if known else ()

    async def _profile(self, visitor: Visitor) -> str | None:
        """Return whose profile this visitor is; their inbox becomes an address of it, so that rules can write there."""
        own, chat = f"inapp:{visitor.address}", f"webchat:{visitor.address}"
        user = f"{USER}:{normalise(USER, visitor.identity.subject, country='') or ''}" if visitor.identity else ""
        rows = await self._door.store.get_many("identities", [own, chat, *([user] if user else [])])
        holders = {row["_id"]: str(row["profile"]) for row in rows}
        if own in holders and (not user or holders.get(user) == holders[own]):
            return holders[own]
        if visitor.identity:
            await self._door.receive(_identified(visitor, self._door))
        elif chat not in holders:
            return None
        outcome = await self._door.writer.commit(_opened(visitor, self._door))
        return None if isinstance(outcome, Refusal) else await self._holder(own)

    async def _holder(self, key: str) -> str | None:
        found = await self._door.store.get("identities", key)
        return str(found["profile"]) if found else None


def _identified(visitor: Visitor, door: Door) -> Identified:
    who = visitor.identity
    assert who is not None
    return Identified(
        "webchat", visitor.address, door.clock(), who.subject, email=who.email, phone=who.phone, name=who.name,
        language=who.language,
    )  # fmt: skip


def _opened(visitor: Visitor, door: Door) -> Work:
    """Return the Work that gives the visitor's profile an inbox, if it has none."""
    own, chat = f"inapp:{visitor.address}", f"webchat:{visitor.address}"

    def think(snapshot: Snapshot) -> Changes | Refusal:
        profile: Profile | None = snapshot.holder(chat)
        if profile is None:
            return Refusal("unknown_identity")
        holder = snapshot.holder(own)
        if holder is not None and holder.id == profile.id:
            return Changes()
        if len(profile.identities) >= MOST_IDENTITIES:
            return Refusal("too_many_identities")
        proved = snapshot.now if visitor.identity else None
        opened = profile.with_identity(Identity("inapp", visitor.address, snapshot.now, verified_at=proved))
        if holder is None:
            return Changes(profiles=(opened,), claims={own: profile.id})
        return Changes(profiles=(opened, holder.without(own)), moves={own: profile.id})

    return Work(think, identities=(own, chat))


def _limit(text: str) -> int:
    if not text:
        return PAGE
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and 1 <= int(text) <= LARGEST_PAGE):
        raise Refused(422, "limit")
    return int(text)


async def _body(request: web.Request) -> dict[str, Any]:
    """Return {"messages": [ids], "did": word}. Raises Refused."""
    raw = await body_of(request, LARGEST_BODY)
    if raw is None:
        raise Refused(413, "too_large")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "not_json") from error
    if not isinstance(body, dict) or body.get("did") not in DID:
        raise Refused(422, "did")
    ids = body.get("messages")
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_REPORTED:
        raise Refused(422, "messages")
    if not all(isinstance(id, str) and 0 < len(id) <= 400 for id in ids):
        raise Refused(422, "messages")
    return {"messages": list(dict.fromkeys(ids)), "did": body["did"]}
