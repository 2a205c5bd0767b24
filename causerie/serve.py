"""`causerie serve`: start the database and the server, say where everything is, and stop without losing anything."""

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from causerie.exposure import dangers
from causerie.garbage import keep_one_heap, undisturbed
from causerie.mongod import CannotStart, Mongod, StoreOptions, reach, start
from causerie.options import Options
from causerie.ports import soon_bound
from causerie.progress import Progress, silent
from causerie.workers import READY, Post, Workers, command_of, oversee

if TYPE_CHECKING:  # the server itself is loaded while its database begins, and by the parent of workers never
    from causerie.contents import Content

log = logging.getLogger("causerie.serve")


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
    keep_one_heap()
    content: Content | None = None

    def read_on() -> None:
        nonlocal content
        content = _content(options)

    async with _database(store, progress, read_on) as database:
        from causerie.serving import listen, running, say_ready

        if furnish:
            progress("Laying out the demo")
            await furnish(database.url)
        progress("Connecting the channels")
        async with running(options, database.url, content) as runner:
            await listen(runner, options.server)
            await say_ready(runner.app, options, progress, say)
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
        with await soon_bound(options.server) as listener:
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
        keep_one_heap()
        content = _content(options)
        from causerie.serving import accept, running, say_ready

        database = await reach(store)
        async with running(options, database.url, content, post.place) as runner:
            if stopping.is_set():
                return
            await accept(runner, listener)
            await say_ready(runner.app, options, silent, say if post.greets else lambda line: None)
            with suppress(OSError):
                line.send(READY)
            await stopping.wait()
        loop.remove_reader(line)


def _warn(options: Options, store: StoreOptions) -> None:
    for danger in dangers(options, store):
        log.warning("serve.exposed %s", danger.sentence)


def _told(*signals: signal.Signals) -> asyncio.Event:
    """Return what is set when this process gets one of these: from now on, for a start takes some seconds."""
    told = asyncio.Event()
    for name in signals:
        asyncio.get_running_loop().add_signal_handler(name, told.set)
    return told


def _content(options: Options) -> "Content":
    """Load the whole server and read what people wrote: a second of CPU, in which the database begins on another core."""
    with undisturbed():
        import causerie.serving  # noqa: F401
        from causerie.contents import read_content

        return read_content(options)


@asynccontextmanager
async def _database(
    store: StoreOptions, progress: Progress, meanwhile: Callable[[], None] = lambda: None
) -> AsyncIterator[Mongod]:
    database = await start(store, progress, meanwhile)
    watching = asyncio.create_task(database.supervise(), name="mongod")
    try:
        yield database
    finally:
        watching.cancel()
        await database.stop()
