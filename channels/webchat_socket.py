"""One visitor's open socket: what was said goes out in order and without gaps, what is said is acknowledged once on disk.

The socket is a cursor on the conversation's seq: a message that follows it goes out from memory, anything else makes the
socket read the conversation from the database until it has caught up. So a gap, whatever made it, closes itself.
"""

import asyncio
import logging
from contextlib import suppress
from typing import TypeAlias

import orjson
from aiohttp import WSMsgType, web

from channels.channel import Identified, Inbound, Read, Receive
from channels.webchat_files import Files
from channels.webchat_frames import Again, Earlier, Frame, Hello, Incoming, Malformed, Ping, Say, Seen, parse
from channels.webchat_history import PAGE, History
from channels.webchat_limits import Bucket, Buckets
from channels.webchat_visitors import Visitor
from profiles.calendar import Clock
from profiles.conversation import Conversation
from profiles.snapshot import Done, Duplicate, Refusal
from profiles.store import Store, Unavailable, Unstorable
from profiles.timeline import Content, Message

log = logging.getLogger("channels.webchat")

OUTGOING = 256  # frames that wait for a slow reader before it is let go
INCOMING = 64  # frames of the visitor that wait for the database
FRAMES_PER_SECOND, FRAMES_AT_ONCE = 10, 40
REPLAY_AT_MOST = 200  # a browser that missed more gets the last page and scrolls up for the rest
RETRY_SECONDS = 2
EXPIRING_SECONDS = 60  # how long before its end the page is asked for a new identity token

# close codes (RFC 6455, section 7.4): below 4000 the registered ones, above it ours
RESTART, TRY_LATER, BROKEN = 1012, 1013, 1011
MALFORMED, IDENTITY, NO_HELLO, FLOOD = 4400, 4401, 4408, 4429

Outgoing: TypeAlias = Frame | Message


class Socket:
    """One socket after its hello. `run` serves it to its end; the channel offers it every commit of its conversation."""

    def __init__(
        self, ws: web.WebSocketResponse, visitor: Visitor, hello: Hello, bucket: Bucket, *,
        receive: Receive, store: Store, history: History, files: Files, says: Buckets, clock: Clock,
    ) -> None:  # fmt: skip
        self.visitor = visitor
        self._ws, self._hello, self._bucket = ws, hello, bucket
        self._receive, self._store, self._history = receive, store, history
        self._files, self._says, self._clock = files, says, clock
        self._outgoing: asyncio.Queue[Outgoing] = asyncio.Queue(OUTGOING)
        self._incoming: asyncio.Queue[Incoming | None] = asyncio.Queue(INCOMING)
        self._cursor = 0
        self._newest = 0
        self._caught_up = False
        self._catching: asyncio.Task[None] | None = None
        self._read_seq = 0
        self._seen_seq = 0
        self._cutting: asyncio.Task[None] | None = None

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
        if visitor.identity:
            await self._receive(_identified(visitor, self._clock))
        conversation = await self._history.conversation(visitor.conversation)
        seq = conversation.seq if conversation else 0
        self._newest = max(self._newest, seq)
        self._seen_seq = seen_by_agent(conversation) if conversation else 0
        self._read_seq = conversation.customer_read_seq if conversation else 0
        self.say(
            {
                "type": "welcome",
                "token": token,
                "address": visitor.address,
                "moved": visitor.moved,
                "brings": visitor.brings,
                "identity": {"name": visitor.identity.name} if visitor.identity else None,
                "problem": visitor.problem,
                "read": self._read_seq,
                "seen": self._seen_seq,
            }
        )
        last = None if visitor.moved else self._hello.last_seq
        if last is None or last > seq or seq - last > REPLAY_AT_MOST:
            page = await self._history.before(visitor.conversation)
            self._cursor = page[-1].seq if page else seq
            self.say(await self._page(page, reset=True))
        else:
            self._cursor = last
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

    async def _page(self, page: list[Message], *, reset: bool) -> Frame:
        more = len(page) == PAGE and page[0].seq > 1
        return {
            "type": "history",
            "messages": await self._history.frames(page),
            "first": page[0].seq if page else 0,
            "more": more,
            "reset": reset,
        }

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
                    self.say({"type": "retry", "id": frame.id, "after": RETRY_SECONDS})
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
                await self._do(frame)
            except Unavailable:
                if isinstance(frame, Say):
                    self.say({"type": "retry", "id": frame.id, "after": RETRY_SECONDS})
            except Unstorable:
                if isinstance(frame, Say):
                    self.say({"type": "refused", "id": frame.id, "reason": "unstorable"})
            except Exception as error:  # noqa: BLE001 (logged whole; the browser hears it and repeats later)
                log.error("webchat.frame failed error=%s", type(error).__name__, exc_info=error)
                self.cut(BROKEN, "error")
                return

    async def _do(self, frame: Incoming) -> None:
        conversation = self.visitor.conversation
        if isinstance(frame, Say):
            await self._say(frame)
        elif isinstance(frame, Malformed):
            self.say({"type": "refused", "id": frame.id, "reason": frame.reason})
        elif isinstance(frame, Earlier):
            self.say(await self._page(await self._history.before(conversation, frame.before), reset=False))
        elif isinstance(frame, Again):
            message = await self._history.one(conversation, frame.seq)
            if message:
                self.say(message)
        elif isinstance(frame, Seen) and self._read_seq < frame.seq <= self._cursor:
            await self._receive(Read("webchat", self.visitor.address, frame.seq, self._clock()))
            self._read_seq = frame.seq

    async def _say(self, say: Say) -> None:
        wait = self._says.take(self.visitor.address, asyncio.get_running_loop().time())
        if wait:
            self.say({"type": "retry", "id": say.id, "after": round(wait, 1)})
            return
        content = await self._content(say)
        if content is None:
            self.say({"type": "refused", "id": say.id, "reason": "gone"})
            return
        inbound = Inbound(
            channel="webchat",
            address=self.visitor.address,
            id=f"{self.visitor.address}:{say.id}",
            content=content,
            language=self._hello.language,
            verified=self.visitor.identity is not None,
            metadata={"page": self._hello.page} if self._hello.page else {},
        )
        outcome = await self._receive(inbound)
        if isinstance(outcome, Refusal):
            self.say({"type": "refused", "id": say.id, "reason": outcome.reason})
        else:
            self.say({"type": "ack", "id": say.id, "seq": await self._seq(outcome)})

    async def _content(self, say: Say) -> Content | None:
        """Return what the visitor says, or None for a button that was not offered or a file that is not theirs."""
        if say.file:
            attachment = await self._files.claim(say.file, self.visitor.conversation)
            return Content(attachments=(attachment,)) if attachment else None
        if say.payload is None:
            return Content(say.text)
        offer = await self._history.one(self.visitor.conversation, say.seq)
        if offer is None or offer.direction != "outbound":
            return None
        for button in offer.content.buttons:
            if button.url is None and (button.title if button.payload is None else button.payload) == say.payload:
                return Content(button.title, payload=button.payload)
        return None

    async def _seq(self, outcome: Done | Duplicate) -> int:
        if isinstance(outcome, Duplicate):
            found = await self._store.get("messages", outcome.key)
            return int(found["seq"]) if found else 0
        mine = (message for message in outcome.changes.messages if message.direction == "inbound")
        return next((message.seq for message in mine), 0)


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


def _identified(visitor: Visitor, clock: Clock) -> Identified:
    identity = visitor.identity
    assert identity is not None  # noqa: S101 (asked before the call)
    return Identified(
        channel="webchat",
        address=visitor.address,
        at=clock(),
        subject=identity.subject,
        email=identity.email,
        phone=identity.phone,
        name=identity.name,
        language=identity.language,
    )
