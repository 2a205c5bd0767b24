"""Questions and answers on one connection: what is written, and the replies that come to it, in order (RFC 5321 section 4.2).

One exchange is under way at a time. A reply that nobody asked for, or none in time, ends the connection: whatever came then would
be taken for the answer to the next question.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import cast

from profiles.swift import swift

LONGEST_ANSWER = 65_536  # octets without an end: no server says so much
MOST_LINES = 200  # of one reply
_REPLY = re.compile(rb"([2-5][0-9]{2})([ -]?)(.*)", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")


@swift
@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered; `text` is its lines joined by spaces, without the code."""

    code: int
    text: str = ""

    @property
    def enhanced(self) -> str:
        """Return the enhanced status code (RFC 3463), empty when there is none."""
        found = _ENHANCED.match(self.text)
        return found[1] if found else ""

    @property
    def is_good(self) -> bool:
        """Return whether the server did what it was asked."""
        return self.code < 400


class Talk(asyncio.Protocol):
    """A connection on which we ask and are answered."""

    def __init__(self, seconds: float) -> None:
        self.is_open = False
        """Whether it is ready for the next mail."""
        self.seconds = seconds
        self.transport: asyncio.Transport | None = None
        self._buffer = b""
        self._lines: list[str] = []
        self._replies: list[Reply] = []
        self._wanted = 1  # the greeting
        self._waiting: asyncio.Future[None] | None = None

    async def ask(self, octets: bytes, count: int) -> list[Reply]:
        """Write and return the replies: fewer than asked for when the connection was lost or the time is over."""
        transport = self.transport
        if transport is None or transport.is_closing() or self._replies:
            return []
        self._wanted = count
        transport.write(octets)
        return await self.answers(count)

    async def answers(self, count: int) -> list[Reply]:
        """Return the replies to what was written, or the greeting; fewer when no more come."""
        self._wanted = count
        if len(self._replies) < count and self.is_connected():
            waiting = self._waiting = asyncio.get_running_loop().create_future()
            late = asyncio.get_running_loop().call_later(self.seconds, _give_up, waiting)
            try:
                await waiting
            finally:
                late.cancel()
                self._waiting = None
        replies, self._replies, self._wanted = self._replies[:count], self._replies[count:], 0
        if len(replies) < count:
            self.abort()  # whatever comes now would be taken for the answer to the next question
        if self._replies:
            self.is_open = False
        return replies

    def is_connected(self) -> bool:
        """Return whether something may be written."""
        return self.transport is not None and not self.transport.is_closing()

    def abort(self) -> None:
        """Close at once."""
        self.is_open = False
        if self.transport:
            self.transport.abort()

    # -- the protocol of asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; after STARTTLS there is a new one."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Read whole lines, and wake who waits when all replies are there."""
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._read(line.rstrip(b"\r"))
        if len(self._buffer) > LONGEST_ANSWER or len(self._lines) > MOST_LINES:
            self.abort()
        if not self._wanted and self._replies:
            self.is_open = False  # a word that nobody asked for is a goodbye (421)
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody waits for what can not come."""
        self.is_open, self.transport = False, None
        self._wake()

    # -- how it is done

    def _read(self, line: bytes) -> None:
        found = _REPLY.fullmatch(line)
        if found is None:
            self._lines.append("")
            self._replies.append(Reply(599, "not a reply"))  # it speaks something else
            return
        self._lines.append(found[3].decode("utf-8", "replace"))
        if found[2] != b"-":
            self._replies.append(Reply(int(found[1]), "\n".join(self._lines)))
            self._lines = []

    def _wake(self) -> None:
        done = len(self._replies) >= self._wanted or not self.is_connected()
        if self._waiting and done and not self._waiting.done():
            self._waiting.set_result(None)


def _give_up(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
