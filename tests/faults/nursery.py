"""`python -m tests.faults.nursery`: bears servers that are ready in half a second, for tests that kill many of them.

It has loaded the whole program and runs none of it; each order (a JSON line: environment, log file, crash point) is answered by a
fork that becomes `causerie serve` with that environment. A line is written when one is born and when it ends, with its status.
"""

import json
import os
import select
import signal
import sys
import traceback
from typing import Any

import causerie.configured
import causerie.serving  # noqa: F401 (loaded once, for all)
from causerie.__main__ import main
from profiles.crash import arm


def nurse() -> None:
    """Take orders until stdin ends; then end all that live."""
    signal.signal(signal.SIGCHLD, lambda *_: None)
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    living: set[int] = set()
    rest = b""
    while True:
        ready, _, _ = select.select([0, read], [], [])
        if read in ready:
            os.read(read, 1024)
            for pid, status in _ended():
                living.discard(pid)
                _say(ended=pid, status=status)
        if 0 in ready:
            some = os.read(0, 65536)
            if not some:
                break
            *orders, rest = (rest + some).split(b"\n")
            for order in orders:
                pid = _bear(json.loads(order))
                living.add(pid)
                _say(born=pid)
    for pid in living:
        os.kill(pid, signal.SIGKILL)


def _bear(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for place, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, log), (2, log)):
            os.dup2(file, place)
        os.environ.update(order["environment"])
        if order["crash_at"]:
            arm(order["crash_at"])
        status = main(["serve"])
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(status)


def _ended() -> list[tuple[int, int]]:
    found = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        found.append((pid, os.waitstatus_to_exitcode(status)))


def _say(**fact: Any) -> None:
    os.write(1, json.dumps(fact).encode() + b"\n")


if __name__ == "__main__":
    nurse()
    sys.exit(0)
