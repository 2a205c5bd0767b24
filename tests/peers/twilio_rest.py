"""Twilio's message API, played strictly: wrong credentials, unknown fields and impossible values are refused as Twilio does.

tests/peers/test_twilio_rest.py drives it with Twilio's own SDK, so that it is judged by somebody else than our channel.
"""

import asyncio
import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "f" * 32
FROM = "+15005550006"
_KNOWN = {"To", "From", "MessagingServiceSid", "Body", "StatusCallback", "MediaUrl", "ValidityPeriod"}


@dataclass
class TwilioRest:
    """Listens on a free loopback port; `messages` are the forms it took, `answers` what to say to a number instead."""

    messages: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, "Answer"] = field(default_factory=dict)
    media: dict[str, web.Response] = field(default_factory=dict)
    url: str = ""
    in_halves: bool = False
    """Whether the second half of an answer comes a little after the first, as through a slow network."""
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/2010-04-01/Accounts/{account}/Messages.json", self._create)
        app.router.add_get("/2010-04-01/Accounts/{account}/Messages/{message}/Media/{media}", self._media)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if refused := _credentials(request):
            return refused
        if request.content_type != "application/x-www-form-urlencoded":
            return error(400, 20001, "expected a form")
        form = {name: str(value) for name, value in (await request.post()).items()}
        if refused := _mistake(form):
            return refused
        if (answer := self.answers.get(form["To"])) is not None:
            return await answer.give(request)
        self.messages.append(form)
        return await self._given(request, _resource(form, len(self.messages)))

    async def _given(self, request: web.Request, resource: dict[str, Any]) -> web.StreamResponse:
        answer, body = web.StreamResponse(status=201), json.dumps(resource).encode()
        answer.content_type, answer.content_length = "application/json", len(body)
        await answer.prepare(request)
        half = len(body) // 2 if self.in_halves else len(body)
        await answer.write(body[:half])
        for _ in range(20):  # passes of the loop, in which who asked reads what has come
            await asyncio.sleep(0)
        await answer.write(body[half:])
        return answer

    async def _media(self, request: web.Request) -> web.StreamResponse:
        return (
            _credentials(request) or self.media.get(request.match_info["media"]) or error(404, 20404, "no such media")
        )


@dataclass(frozen=True)
class Answer:
    """What to answer instead of taking the message; code None is a gateway's page; `hang` and `cut` never answer."""

    status: int = 500
    code: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    cut: bool = False

    async def give(self, request: web.Request) -> web.Response:
        if self.hang:
            await asyncio.sleep(30)
        if self.cut and request.transport:
            request.transport.abort()
        if self.code is None:
            return web.Response(status=self.status, text="<html>Bad Gateway</html>", headers=self.headers)
        answer = error(self.status, self.code, "told to")
        answer.headers.update(self.headers)
        return answer


def error(status: int, code: int, message: str) -> web.Response:
    """Return an error in Twilio's form."""
    info = f"https://www.twilio.com/docs/errors/{code}"
    return web.json_response({"code": code, "message": message, "more_info": info, "status": status}, status=status)


def _credentials(request: web.Request) -> web.Response | None:
    expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    if request.headers.get("Authorization") != expected:
        return error(401, 20003, "Authenticate")
    return None if request.match_info["account"] == ACCOUNT else error(404, 20404, "not found")


def _mistake(form: dict[str, str]) -> web.Response | None:
    if unknown := set(form) - _KNOWN:
        return error(400, 20001, f"unknown field {sorted(unknown)}")
    if not re.fullmatch(r"\+[1-9]\d{6,14}|\d{3,8}", form.get("To", "")):
        return error(400, 21211, "The 'To' number is not a valid phone number")
    if bool(form.get("From")) == bool(form.get("MessagingServiceSid")):
        return error(400, 21603, "A 'From' or a 'MessagingServiceSid' is required")
    if form.get("From") not in (None, "", FROM):
        return error(400, 21606, "The 'From' number is not one of yours")
    if not form.get("Body", "").strip() and not form.get("MediaUrl"):
        return error(400, 21602, "Message body is required")
    if len(form.get("Body", "")) > 1600:
        return error(400, 21617, "The concatenated message body exceeds the 1600 character limit")
    if "StatusCallback" in form and not form["StatusCallback"].startswith(("http://", "https://")):
        return error(400, 21609, "The 'StatusCallback' URL is not valid")
    return None


def _resource(form: dict[str, str], number: int) -> dict[str, Any]:
    sid = f"SM{number:032x}"
    return {
        "account_sid": ACCOUNT, "api_version": "2010-04-01", "body": form.get("Body", ""), "sid": sid,
        "date_created": "Sat, 21 Nov 2026 12:00:00 +0000", "date_sent": None, "date_updated": None,
        "direction": "outbound-api", "error_code": None, "error_message": None, "from": form.get("From"),
        "messaging_service_sid": form.get("MessagingServiceSid"), "num_media": "0", "num_segments": "1",
        "price": None, "price_unit": "USD", "status": "queued", "subresource_uris": {}, "to": form["To"],
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json",
    }  # fmt: skip
