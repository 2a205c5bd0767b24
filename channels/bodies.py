"""The body of a request, read no further than it may go: whoever posts more has it refused before it is all here."""

from aiohttp import web

PIECE = 16_384  # octets


async def body_of(request: web.Request, largest: int) -> bytes | None:
    """Return the body; None when it has more octets than `largest`."""
    if (request.content_length or 0) > largest:
        return None
    body = bytearray()
    async for piece in request.content.iter_chunked(PIECE):
        body += piece
        if len(body) > largest:
            return None
    return bytes(body)
