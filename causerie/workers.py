"""`causerie serve --workers N`: a parent that owns the port and the embedded database, and N servers under it that do the work.

The parent binds the port and hands it on, so a connection that waits when a worker dies is taken by another. It accepts nothing
itself. A worker that dies is started again, later each time it dies young; SIGHUP replaces all, one after the other, each only
when its successor is ready; SIGTERM ends all. A worker whose parent is gone ends by itself.
"""

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

log = logging.getLogger("causerie.workers")

READY = b"ready\n"
READY_WITHIN_SECONDS = 120.0
STOPPED_WITHIN_SECONDS = 45.0  # longer than a worker gives itself (causerie/serve.py)
STEADY_AFTER_SECONDS = 60.0
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 30.0


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker is given: the port to accept on, the line to its parent, its place, and whether it greets the people."""

    listener: int
    line: int
    place: int
    greets: bool = False

    def __str__(self) -> str:
        return f"{self.listener},{self.line},{self.place},{int(self.greets)}"

    @classmethod
    def parse(cls, text: str) -> "Post":
        """Return the post of a command line. Raises ValueError."""
        listener, line, place, greets = (int(part) for part in text.split(","))
        return cls(listener, line, place, bool(greets))


@dataclass(slots=True)
class Worker:
    """One server process and our end of its line."""

    process: asyncio.subprocess.Process
    line: socket.socket
    began: float = field(default_factory=time.monotonic)

    async def is_ready(self) -> bool:
        """Return when it is ready: True; or has died, or takes too long: False."""
        loop, heard = asyncio.get_running_loop(), b""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(READY_WITHIN_SECONDS):
                while READY not in heard:
                    part = await loop.sock_recv(self.line, 64)
                    if not part:
                        return False
                    heard += part
                return True
        return False

    async def stop(self) -> None:
        """Ask it to finish, and end it when it takes too long: what it held is found by its leases."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.terminate()
            try:
                async with asyncio.timeout(STOPPED_WITHIN_SECONDS):
                    await self.process.wait()
            except TimeoutError:
                log.error("worker.stop too_slow pid=%d", self.process.pid)
                self.process.kill()
                await self.process.wait()
        self.line.close()


class Workers:
    """The workers of one parent, a place each."""

    def __init__(self, count: int, command: Sequence[str], listener: socket.socket) -> None:
        self._count, self._command, self._listener = count, tuple(command), listener
        self._at: dict[int, Worker] = {}
        self._alive: list[Worker] = []
        """Those who hold a place, who are to take one, and who just gave theirs up."""
        self._keepers: list[asyncio.Task[None]] = []
        self._changing = asyncio.Lock()

    @property
    def pids(self) -> tuple[int, ...]:
        """Return the process ids of those that live, by place."""
        living = (worker.process for _, worker in sorted(self._at.items()))
        return tuple(process.pid for process in living if process.returncode is None)

    async def start(self) -> bool:
        """Start the first, which may have to train the bot, then the others; False when the first can not start.

        What stops it is on its standard error already.
        """
        first = await self._spawn(0, greets=True)
        self._at[0] = first
        if not await first.is_ready():
            await first.stop()
            return False
        for place in range(1, self._count):
            self._at[place] = await self._spawn(place)
        await asyncio.gather(*(worker.is_ready() for worker in self._at.values() if worker is not first))
        self._keepers = [asyncio.create_task(self._keep(place), name=f"worker {place}") for place in self._at]
        return True

    async def renew(self) -> bool:
        """Replace every worker by a new one, one after the other; stop at the first that does not become ready: False."""
        async with self._changing:
            for place in range(self._count):
                try:
                    successor = await self._spawn(place)
                except OSError as error:  # no memory, no process to be had
                    log.error("workers.renew stopped place=%d error=%s hint=the old ones go on", place, error)
                    return False
                if not await successor.is_ready():
                    log.error("workers.renew stopped place=%d hint=the old ones go on", place)
                    await successor.stop()
                    return False
                former, self._at[place] = self._at[place], successor
                await former.stop()
                log.info("workers.renewed place=%d pid=%d", place, successor.process.pid)
        return True

    async def stop(self) -> None:
        """End all at once, each after what it is doing. Neither `start` nor `renew` may be under way."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self._alive))

    async def _keep(self, place: int) -> None:
        """Start whoever stands here again whenever it dies."""
        wait = FIRST_WAIT_SECONDS
        while True:
            worker = self._at[place]
            code = await worker.process.wait()
            if self._at[place] is not worker:
                continue  # it was replaced
            worker.line.close()
            lived = time.monotonic() - worker.began
            wait = FIRST_WAIT_SECONDS if lived > STEADY_AFTER_SECONDS else min(wait * 2, LONGEST_WAIT_SECONDS)
            level = logging.WARNING if wait < 2 else logging.ERROR  # dying again and again: a person must act
            log.log(level, "worker.died place=%d pid=%d code=%s again_in=%.1f", place, worker.process.pid, code, wait)
            await asyncio.sleep(wait)  # the other places, and a reload that mends this one, do not wait with it
            async with self._changing:
                if self._at[place] is worker:
                    await self._succeed(place)

    async def _succeed(self, place: int) -> None:
        try:
            self._at[place] = await self._spawn(place)
        except OSError as error:  # tried again: the dead one is still found dead
            log.error("worker.start failed place=%d error=%s", place, error)

    async def _spawn(self, place: int, *, greets: bool = False) -> Worker:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        post = Post(self._listener.fileno(), theirs.fileno(), place, greets)
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, "--worker", str(post), stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(post.listener, post.line),
                start_new_session=True,  # Ctrl-C in the terminal is for the parent, who ends them
            )  # fmt: skip
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        log.info("worker.started place=%d pid=%d", place, process.pid)
        worker = Worker(process, ours)
        self._alive = [*(one for one in self._alive if one.process.returncode is None), worker]
        return worker


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens there, for others to accept on. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


def command_of(arguments: Sequence[str]) -> list[str]:
    """Return the command that starts a worker: our own, with its arguments but the number of workers."""
    kept: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--workers":
            next(rest, None)
        elif not argument.startswith("--workers="):
            kept.append(argument)
    return [sys.executable, "-m", "causerie", *kept]


async def oversee(workers: Workers, stopping: asyncio.Event, renewing: asyncio.Event) -> bool:
    """Start the workers and keep them until `stopping`; `renewing` replaces them. False when they could not start."""
    over = asyncio.create_task(stopping.wait())
    task: asyncio.Task[bool] = asyncio.create_task(workers.start())
    try:
        await asyncio.wait([task, over], return_when=asyncio.FIRST_COMPLETED)
        if task.done() and not task.result():
            return False
        while not stopping.is_set():
            task = asyncio.create_task(_renewed(workers, renewing))
            await asyncio.wait([task, over], return_when=asyncio.FIRST_COMPLETED)
        return True
    finally:
        for one in (task, over):
            one.cancel()
        await asyncio.wait([task, over])  # nobody is started any more
        await workers.stop()


async def _renewed(workers: Workers, renewing: asyncio.Event) -> bool:
    await renewing.wait()
    renewing.clear()
    return await workers.renew()
