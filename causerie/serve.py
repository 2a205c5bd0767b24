"""`causerie serve`: start the database and the server, say where everything is, and stop without losing anything."""

import asyncio
import errno
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from admin.invitations import first_link
from causerie.app import CHANNELS, DESK, HEALTH, build
from causerie.exposure import dangers
from causerie.garbage import collect_seldom, keep_one_heap
from causerie.health import health_routes
from causerie.mongod import CannotStart, Mongod, StoreOptions, reach, start
from causerie.options import Options, ServerOptions
from causerie.patience import IDLE_SECONDS
from causerie.progress import Progress, silent
from causerie.threads import switch_soon
from causerie.workers import READY, Post, Workers, bound, command_of, oversee

log = logging.getLogger("causerie.serve")

BACKLOG = 1024
FINISH_REQUESTS_WITHIN_SECONDS = 5.0
STOP_WITHIN_SECONDS = 40.0
PORT_FREE_WITHIN_SECONDS = 10.0


async def serve(
    options: Options,
    store: StoreOptions,
    progress: Progress,
    say: Callable[[str], None],
    furnish: Callable[[str], Awaitable[None]] | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP. Raises CannotStart (the database, the port) or ContentErrors before serving.

    `furnish` is given the address of the database before anything reads it: the demo puts its contacts there.
    """
    stopping = _told(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # the last: its terminal was closed
    _warn(options, store)
    async with _database(store, progress) as database:
        if furnish:
            progress("Laying out the demo")
            await furnish(database.url)
        progress("Reading the bot and connecting the channels")
        async with _running(options, database.url) as runner:
            await _listen(runner, options.server)
            await _say_ready(runner.app, options, progress, say)
            await stopping.wait()
            progress("Stopping: finishing what is under way")
    progress("Stopped")


async def serve_many(
    count: int,
    arguments: Sequence[str],
    options: Options,
    store: StoreOptions,
    progress: Progress,
    furnish: Callable[[str], Awaitable[None]] | None = None,
) -> None:
    """Serve with so many processes on one port, until SIGTERM or SIGINT; SIGHUP replaces them one after the other.

    `arguments` are those of our own command line. Raises CannotStart.
    """
    stopping, renewing = _told(signal.SIGTERM, signal.SIGINT), _told(signal.SIGHUP)
    _warn(options, store)
    async with _database(store, progress) as database:
        if furnish:
            progress("Laying out the demo")
            await furnish(database.url)
        progress(f"Starting {count} workers")
        with await _bound(options.server) as listener:
            if not await oversee(Workers(count, command_of(arguments), listener), stopping, renewing):
                raise CannotStart("serve: the first worker did not start. Hint: what it said stands above.")
        progress("Stopping the database: the workers have finished")
    progress("Stopped")


async def serve_at(post: Post, options: Options, store: StoreOptions, say: Callable[[str], None]) -> None:
    """Serve as one worker of a parent: until it says so, or is gone. Raises what stands in the way, as `serve` does."""
    stopping, loop = _told(signal.SIGTERM, signal.SIGINT), asyncio.get_running_loop()
    with socket.socket(fileno=post.line) as line, socket.socket(fileno=post.listener) as listener:
        line.setblocking(False)
        loop.add_reader(line, stopping.set)  # the parent says nothing: what can be read is its end
        database = await reach(store)
        async with _running(options, database.url, post.place) as runner:
            if stopping.is_set():
                return
            await web.SockSite(runner, listener, backlog=BACKLOG).start()
            await _say_ready(runner.app, options, silent, say if post.greets else lambda line: None)
            with suppress(OSError):
                line.send(READY)
            await stopping.wait()
        loop.remove_reader(line)


def _warn(options: Options, store: StoreOptions) -> None:
    for danger in dangers(options, store):
        log.warning("serve.exposed %s", danger.sentence)


async def _bound(server: ServerOptions) -> socket.socket:
    """Return the listening port. The workers of a parent that was killed hold it for some seconds, until they see that."""
    until = asyncio.get_running_loop().time() + PORT_FREE_WITHIN_SECONDS
    while True:
        try:
            return bound(server.host, server.port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or asyncio.get_running_loop().time() > until:
                raise _taken(server, error) from error
        await asyncio.sleep(0.2)


def _told(*signals: signal.Signals) -> asyncio.Event:
    """Return what is set when this process gets one of these: from now on, for a start takes some seconds."""
    told = asyncio.Event()
    for name in signals:
        asyncio.get_running_loop().add_signal_handler(name, told.set)
    return told


@asynccontextmanager
async def _database(store: StoreOptions, progress: Progress) -> AsyncIterator[Mongod]:
    database = await start(store, progress)
    watching = asyncio.create_task(database.supervise(), name="mongod")
    try:
        yield database
    finally:
        watching.cancel()
        await database.stop()


@asynccontextmanager
async def _running(options: Options, database_url: str, place: int = 0) -> AsyncIterator[web.AppRunner]:
    """Run all parts within the block, and then let them finish: nothing that was acknowledged is lost, however long it took."""
    keep_one_heap()
    app = await build(options, database_url)
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=FINISH_REQUESTS_WITHIN_SECONDS, keepalive_timeout=IDLE_SECONDS
    )
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


async def _inside(app: web.Application, server: ServerOptions, place: int) -> web.AppRunner | None:
    """Answer /health and /metrics of this very process on a port of its own, where one is given."""
    if not server.metrics_port:
        return None
    alone = web.Application()
    alone.add_routes(health_routes(app[HEALTH]))
    runner = web.AppRunner(alone, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = server.metrics_port + place
    try:  # reused: while a worker is replaced, both are there
        await web.TCPSite(runner, server.host, port, reuse_port=True).start()
    except OSError as error:
        raise CannotStart(f"server.metrics_port: {server.host}:{port}: {error.strerror}.") from error
    return runner


async def _listen(runner: web.AppRunner, server: ServerOptions) -> None:
    try:
        await web.TCPSite(runner, server.host, server.port, backlog=BACKLOG).start()
    except OSError as error:
        raise _taken(server, error) from error


def _taken(server: ServerOptions, error: OSError) -> CannotStart:
    return CannotStart(
        f"server.port: {server.host}:{server.port}: {error.strerror}. "
        "Hint: stop what listens there, or set CAUSERIE_SERVER__PORT to another port."
    )


async def _say_ready(app: web.Application, options: Options, progress: Progress, say: Callable[[str], None]) -> None:
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
