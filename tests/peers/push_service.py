"""A push service, played strictly: it refuses what RFC 8030, 8188 and 8292 forbid, and decrypts for browsers it invents.

Encryption is undone by http_ece, tokens are checked with cryptography: none of it is the code under test. Run as a program,
`python -m tests.peers.push_service 9000`, it prints what arrives.
"""

import asyncio
import base64
import json
import os
import sys
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import http_ece
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

LONGEST_EXPIRY = 24 * 3600
HANG, RESET = -1, -2


@dataclass
class Browser:
    """A browser's side of a subscription."""

    endpoint: str
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def keys(self) -> dict[str, str]:
        """Return the keys as PushSubscription.toJSON gives them."""
        point = self.private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return {"p256dh": b64(point), "auth": b64(self.secret)}

    def subscription(self) -> dict[str, Any]:
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": self.keys}

    def decrypted(self, body: bytes) -> dict[str, Any]:
        plain = http_ece.decrypt(body, private_key=self.private, auth_secret=self.secret, version="aes128gcm")
        said: dict[str, Any] = json.loads(plain)
        return said


@dataclass
class Push:
    """One message as it was posted."""

    path: str
    headers: dict[str, str]
    said: dict[str, Any]
    claims: dict[str, Any]
    key: str


class PushService:
    """`answers`: path -> what to answer, a status, or (status, headers), HANG or RESET; all others are taken with 201."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.browsers: dict[str, Browser] = {}
        self.taken: list[Push] = []
        self.asked = 0
        self.refused: list[str] = []
        self.port = 0
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=10_000)
        app.router.add_post("/push/{name}", self._push)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self._stopping.set()
        if self._runner:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    def browser(self, name: str) -> Browser:
        """Return a new browser that is subscribed here."""
        path = f"/push/{name}"
        self.browsers[path] = Browser(f"{self.origin}{path}")
        return self.browsers[path]

    async def _push(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        answer = self.answers.get(request.path, 201)
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status == HANG:
            await self._stopping.wait()
        if status == RESET:
            assert request.transport
            request.transport.abort()
            return web.Response()
        if status != 201:
            return web.Response(status=status, headers=headers, text="no thanks")
        try:
            push = self._checked(request, await request.read())
        except (ValueError, KeyError, InvalidSignature, http_ece.ECEException) as error:
            self.refused.append(f"{type(error).__name__}: {error}")
            return web.Response(status=400, text=str(error))
        self.taken.append(push)
        return web.Response(status=201, headers={"Location": f"{self.origin}/m/{len(self.taken)}", **headers})

    def _checked(self, request: web.Request, body: bytes) -> Push:
        """Return the message. Raises for whatever a real service refuses."""
        wanted = {"content-encoding": "aes128gcm"}
        headers = {name.lower(): value for name, value in request.headers.items()}
        for name, value in wanted.items():
            if headers.get(name) != value:
                raise ValueError(f"{name}: expected {value}, got {headers.get(name)}")
        if not headers["ttl"].isdigit():
            raise ValueError("ttl: expected seconds")
        if headers.get("urgency", "normal") not in ("very-low", "low", "normal", "high"):
            raise ValueError(f"urgency: {headers['urgency']}")
        if len(headers.get("topic", "")) > 32:
            raise ValueError("topic: expected 32 characters at most")
        if len(body) > 4096:
            raise ValueError(f"body: {len(body)} bytes")
        claims, key = token(headers["authorization"])
        if claims["aud"] != self.origin:
            raise ValueError(f"aud: expected {self.origin}, got {claims['aud']}")
        if urlsplit(claims["sub"]).scheme not in ("mailto", "https"):
            raise ValueError(f"sub: {claims['sub']}")
        return Push(request.path, headers, self.browsers[request.path].decrypted(body), claims, key)


def token(authorization: str) -> tuple[dict[str, Any], str]:
    """Return the claims of a VAPID header (RFC 8292) and the public key that signed them. Raises InvalidSignature."""
    scheme, _, rest = authorization.partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if scheme != "vapid":
        raise ValueError(f"authorization: {scheme}")
    head, body, signature = parts["t"].split(".")
    raw = unb64(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(parts["k"]))
    key.verify(encode_dss_signature(r, s), f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
    if json.loads(unb64(head))["alg"] != "ES256":
        raise ValueError("alg: expected ES256")
    return json.loads(unb64(body)), parts["k"]


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def _play(port: int) -> None:
    service = PushService()
    await service.start(port)
    print(f"Push service at {service.origin}. Browser:", json.dumps(service.browser("anna").subscription()))  # noqa: T201
    shown = 0
    while True:
        await asyncio.sleep(0.2)
        for push in service.taken[shown:]:
            print(push.headers.get("urgency"), push.headers["ttl"], json.dumps(push.said, ensure_ascii=False))  # noqa: T201
        shown = len(service.taken)


if __name__ == "__main__":
    asyncio.run(_play(int(sys.argv[1]) if len(sys.argv) > 1 else 9000))
