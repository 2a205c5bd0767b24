"""Databases that tests may kill, cut off, starve and lie to: bare mongods, one or three, without passwords, on loopback."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from causerie.data_folder import free_port
from causerie.mongod_program import find_program
from tests.faults.patience import until

SET = "faults"
ELECTION_MS = 2_000
Client = MongoClient[dict[str, Any]]


@dataclass(slots=True)
class Node:
    """One mongod: `before` is put in front of its command (such as `ip netns exec x`), `environment` beside it."""

    folder: Path
    host: str
    port: int
    before: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    more: Sequence[str] = ()
    """Arguments beside the usual ones."""
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """Return host:port."""
        return f"{self.host}:{self.port}"

    def start(self) -> None:
        """Start it, or start it again on the same data."""
        self.folder.mkdir(exist_ok=True)
        settings = ("shutdownTimeoutMillisForSignaledShutdown=0", "diagnosticDataCollectionEnabled=false")
        self.process = subprocess.Popen(
            [
                *self.before, str(find_program().path), "--dbpath", str(self.folder), "--port", str(self.port),
                "--bind_ip", self.host, "--replSet", SET, "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64",
                "--nounixsocket", "--quiet", "--logpath", str(self.folder.with_suffix(".log")), "--logappend",
                *(part for setting in settings for part in ("--setParameter", setting)),
                *self.more,
            ],
            env={**os.environ, "LC_ALL": "C", **self.environment}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def kill(self) -> None:
        """kill -9."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def signal(self, sign: signal.Signals) -> None:
        """Stop it for a while with SIGSTOP, or let it go on."""
        if self.process:
            self.process.send_signal(sign)

    @property
    def is_alive(self) -> bool:
        """Return whether it runs."""
        return self.process is not None and self.process.poll() is None

    def ask(self, command: str, *args: Any, **more: Any) -> dict[str, Any] | None:
        """Return what this very node answers to an admin command; None when it does not."""
        client: Client = MongoClient(self.host, self.port, directConnection=True, serverSelectionTimeoutMS=1_000,
                                     connectTimeoutMS=1_000, socketTimeoutMS=3_000)  # fmt: skip
        try:
            return dict(client.admin.command(command, *args, **more))
        except PyMongoError:
            return None
        finally:
            client.close()

    @property
    def is_primary(self) -> bool:
        """Return whether it says that it takes writes."""
        answer = self.ask("hello") if self.is_alive else None
        return bool(answer and answer.get("isWritablePrimary"))


@dataclass(slots=True)
class Databases:
    """A replica set."""

    nodes: list[Node]

    @property
    def url(self) -> str:
        """Return its address for a driver."""
        return f"mongodb://{','.join(node.address for node in self.nodes)}/?replicaSet={SET}"

    async def primary(self, *, but: Node | None = None) -> Node:
        """Wait for the node that takes writes (another than `but`), and return it."""

        async def found() -> Node | None:
            for node in self.nodes:
                if node is not but and await asyncio.to_thread(lambda node=node: node.is_primary):  # type: ignore[misc]
                    return node
            return None

        node = await until(found)
        assert isinstance(node, Node)
        return node


@asynccontextmanager
async def databases(nodes: Sequence[Node]) -> AsyncIterator[Databases]:
    """Start these nodes as one replica set; kill them at the end."""
    group = Databases(list(nodes))
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            await until(lambda node=node: asyncio.to_thread(node.ask, "ping"))  # type: ignore[misc]
        members = [{"_id": place, "host": node.address} for place, node in enumerate(nodes)]
        config = {
            "_id": SET,
            "members": members,
            "settings": {"electionTimeoutMillis": ELECTION_MS, "heartbeatIntervalMillis": 500},
        }
        await until(lambda: asyncio.to_thread(_initiated, nodes[0], config))
        await group.primary()
        yield group
    finally:
        for node in nodes:
            node.kill()


def _initiated(node: Node, config: dict[str, Any]) -> bool:
    """Return whether it has begun a set; on a busy machine it may do so after nobody waits for its answer any more."""
    return bool(node.ask("replSetInitiate", config) or node.ask("replSetGetStatus"))


def local(folder: Path, count: int = 1, **how: Any) -> list[Node]:
    """Return nodes on loopback."""
    return [Node(folder / f"node{number}", "127.0.0.1", free_port(), **how) for number in range(count)]
