"""Files that visitors send and see: kept in the collection `files`, opened by a signed link that ends."""

import asyncio
import logging
from collections.abc import Callable
from urllib.parse import quote, unquote

from aiohttp import web

from channels.bodies import body_of
from channels.kept_files import claim, file_of
from channels.webchat_kinds import KINDS, PICTURES, kind_of, safe_name
from channels.webchat_limits import Buckets, Places, counted
from channels.webchat_origins import Origins
from channels.webchat_tokens import opens_file
from channels.webchat_visitors import Keys, may_write
from profiles.calendar import Clock
from profiles.ids import new_id
from profiles.store import Store, Unavailable
from profiles.timeline import Attachment

log = logging.getLogger("channels.webchat")

PER_VISITOR_HOUR = 30
MEGABYTES_PER_CALLER_HOUR = 100
AT_ONCE = 8  # uploads held in memory at the same time, over all visitors
AT_ONCE_PER_CALLER = 2
UPLOAD_WITHIN_SECONDS = 60  # a slow one would hold a place that others need
_SHOWN = tuple(kind.mime for kind in KINDS)


class Files:
    """The two routes of files, and the claim that makes an upload part of a message."""

    def __init__(
        self, store: Store, keys: Keys, origins: Origins, *, clock: Clock, seconds: Callable[[], float],
        largest: int, proxies: int,
    ) -> None:  # fmt: skip
        self._store, self._keys, self._origins = store, keys, origins
        self._clock, self._seconds, self._proxies = clock, seconds, proxies
        self.largest = largest
        """In bytes: what is larger is refused, and the widget does not send it."""
        self._uploads, self._uploads_of_caller = Places(AT_ONCE), Places(AT_ONCE_PER_CALLER)
        self._of_visitor = Buckets(per_second=PER_VISITOR_HOUR / 3600, burst=PER_VISITOR_HOUR)
        self._of_caller = Buckets(per_second=MEGABYTES_PER_CALLER_HOUR / 3600, burst=MEGABYTES_PER_CALLER_HOUR)

    def routes(self) -> list[web.RouteDef]:
        """Return POST /files, its preflight, and GET /files/{id}."""
        return [
            web.options("/files", self._preflight),
            web.post("/files", self._upload),
            web.get("/files/{id}", self._download),
        ]

    async def claim(self, id: str, conversation: str) -> Attachment | None:
        """Return the attachment of an uploaded file and keep the file from now on; None if it is not this visitor's."""
        return await claim(self._store, id, conversation)

    async def _preflight(self, request: web.Request) -> web.Response:
        return web.Response(status=204, headers=self._origins.headers(request))

    async def _upload(self, request: web.Request) -> web.Response:
        headers = self._origins.headers(request)
        if not headers:
            return web.json_response({"error": "origin"}, status=403)
        with self._uploads_of_caller.place(counted(request, self._proxies)) as own, self._uploads.place("") as free:
            if not (own and free):
                return _refusal("busy", 503, headers)
            try:
                async with asyncio.timeout(UPLOAD_WITHIN_SECONDS):
                    return await self._take(request, headers)
            except TimeoutError:
                return _refusal("too_slow", 408, headers)
            except Unavailable:
                return _refusal("unavailable", 503, headers)

    async def _take(self, request: web.Request, headers: dict[str, str]) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        identity, now = request.headers.get("X-Identity", ""), self._clock()
        address = await may_write(token, identity, keys=self._keys, store=self._store, now=now)
        if address is None:
            return _refusal("token", 401, headers)
        if (request.content_length or 0) > self.largest:
            return _refusal("too_large", 413, headers)
        if self._of_visitor.take(address, self._seconds()):
            return _refusal("too_many", 429, headers)
        content = await body_of(request, self.largest)
        if content is None:
            return _refusal("too_large", 413, headers)
        if self._of_caller.take(counted(request, self._proxies), self._seconds(), len(content) / 1e6):
            return _refusal("too_many", 429, headers)
        kind = kind_of(content)
        if kind is None:
            log.info("webchat.file refused size=%d", len(content))
            return _refusal("kind", 415, headers)
        name = safe_name(unquote(request.headers.get("X-File-Name", "")[:1000]), kind)
        document = file_of(new_id(now), name, kind, content, conversation=f"webchat:{address}", now=now)
        await self._store.insert("files", document)
        answer = {name: document[name] for name in ("name", "mime", "size")}
        return web.json_response({"file": document["_id"], **answer}, status=201, headers=headers)

    async def _download(self, request: web.Request) -> web.Response:
        id, query = request.match_info["id"], request.query
        allowed = opens_file(
            id, query.get("until", ""), query.get("signature", ""), secret=self._keys.own, now=self._clock()
        )
        if not allowed:
            return _refusal("link", 403, {})
        try:
            found = await self._store.get("files", id)
        except Unavailable:
            return _refusal("unavailable", 503, {})
        if found is None:
            return _refusal("gone", 404, {})
        return web.Response(body=found["bytes"], headers=_guarded(found["mime"], found["name"]))


def _guarded(mime: str, name: str) -> dict[str, str]:
    """Return headers under which a browser shows a picture, saves anything else, and runs nothing."""
    disposition = "inline" if mime in PICTURES else "attachment"
    ascii_name = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    return {
        "Content-Type": mime if mime in _SHOWN else "application/octet-stream",
        "Content-Disposition": f"{disposition}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name)}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",  # the widget shows it on the shop's page
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, max-age=3600",
    }


def _refusal(reason: str, status: int, headers: dict[str, str]) -> web.Response:
    late = {"Retry-After": "5"} if status in (429, 503) else {}
    return web.json_response({"error": reason}, status=status, headers={**headers, **late})
