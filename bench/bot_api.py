"""A stand-in for Telegram's Bot API that says yes to what a channel asks at its start. Nothing is sent through it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

ME = {"id": 1000000, "is_bot": True, "first_name": "Bench", "username": "bench_bot"}


@asynccontextmanager
async def bot_api() -> AsyncIterator[str]:
    """Within the block it answers at the URL given."""
    app = web.Application()
    app.router.add_route("*", "/bot{token}/{method}", _Answers())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class _Answers:
    def __init__(self) -> None:
        self._webhook = ""

    async def __call__(self, request: web.Request) -> web.Response:
        method = request.match_info["method"].lower()
        result: Any = True
        match method:
            case "getme":
                result = ME
            case "setwebhook":
                self._webhook = str((await request.post()).get("url", ""))
            case "getwebhookinfo":
                result = {"url": self._webhook, "has_custom_certificate": False, "pending_update_count": 0}
        return web.json_response({"ok": True, "result": result})
