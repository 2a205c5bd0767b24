"""The benchmark of sockets: all that are opened are held, what is said beside them is acknowledged, and a lost one is counted."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench import sockets
from bench.visitors import Idle, browsers


async def test_idle_sockets_are_held_while_others_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "HEARTBEATS_SECONDS", 0.0)
    found = await sockets.report(30, 2, 0.5)
    assert (found["idle"], found["held"]) == (30, 30)
    assert found["all_held"] is True
    assert min(found["alone_messages"], found["beside_messages"]) >= 2
    assert found["small_enough"] == (found["kib_per_socket"] <= sockets.WANTED_KIB)


async def test_a_socket_that_the_server_let_go_is_not_held() -> None:
    served = 0

    async def serve(request: web.Request) -> web.WebSocketResponse:
        nonlocal served
        served += 1
        is_let_go = served == 2
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.receive()
        await ws.send_json({"type": "welcome"})
        if not is_let_go:
            await ws.receive()
        await ws.close()
        return ws

    app = web.Application()
    app.router.add_get("/", serve)
    async with TestServer(app) as server, browsers() as http:
        silent = Idle(http, str(server.make_url("/")))
        await silent.open(3)
        await silent.ended(1)
        assert silent.held() == 2
        await silent.close()
