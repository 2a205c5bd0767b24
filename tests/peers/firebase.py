"""Firebase Cloud Messaging, played strictly on loopback: whatever is not in Google's schema of a message is refused, as there.

The schema is that of the API's discovery document (fcm.googleapis.com, v1, projects.messages.send); the access token comes from
tests/peers/google.py, whose judge of signatures is openssl. `python -m tests.peers.firebase FOLDER` plays it for a try-out: it
writes a service account's file there and shows what it takes.
"""

import asyncio
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from tests.peers.google import Google

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
LARGEST = 4096
STRING, BOOL, INT, STRINGS, STRUCT = "string", "bool", "int", "map of strings", "struct"
ANDROID_NOTIFICATION = {
    **dict.fromkeys(("title", "body", "icon", "color", "sound", "tag", "clickAction", "bodyLocKey", "titleLocKey", "channelId",
                     "ticker", "eventTime", "image", "notificationPriority", "visibility", "proxy"), STRING),
    **dict.fromkeys(("sticky", "localOnly", "defaultSound", "defaultVibrateTimings", "defaultLightSettings",
                     "bypassProxyNotification"), BOOL),
    "notificationCount": INT,
}  # fmt: skip
SCHEMA: Mapping[str, Any] = {
    "name": STRING, "token": STRING, "topic": STRING, "condition": STRING, "data": STRINGS,
    "notification": {"title": STRING, "body": STRING, "image": STRING},
    "android": {
        "collapseKey": STRING, "priority": STRING, "ttl": STRING, "restrictedPackageName": STRING, "data": STRINGS,
        "notification": ANDROID_NOTIFICATION, "fcmOptions": {"analyticsLabel": STRING}, "directBootOk": BOOL,
    },
    "apns": {"headers": STRINGS, "payload": STRUCT, "fcmOptions": {"analyticsLabel": STRING, "image": STRING},
             "liveActivityToken": STRING},
    "webpush": {"headers": STRINGS, "data": STRINGS, "notification": STRUCT,
                "fcmOptions": {"link": STRING, "analyticsLabel": STRING}},
    "fcmOptions": {"analyticsLabel": STRING},
}  # fmt: skip
_RESERVED = re.compile(r"(from|message_type|gcm.*|google.*)")
_KINDS: Mapping[str, tuple[type, ...]] = {STRING: (str,), BOOL: (bool,), INT: (int,), STRUCT: (dict,)}


@dataclass
class Firebase(Google):
    """The played Firebase. `answers`: what a token's messages get instead, one after the other; the last one stays."""

    scope: str = SCOPE
    taken: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, list[Any]] = field(default_factory=dict)
    tries: list[str] = field(default_factory=list)
    """The token of each message that came with a good access token."""

    def add_apis(self, app: web.Application) -> None:
        app.router.add_post("/v1/projects/{project}/messages:send", self._send)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self.tokens[-1] if self.tokens else ''}":
            return error(401, "UNAUTHENTICATED")
        if request.match_info["project"] != "project":
            return error(404, "NOT_FOUND")
        body = orjson.loads(await request.read())
        if set(body) - {"message", "validateOnly"}:
            return error(400, "INVALID_ARGUMENT", violations=sorted(set(body) - {"message", "validateOnly"}))
        message = body["message"]
        if wrong := [*faults(message, SCHEMA, "message"), *_mistakes(message)]:
            self.refused += wrong
            return error(400, "INVALID_ARGUMENT", fcm="INVALID_ARGUMENT", violations=wrong)
        self.tries.append(message["token"])
        answers = self.answers.get(message["token"], [])
        answer = answers.pop(0) if len(answers) > 1 else answers[0] if answers else None
        if answer == "hang":
            await asyncio.sleep(60)
        if answer == "reset":
            assert request.transport
            request.transport.abort()
            return web.Response()
        if callable(answer):
            made: web.StreamResponse = answer()
            return made
        self.taken.append(message)
        return web.json_response({"name": f"projects/project/messages/0:{len(self.taken)}"})

    def to(self, token: str) -> list[dict[str, Any]]:
        """Return the messages that this device got."""
        return [message for message in self.taken if message["token"] == token]


def error(
    status: int, word: str, *, fcm: str = "", violations: list[str] | None = None, retry_after: str = ""
) -> web.Response:
    """Return an error as Google's APIs write it (google.rpc.Status)."""
    details: list[dict[str, Any]] = []
    if fcm:
        details.append({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": fcm})
    if violations:
        named = [{"field": one.split(":")[0], "description": one} for one in violations]
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": named})
    said = {"code": status, "message": word.lower(), "status": word, **({"details": details} if details else {})}
    headers = {"Retry-After": retry_after} if retry_after else {}
    return web.json_response({"error": said}, status=status, headers=headers)


def faults(value: Any, schema: Any, at: str) -> list[str]:
    """Return what of a message is not as the schema has it."""
    if isinstance(schema, Mapping):
        if not isinstance(value, dict):
            return [f"{at}: no object"]
        unknown = [f"{at}.{name}: unknown name" for name in value if name not in schema]
        known = [
            fault for name in value if name in schema for fault in faults(value[name], schema[name], f"{at}.{name}")
        ]
        return unknown + known
    if schema == STRINGS:
        is_right = isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
        return [] if is_right else [f"{at}: no map of strings"]
    kinds = _KINDS[schema]
    is_right = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
    return [] if is_right else [f"{at}: no {schema}"]


def _mistakes(message: dict[str, Any]) -> list[str]:
    """Return what Google says beyond the schema."""
    found = []
    if not re.fullmatch(r"[\w:.-]{20,}", message.get("token", ""), re.ASCII):
        found.append("message.token: not a valid registration token")
    found += [f"message.data: reserved key {name}" for name in message.get("data", {}) if _RESERVED.fullmatch(name)]
    android = message.get("android", {})
    if android.get("priority", "HIGH") not in ("NORMAL", "HIGH"):
        found.append("message.android.priority: unknown")
    if (
        not re.fullmatch(r"\d+(\.\d{1,9})?s", android.get("ttl", "0s"))
        or int(android.get("ttl", "0s")[:-1]) > 2_419_200
    ):
        found.append("message.android.ttl: no duration of at most four weeks")
    link = message.get("webpush", {}).get("fcmOptions", {}).get("link", "https://")
    if not link.startswith("https://"):
        found.append("message.webpush.fcm_options.link: no https address")
    size = len(orjson.dumps(message.get("notification", {}))) + len(orjson.dumps(message.get("data", {})))
    if size > LARGEST:
        found.append(f"message: {size} bytes are more than {LARGEST}")
    return found


async def _play(folder: Path) -> None:
    firebase = Firebase()
    await firebase.start()
    sys.stdout.write(f"service_account = {firebase.account(folder)}\napi_url = {firebase.url}\n")
    shown = 0
    while True:
        sys.stdout.flush()
        await asyncio.sleep(0.2)
        for message in firebase.taken[shown:]:
            sys.stdout.write(orjson.dumps(message, option=orjson.OPT_INDENT_2).decode() + "\n")
        shown = len(firebase.taken)


if __name__ == "__main__":
    asyncio.run(_play(Path(sys.argv[1])))
