"""The console over real HTTP with an agent signed in, for benchmarks: ask for a page, be told how long it took."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import ClientSession, CookieJar, web
from yarl import URL

from admin import agents, sessions
from admin.agents import Agent
from bench.archive import AGENT
from causerie.app import DESK, STORE, build
from causerie.options import Options
from profiles.calendar import utc_now
from profiles.store import Plan

Ask = Callable[[str], Awaitable[float]]
"""Gets a page under /console and returns the seconds until it was read whole."""


@asynccontextmanager
async def console(url: str, database: str) -> AsyncIterator[Ask]:
    """Within the block the product serves this database, and what is yielded asks its console. A page that is not 200 raises."""
    app = await build(Options(database=database), url)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = URL(f"http://127.0.0.1:{runner.addresses[0][1]}/console")
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
            http.cookie_jar.update_cookies({sessions.cookie_name(app[DESK]): await _sign_in(app)}, base)

            async def ask(path: str) -> float:
                began = time.perf_counter()
                async with http.get(f"{base}{path}", allow_redirects=False) as answer:
                    text = await answer.text()
                took = time.perf_counter() - began
                if answer.status != 200:
                    raise RuntimeError(f"{path}: {answer.status} {text[:200]}")
                return took

            yield ask
    finally:
        await runner.cleanup()


def percentile_ms(seconds: Sequence[float], share: float) -> float:
    """Return the time in ms that this share of the pages did not exceed."""
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)


async def _sign_in(app: web.Application) -> str:
    plan = Plan()
    plan.update("agents", agents.born(Agent(AGENT, "maya@shop.example", "Maya Lindqvist", "agent", utc_now())))
    await app[STORE].commit(plan)
    return await sessions.begin(app[DESK], AGENT, ip="127.0.0.1", browser="bench")
