"""Slow senders: a body that drips in is given up, one that comes in its time is read, a silent connection is closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from causerie import patience


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    async def read(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    app = web.Application(middlewares=[patience.patience])
    app.router.add_post("/", read)
    running = TestServer(app)
    await running.start_server(keepalive_timeout=0.5)
    yield running
    await running.close()


async def test_a_body_that_drips_in_is_answered_408_and_the_connection_closed(
    server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "BODY_SECONDS", 0.3)
    async with _line(server) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n")
        dripping = asyncio.create_task(_drip(writer))
        # the head alone: what drips on into a closed connection resets it, and nothing behind that can be read
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        dripping.cancel()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()


async def test_a_body_that_comes_late_but_in_time_is_read(server: TestServer) -> None:
    async with _line(server) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(b"body")
        assert b"200 OK" in await asyncio.wait_for(reader.readline(), 10)


@pytest.mark.parametrize("begun", [b"", b"POST / HTTP/1.1\r\nHost: here\r\nX-Slow: "], ids=["nothing", "half a head"])
async def test_a_connection_without_a_whole_head_is_closed(server: TestServer, begun: bytes) -> None:
    async with _line(server) as (reader, writer):
        writer.write(begun)
        dripping = asyncio.create_task(_drip(writer if begun else None))
        assert await asyncio.wait_for(reader.read(), 10) == b""
        dripping.cancel()


def test_a_large_upload_gets_the_time_that_it_needs_and_no_more() -> None:
    assert patience.allowed_for(None) == patience.allowed_for(0) == patience.BODY_SECONDS
    assert patience.BODY_SECONDS < patience.allowed_for(1_000_000) < patience.LONGEST_SECONDS
    assert patience.allowed_for(10**12) == patience.LONGEST_SECONDS


@asynccontextmanager
async def _line(server: TestServer) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    yield reader, writer
    writer.close()


async def _drip(writer: asyncio.StreamWriter | None) -> None:
    while writer:
        writer.write(b"x")
        await asyncio.sleep(0.05)
