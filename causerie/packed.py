"""Packed bodies (Content-Encoding): nobody of ours sends any, what one unpacks to may be anything, so they are refused.

Two places say so themselves: the API as a problem, and the actions' routes, where Rasa may pack what it sends
(its COMPRESS_ACTION_SERVER_REQUEST): these unpack it themselves, bounded, for the server unpacks nothing (causerie/serving.py).
"""

from collections.abc import Awaitable

from aiohttp import web
from aiohttp.typedefs import Handler

from channels.bodies import is_packed

THEIR_OWN = ("/actions/", "/api/")


@web.middleware
def unpacked(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
    """Answer 415 to a packed body. Not a coroutine, which would stay as long as the socket of an open page does."""
    return _refused() if is_packed(request) and not request.path.startswith(THEIR_OWN) else handler(request)


async def _refused() -> web.StreamResponse:
    response = web.Response(status=415, text="expected a body without Content-Encoding\n")
    response.force_close()  # what is left of the body may not unpack at all, and then the connection ends in any case
    return response
