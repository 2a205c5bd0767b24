"""The server over a database that is there: its parts run, it listens, says where everything is, and finishes what it began.

Everything is loaded with this module; causerie/serve.py begins the database first.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from admin.invitations import first_link
from causerie.app import CHANNELS, DESK, HEALTH, build
from causerie.contents import Content
from causerie.garbage import collect_seldom, undisturbed
from causerie.health import health_routes
from causerie.mongod_program import CannotStart
from causerie.options import Options, ServerOptions
from causerie.patience import IDLE_SECONDS
from causerie.ports import taken
from causerie.progress import Progress
from causerie.threads import switch_soon

log = logging.getLogger("causerie.serve")

BACKLOG = 1024
FINISH_REQUESTS_WITHIN_SECONDS = 5.0
STOP_WITHIN_SECONDS = 40.0


@asynccontextmanager
async def running(
    options: Options, database_url: str, content: Content | None = None, place: int = 0
) -> AsyncIterator[web.AppRunner]:
    """Run all parts within the block, and then let them finish: nothing that was acknowledged is lost, however long it took.

    `content` was read while the database began; None: it is read now.
    """
    with undisturbed():
        app = await build(options, database_url, content=content)
    runner = runner_of(app)
    await runner.setup()
    inside = await _inside(app, options.server, place)
    try:
        yield runner
    finally:
        app[HEALTH].stop()
        await asyncio.sleep(options.server.drain_seconds)
        try:
            async with asyncio.timeout(STOP_WITHIN_SECONDS):
                await runner.cleanup()
        except TimeoutError:
            log.error("serve.stop too_slow seconds=%d", STOP_WITHIN_SECONDS)  # others find by its leases what is left
        if inside:
            await inside.cleanup()


def runner_of(app: web.Application, *, shutdown_timeout: float = FINISH_REQUESTS_WITHIN_SECONDS) -> web.AppRunner:
    """Return what runs the application. It unpacks nothing by itself: a bomb that is refused goes as it came."""
    return web.AppRunner(
        app, access_log=None, shutdown_timeout=shutdown_timeout, keepalive_timeout=IDLE_SECONDS, auto_decompress=False
    )


async def _inside(app: web.Application, server: ServerOptions, place: int) -> web.AppRunner | None:
    """Answer /health and /metrics of this very process on a port of its own, where one is given."""
    if not server.metrics_port:
        return None
    alone = web.Application()
    alone.add_routes(health_routes(app[HEALTH]))
    runner = runner_of(alone, shutdown_timeout=0.1)
    await runner.setup()
    port = server.metrics_port + place
    try:  # reused: while a worker is replaced, both are there
        await web.TCPSite(runner, server.host, port, reuse_port=True).start()
    except OSError as error:
        raise CannotStart(f"server.metrics_port: {server.host}:{port}: {error.strerror}.") from error
    return runner


async def listen(runner: web.AppRunner, server: ServerOptions) -> None:
    """Let people in. Raises CannotStart when somebody else has the port."""
    try:
        await web.TCPSite(runner, server.host, server.port, backlog=BACKLOG).start()
    except OSError as error:
        raise taken(server, error) from error


async def accept(runner: web.AppRunner, listener: socket.socket) -> None:
    """Let people in by a port that was handed on."""
    await web.SockSite(runner, listener, backlog=BACKLOG).start()


async def say_ready(app: web.Application, options: Options, progress: Progress, say: Callable[[str], None]) -> None:
    """Say where everything is; what the start made is looked at for the last time."""
    collect_seldom()
    switch_soon()
    progress("Ready")
    for line in await _addresses(app, options):
        say(line)
    channels = ",".join(sorted(str(name) for name in app[CHANNELS]))
    log.info("serve.ready port=%d channels=%s", options.server.port, channels)


async def _addresses(app: web.Application, options: Options) -> list[str]:
    """Return what a person needs to go on: three addresses, the console's with a one-time link while nobody is there."""
    desk = app[DESK]
    url = desk.public_url
    lines = [""]
    if "webchat" in app[CHANNELS] and getattr(options.channels["webchat"], "demo", False):
        lines.append(f"  Demo shop with web chat   {url}/channels/webchat/demo")
    link = await first_link(desk)
    lines.append(f"  Agents' console           {link or url + '/console'}" + ("   (works once)" if link else ""))
    lines.append(f"  API documentation         {url}/api/docs")
    return [*lines, ""]
