"""One request on a shared HTTP/2 connection, and what its end proves: nothing was taken, or it may have been."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field


class Refused(Exception):
    """The server proved that it did not take the request."""


class Lost(Exception):
    """The connection ended, or the answer did not come in time: the request may have been taken."""


@dataclass(slots=True)
class Stream:
    """One request on a connection that many share, and what becomes of it."""

    answer: asyncio.Future[tuple[int, Mapping[str, str], bytes]]
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    is_sent: bool = False
    is_over: bool = False
    """Whether neither side will say more on it."""

    def finish(self) -> None:
        """The server has said all."""
        status = self.headers.get(":status", "")
        if not self.answer.done():
            if status.isdecimal():
                self.answer.set_result((int(status), self.headers, bytes(self.body)))
            else:
                self.answer.set_exception(Lost("an answer without a status"))

    def unanswered(self, detail: str) -> Exception:
        """Return what it means that no answer came: nobody acts on half a request."""
        return Lost(detail) if self.is_sent else Refused(detail)

    def fail(self, why: Exception) -> None:
        """There will be no answer."""
        if not self.answer.done():
            self.answer.set_exception(why)
