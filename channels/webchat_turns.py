"""What a visitor's frames come to: each is done, one after the other, and answered with frames of ours."""

import asyncio
from typing import TypeAlias

from channels.channel import Identified, Inbound, Read, Receive
from channels.shedding import Busy
from channels.webchat_files import Files
from channels.webchat_frames import Again, Earlier, Frame, Hello, Incoming, Malformed, Say, Seen
from channels.webchat_history import History
from channels.webchat_limits import Buckets
from channels.webchat_visitors import Visitor
from profiles.calendar import Clock
from profiles.snapshot import Done, Duplicate, Refusal
from profiles.store import Store, Unavailable, Unstorable
from profiles.timeline import Content, Message

RETRY_SECONDS = 2

Outgoing: TypeAlias = Frame | Message


class Turns:
    """The frames of one socket. Everything here may wait for the database; nothing here touches the wire."""

    __slots__ = (
        "_clock", "_files", "_history", "_language", "_page", "_receive", "_says", "_store", "_visitor", "read_seq",
    )  # fmt: skip

    def __init__(
        self, visitor: Visitor, hello: Hello, *,
        receive: Receive, store: Store, history: History, files: Files, says: Buckets, clock: Clock,
    ) -> None:  # fmt: skip
        self._visitor = visitor
        self._language, self._page = hello.language, hello.page  # not the hello itself: its tokens are long
        self._receive, self._store, self._history = receive, store, history
        self._files, self._says, self._clock = files, says, clock
        self.read_seq = 0

    async def identify(self) -> None:
        """Let the front door know who the visitor proved to be, if they did. Raises Unavailable."""
        identity = self._visitor.identity
        if identity:
            await self._receive(
                Identified(
                    channel="webchat",
                    address=self._visitor.address,
                    at=self._clock(),
                    subject=identity.subject,
                    email=identity.email,
                    phone=identity.phone,
                    name=identity.name,
                    language=identity.language,
                )
            )

    async def take(self, frame: Incoming, cursor: int) -> list[Outgoing]:
        """Return what to answer; `cursor` is the last seq that the visitor was sent. Raises only for mistakes of ours."""
        try:
            return await self._do(frame, cursor)
        except Unavailable as error:
            after = error.after if isinstance(error, Busy) else RETRY_SECONDS
            return [retry(frame, after)] if isinstance(frame, Say) else []
        except Unstorable:
            return [_refused(frame.id, "unstorable")] if isinstance(frame, Say) else []

    async def _do(self, frame: Incoming, cursor: int) -> list[Outgoing]:
        conversation = self._visitor.conversation
        match frame:
            case Say():
                return [await self._say(frame)]
            case Malformed():
                return [_refused(frame.id, frame.reason)]
            case Earlier():
                page = await self._history.before(conversation, frame.before)
                return [await self._history.page(page, reset=False)]
            case Again():
                message = await self._history.one(conversation, frame.seq)
                return [message] if message else []
            case Seen() if self.read_seq < frame.seq <= cursor:
                await self._receive(Read("webchat", self._visitor.address, frame.seq, self._clock()))
                self.read_seq = frame.seq
        return []

    async def _say(self, say: Say) -> Frame:
        wait = self._says.take(self._visitor.address, asyncio.get_running_loop().time())
        if wait:
            return retry(say, wait)
        content = await self._content(say)
        if content is None:
            return _refused(say.id, "gone")
        inbound = Inbound(
            channel="webchat",
            address=self._visitor.address,
            id=f"{self._visitor.address}:{say.id}",
            content=content,
            language=self._language,
            verified=self._visitor.identity is not None,
            metadata={"page": self._page} if self._page else {},
        )
        outcome = await self._receive(inbound)
        if isinstance(outcome, Refusal):
            return _refused(say.id, outcome.reason)
        return {"type": "ack", "id": say.id, "seq": await self._seq(outcome)}

    async def _content(self, say: Say) -> Content | None:
        """Return what the visitor says, or None for a button that was not offered or a file that is not theirs."""
        if say.file:
            attachment = await self._files.claim(say.file, self._visitor.conversation)
            return Content(attachments=(attachment,)) if attachment else None
        if say.payload is None:
            return Content(say.text)
        offer = await self._history.one(self._visitor.conversation, say.seq)
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


def retry(say: Say, seconds: float) -> Frame:
    """Return the request to say this again after so many seconds, under the same id."""
    return {"type": "retry", "id": say.id, "after": round(seconds, 1)}


def _refused(id: str | None, reason: str) -> Frame:
    return {"type": "refused", "id": id, "reason": reason}
