"""One visitor's open socket: what was said goes out in order and without gaps, what is said is acknowledged once on disk.

The socket is a cursor on the conversation's seq: a message that follows it goes out from memory, anything else makes the
socket read the conversation from the database until it has caught up. So a gap, whatever made it, closes itself.

Most sockets are silent most of the time, so nothing of one waits for work but the task that reads it: what is to be done makes
a task of its own (webchat_lane.py), and one clock ticks for all (webchat_beat.py).
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from aiohttp import WSMessage, WSMsgType, web

from channels.webchat_beat import due
from channels.webchat_frames import Frame, Hello, Incoming, Malformed, Ping, Say, parse
from channels.webchat_history import History
from channels.webchat_lane import Lane
from channels.webchat_limits import Bucket
from channels.webchat_turns import RETRY_SECONDS, Outgoing, Turns, retry
from channels.webchat_visitors import Visitor
from channels.websocket_close import BROKEN, FLOOD, IDENTITY, MALFORMED, NO_HELLO, TRY_LATER, close
from profiles.conversation import Conversation
from profiles.store import Unavailable
from profiles.timeline import Message

log = logging.getLogger("channels.webchat")

OUTGOING = 256  # frames that wait for a slow reader before it is let go
INCOMING = 64  # frames of the visitor that wait for the database
FRAMES_PER_SECOND, FRAMES_AT_ONCE = 10, 40
REPLAY_AT_MOST = 200  # a browser that missed more gets the last page and scrolls up for the rest
EXPIRING = timedelta(seconds=60)  # how long before its end the page is asked for a new identity token
FINISH_WITHIN_SECONDS = 10.0  # what was taken in is committed after the socket's end, too

LOOK: Frame = {"type": "inapp"}
"""Look into the inbox: there is one, or something new in it."""

_BEEPS = (WSMsgType.PING, WSMsgType.PONG)
_OVER = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)


@dataclass(frozen=True, slots=True)
class Beep:
    """A ping or a pong of the protocol itself (RFC 6455, section 5.5), among the frames that go out."""

    is_ping: bool
    data: bytes = b""


ARE_YOU_THERE = Beep(is_ping=True)


class Socket:
    """One socket after its hello: welcomed, then listened to; the channel offers it every commit of its conversation."""

    __slots__ = (
        "_bucket", "_catching", "_caught_up", "_cursor", "_cutting", "_expires_at", "_history", "_incoming", "_is_warned",
        "_listens", "_newest", "_outgoing", "_seen_seq", "_silent", "_turns", "_ws", "visitor",
    )  # fmt: skip

    def __init__(
        self, ws: web.WebSocketResponse, visitor: Visitor, bucket: Bucket, *, turns: Turns, history: History
    ) -> None:  # fmt: skip
        self.visitor = visitor
        self._ws, self._bucket = ws, bucket
        self._turns, self._history = turns, history
        self._outgoing: Lane[Outgoing | Beep] = Lane(self._send, OUTGOING)
        self._incoming: Lane[Incoming] = Lane(self._take, INCOMING)
        self._cursor = 0
        self._newest = 0
        self._caught_up = False
        self._catching: asyncio.Task[None] | None = None
        self._seen_seq = 0
        self._cutting: asyncio.Task[None] | None = None
        self._expires_at = visitor.identity.expires_at if visitor.identity else None
        self._is_warned = False
        self._listens = False
        self._silent = 0

    async def welcome(self, token: str, last_seq: int | None, *, has_inbox: bool, largest_file: int) -> None:
        """Tell the visitor who they are and what they missed since `last_seq`. Raises Unavailable."""
        await self._turns.identify()
        visitor = self.visitor
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
                "largest_file": largest_file,
            }
        )
        last = None if visitor.moved else last_seq
        if last is None or last > seq or seq - last > REPLAY_AT_MOST:
            page = await self._history.before(visitor.conversation)
            self._cursor = page[-1].seq if page else seq
            self.say(await self._history.page(page, reset=True))
        else:
            self._cursor = last
        if has_inbox:
            self.say(LOOK)
        self._catch_up()

    async def listen(self) -> None:
        """Serve until either side closes."""
        self._listens = True
        while True:
            raw = await self._ws.receive()
            self._silent = 0
            if not await self._hear(raw):
                return

    async def end(self) -> None:
        """Stop sending; whatever was taken in is still committed. For every socket, however it ended."""
        self._listens = False
        if self._catching:
            self._catching.cancel()
        self._outgoing.end()
        await self._incoming.finish(FINISH_WITHIN_SECONDS)

    def tick(self, now: datetime) -> None:
        """Hear that another second is over: a silent page is asked for a sign of life, an identity token ends."""
        if not self._listens:
            return
        self._silent += 1
        match due(self._silent):
            case "ask":
                self.say(ARE_YOU_THERE)
            case "gone":
                self._close(TRY_LATER, "silent")  # no news: telephones fall asleep all the time
        if self._expires_at is not None:
            self._expire(self._expires_at, now)

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

    def say(self, item: Outgoing | Beep) -> None:
        """Send this as soon as the reader takes it; a reader too slow for 256 is let go and reads again later."""
        if not self._outgoing.put(item) and not self._outgoing.has_ended:
            self.cut(TRY_LATER, "slow")

    def cut(self, code: int, reason: str) -> None:
        """Close without waiting for the other side."""
        if self._cutting is None:
            log.info("webchat.socket cut reason=%s", reason)
            self._close(code, reason)

    def _close(self, code: int, reason: str) -> None:
        if self._cutting is None:
            self._cutting = asyncio.create_task(close(self._ws, code, reason))

    # -- going out

    def _catch_up(self) -> None:
        self._caught_up = False
        self._catching = asyncio.create_task(self._read_what_is_missing())

    async def _read_what_is_missing(self) -> None:
        try:
            while self._cursor < self._newest:
                page = await self._history.after(self.visitor.conversation, self._cursor)
                for message in page:
                    await self._outgoing.room()  # waits for the reader: the past is not what makes it slow
                    self._cursor = message.seq
                    self.say(message)
                if not page:
                    self._cursor = self._newest  # what is missing was erased
            self._caught_up = True
        except Unavailable:
            self.cut(TRY_LATER, "unavailable")
        finally:
            self._catching = None

    async def _send(self, item: Outgoing | Beep) -> None:
        try:
            if isinstance(item, Beep):
                await (self._ws.ping(item.data) if item.is_ping else self._ws.pong(item.data))
                return
            frame = await self._history.frame(item) if isinstance(item, Message) else item
            if frame:
                await self._ws.send_str(orjson.dumps(frame).decode())
        except ConnectionError:  # the reader is gone; listen ends by itself
            self._outgoing.end()
        except Unavailable:
            self._outgoing.end()
            self.cut(TRY_LATER, "unavailable")
        except Exception as error:  # noqa: BLE001 (logged whole; with the next frame there would be a gap)
            log.error("webchat.frame unsent error=%s", type(error).__name__, exc_info=error)
            self._outgoing.end()
            self.cut(BROKEN, "error")

    def _expire(self, end: datetime, now: datetime) -> None:
        """End the socket with the identity token; the page is asked for a new one in time."""
        if now >= end:
            self.cut(IDENTITY, "expired")
        elif now >= end - EXPIRING and not self._is_warned:
            self._is_warned = True
            self.say({"type": "expiring"})

    # -- coming in

    async def _hear(self, raw: WSMessage) -> bool:
        """Return whether the socket goes on; what came was put into its lane, or answered."""
        if raw.type in _OVER:
            return False
        if self._bucket.take(asyncio.get_running_loop().time()):
            log.info("webchat.socket flood")
            await close(self._ws, FLOOD, "flood")
            return False
        if raw.type is WSMsgType.PING:
            self.say(Beep(is_ping=False, data=raw.data))
        elif raw.type is not WSMsgType.PONG:
            return await self._read(parse(raw.data) if raw.type is WSMsgType.TEXT else Malformed("binary"))
        return True

    async def _read(self, frame: Incoming) -> bool:
        """Return whether our widget may have sent this; else the socket is over."""
        if isinstance(frame, Hello) or (isinstance(frame, Malformed) and frame.id is None):
            await close(self._ws, MALFORMED, "hello" if isinstance(frame, Hello) else frame.reason)
            return False
        if isinstance(frame, Ping):
            self.say({"type": "pong"})
        elif not self._incoming.put(frame) and isinstance(frame, Say):
            self.say(retry(frame, RETRY_SECONDS))
        return True

    async def _take(self, frame: Incoming) -> None:
        """Do what this frame asks; one after the other, so that what they say keeps its order."""
        try:
            answers = await self._turns.take(frame, self._cursor)
        except Exception as error:  # noqa: BLE001 (logged whole; the browser hears it and repeats later)
            log.error("webchat.frame failed error=%s", type(error).__name__, exc_info=error)
            self._incoming.end()
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
        async with asyncio.timeout(within_seconds):
            raw = await ws.receive()
            while raw.type in _BEEPS and not bucket.take(asyncio.get_running_loop().time()):
                if raw.type is WSMsgType.PING:
                    await ws.pong(raw.data)
                raw = await ws.receive()
    except TimeoutError:
        await close(ws, NO_HELLO, "hello")
        return None
    bucket.take(asyncio.get_running_loop().time())
    frame = parse(raw.data) if raw.type is WSMsgType.TEXT else Malformed("binary")
    if isinstance(frame, Hello):
        return frame
    await close(ws, MALFORMED, "hello")
    return None
