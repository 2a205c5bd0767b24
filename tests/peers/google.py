"""Google's token endpoint and its wallet API, played strictly on loopback: what Google would refuse is refused here.

The fields are those of developers.google.com/wallet/reference/rest; an unknown one is 400, as there. Signatures are judged by
the openssl program, which shares no code with the server.
"""

import asyncio
import base64
import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

EMAIL, KEY_ID = "wallet@project.iam.gserviceaccount.com", "key1"
SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
ISSUER = "3388000000012345678"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MOST_NOTIFYING = 3

SPOKEN = {"defaultValue", "translatedValues"}
CLASS = {
    "id",
    "issuerName",
    "reviewStatus",
    "hexBackgroundColor",
    "heroImage",
    "localizedIssuerName",
    "callbackOptions",
}
CLASSES: Mapping[str, tuple[set[str], set[str]]] = {
    "loyaltyClass": ({"id", "issuerName", "programName", "programLogo", "reviewStatus"},
                     CLASS | {"programName", "localizedProgramName", "programLogo"}),
    "offerClass": ({"id", "issuerName", "title", "provider", "redemptionChannel", "reviewStatus"},
                   CLASS | {"title", "localizedTitle", "titleImage", "provider", "redemptionChannel"}),
    "eventTicketClass": ({"id", "issuerName", "eventName", "reviewStatus"},
                         CLASS | {"eventName", "logo", "venue", "dateTime"}),
    "genericClass": ({"id"}, {"id", "callbackOptions"}),
}  # fmt: skip
OBJECT = {"id", "classId", "state", "barcode", "textModulesData", "linksModuleData", "validTimeInterval", "heroImage"}
OBJECTS: Mapping[str, tuple[set[str], set[str]]] = {
    "loyaltyObject": ({"id", "classId", "state"},
                      OBJECT | {"accountId", "accountName", "loyaltyPoints", "secondaryLoyaltyPoints", "notifyPreference"}),
    "offerObject": ({"id", "classId", "state"}, OBJECT),
    "eventTicketObject": ({"id", "classId", "state"}, OBJECT | {"ticketHolderName", "ticketNumber"}),
    "genericObject": ({"id", "classId", "cardTitle", "header"},
                      OBJECT | {"cardTitle", "header", "subheader", "logo", "hexBackgroundColor"}),
}  # fmt: skip
STATES = {"ACTIVE", "COMPLETED", "EXPIRED", "INACTIVE"}
BARCODES = {"QR_CODE", "PDF_417", "AZTEC", "CODE_128"}


@dataclass
class Google:
    """The played Google. `troubles` are statuses that the next requests to the wallet API get instead of an answer."""

    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    url: str = ""
    tokens: list[str] = field(default_factory=list)
    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    """kind/id -> what was stored."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    troubles: list[Any] = field(default_factory=list)
    token_troubles: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Why requests were refused: a test that expects none says so."""
    has_users: bool = False
    scope: str = SCOPE

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/token", self._token)
        self.add_apis(app)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def add_apis(self, app: web.Application) -> None:
        """Serve what the token is for; Firebase's is in tests/peers/firebase.py."""
        app.router.add_route("*", "/walletobjects/v1/{kind}", self._insert)
        app.router.add_route("*", "/walletobjects/v1/{kind}/{id}", self._one)
        app.router.add_post("/walletobjects/v1/{kind}/{id}/addMessage", self._message)

    async def stop(self) -> None:
        await self._runner.cleanup()

    def account(self, folder: Path) -> Path:
        """Write the service account's file as Google's console gives it and return where."""
        private = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        path = folder / "account.json"
        path.write_text(json.dumps({
            "type": "service_account", "project_id": "project", "private_key_id": KEY_ID, "private_key": private,
            "client_email": EMAIL, "token_uri": f"{self.url}/token",
        }), encoding="utf-8")  # fmt: skip
        return path

    def read(self, token: str) -> dict[str, Any]:
        """Return what a signed token says, once openssl has found the signature good. Raises ValueError."""
        head, body, signature = token.split(".")
        said: dict[str, Any] = json.loads(_decoded(head))
        if (said.get("alg"), said.get("typ"), said.get("kid")) != ("RS256", "JWT", KEY_ID):
            raise ValueError(f"head {said}")
        if not self._is_signed(f"{head}.{body}".encode(), _decoded(signature)):
            raise ValueError("signature")
        claims: dict[str, Any] = json.loads(_decoded(body))
        return claims

    def _is_signed(self, text: bytes, signature: bytes) -> bool:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            public = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            (folder / "key").write_bytes(public)
            (folder / "sig").write_bytes(signature)
            command = ["openssl", "dgst", "-sha256", "-verify", folder / "key", "-signature", folder / "sig"]
            return subprocess.run(command, input=text, capture_output=True, check=False).returncode == 0

    async def _token(self, request: web.Request) -> web.Response:
        if self.token_troubles:
            return web.json_response({"error": "unavailable"}, status=self.token_troubles.pop(0))
        form = await request.post()
        try:
            claims = await asyncio.to_thread(self.read, str(form.get("assertion", "")))
        except ValueError as error:
            return web.json_response({"error": "invalid_grant", "error_description": str(error)}, status=400)
        right = claims == {
            "iss": EMAIL, "scope": self.scope, "aud": f"{self.url}/token", "iat": claims.get("iat"),
            "exp": claims.get("iat", 0) + 3600,
        }  # fmt: skip
        if form.get("grant_type") != GRANT or not right:
            return web.json_response({"error": "invalid_grant"}, status=400)
        self.tokens.append(f"ya29.{len(self.tokens)}")
        return web.json_response({"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"})

    async def _insert(self, request: web.Request) -> web.Response:
        if answer := await self._before(request):
            return answer
        kind, body = request.match_info["kind"], await request.json()
        if request.method != "POST":
            return web.json_response(status=405)
        if wrong := self._wrong(kind, body, is_whole=True):
            return self._refuse(wrong)
        if f"{kind}/{body['id']}" in self.things:
            return web.json_response({"error": {"code": 409, "message": "already exists"}}, status=409)
        if "classId" in body and f"{kind.replace('Object', 'Class')}/{body['classId']}" not in self.things:
            return self._refuse(f"no class {body['classId']}", status=404)
        self.things[f"{kind}/{body['id']}"] = body
        return web.json_response({**body, **self._users(kind)})

    async def _one(self, request: web.Request) -> web.Response:
        if answer := await self._before(request):
            return answer
        kind, id = request.match_info["kind"], unquote(request.match_info["id"])
        known = self.things.get(f"{kind}/{id}")
        if known is None:
            return web.json_response({"error": {"code": 404}}, status=404)
        if request.method == "PATCH":
            body = await request.json()
            if wrong := self._wrong(kind, body, is_whole=False):
                return self._refuse(wrong)
            known |= body
        return web.json_response({**known, **self._users(kind)})

    async def _message(self, request: web.Request) -> web.Response:
        if answer := await self._before(request):
            return answer
        kind, id = request.match_info["kind"], unquote(request.match_info["id"])
        if f"{kind}/{id}" not in self.things:
            return web.json_response({"error": {"code": 404}}, status=404)
        message = (await request.json()).get("message", {})
        if set(message) != {"id", "header", "body", "messageType"} or message["messageType"] not in (
            "TEXT",
            "TEXT_AND_NOTIFY",
        ):
            return self._refuse(f"message {sorted(message)}")
        told = self.messages.setdefault(id, [])
        notifying = [one for one in told if one["messageType"] == "TEXT_AND_NOTIFY"]
        if message["messageType"] == "TEXT_AND_NOTIFY" and len(notifying) >= MOST_NOTIFYING:
            reason = {
                "errors": [{"reason": "QuotaExceededException"}],
                "code": 429,
                "message": "QuotaExceededException",
            }
            return web.json_response({"error": reason}, status=429)
        told.append(message)
        return web.json_response({"resource": self.things[f"{kind}/{id}"]})

    async def _before(self, request: web.Request) -> web.Response | None:
        self.asked.append((request.method, request.path.removeprefix("/walletobjects/v1/")))
        if self.troubles:
            trouble = self.troubles.pop(0)
            if trouble == "reset":
                assert request.transport
                request.transport.abort()
                return web.Response()
            if trouble == "hang":
                await asyncio.sleep(60)
            status, headers = trouble if isinstance(trouble, tuple) else (trouble, {})
            return web.json_response({"error": {"code": status}}, status=status, headers=headers)
        if request.headers.get("Authorization") != f"Bearer {self.tokens[-1] if self.tokens else ''}":
            return web.json_response({"error": {"code": 401}}, status=401)
        return None

    def _users(self, kind: str) -> dict[str, Any]:
        return {"hasUsers": self.has_users} if kind.endswith("Object") else {}

    def _refuse(self, why: str, status: int = 400) -> web.Response:
        self.refused.append(why)
        return web.json_response({"error": {"code": status, "message": why}}, status=status)

    def _wrong(self, kind: str, body: dict[str, Any], *, is_whole: bool) -> str:
        needed, known = {**CLASSES, **OBJECTS}.get(kind, (set(), set()))
        if not known:
            return f"kind {kind}"
        if unknown := set(body) - known:
            return f"unknown fields {sorted(unknown)} of {kind}"
        if is_whole and (missing := needed - set(body)):
            return f"missing fields {sorted(missing)} of {kind}"
        if not str(body.get("id", f"{ISSUER}.x")).startswith(f"{ISSUER}."):
            return f"id {body['id']}"
        if body.get("state", "ACTIVE") not in STATES or body.get("barcode", {"type": "AZTEC"})["type"] not in BARCODES:
            return "state or barcode"
        if kind.endswith("Class") and body.get("reviewStatus", "UNDER_REVIEW") != "UNDER_REVIEW":
            return "reviewStatus"
        return _wrong_words(body)


def _wrong_words(value: Any) -> str:
    """Return what is wrong with a text in languages, wherever in a body it stands."""
    if isinstance(value, list):
        return next((wrong for one in value if (wrong := _wrong_words(one))), "")
    if not isinstance(value, dict):
        return ""
    if "defaultValue" in value:
        said = [value["defaultValue"], *value.get("translatedValues", [])]
        if set(value) - SPOKEN or any(set(one) != {"language", "value"} or not one["value"] for one in said):
            return f"text {value}"
    return next((wrong for one in value.values() if (wrong := _wrong_words(one))), "")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
