"""The embedded database: a private mongod in the data folder, a replica set of one, that lives and dies with us.

It listens on loopback only, asks for a password, keeps a small cache, never runs JavaScript. zlib is left out of the
compressors (CVE-2025-14847). With a mongodb:// address nothing is started: that database is only checked.
"""

import asyncio
import logging
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from causerie.data_folder import REPLICA_SET, DataFolder, address_in_use, claim, free_port, is_free
from causerie.mongod_log import last_complaint, turn_over
from causerie.mongod_process import LOOK_EVERY_SECONDS, end, end_orphan, listens, spawn
from causerie.mongod_program import CannotStart, Program, find_program
from causerie.progress import Progress, silent
from profiles import store_start
from profiles.secret import Secret
from profiles.store import Unavailable

__all__ = ["CannotStart", "Mongod", "StoreOptions", "start"]

READY_WITHIN_SECONDS = 120.0  # a start after a crash replays the journal first
_WATCH_EVERY_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 10.0
_STEADY_AFTER_SECONDS = 60.0
log = logging.getLogger("causerie.mongod")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Where everything is remembered."""

    url: Secret = field(
        default=Secret("embedded"),
        metadata={"about": '"embedded": a private MongoDB; else the mongodb:// address of a replica set.'},
    )
    folder: str = field(default=".causerie", metadata={"about": "Data folder of the embedded MongoDB."})
    database: str = field(default="causerie", metadata={"about": "Name of the database in MongoDB."})


async def start(
    options: StoreOptions, progress: Progress = silent, meanwhile: Callable[[], None] = lambda: None
) -> "Mongod":
    """Return a database that takes writes. Raises CannotStart with what to do.

    `meanwhile` is called as soon as the embedded database begins, which takes it a second: for work that needs none.
    Call it from the main thread: Linux ends mongod when the thread that started it ends.
    """
    address = options.url.reveal()
    if address != "embedded":
        progress("Asking the database at store.url")
        await _refuse_unusable(address)
        meanwhile()
        return Mongod(address)
    program = await asyncio.to_thread(find_program)
    folder = claim(Path(options.folder), program)
    try:
        process = await _begin(folder, program, progress, meanwhile)
    except BaseException:
        folder.release()
        raise
    return Mongod(folder.url, Embedded(folder, program, process))


async def reach(options: StoreOptions) -> "Mongod":
    """Return the database for a short command: that of the server running on the folder, else one started for it.

    Raises CannotStart as `start` does. Stopping what a running server keeps leaves it running.
    """
    if options.url.reveal() == "embedded" and (address := address_in_use(options.folder)):
        return Mongod(address)
    return await start(options)


class Mongod:
    """A database we may use: its address, and the process behind it where it is ours."""

    def __init__(self, url: str, embedded: "Embedded | None" = None) -> None:
        self.url = url
        """The address for the driver, password included: never for a log."""
        self._embedded = embedded

    def __repr__(self) -> str:
        return f"Mongod(pid={self.pid})"

    @property
    def pid(self) -> int | None:
        """Return the process id of the embedded mongod while it runs; None when dead or elsewhere."""
        return self._embedded.pid if self._embedded else None

    async def supervise(self) -> None:
        """Start the embedded mongod again whenever it dies, at the same address; ends when `stop` is called."""
        if self._embedded:
            await self._embedded.supervise()

    async def stop(self) -> None:
        """Stop the embedded mongod cleanly and free its folder. Safe to repeat; a database elsewhere is let alone."""
        if self._embedded:
            await self._embedded.stop()


class Embedded:
    """Our mongod on our folder, from its first start until `stop`."""

    def __init__(self, folder: DataFolder, program: Program, process: subprocess.Popen[bytes]) -> None:
        self._folder, self._program, self._process = folder, program, process
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """Return its process id, or None while it is dead."""
        return self._process.pid if self._process.poll() is None else None

    async def supervise(self) -> None:
        """Keep mongod alive and its log bounded; one that dies young is started again later each time."""
        wait = _WATCH_EVERY_SECONDS
        while not self._stopping:
            lived = await self._until_it_dies()
            if self._stopping:
                return
            wait = _WATCH_EVERY_SECONDS if lived > _STEADY_AFTER_SECONDS else min(wait * 2, _LONGEST_WAIT_SECONDS)
            level = logging.WARNING if wait < 1 else logging.ERROR  # dying again and again: a person must act
            log.log(level, "mongod.died again_in=%.1f said=%s", wait, last_complaint(self._folder.log))
            await asyncio.sleep(wait)
            await self._again()

    async def stop(self) -> None:
        """End mongod and let go of the folder."""
        if self._stopping:
            return
        self._stopping = True
        await end(self._process)
        self._folder.release()

    async def _until_it_dies(self) -> float:
        begun = time.monotonic()
        while self.pid is not None:
            turn_over(self._folder.log, self.pid)
            await asyncio.sleep(_WATCH_EVERY_SECONDS)
        return time.monotonic() - begun

    async def _again(self) -> None:
        if self._stopping:
            return
        self._process = spawn(self._program, self._folder)
        try:
            await _until_it_takes_writes(self._folder, self._process)
        except CannotStart as error:
            if self.pid is not None:  # else `supervise` tells of its death
                log.error("mongod.not_ready reason=%s", error)
        else:
            log.warning("mongod.restarted pid=%s", self._process.pid)


async def _refuse_unusable(address: str) -> None:
    try:
        facts = await store_start.facts(address)
    except (Unavailable, ValueError) as error:
        raise CannotStart(
            f"store.url: no database answers at {_hosts(address)}: {error}. Hint: is the address right, and its database up?"
        ) from error
    if facts["replica_set"] is None:
        raise CannotStart(
            "store.url: expected a replica set (transactions need one), got a single mongod. Hint: start it with "
            "--replSet rs0 and run rs.initiate() once; one node is enough."
        )


def _hosts(address: str) -> str:
    """Return the host:port part of an address, without the name and password that may stand before it."""
    return address.partition("://")[2].rpartition("@")[2].partition("/")[0] or "no host"


async def _begin(
    folder: DataFolder, program: Program, progress: Progress, meanwhile: Callable[[], None]
) -> subprocess.Popen[bytes]:
    if folder.orphan is not None:
        progress("Stopping the database that a killed server left behind")
        await end_orphan(folder)
    moved = not is_free(folder.mark.port)
    if moved:
        folder.note(port=free_port())
    folder.prepare(program)
    turn_over(folder.log)
    progress(f"Starting MongoDB {program.version} in {folder.path}")
    process = spawn(program, folder)
    try:
        meanwhile()
        if not folder.mark.is_set_up:
            await _set_up(folder, process, progress)
        elif moved:
            await _move(folder, process)
        await _until_it_takes_writes(folder, process)
    except BaseException:
        await end(process)
        raise
    return process


async def _set_up(folder: DataFolder, process: subprocess.Popen[bytes], progress: Progress) -> None:
    """Make the replica set and its one user, who may do so without a password as long as there is none."""
    progress("Setting up the database, once")
    port = folder.mark.port
    await _until_it_listens(folder, process)
    await _asked(store_start.initiate(port, replica_set=REPLICA_SET))
    await _until_it_takes_writes(folder, process)
    await _asked(store_start.create_first_user(port, user="causerie", password=folder.password))
    folder.note(is_set_up=True)


async def _move(folder: DataFolder, process: subprocess.Popen[bytes]) -> None:
    """Make the replica set know its new port. Takes long only where the old port's new owner never answers."""
    await _until_it_listens(folder, process)
    until = time.monotonic() + READY_WITHIN_SECONDS
    while not await _asked(store_start.move(folder.direct_url, folder.mark.port)):
        await _wait_a_little(folder, process, until)


async def _asked(answer: Awaitable[Answer]) -> Answer:
    try:
        return await answer
    except Unavailable as error:
        raise CannotStart(f"store.folder: the embedded database refused its set-up: {error}") from error


async def _until_it_listens(folder: DataFolder, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_WITHIN_SECONDS
    while not await listens(folder.mark.port):
        await _wait_a_little(folder, process, until)


async def _until_it_takes_writes(folder: DataFolder, process: subprocess.Popen[bytes]) -> None:
    await _until_it_listens(folder, process)
    until = time.monotonic() + READY_WITHIN_SECONDS
    while not await store_start.is_primary(f"mongodb://127.0.0.1:{folder.mark.port}/"):
        await _wait_a_little(folder, process, until)


async def _wait_a_little(folder: DataFolder, process: subprocess.Popen[bytes], until: float) -> None:
    if process.poll() is not None:
        raise CannotStart(f"{folder.log}: mongod ended while starting; it said: {last_complaint(folder.log)}")
    if time.monotonic() > until:
        raise CannotStart(
            f"{folder.log}: mongod was not ready after {READY_WITHIN_SECONDS:.0f} s; it said: {last_complaint(folder.log)}"
        )
    await asyncio.sleep(LOOK_EVERY_SECONDS)
