"""Apple's push service, played by Node's HTTP/2 (tests/peers/apns.js)."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from channels.apns import Options
from channels.channel import Door
from profiles.secret import Secret
from tests.peers.apns import DEVICE, KEY_ID, TEAM, Apns, running_apns


@asynccontextmanager
async def play(door: Door) -> AsyncIterator["ApnsKit"]:
    """Start the service with a certificate of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with running_apns(Path(folder)) as peer:
            await peer.behave("00" * 32, {"status": 410, "reason": "Unregistered", "timestamp": 1_700_000_000_000})
            await peer.behave("11" * 32, {"status": 429, "reason": "TooManyRequests", "retry": 7})
            await peer.behave("22" * 32, {"hang": True})
            yield ApnsKit(peer)


def options(peer: Apns) -> Options:
    """Return the settings that reach this service."""
    return Options(
        enabled=True, app="com.example.shop", team=TEAM, key_id=KEY_ID, key=Secret(peer.key), host="localhost",
        sandbox_host="localhost", port=peer.port, ca=peer.ca, answer_seconds=0.8,
    )  # fmt: skip


class ApnsKit:
    person = DEVICE
    troubles = {"blocked": "00" * 32, "throttled": "11" * 32, "silent": "22" * 32}

    def __init__(self, peer: Apns) -> None:
        self.peer = peer
        self.options = options(peer)

    async def connected(self) -> None:
        """There is nothing to wait for: it connects with the first push."""

    async def says(self, text: str, *, id: str) -> bool:
        return False  # an app is not heard here

    async def heard(self) -> list[str]:
        return ["\n".join(_shown(push["said"])) for push in self.peer.pushes()]

    async def vanish(self) -> None:
        await self.peer.stop()


def _shown(said: dict[str, Any]) -> list[str]:
    return [said["aps"]["alert"]["body"], *(button["title"] for button in said["causerie"].get("buttons", ()))]
