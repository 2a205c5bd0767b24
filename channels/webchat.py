"""The web chat: a widget on the shop's pages, one socket per open page, a conversation that outlives both.

`<script src=".../channels/webchat/widget.js" defer></script>` is all that a page needs. docs/channels/webchat.md describes the
socket's frames; the decisions are in docs/decisions/0010-webchat-widget.md.
"""

import asyncio
import hmac
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import orjson
from aiohttp import web

from channels.channel import Door, Limits, Outbound, Sending, Sent
from channels.webchat_beat import Beat
from channels.webchat_files import Files
from channels.webchat_history import History
from channels.webchat_limits import Bucket, Buckets, Places, counted
from channels.webchat_options import Options, check
from channels.webchat_origins import Origins
from channels.webchat_pages import demo_routes, widget_routes
from channels.webchat_socket import FRAMES_AT_ONCE, FRAMES_PER_SECOND, LOOK, Socket, first_frame
from channels.webchat_tokens import demo_key, visitor_token
from channels.webchat_turns import Turns
from channels.webchat_visitors import Keys, Locked, recognise
from channels.websocket_close import IDENTITY, RESTART, TRY_LATER, close, see_off
from profiles.conversation import Conversation
from profiles.live import Abroad
from profiles.record import from_document
from profiles.snapshot import Changes
from profiles.store import Unavailable

__all__ = ["Options", "Webchat", "connect"]

log = logging.getLogger("channels.webchat")

LARGEST_FRAME = 64 * 1024
HELLO_WITHIN_SECONDS = 10
GOODBYE_SECONDS = 5.0  # in which one who closes may still read what was sent
SAYS_PER_MINUTE = 60
TYPING = "webchat.typing"
LOOK_AT_ONCE, LOOK_WITHIN_SECONDS = 1_000, 0.3
SEEN_OF_A_CONVERSATION = ("profile", "channel", "address", "identity", "opened_at", "seq", "owner", "unread")


async def connect(options: Options, door: Door) -> "Webchat":
    """Return the web chat, listening to every commit. Raises ValueError for options that can not work."""
    if not door.secret:
        raise ValueError("the server has no signing secret: visitors' tokens could be forged")
    check(options)
    return Webchat(options, door)


class Webchat:
    """The connected channel."""

    name = "webchat"
    space = "webchat"
    limits = Limits(
        text=10_000,
        buttons=10,
        attachments=("image", "audio", "video", "file"),
        attachment_bytes=15_000_000,
        at_once=64,
        keywords=("stop", "start"),
        stop_bans=False,
    )

    def __init__(self, options: Options, door: Door) -> None:
        own = hmac.digest(door.secret, b"webchat", "sha256")
        self._door, self._demo_key = door, demo_key(door.secret) if options.demo else ""
        self._keys = Keys(own, (*options.identity_secrets, *filter(None, [self._demo_key])))
        self._origins = Origins(options.origins, door.public_url)
        self._proxies = options.proxies
        self._seconds: Callable[[], float] = asyncio.get_running_loop().time
        self._history = History(
            door.store, files_url=f"{door.public_url}/channels/webchat/files", secret=own, clock=door.clock
        )
        self._files = Files(
            door.store, self._keys, self._origins, clock=door.clock, seconds=self._seconds,
            largest=options.largest_file_megabytes * 1_000_000, proxies=options.proxies,
        )  # fmt: skip
        self._says = Buckets(per_second=SAYS_PER_MINUTE / 60, burst=SAYS_PER_MINUTE)
        self._places = Places(options.sockets_per_address)
        self._sockets: dict[str, set[Socket]] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._stop_hearing = door.feed.hear(
            self._hear,
            abroad=Abroad(self._sockets.__contains__, lambda conversation, _: conversation in self._sockets),
            missed=self._look_all,
        )
        door.feed.hints.on(TYPING, self._hear_typing)
        self._beat = Beat(self._all, clock=door.clock)
        self._looking: asyncio.Task[None] | None = None
        self._looks_again = False
        self._closing = False
        self.has_inbox = False
        """Whether the widget is to look for an inbox: the channel inapp is connected."""

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the widget's files, the socket, the files of messages, and the demo shop where it is switched on."""
        demo = demo_routes(self._demo_key, self._door.clock) if self._demo_key else []
        return [*widget_routes(), web.get("/socket", self._open), *self._files.routes(), *demo]

    async def send(self, outbound: Outbound) -> Sending:
        """Say whether the visitor has a page open; the message itself went out with its commit, or waits for them."""
        return Sent(delivered=bool(self._sockets.get(outbound.conversation)))

    def typing(self, conversation: str, name: str = "") -> None:
        """Show the visitor, if they look, that an agent is writing. Forgotten after some seconds."""
        self._show_typing(conversation, name)
        self._door.feed.hints.tell(TYPING, {"conversation": conversation, "name": name})

    def look(self, address: str) -> None:
        """Tell the pages of this visitor that their inbox has something new (channels/inapp.py)."""
        for socket in self._sockets.get(f"webchat:{address}", ()):
            socket.say(LOOK)

    def open_sockets(self) -> int:
        """Return how many sockets are open."""
        return sum(map(len, self._sockets.values()))

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        """Raise LookupError: a visitor's files are never elsewhere than with us."""
        raise LookupError(remote)

    async def close(self) -> None:
        """Ask every browser to come back in a moment, and wait until what they said is committed."""
        self._closing = True
        self._stop_hearing()
        if self._looking:
            self._looking.cancel()
        for socket in list(self._all()):
            socket.cut(RESTART, "restart")
        if self._serving:
            await asyncio.wait(self._serving, timeout=15)
        self._beat.stop()

    def _all(self) -> Iterator[Socket]:
        return chain.from_iterable(self._sockets.values())

    def _hear(self, changes: Changes) -> None:
        """Hand one commit to the sockets it is about; called for every commit of the server, so it is quick."""
        for message in changes.messages:
            for socket in self._sockets.get(message.conversation, ()):
                socket.offer(message)
        for conversation in changes.conversations:
            for socket in self._sockets.get(conversation.id, ()):
                socket.notice(conversation)

    def _show_typing(self, conversation: str, name: str) -> None:
        for socket in self._sockets.get(conversation, ()):
            socket.say({"type": "typing", "name": name})

    def _hear_typing(self, process: str, value: Any) -> None:
        if value:
            self._show_typing(str(value["conversation"]), str(value["name"]))

    def _look_all(self) -> None:
        """Something that another process committed may never be heard here: let every socket see whether it is behind."""
        self._looks_again = True
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="webchat.look")

    async def _look(self) -> None:
        while self._looks_again:
            await asyncio.sleep(random.uniform(0, LOOK_WITHIN_SECONDS))  # spread over the processes
            self._looks_again = False
            ids = list(self._sockets)
            try:
                for begin in range(0, len(ids), LOOK_AT_ONCE):
                    await self._look_at(ids[begin : begin + LOOK_AT_ONCE])
            except Unavailable as error:
                log.warning("webchat.look failed reason=%s", error)
                self._looks_again = True

    async def _look_at(self, ids: list[str]) -> None:
        for document in await self._door.store.get_many("conversations", ids, only=SEEN_OF_A_CONVERSATION):
            conversation = from_document(Conversation, document)
            for socket in self._sockets.get(conversation.id, ()):
                socket.look(conversation)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        if not self._origins.allows(request):
            log.info("webchat.socket refused reason=origin")
            return web.Response(status=403, text="origin")
        if self._closing:
            return web.Response(status=503, headers={"Retry-After": "5"})
        address = counted(request, self._proxies)
        if not self._places.take(address):
            return web.Response(status=429, headers={"Retry-After": "5"})
        ws = web.WebSocketResponse(max_msg_size=LARGEST_FRAME, compress=False, autoping=False)
        serving = asyncio.current_task()
        assert serving is not None  # noqa: S101 (a handler always runs in a task)
        socket: Socket | None = None
        try:
            if not ws.can_prepare(request):
                return web.Response(status=426, headers={"Upgrade": "websocket"}, text="websocket")
            await ws.prepare(request)
            ws.headers.clear()  # they are sent
            self._serving.add(serving)
            socket = await self._welcomed(ws)
            if socket:
                await socket.listen()
        except Unavailable:
            await close(ws, TRY_LATER, "unavailable")
        finally:
            try:
                if socket:
                    await self._leave(socket)
            finally:
                self._serving.discard(serving)
                self._places.leave(address)
                see_off(request.transport, GOODBYE_SECONDS)
        return ws

    async def _welcomed(self, ws: web.WebSocketResponse) -> Socket | None:
        """Return the socket once its visitor knows who they are, or None after closing it. Raises Unavailable."""
        bucket = Bucket(per_second=FRAMES_PER_SECOND, burst=FRAMES_AT_ONCE)
        hello = await first_frame(ws, bucket, HELLO_WITHIN_SECONDS)
        if hello is None:
            return None
        door = self._door
        visitor = await recognise(hello.token, hello.identity, keys=self._keys, store=door.store, now=door.clock())
        if isinstance(visitor, Locked):
            await ws.send_str(orjson.dumps({"type": "locked", "reason": visitor.reason}).decode())
            await close(ws, IDENTITY, "locked")
            return None
        turns = Turns(
            visitor, hello,
            receive=door.receive, store=door.store, history=self._history, files=self._files, says=self._says,
            clock=door.clock,
        )  # fmt: skip
        socket = Socket(ws, visitor, bucket, turns=turns, history=self._history)
        self._sockets.setdefault(visitor.conversation, set()).add(socket)  # before its history is read: no gap between
        self._beat.start()
        try:
            token = visitor_token(visitor.address, self._keys.own)
            await socket.welcome(token, hello.last_seq, has_inbox=self.has_inbox, largest_file=self._files.largest)
        except BaseException:
            await self._leave(socket)
            raise
        return socket

    async def _leave(self, socket: Socket) -> None:
        try:
            await socket.end()
        finally:
            conversation = socket.visitor.conversation
            sockets = self._sockets[conversation]
            sockets.discard(socket)
            if not sockets:
                del self._sockets[conversation]
