"""An SMSC: the npm package `smpp`, started by the test, spoken to by lines of JSON (tests/peers/smsc.js)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.needed import node_package
from tests.peers.node_peer import NodePeer

SCRIPT = Path(__file__).with_name("smsc.js")
SYSTEM_ID, PASSWORD = "causerie", "secret"


class Smsc(NodePeer):
    """One running SMSC."""

    def __init__(self, tls: str = "") -> None:
        super().__init__(SCRIPT, *([tls] if tls else []))

    async def start(self) -> None:
        node_package("smpp")
        await super().start()

    async def deliver(self, **fields: Any) -> int:
        """Deliver a message to us and return the status of our answer."""
        tag = next(self._numbers)
        await self.order("deliver", tag=tag, **fields)
        return int((await self.event("answer", tag=tag))["status"])


@asynccontextmanager
async def running_smsc(tls: str = "") -> AsyncIterator[Smsc]:
    """Start an SMSC for the length of the block."""
    smsc = Smsc(tls)
    await smsc.start()
    try:
        yield smsc
    finally:
        await smsc.stop()
