"""The mongod process itself: its command line, how it ends with us, how it is asked to stop."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from causerie.data_folder import REPLICA_SET, DataFolder
from causerie.mongod_program import CannotStart, Program

LOOK_EVERY_SECONDS = 0.02
STOPPED_WITHIN_SECONDS = 20.0

# Linux ends a child when its parent ends, if the child asks for it (prctl 1 = PR_SET_PDEATHSIG, 15 = SIGTERM). A small
# Python asks and then becomes mongod: preexec_fn could deadlock in a process with threads. The parent may have died first.
_ASK_THEN_BECOME = (
    "import ctypes, os, sys\n"
    "ctypes.CDLL(None).prctl(1, 15, 0, 0, 0)\n"
    "os.getppid() == int(sys.argv[1]) or sys.exit('the server is gone')\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


def spawn(program: Program, folder: DataFolder) -> subprocess.Popen[bytes]:
    """Start mongod on this folder; it ends with the calling thread on Linux. It may still fail: watch it."""
    return subprocess.Popen(
        [*_tied_to_us(), *_command(program, folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal is for the server, which stops mongod last
        env={**os.environ, "LC_ALL": "C"},  # mongod refuses to start under a locale that is not installed
    )


async def end(process: subprocess.Popen[bytes]) -> None:
    """Ask mongod to stop and wait; kill it when it takes too long, which its journal survives."""
    if process.poll() is not None:
        return
    process.terminate()
    if not await _comes_true(lambda: process.poll() is not None):
        process.kill()
        await asyncio.to_thread(process.wait)


async def end_orphan(folder: DataFolder) -> None:
    """Stop a mongod that a killed server left on this folder. Raises CannotStart when it can not be stopped."""
    pid = folder.orphan
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if pid is None or not _send(pid, sign) or await _comes_true(lambda: folder.orphan is None):
            return
    raise CannotStart(
        f"store.folder: {folder.path}: mongod {pid} of an earlier server does not stop. Hint: stop it, then start again."
    )


async def listens(port: int) -> bool:
    """Whether somebody accepts connections on this loopback port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _tied_to_us() -> list[str]:
    if sys.platform != "linux":
        return []  # there the next start finds the orphan by its pid file
    return [sys.executable, "-I", "-S", "-c", _ASK_THEN_BECOME, str(os.getpid())]


def _command(program: Program, folder: DataFolder) -> list[str]:
    settings = {
        "shutdownTimeoutMillisForSignaledShutdown": 0,  # there is no second node to hand over to
        "diagnosticDataCollectionDirectorySizeMB": 20,  # 200 by default
        # the open transaction of a server that was killed holds its records so long, a minute by default; ours take milliseconds
        "transactionLifetimeLimitSeconds": 10,
    }
    options = {
        "dbpath": folder.db,
        "port": folder.mark.port,
        "bind_ip": "127.0.0.1",
        "replSet": REPLICA_SET,
        "keyFile": folder.keyfile,
        "wiredTigerCacheSizeGB": 0.25,
        # by default it starts to write changed pages out at 2.5 % of so small a cache, 6 MB, again and again the same ones: a
        # fifth of its CPU per message; so they wait for the checkpoint, which comes every minute
        "wiredTigerEngineConfigString": ",".join(
            (
                "eviction_dirty_target=40",
                "eviction_dirty_trigger=60",
                "eviction_updates_target=30",
                "eviction_updates_trigger=50",
            )
        ),
        "oplogSize": 512,  # MB; by default a twentieth of the disk
        "networkMessageCompressors": "snappy,zstd",
        "logpath": folder.log,
        "logRotate": "reopen",
        "slowms": 2**31 - 1,  # a slow operation is logged with the customer's words in it
    }
    flags = ["--logappend", "--quiet", "--noscripting", "--nounixsocket"]
    pairs = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [
        str(program.path), *pairs, *flags,
        *(part for name, value in settings.items() for part in ("--setParameter", f"{name}={value}")),
    ]  # fmt: skip


def _send(pid: int, sign: signal.Signals) -> bool:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        return False
    except PermissionError as error:
        raise CannotStart(
            f"mongod {pid} of an earlier server belongs to another account. Hint: stop it there."
        ) from error
    return True


async def _comes_true(claim: Callable[[], bool]) -> bool:
    until = time.monotonic() + STOPPED_WITHIN_SECONDS
    while not claim():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    return True
