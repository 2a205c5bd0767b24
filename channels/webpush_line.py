"""One HTTP/1.1 connection to a push service: a request, its answer, the next request (RFC 9112). Nothing else is spoken.

A library's client costs as much for each request as the encryption of the message; push services answer a status, one or two
headers and a sentence, which is all that is read here, within bounds.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

LARGEST_HEAD, LARGEST_BODY = 16_384, 65_536
_END = b"\r\n\r\n"
_TOO_MUCH = {"connection": "close"}  # what follows an answer would be taken for the next one


@dataclass(frozen=True, slots=True)
class Answer:
    """What the push service said. Header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class Lost(Exception):
    """The connection ended, or spoke no HTTP, before the answer was whole. `heard`: some of it had come."""

    def __init__(self, why: str, *, heard: bool) -> None:
        super().__init__(why)
        self.heard = heard


class Line(asyncio.Protocol):
    """One connection. `is_open` until either side ends it."""

    def __init__(self) -> None:
        self.is_open = False
        self.used = 0
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._heard = bytearray()

    async def ask(self, request: bytes) -> Answer:
        """Send one request and return its answer. Raises Lost. Called off, it closes the connection."""
        assert self._transport and self._answer is None
        self._answer = asyncio.get_running_loop().create_future()
        self.used += 1
        self._transport.write(request)
        try:
            return await self._answer
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._answer = None

    def give_up(self) -> None:
        """End the connection because its answer does not come: who asked gets a TimeoutError."""
        if self._answer and not self._answer.done():
            self._answer.set_exception(TimeoutError("no answer in time"))
        self.close()

    def close(self) -> None:
        """End the connection; an answer that is waited for is lost."""
        self.is_open = False
        if self._transport:
            self._transport.abort()

    # -- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.is_open = cast(asyncio.Transport, transport), True  # uvloop's is none by its class

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._answer and not self._answer.done():
            ended = _read(self._heard, is_over=True) if self._heard else None
            self._end(ended or Lost("the connection ended", heard=bool(self._heard)))

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.close()  # nobody asked: whatever follows would be taken for an answer
            return
        self._heard += data
        found = _read(self._heard, is_over=False)
        if found is None and len(self._heard) > LARGEST_HEAD + LARGEST_BODY:
            found = Lost("the answer is too large", heard=True)
        if found is not None:
            self._end(found)

    def _end(self, found: Answer | Lost) -> None:
        assert self._answer
        self._heard.clear()
        if isinstance(found, Lost):
            self.is_open = False
            self._answer.set_exception(found)
            self.close()
            return
        if found.headers.get("connection", "").lower() == "close" or found.headers.get("") == "1.0":
            self.is_open = False
            self.close()
        self._answer.set_result(found)


def _read(heard: bytearray, *, is_over: bool) -> Answer | Lost | None:
    """Return the answer that was heard, None when more of it is to come."""
    while True:
        end = heard.find(_END)
        if end < 0:
            return None if len(heard) <= LARGEST_HEAD and not is_over else Lost("no HTTP was spoken", heard=True)
        try:
            status, headers = _head(heard[:end].decode("latin-1"))
        except ValueError:
            return Lost("no HTTP was spoken", heard=True)
        if status >= 200:
            break
        del heard[: end + 4]  # 100 Continue and its like: the answer follows
    begins = end + 4
    if status in (204, 304):
        return Answer(status, headers if len(heard) == begins else headers | _TOO_MUCH)
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _chunked(heard, begins, status, headers)
    if "content-length" in headers:
        length = headers["content-length"]
        if not length.isascii() or not length.isdigit() or len(length) > 9:
            return Lost("no HTTP was spoken", heard=True)
        whole = begins + int(length)
        if len(heard) < whole:
            return None
        return Answer(status, headers if len(heard) == whole else headers | _TOO_MUCH, bytes(heard[begins:whole]))
    return Answer(status, headers, bytes(heard[begins:])) if is_over else None  # its end is the connection's


def _head(text: str) -> tuple[int, dict[str, str]]:
    """Return the status and the headers; "" holds the version where it is not 1.1. Raises ValueError."""
    first, *lines = text.split("\r\n")
    version, _, rest = first.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not rest[:3].isdigit():
        raise ValueError(first[:40])
    headers = {} if version == "HTTP/1.1" else {"": "1.0"}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(line[:40])
        headers[name.strip().lower()] = value.strip()
    return int(rest[:3]), headers


def _chunked(heard: bytearray, at: int, status: int, headers: Mapping[str, str]) -> Answer | Lost | None:
    body = bytearray()
    while True:
        end = heard.find(b"\r\n", at)
        if end < 0:
            return None
        try:
            size = int(heard[at:end].partition(b";")[0], 16)
        except ValueError:
            return Lost("no HTTP was spoken", heard=True)
        if size == 0:
            return Answer(status, headers, bytes(body)) if heard.find(_END, end) >= 0 else None
        if size < 0 or len(body) + size > LARGEST_BODY:
            return Lost("the answer is too large", heard=True)
        begins, at = end + 2, end + 2 + size + 2
        if len(heard) < at:
            return None
        body += heard[begins : begins + size]
