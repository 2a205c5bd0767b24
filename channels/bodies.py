"""The body of a request, read no further than it may go: whoever posts more has it refused before it is all here."""

from aiohttp import web

from profiles.octets import octets_of


async def body_of(request: web.Request, largest: int) -> bytes | None:
    """Return the body; None when it has more octets than `largest`."""
    return None if (request.content_length or 0) > largest else await octets_of(request.content, largest)


def is_packed(request: web.Request) -> bool:
    """Return whether its body has a Content-Encoding: of several the server unpacks by the last, so each of them counts."""
    return any(one.lower() != "identity" for one in request.headers.getall("Content-Encoding", ()))
