"""One visitor's open socket: what was said goes out in order and without gaps, what is said is acknowledged once on disk.

The socket is a cursor on the conversation's seq: a message that follows it goes out from memory, anything else makes the
socket read the conversation from the database until it has caught up. So a gap, whatever made it, closes itself.
"""

import asyncio
import logging
from contextlib import suppress

import orjson
from aiohttp import WSMsgType, web

from channels.webchat_frames import Frame, Hello, Incoming, Malformed, Ping, Say, parse
from channels.webchat_history import History
from channels.webchat_limits import Bucket
from channels.webchat_turns import RETRY_SECONDS, Outgoing, Turns, retry
from channels.webchat_visitors import Visitor
from profiles.calendar import Clock
from profiles.conversation import Conversation
from profiles.store import Unavailable
from profiles.timeline import Message

log = logging.getLogger("channels.webchat")

OUTGOING = 256  # frames that wait for a slow reader before it is let go
INCOMING = 64  # frames of the visitor that wait for the database
FRAMES_PER_SECOND, FRAMES_AT_ONCE = 10, 40
REPLAY_AT_MOST = 200  # a browser that missed more gets the last page and scrolls up for the rest
EXPIRING_SECONDS = 60  # how long before its end the page is asked for a new identity token

LOOK: Frame = {"type": "inapp"}
"""Look into the inbox: there is one, or something new in it."""

# close codes (RFC 6455, section 7.4): below 4000 the registered ones, above it ours
RESTART, TRY_LATER, BROKEN = 1012, 1013, 1011
MALFORMED, IDENTITY, NO_HELLO, FLOOD = 4400, 4401, 4408, 4429


class Socket:
    """One socket after its hello. `run` serves it to its end; the channel offers it every commit of its conversation."""

    def __init__(
        self, ws: web.WebSocketResponse, visitor: Visitor, hello: Hello, bucket: Bucket, *,
        turns: Turns, history: History, clock: Clock, has_inbox: bool = False,
    ) -> None:  # fmt: skip
        self.visitor = visitor
        self._ws, self._hello, self._bucket = ws, hello, bucket
        self._turns, self._history, self._clock = turns, history, clock
        self._outgoing: asyncio.Queue[Outgoing] = asyncio.Queue(OUTGOING)
        self._incoming: asyncio.Queue[Incoming | None] = asyncio.Queue(INCOMING)
        self._cursor = 0
        self._newest = 0
        self._caught_up = False
        self._catching: asyncio.Task[None] | None = None
        self._seen_seq = 0
        self._cutting: asyncio.Task[None] | None = None
        self._has_inbox = has_inbox

    async def run(self, token: str) -> None:
        """Welcome the visitor and serve until either side closes. Whatever was taken in is still committed."""
        pump = asyncio.create_task(self._pump())
        work = asyncio.create_task(self._work())
        expiry: asyncio.Task[None] | None = None
        try:
            await self._welcome(token)
            expiry = asyncio.create_task(self._expire())
            await self._listen()
        except Unavailable:
            await close(self._ws, TRY_LATER, "unavailable")
        finally:
            for task in filter(None, (pump, expiry, self._catching)):
                task.cancel()
            with suppress(asyncio.QueueFull):
                self._incoming.put_nowait(None)
            await asyncio.wait([work], timeout=10)
            work.cancel()

    def offer(self, message: Message) -> None:
        """Hear of a message of this conversation, just committed."""
        self._newest = max(self._newest, message.seq)
        if not self._caught_up or message.seq <= self._cursor:
            return
        if message.seq == self._cursor + 1:
            self._cursor = message.seq
            self.say(message)
        else:
            self._catch_up()

    def look(self, conversation: Conversation) -> None:
        """Hear how the conversation stands: whatever of it was said and not heard here is read."""
        self._newest = max(self._newest, conversation.seq)
        if self._caught_up and self._newest > self._cursor:
            self._catch_up()
        self.notice(conversation)

    def notice(self, conversation: Conversation) -> None:
        """Hear of the conversation's record, just committed: an agent may have seen what the visitor wrote."""
        seen = seen_by_agent(conversation)
        if seen > self._seen_seq:
            self._seen_seq = seen
            self.say({"type": "seen", "seq": seen})

    def say(self, item: Outgoing) -> None:
        """Send this as soon as the reader takes it; a reader too slow for 256 is let go and reads again later."""
        try:
            self._outgoing.put_nowait(item)
        except asyncio.QueueFull:
            self.cut(TRY_LATER, "slow")

    def cut(self, code: int, reason: str) -> None:
        """Close without waiting for the other side."""
        if self._cutting is None:
            log.info("webchat.socket cut reason=%s", reason)
            self._cutting = asyncio.create_task(close(self._ws, code, reason))

    # -- going out

    async def _welcome(self, token: str) -> None:
        visitor = self.visitor
        await self._turns.identify()
        conversation = await self._history.conversation(visitor.conversation)
        seq = conversation.seq if conversation else 0
        self._newest = max(self._newest, seq)
        self._seen_seq = seen_by_agent(conversation) if conversation else 0
        self._turns.read_seq = conversation.customer_read_seq if conversation else 0
        self.say(
            {
                "type": "welcome",
                "token": token,
                "address": visitor.address,
                "moved": visitor.moved,
                "brings": visitor.brings,
                "identity": {"name": visitor.identity.name} if visitor.identity else None,
                "problem": visitor.problem,
                "read": self._turns.read_seq,
                "seen": self._seen_seq,
            }
        )
        last = None if visitor.moved else self._hello.last_seq
        if last is None or last > seq or seq - last > REPLAY_AT_MOST:
            page = await self._history.before(visitor.conversation)
            self._cursor = page[-1].seq if page else seq
            self.say(await self._history.page(page, reset=True))
        else:
            self._cursor = last
        if self._has_inbox:
            self.say(LOOK)
        self._catch_up()

    def _catch_up(self) -> None:
        self._caught_up = False
        self._catching = asyncio.create_task(self._read_what_is_missing())

    async def _read_what_is_missing(self) -> None:
        try:
            while self._cursor < self._newest:
                page = await self._history.after(self.visitor.conversation, self._cursor)
                for message in page:
                    self._cursor = message.seq
                    await self._outgoing.put(message)  # waits for the reader: the past is not what makes it slow
                if not page:
                    self._cursor = self._newest  # what is missing was erased
            self._caught_up = True
        except Unavailable:
            self.cut(TRY_LATER, "unavailable")

    async def _pump(self) -> None:
        try:
            while True:
                item = await self._outgoing.get()
                frame = await self._history.frame(item) if isinstance(item, Message) else item
                if frame:
                    await self._ws.send_str(orjson.dumps(frame).decode())
        except ConnectionError:  # the reader is gone; _listen ends by itself
            return
        except Unavailable:
            self.cut(TRY_LATER, "unavailable")

    async def _expire(self) -> None:
        """End the socket when the identity token ends; the page is asked for a new one in time."""
        identity = self.visitor.identity
        if identity is None:
            return
        left = (identity.expires_at - self._clock()).total_seconds()
        await asyncio.sleep(max(0.0, left - EXPIRING_SECONDS))
        self.say({"type": "expiring"})
        await asyncio.sleep(max(0.0, (identity.expires_at - self._clock()).total_seconds()))
        self.cut(IDENTITY, "expired")

    # -- coming in

    async def _listen(self) -> None:
        async for raw in self._ws:
            frame = await self._next(raw.type, raw.data)
            if frame is None:
                return
            if isinstance(frame, Ping):
                self.say({"type": "pong"})
            elif self._incoming.full():
                if isinstance(frame, Say):
                    self.say(retry(frame, RETRY_SECONDS))
            else:
                self._incoming.put_nowait(frame)

    async def _next(self, kind: WSMsgType, data: str) -> Incoming | None:
        """Return the frame, or None when the socket is over: this was a flood, or nothing that our widget sends."""
        if self._bucket.take(asyncio.get_running_loop().time()):
            log.info("webchat.socket flood")
            await close(self._ws, FLOOD, "flood")
            return None
        frame = parse(data) if kind is WSMsgType.TEXT else Malformed("binary")
        if isinstance(frame, Hello) or (isinstance(frame, Malformed) and frame.id is None):
            await close(self._ws, MALFORMED, "hello" if isinstance(frame, Hello) else frame.reason)
            return None
        return frame

    async def _work(self) -> None:
        """Take the visitor's frames one after the other, so that what they say keeps its order."""
        while frame := await self._incoming.get():
            try:
                answers = await self._turns.take(frame, self._cursor)
            except Exception as error:  # noqa: BLE001 (logged whole; the browser hears it and repeats later)
                log.error("webchat.frame failed error=%s", type(error).__name__, exc_info=error)
                self.cut(BROKEN, "error")
                return
            for answer in answers:
                self.say(answer)


def seen_by_agent(conversation: Conversation) -> int:
    """Return up to which seq an agent has seen this conversation; 0 while none has it."""
    return conversation.seq if conversation.owner == "agent" and conversation.unread == 0 else 0


async def first_frame(ws: web.WebSocketResponse, bucket: Bucket, within_seconds: float) -> Hello | None:
    """Return the hello that opens a socket, or None after closing it."""
    try:
        raw = await ws.receive(timeout=within_seconds)
    except TimeoutError:
        await close(ws, NO_HELLO, "hello")
        return None
    bucket.take(asyncio.get_running_loop().time())
    frame = parse(raw.data) if raw.type is WSMsgType.TEXT else Malformed("binary")
    if isinstance(frame, Hello):
        return frame
    await close(ws, MALFORMED, "hello")
    return None


async def close(ws: web.WebSocketResponse, code: int, reason: str) -> None:
    """Close, giving the other side a second to say goodbye; one that floods or does not read is not waited for."""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(1):
            await ws.close(code=code, message=reason.encode())
    request = ws._req  # noqa: SLF001 (aiohttp has no public way from a socket to its transport)
    if request is not None and request.transport is not None:
        request.transport.abort()
