"""How often one internet address may open what is open to all: personal pages, cards, counted links, pictures, codes.

Each of these costs a look into the database, and nobody signs in first. Whoever comes from a private address is not counted:
that is our own network, or a proxy that nobody declared (channels.webchat.proxies), behind which all the world looks alike.
"""

import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from channels.webchat_limits import Buckets, caller, line_of
from profiles.public_address import is_public

OPEN_TO_ALL = frozenset({"p", "u", "l", "o", "q", "w"})
"""The first part of the paths that are counted."""
PER_SECOND, AT_ONCE = 50.0, 1_000.0  # a firm's mail filter opens every link of a mailing at once, from one address


def crowd(proxies: int, *, seconds: Callable[[], float] = time.monotonic) -> Middleware:
    """Return the middleware that answers 429 to an address that asks too often."""
    buckets = Buckets(per_second=PER_SECOND, burst=AT_ONCE)

    @web.middleware
    def bounded(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
        # as the router reads it: a path that is written in percents is the same path
        if request.rel_url.path_safe.lstrip("/").partition("/")[0] in OPEN_TO_ALL:
            address = caller(request, proxies)
            wait = buckets.take(line_of(address), seconds()) if is_public(address) else 0.0
            if wait:
                return _later(wait)
        return handler(request)  # not awaited here: this frame would stay as long as the socket of an open page does

    return bounded


async def _later(seconds: float) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": str(int(seconds) + 1)})
