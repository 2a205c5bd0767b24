"""The load generator: so many clients, whole answers, refusals told apart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bench.load import Result, drive

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"


@asynccontextmanager
async def served(status: int = 200, body: bytes = b"", most: list[int] | None = None) -> AsyncIterator[int]:
    """A server that answers so, and writes down in `most` how many requests it had at once."""
    under_way = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal under_way
        under_way += 1
        if most is not None:
            most.append(under_way)
        assert await request.read() == b"hi"
        for _ in range(5):
            await asyncio.sleep(0)
        under_way -= 1
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def times(number: int) -> "list[bytes]":
    return [REQUEST] * number


@pytest.mark.parametrize("body", [b"", b"x" * 200_000])
async def test_each_answer_is_read_whole_before_the_next_request(body: bytes) -> None:
    most: list[int] = []
    async with served(body=body, most=most) as port:
        waiting = times(50)
        result = await drive(port, lambda: waiting.pop() if waiting else None, clients=4)
    assert (len(result.latencies), result.refused) == (50, 0)
    assert 1 < max(most) <= 4
    assert result.per_second > 0 and result.generator_cpu_seconds > 0


async def test_refusals_are_counted_apart() -> None:
    async with served(status=503) as port:
        waiting = times(5)
        result = await drive(port, lambda: waiting.pop() if waiting else None, clients=1)
    assert (result.latencies, result.refused) == ([], 5)


async def test_it_ends_after_the_time_given() -> None:
    async with served() as port:
        result = await drive(port, lambda: REQUEST, clients=2, seconds=0.2)
    assert 0.19 <= result.seconds < 5  # two clocks


def test_percentiles_are_those_of_the_latencies() -> None:
    result = Result(seconds=2.0, latencies=[number / 1000 for number in range(100, 0, -1)])
    assert (result.percentile_ms(0.5), result.percentile_ms(0.99), result.per_second) == (51.0, 100.0, 50.0)
    assert Result().percentile_ms(0.99) == 0.0
