"""Twilio, played by tests/peers/twilio_rest.py; its webhooks are signed by Twilio's own SDK."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import aiohttp
from twilio.request_validator import RequestValidator

from channels.channel import Door
from channels.twilio import Options
from profiles.secret import Secret
from tests.peers.twilio_rest import ACCOUNT, FROM, TOKEN, Answer, TwilioRest


@asynccontextmanager
async def play(door: Door) -> AsyncIterator["TwilioKit"]:
    """Start the played API."""
    kit = TwilioKit(door)
    await kit.peer.start()
    kit.options = Options(
        enabled=True, account_sid=ACCOUNT, auth_token=Secret(TOKEN), from_number=FROM, api_url=kit.peer.url,
        timeout_seconds=0.8, patience_seconds=0.0,
    )  # fmt: skip
    yield kit
    await kit.vanish()


class TwilioKit:
    person = "+33612345678"
    troubles = {"blocked": "+33600000001", "throttled": "+33600000002", "silent": "+33600000003"}
    options: Options

    def __init__(self, door: Door) -> None:
        self.door, self.peer = door, TwilioRest()
        self.peer.answers = {
            "+33600000001": Answer(400, 21610),
            "+33600000002": Answer(429, 20429, {"Retry-After": "4"}),
            "+33600000003": Answer(hang=True),
        }

    async def connected(self) -> None:
        """There is nothing to wait for."""

    async def says(self, text: str, *, id: str) -> bool:
        status, _ = await self.post("message", self.message(text, id=id))
        return status == 200

    def message(self, text: str, *, id: str, **more: str) -> dict[str, str]:
        """Return the fields of an incoming message as Twilio documents them."""
        fixed = {"ToCountry": "US", "NumMedia": "0", "NumSegments": "1", "ApiVersion": "2010-04-01", "FromCity": ""}
        ids = {"MessageSid": f"SM{id:0>32}", "SmsSid": f"SM{id:0>32}", "AccountSid": ACCOUNT}
        return {**fixed, **ids, "From": self.person, "To": FROM, "Body": text, **more}

    async def post(
        self, path: str, fields: Mapping[str, str], *, headers: Mapping[str, str] | None = None, public_url: str = ""
    ) -> tuple[int, str]:
        """Post a webhook, signed by the SDK for the public address; return status and body."""
        at = f"/channels/twilio/{path}"
        signature = RequestValidator(TOKEN).compute_signature((public_url or self.door.public_url) + at, dict(fields))
        given = {
            "X-Twilio-Signature": signature,
            "Content-Type": "application/x-www-form-urlencoded",
            **(headers or {}),
        }
        raw = urlencode(list(fields.items()))
        async with aiohttp.request("POST", self.door.public_url + at, data=raw, headers=given) as answer:
            return answer.status, await answer.text()

    async def heard(self) -> list[str]:
        return [form["Body"] for form in self.peer.messages if form["To"] == self.person]

    async def vanish(self) -> None:
        await self.peer.stop()
