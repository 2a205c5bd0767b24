"""A stand-in for Telegram's Bot API that says yes to what a channel asks at its start. Nothing is sent through it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

ME = {"id": 1000000, "is_bot": True, "first_name": "Bench", "username": "bench_bot"}


@asynccontextmanager
async def bot_api() -> AsyncIterator[str]:
    """Within the block it answers at the URL given."""
    app = web.Application()
    app.router.add_route("*", "/bot{token}/{method}", _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _answer(request: web.Request) -> web.Response:
    is_me = request.match_info["method"].lower() == "getme"
    return web.json_response({"ok": True, "result": ME if is_me else True})
