"""What is got from a provider's address is small, answered well, and stands at that very address."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.getting import LARGEST_ANSWER, get


async def test_what_is_got_is_small_answered_well_and_nowhere_else() -> None:
    async def gives(request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/right":
                return web.Response(body=b"pem")
            case "/large":
                return web.Response(body=b"x" * (LARGEST_ANSWER + 1))
            case "/moved":
                raise web.HTTPFound("/right")
        raise web.HTTPNotFound

    app = web.Application()
    app.router.add_get("/{any}", gives)
    async with TestServer(app) as server:
        assert await get(str(server.make_url("/right"))) == b"pem"
        for path in ("/large", "/moved", "/missing"):
            with pytest.raises(OSError, match="answered"):
                await get(str(server.make_url(path)))
        address = str(server.make_url("/right"))
    with pytest.raises(OSError, match="Error"):
        await get(address)
