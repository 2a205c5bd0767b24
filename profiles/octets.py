"""The body of a request or of an answer, whole, and read no further than it may go."""

from collections.abc import AsyncIterable
from typing import Protocol

PIECE = 65_536


class Stream(Protocol):
    """What aiohttp reads a body from."""

    def iter_chunked(self, n: int) -> AsyncIterable[bytes]: ...


async def octets_of(stream: Stream, most: int) -> bytes | None:
    """Return all of its octets; None as soon as there are more than `most`. Its own read(most) may return half an answer."""
    body = bytearray()
    async for piece in stream.iter_chunked(PIECE):
        body += piece
        if len(body) > most:
            return None
    return bytes(body)
