"""What browsers ask of us: the script and the worker, what may be agreed to, and their subscriptions, receipts, comings and goings.

Only pages of allowed sites get an answer, few at a time and small; only the push services that browsers use may be named
(webpush_services.py). Each POST may be repeated: it changes nothing more.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from channels.bodies import body_of
from channels.channel import Door, Reachable, Receipt
from channels.webchat_limits import Buckets, caller, counted
from channels.webchat_origins import Origins
from channels.webchat_pages import MIMES, script_routes
from channels.webchat_tokens import Identity, read_identity
from channels.webchat_visitors import Keys, may_write
from channels.webpush_asked import LARGEST, Agreed, Asked, read
from channels.webpush_consents import agree, offered, standing
from channels.webpush_encryption import are_keys, unpacked
from channels.webpush_people import SPACE, leaves, proved, renewed, subscribed, told
from channels.webpush_receipts import SHOWN, WHAT, message_of, works_of
from channels.webpush_services import Services
from channels.webpush_subscriptions import Subscription, Subscriptions, id_of, in_place_of, kept
from profiles.links import read as read_token
from profiles.links import sign
from profiles.people import Claimed
from profiles.record import from_document
from profiles.snapshot import Changes, Refusal, Work
from profiles.store import Unavailable
from profiles.text import clean
from profiles.timeline import Message

log = logging.getLogger("channels.webpush")

FOLDER = Path(__file__).parent / "webpush" / "static"
SHARED = ("app/element.js", "app/keep.js", "app/paint.js", "app/words.js")
PER_SECOND, AT_ONCE = 1.0, 30.0  # requests of one internet address
RECEIPTS_PER_SECOND, RECEIPTS_AT_ONCE = 5.0, 200.0  # a company's browsers share one, and are all told at once
LARGEST_RECEIPT = 2_000
_PURPOSE = "webpush subscription"


Answers: TypeAlias = Callable[[Asked, web.Request], Awaitable[Mapping[str, Any] | None]]


class Refused(Exception):
    """Why the script is told no: a word for code, and the HTTP status."""

    def __init__(self, word: str, status: int) -> None:
        super().__init__(word)
        self.word, self.status = word, status


class Pages:
    """The routes under /channels/webpush."""

    def __init__(
        self, door: Door, subscriptions: Subscriptions, services: Services, origins: Origins, *, public_key: str,
        keys: Keys, proxies: int,
    ) -> None:  # fmt: skip
        self._door, self._subscriptions, self._services, self._origins = door, subscriptions, services, origins
        self._public_key, self._keys, self._proxies = public_key, keys, proxies
        self._asks = Buckets(per_second=PER_SECOND, burst=AT_ONCE)
        self._receipts = Buckets(per_second=RECEIPTS_PER_SECOND, burst=RECEIPTS_AT_ONCE)
        self._worker = (FOLDER / "worker.js").read_bytes()

    def routes(self) -> list[web.RouteDef]:
        """Return all of them."""
        return [
            *script_routes(FOLDER, "push.js", shared=SHARED),
            web.get("/worker.js", self._serve_worker),
            web.post("/settings", self._answering(self._settings)),
            web.post("/subscriptions", self._answering(self._subscribe)),
            web.post("/identify", self._answering(self._identify)),
            web.post("/forget", self._answering(self._forget)),
            web.post("/unsubscribe", self._answering(self._unsubscribe)),
            web.post("/receipts", self._receipt),
        ]

    # -- what a page's script asks

    async def _settings(self, asked: Asked, request: web.Request) -> Mapping[str, Any]:
        """Give the key to subscribe with, the topics that may be agreed to, and what this browser's person said of them."""
        topics = offered(self._door.topics(), asked.language)
        id = self._id_of(asked.token)
        row = await self._subscriptions.get(id) if id else None
        on = await standing(self._door, await self._holder(id), topics) if id and row else ()
        return {"key": self._public_key, "topics": topics, "known": row is not None, "on": on}

    async def _subscribe(self, asked: Asked, request: web.Request) -> Mapping[str, Any]:
        """Keep a subscription, whose it is and what was agreed to; one that takes another's place keeps what stands."""
        id, door = id_of(asked.endpoint), self._door
        if self._services.endpoint(asked.endpoint) is None:
            host = asked.endpoint.partition("://")[2].partition("/")[0].rpartition("@")[2]
            log.info(
                "webpush.subscribe refused reason=service host=%s", host[:100]
            )  # for `services`, if it is a good one
            raise Refused("service", 422)
        p256dh, auth = unpacked(asked.p256dh), unpacked(asked.auth)
        if not are_keys(p256dh, auth):
            raise Refused("keys", 422)
        self._check(asked.yes or ())
        person = self._person(asked.identity)
        before = self._id_of(asked.token)
        row = Subscription(id, asked.endpoint, p256dh, auth, self._public_key, _origin(request), door.clock())
        if before and before != id:
            await door.writer.commit(renewed(before, id, also=in_place_of(before, row)))
        visitor = await may_write(asked.visitor, asked.identity, keys=self._keys, store=door.store, now=door.clock())
        given = await door.writer.commit(
            subscribed(id, visitor=visitor, language=asked.language, also=Changes(amends=(kept(row),)))
        )
        if isinstance(given, Refusal):
            raise Refused(given.reason, 409)
        if person:
            await self._prove(id, person)
        holder = await self._holder(id)
        await agree(door, holder, asked, id=id, ip=caller(request, self._proxies), origin=_origin(request))
        await door.writer.commit(told(id, _origin(request)))
        topics = offered(door.topics(), asked.language)
        return {"token": sign(door.secret, _PURPOSE, id), "on": await standing(door, holder, topics)}

    async def _identify(self, asked: Asked, request: web.Request) -> None:
        id, person = self._known(asked), self._person(asked.identity)
        if person is None:
            raise Refused("identity", 401)
        await self._prove(id, person)

    async def _forget(self, asked: Asked, request: web.Request) -> None:
        await self._door.writer.commit(leaves(self._known(asked)))

    async def _unsubscribe(self, asked: Asked, request: web.Request) -> None:
        id = self._known(asked)
        await self._door.receive(Reachable(SPACE, id, False, self._door.clock()))
        await self._subscriptions.forget([id])

    async def _prove(self, id: str, who: Identity) -> None:
        claims = Claimed(
            f"{SPACE}:{id}", who.subject, email=who.email, phone=who.phone, name=clean(who.name)[:200],
            language=who.language, country=self._door.country,
        )  # fmt: skip
        found = await self._door.writer.commit(proved(id, claims))
        if isinstance(found, Refusal):
            raise Refused(found.reason, 409)

    def _check(self, agreed: tuple[Agreed, ...]) -> None:
        """Raise Refused when what was agreed to is not what is offered now: the person read other words."""
        topics = self._door.topics()
        for one in agreed:
            topic = topics.get(one.topic)
            if topic is None or not topic.is_sent_on(SPACE) or topic.version != one.version:
                raise Refused("changed", 409)

    def _person(self, token: str) -> Identity | None:
        found = read_identity(token, self._keys.shop, self._door.clock()) if token else None
        if found is not None and not isinstance(found, Identity):
            log.info("webpush.identity refused reason=%s", found)
        return found if isinstance(found, Identity) else None

    def _id_of(self, token: str) -> str:
        parts = read_token(self._door.secret, _PURPOSE, token) if token else None
        return parts[0] if parts else ""

    def _known(self, asked: Asked) -> str:
        if id := self._id_of(asked.token):
            return id
        raise Refused("token", 401)

    async def _holder(self, id: str) -> str:
        """Return the id of the profile whose browser this is; empty when it is nobody's."""
        row = await self._door.store.get("identities", f"{SPACE}:{id}")
        return str(row["profile"]) if row else ""

    def _answering(self, answer: Answers) -> Handler:
        """Wrap an answer in what all have in common: whose pages may ask, how often, how much, and what a refusal looks like."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if not self._origins.allows(request):
                log.info("webpush.asked refused reason=origin")
                return web.json_response({"error": "origin"}, status=403)
            headers = {**self._origins.headers(request), "Cache-Control": "no-store"}
            if wait := self._asks.take(counted(request, self._proxies), time.monotonic()):
                return _refusal("too_many", 429, {**headers, "Retry-After": str(int(wait) + 1)})
            asked = await body_of(request, LARGEST)
            if asked is None or (found := read(asked)) is None:
                return _refusal("body", 422, headers)
            try:
                told = await answer(found, request)
            except Refused as refused:
                return _refusal(refused.word, refused.status, headers)
            except Unavailable:
                return _refusal("unavailable", 503, {**headers, "Retry-After": "2"})
            return (
                web.json_response(told, headers=headers)
                if told is not None
                else web.Response(status=204, headers=headers)
            )

        return handle

    # -- what a browser tells without a page

    async def _serve_worker(self, request: web.Request) -> web.Response:
        """Give what the shop's own two-line worker imports. Browsers look for a newer one at most once a day."""
        headers = {
            "Cache-Control": "public, max-age=300",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=self._worker, content_type=MIMES[".js"], charset="utf-8", headers=headers)

    async def _receipt(self, request: web.Request) -> web.Response:
        """Take what a worker tells of a message. It looks at no answer, so none says more than that it came."""
        if self._receipts.take(counted(request, self._proxies), time.monotonic()):
            return web.Response(status=429, headers={"Retry-After": "5"})
        told = _told(await body_of(request, LARGEST_RECEIPT))
        id = message_of(self._door.secret, told[0]) if told else None
        if told is None or id is None:
            return web.Response(status=422)
        try:
            await self._note(id, told[1], told[2])
        except Unavailable:
            return web.Response(status=503, headers={"Retry-After": "2"})
        return web.Response(status=204)

    async def _note(self, id: str, what: str, action: int | None) -> None:
        door, now = self._door, self._door.clock()
        if what == SHOWN:
            await door.receive(Receipt(SPACE, id, "delivered", now))
            return
        row = await door.store.get("messages", id)
        if row is None:
            return
        message = from_document(Message, row)
        works: list[Work] = works_of(message, what, action, public_url=door.public_url, now=now)
        for work in works:
            await door.writer.commit(work)


def _told(body: bytes | None) -> tuple[str, str, int | None] | None:
    """Return the token, what happened and the button's place, or None for what no worker of ours tells."""
    try:
        said = orjson.loads(body or b"")
        token, what, action = said["r"], said["what"], said.get("action")
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    if not isinstance(token, str) or what not in WHAT or isinstance(action, bool):
        return None
    return (token, what, action) if action is None or isinstance(action, int) else None


def _origin(request: web.Request) -> str:
    return request.headers.get("Origin", "")[:300]


def _refusal(word: str, status: int, headers: Mapping[str, str]) -> web.Response:
    return web.json_response({"error": word}, status=status, headers=headers)
