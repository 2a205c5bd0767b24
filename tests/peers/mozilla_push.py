"""Mozilla's push service as Firefox meets it: a socket that the browser keeps open, and the endpoints that senders post to.

The protocol of the socket: https://mozilla-push-service.readthedocs.io/en/latest/design/. A real Firefox is pointed here by the
preference dom.push.serverURL; it decrypts what is posted, and says so with code 100.
"""

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.peers.push_service import b64, token, unb64


@dataclass
class MozillaPush:
    """One push service with one browser. `acks`: what the browser said of each message."""

    port: int = 0
    acks: list[dict[str, Any]] = field(default_factory=list)
    channels: dict[str, str] = field(default_factory=dict)
    """endpoint's token -> the browser's own name of the subscription."""
    keys: dict[str, str] = field(default_factory=dict)
    """endpoint's token -> the public key that it was subscribed with."""
    refused: list[str] = field(default_factory=list)
    urgencies: list[str] = field(default_factory=list)
    _socket: web.WebSocketResponse | None = None
    _runner: web.AppRunner | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/", self._talk)
        app.router.add_post("/wpush/v2/{token}", self._push)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._socket:
            await self._socket.close()
        if self._runner:
            await self._runner.cleanup()

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = self._socket = web.WebSocketResponse(protocols=("push-notification",))
        await socket.prepare(request)
        async for message in socket:
            said = message.json() if message.data.strip() != "{}" else {}
            match said.get("messageType"):
                case "hello":
                    uaid = said.get("uaid") or secrets.token_hex(16)
                    await socket.send_json(
                        {"messageType": "hello", "uaid": uaid, "status": 200, "use_webpush": True, "broadcasts": {}}
                    )
                case "register":
                    await socket.send_json({"messageType": "register", "status": 200, **self._registered(said)})
                case "unregister":
                    self._unregistered(said["channelID"])
                    await socket.send_json({"messageType": "unregister", "channelID": said["channelID"], "status": 200})
                case "ack":
                    self.acks += said["updates"]
                case None:
                    await socket.send_str("{}")  # a ping
        return socket

    def _registered(self, said: dict[str, Any]) -> dict[str, str]:
        name = secrets.token_hex(16)
        self.channels[name], self.keys[name] = said["channelID"], said["key"]
        return {"channelID": said["channelID"], "pushEndpoint": f"{self.origin}/wpush/v2/{name}"}

    def _unregistered(self, channel: str) -> None:
        for name in [name for name, known in self.channels.items() if known == channel]:
            del self.channels[name]

    async def _push(self, request: web.Request) -> web.Response:
        name, body = request.match_info["token"], await request.read()
        if name not in self.channels or self._socket is None:
            return web.json_response({"errno": 106}, status=410)
        claims, key = token(request.headers["Authorization"])  # raises for a forged one
        if (
            unb64(key) != unb64(self.keys[name].rstrip("="))
            or claims["aud"] != self.origin
            or request.headers["Content-Encoding"] != "aes128gcm"
        ):
            self.refused.append(f"{claims['aud']} {key} {self.keys[name]}")
            return web.json_response({"errno": 109}, status=401)
        self.urgencies.append(request.headers.get("Urgency", ""))
        notification = {
            "messageType": "notification", "channelID": self.channels[name], "version": secrets.token_hex(8),
            "data": b64(body), "headers": {"encoding": "aes128gcm"},
        }  # fmt: skip
        await asyncio.shield(self._socket.send_json(notification))
        return web.Response(status=201, headers={"Location": f"{self.origin}/m/1", "TTL": request.headers["TTL"]})
