"""SMS through Twilio: signed form webhooks in, status callbacks, one REST call out.

https://www.twilio.com/docs/messaging/guides/webhook-request and .../api/message-resource. Twilio does not repeat a webhook
that failed unless its address says so (docs/channels/twilio.md), so we wait for the database instead of giving up at once.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web

from channels.channel import Arrival, Channel, Door, Inbound, Later, Limits, Outbound, Receipt, Sending, Sent, Unknown
from channels.retry_after import asked_wait
from channels.sms_text import TEN_SEGMENTS, body
from channels.stranger_json import table_in
from channels.twilio_codes import reason, refusal
from channels.twilio_media import MediaPlaces, media_of
from channels.twilio_signature import Fields, fields_of, is_genuine
from profiles.identity import normalise
from profiles.octets import octets_of
from profiles.secret import Secret, live
from profiles.store import Unavailable
from profiles.text import clean
from profiles.timeline import Content

log = logging.getLogger("channels.twilio")

ANSWER_BYTES = 65_536  # of Twilio's JSON; it is some 1,000
_STATES: dict[str, Any] = {"sent": "sent", "delivered": "delivered", "read": "read", "undelivered": "failed",
                           "failed": "failed", "canceled": "failed"}  # fmt: skip
_ACCOUNT = re.compile(r"AC[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Options:
    """[channels.twilio]"""

    enabled: bool = field(
        default=False, metadata={"about": "Whether people can write and be written to by SMS through Twilio."}
    )
    account_sid: str = field(default="", metadata={"about": "The account, AC and 32 hexadecimal digits."})
    auth_token: Secret = field(
        default=Secret(), metadata={"about": "The account's auth token: verifies webhooks, and signs in."}
    )
    previous_auth_token: Secret = field(
        default=Secret(),
        metadata={"about": "The one before it: webhooks signed with it are taken too, until you take it out."},
    )
    api_key: str = field(
        default="", metadata={"about": "An API key (SK...) to sign in with instead of the auth token."}
    )
    api_secret: Secret = field(default=Secret(), metadata={"about": "The secret of that API key."})
    shared_key: Secret = field(
        default=Secret(), metadata={"about": "The SharedKey that webhooks are signed with, if you use one."}
    )
    previous_shared_key: Secret = field(
        default=Secret(), metadata={"about": "The one before it, still accepted until you take it out."}
    )
    from_number: str = field(default="", metadata={"about": "The number or sender name that writes."})
    messaging_service_sid: str = field(
        default="", metadata={"about": "A messaging service (MG...) that chooses the sender instead."}
    )
    api_url: str = field(
        default="https://api.twilio.com", metadata={"about": "Where Twilio's API is, for a region or a test."}
    )
    media_hosts: tuple[str, ...] = field(
        default=("mms.twiliocdn.com", "media.twiliocdn.com", "s3-external-1.amazonaws.com"),
        metadata={"about": "Hosts that Twilio may redirect to for a picture."},
    )
    receipts: bool = field(default=True, metadata={"about": "Whether Twilio tells us what became of each message."})
    per_second: float = field(
        default=0.0, metadata={"about": "Messages a second at most; 0 leaves the queueing to Twilio."}
    )
    timeout_seconds: float = field(default=20.0, metadata={"about": "How long Twilio may take to answer a call."})
    patience_seconds: float = field(
        default=10.0,
        metadata={"about": "How long a webhook waits for the database before it is refused; Twilio waits 15 s."},
    )


async def connect(options: Options, door: Door) -> Channel:
    """Return the channel. Raises ValueError, naming every key that is missing or wrong."""
    if problems := _problems(options):
        raise ValueError("\n".join(problems))
    return Twilio(options, door)


class Twilio:
    """One Twilio account."""

    name = "twilio"
    space = "sms"

    def __init__(self, options: Options, door: Door) -> None:
        keywords = ("stop", "start", "help")
        self.limits = Limits(text=TEN_SEGMENTS, per_second=options.per_second, keywords=keywords, repeats=False)
        self._options, self._door = options, door
        self._media = MediaPlaces(options.api_url, options.account_sid, options.media_hosts)
        credentials = (
            (options.api_key, options.api_secret) if options.api_key else (options.account_sid, options.auth_token)
        )
        self._auth = {"Authorization": aiohttp.encode_basic_auth(credentials[0], credentials[1].reveal())}
        timeout = aiohttp.ClientTimeout(total=options.timeout_seconds, sock_connect=options.timeout_seconds / 2)
        self._client = aiohttp.ClientSession(timeout=timeout)
        self._auth_tokens = live(options.auth_token, options.previous_auth_token)
        self._shared_keys = live(options.shared_key, options.previous_shared_key)

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the two webhooks."""
        return [web.post("/message", self._verified(self._message)), web.post("/status", self._verified(self._status))]

    async def send(self, outbound: Outbound) -> Sending:
        """Hand it to Twilio once; what its answer proves is in twilio_codes.py."""
        url = f"{self._options.api_url}/2010-04-01/Accounts/{self._options.account_sid}/Messages.json"
        try:
            async with self._client.post(
                url, data=self._form(outbound), headers=self._auth, allow_redirects=False
            ) as answer:
                return _outcome(answer, await octets_of(answer.content, ANSWER_BYTES), self._door.clock())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Later(10.0, type(error).__name__)  # no connection: nothing was handed over
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            return Unknown(type(error).__name__)

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        """Return a received picture, from our own account only: the address came in a message."""
        return await self._media.fetch(self._client, self._auth, remote)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    def _form(self, outbound: Outbound) -> dict[str, str]:
        form = {"To": outbound.address, "Body": body(outbound.content)}
        if self._options.messaging_service_sid:
            form["MessagingServiceSid"] = self._options.messaging_service_sid
        else:
            form["From"] = self._options.from_number
        if self._options.receipts:
            form["StatusCallback"] = f"{self._door.public_url}/channels/{self.name}/status"
        return form

    def _verified(
        self, answer: Callable[[Fields], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def webhook(request: web.Request) -> web.Response:
            raw = await request.read()
            _, question, query = request.raw_path.partition("?")
            url = f"{self._door.public_url}/channels/{self.name}/{request.path.rpartition('/')[2]}{question}{query}"
            tokens, keys = self._auth_tokens, self._shared_keys
            if not is_genuine(url, raw, request.headers, auth_tokens=tokens, shared_keys=keys):
                log.info("twilio.webhook refused reason=signature")
                return web.Response(status=403, text="the signature is not Twilio's for this address\n")
            try:
                fields = _fields(request, raw)
            except (ValueError, TypeError):
                return web.Response(status=400, text="expected a form, or a JSON object of texts\n")
            return await answer(fields)

        return webhook

    async def _message(self, fields: Fields) -> web.Response:
        id, sender = fields.get("MessageSid") or fields.get("SmsSid"), fields.get("From", "").strip()
        if not id or not sender:
            return web.Response(status=400, text="expected MessageSid and From\n")
        if ":" in sender:  # whatsapp:+33..., messenger:...: another channel's address, not a phone of ours
            log.info("twilio.message ignored reason=not_sms id=%s", id)
            return _thanks()
        metadata: dict[str, Any] = {"to": fields.get("To", "")}
        if fields.get("OptOutType"):  # Twilio has answered STOP, START or HELP itself: answering again would be twice
            metadata["answered_by_provider"] = True
        return await self._settled(
            Inbound(
                channel=self.name,
                space=self.space,
                address=normalise(self.space, sender, country=self._door.country) or clean(sender, longest=40),
                id=clean(id, longest=64),
                content=Content(text=fields.get("Body", ""), attachments=media_of(fields)),
                metadata=metadata,
            )
        )

    async def _status(self, fields: Fields) -> web.Response:
        id, state = fields.get("MessageSid"), _STATES.get(fields.get("MessageStatus", ""))
        if not id:
            return web.Response(status=400, text="expected MessageSid\n")
        if state is None:  # queued, sending, accepted: nothing we do not know
            return _thanks()
        code = fields.get("ErrorCode", "")
        why = reason(int(code) if code.isdecimal() and len(code) < 10 else None) if state == "failed" else None
        return await self._settled(Receipt(self.name, clean(id, longest=64), state, self._door.clock(), why))

    async def _settled(self, arrival: Arrival) -> web.Response:
        until = time.monotonic() + self._options.patience_seconds
        while True:
            try:
                await self._door.receive(arrival)
                return _thanks()
            except Unavailable:
                if time.monotonic() >= until:
                    return web.Response(status=503, headers={"Retry-After": "5"}, text="not stored; please repeat\n")
                await asyncio.sleep(0.25)


def _fields(request: web.Request, raw: bytes) -> Fields:
    if request.content_type != "application/json":
        return dict(fields_of(raw))
    content = json.loads(raw)
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise TypeError("not an object of texts")
    return content


def _thanks() -> web.Response:
    return web.Response(text="<Response/>", content_type="text/xml")


def _outcome(answer: aiohttp.ClientResponse, raw: bytes | None, now: datetime) -> Sending:
    body = table_in(raw or b"")
    if answer.status in (200, 201):
        return Sent(str(body["sid"])) if body.get("sid") else Unknown("an answer without a sid")
    code = body.get("code")
    wait = asked_wait(answer.headers.get("Retry-After", ""), now)
    return refusal(answer.status, code if isinstance(code, int) else None, wait)


def _problems(options: Options) -> list[str]:
    problems = []
    if not _ACCOUNT.fullmatch(options.account_sid):
        problems.append(
            "channels.twilio.account_sid: expected AC and 32 hexadecimal digits. Hint: the console's first page shows it."
        )
    if not options.auth_token and not options.shared_key:
        problems.append(
            "channels.twilio.auth_token: expected the account's token, got nothing: webhooks could not be verified."
        )
    if not options.auth_token and not options.api_key:
        problems.append("channels.twilio.auth_token: expected it, or api_key and api_secret, to sign in with.")
    for name in ("auth_token", "shared_key"):
        if getattr(options, f"previous_{name}") and not getattr(options, name):
            problems.append(
                f"channels.twilio.previous_{name}: expected {name} beside it, got nothing: only the old one would be taken."
            )
    if options.api_key and not options.api_secret:
        problems.append("channels.twilio.api_secret: expected the secret of api_key, got nothing.")
    if not options.from_number and not options.messaging_service_sid:
        problems.append("channels.twilio.from_number: expected a sender, or a messaging_service_sid, got neither.")
    return problems
