"""The two public doors of tracking: a link that counts and leads on, and the picture that tells of an opening.

Only what we signed leads anywhere, and only to what stands with the message: no open redirect. A person is led on whatever
becomes of the counting. HEAD counts nothing, a machine's look is an event of another name (`message.scanned`), and whoever has
the attribute `no_tracking` is not counted at all.
"""

import base64
import logging
import re
from datetime import datetime
from urllib.parse import quote

from aiohttp import web

from admin.centre import HEADERS, notice, texts_for
from admin.machines import is_machine
from channels.counting import ONE_CLICK_SECONDS, may_count, opened
from profiles.calendar import Clock
from profiles.links import read_link, read_open
from profiles.reactions import CLICKED, SCANNED, reaction
from profiles.record import from_document
from profiles.snapshot import Changes, Snapshot, Work
from profiles.store import Store, Unavailable
from profiles.timeline import Event, Message
from profiles.writer import Writer

log = logging.getLogger("admin.links")

PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_QUIET = {"Cache-Control": "no-store, private", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}


def link_routes(store: Store, writer: Writer, secret: bytes, clock: Clock) -> list[web.RouteDef]:
    """Return the routes /l/<token> and /o/<token>.gif, open to everybody."""
    doors = _Doors(store, writer, secret, clock)
    return [web.get("/l/{token}", doors.follow), web.get("/o/{token}.gif", doors.show)]


class _Doors:
    def __init__(self, store: Store, writer: Writer, secret: bytes, clock: Clock) -> None:
        self._store, self._writer, self._secret, self._clock = store, writer, secret, clock

    async def follow(self, request: web.Request) -> web.Response:
        """Count the click, then lead on."""
        found = read_link(self._secret, request.match_info["token"])
        message = await self._message(found[0]) if found else None
        if found is None or message is None or found[1] >= len(message.content.links):
            nowhere = notice(request, "nowhere", texts_for(request), status=404)
            nowhere.headers.update(HEADERS)
            return nowhere
        target = message.content.links[found[1]]
        if request.method == "GET":
            now, number = self._clock(), found[1]
            by_machine = self._is_machine(request, message)
            await self._note(
                _scanned(message, f"link {number}", now) if by_machine else _clicked(message, number, target, now)
            )
        location = _NOT_ASCII.sub(lambda letters: quote(letters[0]), target)
        return web.Response(status=302, headers={**_QUIET, "Location": location})

    async def show(self, request: web.Request) -> web.Response:
        """Note the opening, then show the picture; a token that is none gets the picture too."""
        id = read_open(self._secret, request.match_info["token"])
        message = await self._message(id) if id else None
        if message and request.method == "GET":
            if self._is_machine(request, message):
                await self._note(_scanned(message, "open", self._clock()))
            else:
                await self._note(opened(message, self._clock()))
        return web.Response(body=PICTURE, content_type="image/gif", headers=_QUIET)

    def _is_machine(self, request: web.Request, message: Message) -> bool:
        return is_machine(request.headers, sent_at=sent_at(message), now=self._clock())

    async def _message(self, id: str) -> Message | None:
        document = await self._store.get("messages", id)
        return from_document(Message, document) if document else None

    async def _note(self, work: Work) -> None:
        try:
            await self._writer.commit(work)
        except Unavailable as error:  # uncounted: the person's way comes first
            log.warning("links.count failed key=%s reason=%s", work.key, error)


def sent_at(message: Message) -> datetime:
    """Return when the message left, as far as is known: its handing over to the provider, else its making."""
    times = message.delivery.times if message.delivery else {}
    return times.get("sent") or times.get("delivered") or message.at


def _clicked(message: Message, number: int, target: str, now: datetime) -> Work:
    id = f"{message.id}:clicked:{number}:{int(now.timestamp()) // ONE_CLICK_SECONDS}"
    return _told(reaction(CLICKED, message, now, id=id, source="link", url=target), message, id)


def _scanned(message: Message, what: str, now: datetime) -> Work:
    """Return the Work that notes a machine's first look; its later ones say nothing new."""
    id = f"{message.id}:scanned:{what}"
    return _told(reaction(SCANNED, message, now, id=id, source="link", what=what, by_machine=True), message, id)


def _told(event: Event | None, message: Message, id: str) -> Work:
    def think(snapshot: Snapshot) -> Changes:
        return Changes(events=(event,)) if event and may_count(snapshot, message) else Changes()

    return Work(think, profiles=(message.profile,), key=id, key_in="events")
