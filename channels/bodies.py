"""The body of a request, read no further than it may go: whoever posts more has it refused before it is all here."""

from aiohttp import web

from profiles.octets import octets_of


async def body_of(request: web.Request, largest: int) -> bytes | None:
    """Return the body; None when it has more octets than `largest`."""
    return None if (request.content_length or 0) > largest else await octets_of(request.content, largest)
