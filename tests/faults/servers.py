"""Servers under test, each a process of its own that may be killed, frozen and started again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from causerie.data_folder import free_port
from tests.faults.patience import until
from tests.waiting import is_running

ROOT = Path(__file__).parents[2]
BORN_WITHIN_SECONDS = 180.0
SECRET = "faults-secret-token"


class Nursery:
    """Where servers are born (tests/faults/nursery.py)."""

    def __init__(self, process: "subprocess.Popen[bytes]", shared: Path) -> None:
        self._process = process
        self.shared = shared
        """The data folder of servers whose database is elsewhere: only the trained bot lies there, trained once."""
        self._born: SimpleQueue[int] = SimpleQueue()
        self._bearing = threading.Lock()
        self.ended: dict[int, int] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def bear(self, environment: Mapping[str, str], log: Path, crash_at: str = "") -> int:
        """Start `causerie serve` with this environment and return its number."""
        order = {"environment": dict(environment), "log": str(log), "crash_at": crash_at}
        assert self._process.stdin
        with self._bearing:  # several threads order: each must get its own
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
            try:
                return self._born.get(timeout=BORN_WITHIN_SECONDS)
            except Empty:
                raise AssertionError("the nursery bore nothing; see what it wrote above") from None

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            fact: dict[str, Any] = json.loads(line)
            if "born" in fact:
                self.ended.pop(fact["born"], None)  # the system gives numbers again
                self._born.put(fact["born"])
            else:
                self.ended[fact["ended"]] = fact["status"]


@contextmanager
def nursery_open() -> Iterator[Nursery]:
    """Open the nursery; whoever lives at the end is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.nursery"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    with TemporaryDirectory(prefix="causerie-faults-") as shared:
        try:
            yield Nursery(process, Path(shared))
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(timeout=20)


@dataclass(slots=True)
class Server:
    """One place where a server runs: the same port and settings after every death."""

    nursery: Nursery
    settings: dict[str, str]
    log: Path
    port: int
    pid: int = 0
    started_at: float = 0.0

    @property
    def url(self) -> str:
        """Return where it answers."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self, crash_at: str = "", *, waits: bool = True) -> "Server":
        """Start it and wait until it is ready (or, told to crash, dead)."""
        self.started_at = time.monotonic()
        self.pid = await asyncio.to_thread(self.nursery.bear, self.settings, self.log, crash_at)
        if waits:
            await until(self._settled)
            assert crash_at or self.is_alive, f"it did not start: {self.log.read_text()[-2000:]}"
        return self

    @property
    def is_alive(self) -> bool:
        """Return whether it runs, frozen or not."""
        return is_running(self.pid)

    @property
    def status(self) -> int | None:
        """Return how it ended: -9 for killed; None while it lives."""
        return self.nursery.ended.get(self.pid)

    def kill(self, sign: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal: -9 unless said otherwise."""
        os.kill(self.pid, sign)

    async def dies(self) -> int:
        """Wait for its end, and return its status."""
        await until(lambda: self.status is not None)
        assert self.status is not None
        return self.status

    async def stop(self) -> None:
        """End it as an operator does."""
        if self.is_alive:
            self.kill(signal.SIGCONT)
            self.kill(signal.SIGTERM)
            await self.dies()

    async def is_ready(self) -> bool:
        """Return whether it says that it keeps its promises."""
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/health") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def _settled(self) -> bool:
        return not self.is_alive or await self.is_ready()


def settings(
    folder: Path,
    data: Path,
    port: int,
    *,
    database_url: str = "",
    database: str = "causerie",
    provider: str = "",
    **more: str,
) -> dict[str, str]:
    """Return the environment of a server: Telegram by webhook where a provider is named, a rule book in `folder`/book."""
    found = {
        "CAUSERIE_CONFIG": str(_no_config(folder)),
        "CAUSERIE_STORE__FOLDER": str(data),
        "CAUSERIE_STORE__DATABASE": database,
        "CAUSERIE_SERVER__PORT": str(port),
        "CAUSERIE_SERVER__LOG_LEVEL": "INFO",
        "CAUSERIE_RULES__FOLDER": str(folder / "book"),
        "CAUSERIE_RULES__ZONE": "UTC",
        "CAUSERIE_BOT__IDLE_MINUTES": "0",
    }
    if database_url:
        found["CAUSERIE_STORE__URL"] = database_url
    if provider:
        found |= {
            "CAUSERIE_CHANNELS__TELEGRAM__ENABLED": "true",
            "CAUSERIE_CHANNELS__TELEGRAM__WEBHOOK": "true",
            "CAUSERIE_CHANNELS__TELEGRAM__TOKEN": "1000000:faultsfaultsfaultsfaults",
            "CAUSERIE_CHANNELS__TELEGRAM__SECRET_TOKEN": SECRET,
            "CAUSERIE_CHANNELS__TELEGRAM__API_URL": provider,
            "CAUSERIE_SERVER__PUBLIC_URL": f"https://faults.example:{port}",
        }
    return {**found, **more}


def server(nursery: Nursery, folder: Path, *, name: str = "server", **how: str) -> Server:
    """Return a server that is not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "book").mkdir(exist_ok=True)
    port = free_port()
    data = nursery.shared if how.get("database_url") else folder / "data"
    return Server(nursery, settings(folder, data, port, **how), folder / f"{name}.log", port)


def _no_config(folder: Path) -> Path:
    """Return an empty config file: the repository's own has nothing to say here."""
    file = folder / "config.toml"
    file.touch()
    return file


class Alone(Server):
    """A server started as an operator does, interpreter and all: what its recovery takes is what it takes in life."""

    __slots__ = ("process",)
    process: "subprocess.Popen[bytes]"

    async def start(self, crash_at: str = "", *, waits: bool = True) -> "Server":
        """Start it and wait until it is ready."""
        self.started_at = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "causerie", "serve"], cwd=ROOT, env={**os.environ, **self.settings},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.pid = self.process.pid
        await until(self._settled)
        assert self.is_alive, f"it did not start: {self.log.read_text()[-2000:]}"
        return self

    @property
    def status(self) -> int | None:
        """Return how it ended: -9 for killed; None while it lives."""
        return self.process.poll()


def alone(nursery: Nursery, folder: Path, **how: str) -> Alone:
    """Return a server of its own that is not started yet."""
    born = server(nursery, folder, **how)
    return Alone(nursery, born.settings, born.log, born.port)


def mongod_of(server: Server) -> int | None:
    """Return the number of the embedded mongod that runs on this server's folder."""
    begins = f"--dbpath {server.settings['CAUSERIE_STORE__FOLDER']}/db "
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            except OSError:
                continue
            if begins in line and "import ctypes" not in line:
                return int(entry.name)
    return None
