"""How long somebody may take to send what they began: a body that drips in holds a connection, and there are only so many.

The head of a request is bounded by the connection's own time (`IDLE_SECONDS`): it does not begin anew with each byte.
"""

import asyncio
from collections.abc import Awaitable

from aiohttp import web
from aiohttp.typedefs import Handler

IDLE_SECONDS = 75.0
"""How long a connection may stand without a whole request: longer than the minute that proxies keep theirs."""
BODY_SECONDS = 12.0
BYTES_PER_SECOND = 50_000  # of a body that says how long it is; a telephone's worst line
LONGEST_SECONDS = 120.0


@web.middleware
def patience(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
    """Answer 408 to whoever does not send the body in its time; nobody waits who sent it with the head, as nearly all do.

    Not a coroutine of its own, which would stay as long as the socket of an open page does.
    """
    return handler(request) if request.content.is_eof() else _in_time(request, handler)


def allowed_for(length: int | None) -> float:
    """Return how many seconds a body of so many bytes (None: nobody said) may take."""
    return min(BODY_SECONDS + (length or 0) / BYTES_PER_SECOND, LONGEST_SECONDS)


async def _in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    giving_up = asyncio.get_running_loop().call_later(allowed_for(request.content_length), _give_up, request)
    try:
        return await handler(request)
    finally:
        giving_up.cancel()


def _give_up(request: web.Request) -> None:
    if not request.content.is_eof():
        slow = web.HTTPRequestTimeout(text="expected the whole body in less time\n")
        slow.force_close()
        request.content.set_exception(slow)
