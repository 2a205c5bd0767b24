"""Short addresses for posters and packages: /q/<code> counts the visit, leads on, and lets the place it leads to know the code.

A shop's page gets it as `cq`, which the tracker reports with the page; a Telegram bot gets it as the `start` of its first message,
which becomes an event `code.followed` of whoever wrote it. Only what somebody with a key stored leads anywhere: no open redirect.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web
from yarl import URL

from admin import qr
from admin.machines import is_machine
from admin.paging import EPOCH
from admin.tracker import VISITS
from profiles.calendar import Clock
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.store import AlreadyThere, Store, Unavailable
from profiles.timeline import Event
from profiles.writer import Writer

log = logging.getLogger("admin.codes")

CODES = "codes"
FOLLOWED = "code.followed"
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that people mistake for another
_LENGTH = 8  # 31^8: nobody guesses one
_START = re.compile(rf"/start ([{_LETTERS}]{{{_LENGTH}}})")
_QUIET = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}


@dataclass(frozen=True, slots=True)
class Code:
    """A short address: what it is for, and where it leads."""

    id: str
    campaign: str
    target: str
    at: datetime
    by: str


def why_not(target: str) -> str:
    """Return what is wrong with where a code is to lead; empty: nothing."""
    try:
        url = URL(target)
        good = url.scheme == "https" and bool(url.host) and not url.user and not url.password
    except ValueError:
        good = False
    return "" if good else "expected an address https://..."


async def new_code(store: Store, campaign: str, target: str, *, by: str, now: datetime) -> Code:
    """Store a code nobody has and return it."""
    while True:
        id = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        try:
            await store.insert(CODES, {"_id": id, "campaign": campaign, "target": target, "at": now, "by": by})
        except AlreadyThere:
            continue
        return Code(id, campaign, target, now, by)


def leads_to(code: str, target: str) -> str:
    """Return the target with the code in it, as the place it leads to reads it."""
    url = URL(target)
    return str(url.update_query({"start" if url.host in ("t.me", "telegram.me") else "cq": code}))


def picture(address: str) -> str | None:
    """Return an SVG of the QR code of a short address, or None when the server's own address is too long for one."""
    path = qr.picture(address)
    if path is None:
        return None
    box = qr.SIZE + 2 * qr.QUIET
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {box} {box}" width="450" height="450" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{box}v{box}H0z"/><path d="{path}"/></svg>'
    )


class Codes:
    """The public door of codes, and the ear for those that come back in a first message."""

    def __init__(self, store: Store, writer: Writer, public_url: str, *, clock: Clock) -> None:
        self._store, self._writer, self._base, self._clock = store, writer, public_url, clock
        self._following: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes /q/<code> and /q/<code>.svg, open to everybody."""
        return [web.get("/q/{code}.svg", self._show), web.get("/q/{code}", self._follow)]

    def hear(self, committed: list[Changes]) -> None:
        """Note the code that somebody's message begins with. A listener of the writer."""
        for changes in committed:
            for message in changes.messages:
                found = _START.match(message.content.text) if message.direction == "inbound" else None
                if found:
                    task = asyncio.create_task(self._note(found[1], message.id, message.profile), name="codes")
                    self._following.add(task)
                    task.add_done_callback(self._following.discard)

    async def close(self) -> None:
        """Finish what was heard."""
        if self._following:
            await asyncio.wait(self._following, timeout=5)

    async def _follow(self, request: web.Request) -> web.Response:
        code = await self._code(request)
        if request.method == "GET" and not is_machine(request.headers, sent_at=EPOCH, now=self._clock()):
            await self._count(code["_id"])
        return web.Response(status=302, headers={**_QUIET, "Location": leads_to(code["_id"], code["target"])})

    async def _show(self, request: web.Request) -> web.Response:
        code = await self._code(request)
        drawn = picture(f"{self._base}/q/{code['_id']}")
        if drawn is None:
            raise web.HTTPNotFound
        return web.Response(
            text=drawn, content_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"}
        )

    async def _code(self, request: web.Request) -> Mapping[str, Any]:
        code = await self._store.get(CODES, request.match_info["code"])
        if code is None:
            raise web.HTTPNotFound
        return code

    async def _count(self, code: str) -> None:
        """Count the visit; whoever came is led on whatever becomes of that."""
        day = self._clock().date().isoformat()
        added = {"$inc": {"count": 1}, "$setOnInsert": {"day": day, "name": f"code:{code}"}}
        try:
            await self._store.change(VISITS, {"_id": f"{day}|code:{code}"}, added, upsert=True)
        except Unavailable as error:
            log.warning("codes.count failed reason=%s", error)

    async def _note(self, id: str, message: str, profile: str) -> None:
        try:
            code = await self._store.get(CODES, id)
            if code is not None:
                await self._writer.commit(_followed(code, f"code:{message}", profile))
        except Unavailable as error:
            log.warning("codes.note failed reason=%s", error)


def _followed(code: Mapping[str, Any], id: str, profile: str) -> Work:
    def think(snapshot: Snapshot) -> Changes | Refusal:
        whose = snapshot.profile(profile)
        if whose is None:
            return Refusal("unknown_profile")
        told = {"code": code["_id"], "campaign": code["campaign"]}
        return Changes(events=(Event(id, whose.id, FOLLOWED, snapshot.now, by="customer", properties=told),))

    return Work(think, profiles=(profile,), key=id, key_in="events")
