"""Packed bodies: refused, and never unpacked by the server itself, which would take a second for each megabyte of a bomb."""

import gzip
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict

from causerie.packed import unpacked
from causerie.serving import runner_of

PACKED = gzip.compress(b"\0" * 100_000)


@pytest.fixture
async def url(free_port: int) -> AsyncIterator[str]:
    async def measure(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    app = web.Application(middlewares=[unpacked])
    app.router.add_post("/{rest:.*}", measure)
    runner = runner_of(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", free_port).start()
    yield f"http://127.0.0.1:{free_port}"
    await runner.cleanup()


async def test_a_body_is_handed_on_as_it_came(url: str) -> None:
    packed = {"Content-Encoding": "gzip"}
    async with aiohttp.ClientSession() as http, http.post(f"{url}/api/any", data=PACKED, headers=packed) as answer:
        assert await answer.text() == str(len(PACKED))


@pytest.mark.parametrize("encodings", [["gzip"], ["identity", "gzip"], ["gzip", "identity"], ["Identity, GZIP"], [""]])
async def test_who_names_a_packing_anywhere_is_refused(url: str, encodings: list[str]) -> None:
    named = CIMultiDict(("Content-Encoding", one) for one in encodings)
    async with aiohttp.ClientSession() as http, http.post(f"{url}/t/events", data=b"{}", headers=named) as answer:
        assert answer.status == 415
