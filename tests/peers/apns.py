"""Apple's push service, played by Node's own HTTP/2 (tests/peers/apns.js): strict, with a certificate made for the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.channels.email_certificate import certificate
from tests.peers.node_peer import NodePeer

SCRIPT = Path(__file__).with_name("apns.js")
TEAM, KEY_ID = "TEAM123456", "KEY1234567"
DEVICE = "ab" * 32


class Apns(NodePeer):
    """One running service. `key` is the .p8 text that it knows the other half of; `ca` the file to trust."""

    def __init__(
        self, folder: Path, *, streams: int = 100, window: int = 65_535, tokens: bool = True, client_ca: str = ""
    ) -> None:
        certificate(folder)
        self.key, public = provider_key()
        (folder / "public.pem").write_text(public)
        self.ca = str(folder / "cert.pem")
        known = str(folder / "public.pem") if tokens else "-"
        super().__init__(
            SCRIPT, self.ca, str(folder / "key.pem"), known, *([client_ca] if client_ca else []),
            environment={"STREAMS": str(streams), "WINDOW": str(window)},
        )  # fmt: skip

    def pushes(self, device: str = DEVICE) -> list[dict[str, Any]]:
        """Return what came for this device: headers and `said`, the payload read."""
        events = [event for event in self.of("push") if event["device"] == device]
        return [{**event, "said": orjson.loads(event["body"])} for event in events]

    async def pushed(self, count: int, device: str = DEVICE) -> list[dict[str, Any]]:
        """Return what came for this device once so much has come: the peer's word may be behind its answer."""
        await self.event("push", after=count - 1, device=device)
        return self.pushes(device)

    async def behave(self, device: str, *answers: dict[str, Any]) -> None:
        """Let the next pushes to this device be answered so, one after the other; the last one stays."""
        await self.order("behave", device=device, list=list(answers))


def provider_key() -> tuple[str, str]:
    """Return a new .p8 text and its public half, both PEM."""
    private = ec.generate_private_key(ec.SECP256R1())
    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.private_bytes(*pkcs8).decode(), public.decode()


@asynccontextmanager
async def running_apns(folder: Path, **settings: Any) -> AsyncIterator[Apns]:
    """Start the service for the length of the block; it is reached as localhost."""
    peer = Apns(folder, **settings)
    await peer.start()
    try:
        yield peer
    finally:
        await peer.stop()
