"""What Apple's devices ask of us: the five endpoints of the wallet web service, under /channels/wallet/v1.

https://developer.apple.com/documentation/walletpasses/adding-a-web-service-to-update-passes . Whoever asks about a pass shows its
token; which passes a device has is told to whoever knows the device's id, as Apple wants it: serials, and nothing else.
"""

import asyncio
import hmac
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import orjson
from aiohttp import web

from channels.bodies import body_of
from channels.wallet_apple import MIME
from channels.wallet_face import Unshown
from channels.wallet_passes import Passes
from channels.webchat_limits import Bucket, Buckets, counted
from profiles.passes import Pass, token_of
from profiles.store import Unavailable

log = logging.getLogger("channels.wallet")

LARGEST_BODY = 16_384  # octets; a registration has some 100, a log some lines
PER_SECOND, AT_ONCE = 50.0, 500.0
"""How much one internet address may ask: after a push many phones behind one address ask at once, two requests each."""
WRONG_PER_SECOND, WRONG_AT_ONCE = 0.2, 20.0
"""How often one address may show a wrong token."""
SAID_PER_SECOND, SAID_AT_ONCE = 0.2, 50.0
"""How many lines of devices are logged, of all together: anybody may post them."""
_DEVICE = re.compile(r"[A-Za-z0-9._-]{1,128}")
_SERIAL = re.compile(r"[0-9a-f]{32}")
_PUSH_TOKEN = re.compile(r"[0-9A-Fa-f]{16,200}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Build = Callable[[Pass], Awaitable["bytes | Unshown"]]


class Service:
    """The web service of one pass type."""

    def __init__(self, passes: Passes, build: Build, *, pass_type: str, secret: bytes, proxies: int) -> None:
        self._passes, self._build = passes, build
        self._pass_type, self._secret, self._proxies = pass_type, secret, proxies
        self._asked = Buckets(per_second=PER_SECOND, burst=AT_ONCE)
        self._said = Bucket(per_second=SAID_PER_SECOND, burst=SAID_AT_ONCE)
        self._wrong = Buckets(per_second=WRONG_PER_SECOND, burst=WRONG_AT_ONCE)

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the five routes, relative to /channels/wallet."""
        registration = "/v1/devices/{device}/registrations/{type}"
        return [
            web.post(f"{registration}/{{serial}}", self.guarded(self._register)),
            web.delete(f"{registration}/{{serial}}", self.guarded(self._unregister)),
            web.get(registration, self.guarded(self._changed), allow_head=False),
            web.get("/v1/passes/{type}/{serial}", self.guarded(self._latest), allow_head=False),
            web.post("/v1/log", self.guarded(self._log)),
        ]

    async def _register(self, request: web.Request) -> web.Response:
        """201 when it is new on this device, 200 when we knew, 401 without the pass's token."""
        held = await self._held(request)
        device, push_token = _device(request), (await _body(request)).get("pushToken")
        if not isinstance(push_token, str) or not _PUSH_TOKEN.fullmatch(push_token):
            raise web.HTTPBadRequest(text="expected a pushToken\n")
        registered = await self._passes.register(held, device, push_token.lower())
        if registered == "too_many":
            log.warning("wallet.device refused pass=%s reason=too_many", held.id)
            raise web.HTTPForbidden(text="this pass is on too many devices\n")
        return web.Response(status=201 if registered == "new" else 200)

    async def _unregister(self, request: web.Request) -> web.Response:
        held = await self._held(request)
        await self._passes.unregister(held, _device(request))
        return web.Response()

    async def _changed(self, request: web.Request) -> web.Response:
        """Which passes of this device changed since a tag; 204: none did."""
        self._check_type(request)
        asked = request.query.get("passesUpdatedSince", "")
        since = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 19 else 0
        serials, latest = await self._passes.changed_since(_device(request), since)
        if not serials:
            return web.Response(status=204)
        return web.json_response({"lastUpdated": str(latest), "serialNumbers": serials})

    async def _latest(self, request: web.Request) -> web.Response:
        """Return the pass as it is now; 304 when the device has that."""
        held = await self._held(request)
        headers = {
            "Last-Modified": format_datetime(held.changed_at.astimezone(UTC), usegmt=True),
            "Cache-Control": "no-store",
        }
        since = _instant(request.headers.get("If-Modified-Since", ""))
        if since is not None and held.changed_at <= since:
            return web.Response(status=304, headers=headers)
        built = await self._build(held)
        if isinstance(built, Unshown):
            log.error("wallet.pass unbuilt pass=%s field=%s problem=%s", held.id, built.field, built.problem)
            return web.Response(status=503, headers={"Retry-After": "3600"}, text="this pass can not be built now\n")
        return web.Response(body=built, content_type=MIME, headers=headers)

    async def _log(self, request: web.Request) -> web.Response:
        """What a device complains of: of interest to whoever mends the passes, and written by anybody, so little of it is kept."""
        logs = (await _body(request)).get("logs")
        lines = [str(line) for line in logs][:10] if isinstance(logs, list) else []
        for line in lines:
            if self._said.take(asyncio.get_running_loop().time()):
                break
            log.info("wallet.device says=%s", "".join(letter for letter in line if letter.isprintable())[:300])
        return web.Response()

    async def _held(self, request: web.Request) -> Pass:
        """Return the pass that the request is about, whose token it shows: compared before anything is looked up."""
        serial, shown = request.match_info["serial"], request.headers.get("Authorization", "")
        wanted = f"ApplePass {token_of(self._secret, serial)}" if _SERIAL.fullmatch(serial) else ""
        if not wanted or not hmac.compare_digest(shown.encode("utf-8", "replace"), wanted.encode()):
            where = counted(request, self._proxies)
            if self._wrong.take(where, asyncio.get_running_loop().time()):
                raise web.HTTPTooManyRequests(headers={"Retry-After": "60"})
            log.info("wallet.device refused reason=token")
            raise web.HTTPUnauthorized
        self._check_type(request)
        held = await self._passes.get(serial)
        if held is None:
            raise web.HTTPNotFound
        return held

    def _check_type(self, request: web.Request) -> None:
        if request.match_info["type"] != self._pass_type:
            raise web.HTTPNotFound

    def guarded(self, answer: Handler) -> Handler:
        """Return the handler for so many requests of one address, answering 503 while the database is away."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            wait = self._asked.take(counted(request, self._proxies), asyncio.get_running_loop().time())
            if wait:
                raise web.HTTPTooManyRequests(headers={"Retry-After": str(int(wait) + 1)})
            try:
                return await answer(request)
            except Unavailable:
                return web.Response(status=503, headers={"Retry-After": "5"})

        return guarded


def _device(request: web.Request) -> str:
    device = request.match_info["device"]
    if not _DEVICE.fullmatch(device):
        raise web.HTTPNotFound
    return device


async def _body(request: web.Request) -> dict[str, Any]:
    """Return the object that a device sent, and an empty one for what is none."""
    content = await body_of(request, LARGEST_BODY)
    if content is None:
        raise web.HTTPRequestEntityTooLarge(LARGEST_BODY, request.content_length or 0)
    try:
        said = orjson.loads(content) if content else {}
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _instant(header: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(header) if header else None
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found and found.tzinfo else None
