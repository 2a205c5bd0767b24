"""How the console and the API are opened: their routes mounted, their tasks started, all of it closed again by one call."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from aiohttp import web

from admin.alarm import Alarm
from admin.desk import Desk
from admin.queue import Drain


async def open_console(app: web.Application, desk: Desk) -> Callable[[], Awaitable[None]]:
    """Mount /console and /api on the app, begin to give out the queue and to wake the snoozed; return what closes it."""
    async with AsyncExitStack() as opened:
        drain = Drain(desk)
        opened.push_async_callback(drain.stop)
        await drain.start()
        alarm = Alarm(desk)
        opened.push_async_callback(alarm.stop)
        await alarm.start()
        return opened.pop_all().aclose
