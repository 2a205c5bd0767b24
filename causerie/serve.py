"""`causerie serve`: start the database and the server, say where everything is, and stop without losing anything."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

from aiohttp import web

from admin.invitations import first_link
from causerie.app import CHANNELS, DESK, build
from causerie.garbage import collect_seldom
from causerie.mongod import CannotStart, StoreOptions, start
from causerie.options import Options, ServerOptions
from causerie.patience import IDLE_SECONDS
from causerie.progress import Progress
from causerie.threads import switch_soon

log = logging.getLogger("causerie.serve")

FINISH_REQUESTS_WITHIN_SECONDS = 5.0


async def serve(
    options: Options,
    store: StoreOptions,
    progress: Progress,
    say: Callable[[str], None],
    furnish: Callable[[str], Awaitable[None]] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises CannotStart (the database, the port) or ContentErrors before serving.

    `furnish` is given the address of the database before anything reads it: the demo puts its contacts there.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    database = await start(store, progress)
    watching = asyncio.create_task(database.supervise(), name="mongod")
    try:
        if furnish:
            progress("Laying out the demo")
            await furnish(database.url)
        progress("Reading the bot and connecting the channels")
        app = await build(options, database.url)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=FINISH_REQUESTS_WITHIN_SECONDS, keepalive_timeout=IDLE_SECONDS
        )
        await runner.setup()
        try:
            await _listen(runner, options.server)
            collect_seldom()
            switch_soon()
            progress("Ready")
            for line in await _addresses(app, options):
                say(line)
            log.info(
                "serve.ready port=%d channels=%s",
                options.server.port,
                ",".join(sorted(str(name) for name in app[CHANNELS])),
            )
            await stopping.wait()
            progress("Stopping: finishing what is under way")
        finally:
            await runner.cleanup()
    finally:
        watching.cancel()
        await database.stop()
        progress("Stopped")


async def _listen(runner: web.AppRunner, server: ServerOptions) -> None:
    try:
        await web.TCPSite(runner, server.host, server.port, backlog=1024).start()
    except OSError as error:
        raise CannotStart(
            f"server.port: {server.host}:{server.port}: {error.strerror}. "
            "Hint: stop what listens there, or set CAUSERIE_SERVER__PORT to another port."
        ) from error


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
