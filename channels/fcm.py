"""Pushes to apps through Firebase Cloud Messaging (HTTP v1): the channel, put together.

The message's form is fcm_form.py's, answers fcm_codes.py's, the access token google_token.py's, whose devices devices.py's.
docs/channels/fcm.md
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp import web

from channels.channel import Channel, Door, Failed, Later, Limits, Outbound, Sending, Sent, Unknown
from channels.devices import Device, to_every_device, token_of
from channels.fcm_codes import is_expired, outcome
from channels.fcm_form import LONGEST_TTL_SECONDS, Looks, message
from channels.google_token import GoogleToken, NoToken, ServiceAccount, read_account
from channels.phone_push import LONGEST_BODY, ends_at
from channels.retry_after import asked_wait

log = logging.getLogger("channels.fcm")

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
AGAIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    """[channels.fcm]"""

    enabled: bool = field(
        default=False,
        metadata={"about": "Whether apps can be written to through Firebase: Android, and others it serves."},
    )
    service_account: str = field(default="", metadata={"about": "The JSON file of a service account of the project."})
    project: str = field(default="", metadata={"about": "The Firebase project's id; empty: the service account's own."})
    sound: str = field(default="default", metadata={"about": "What a message sounds like; empty: it is silent."})
    android_channel: str = field(
        default="", metadata={"about": "The app's notification channel on Android; empty: the app's own default."}
    )
    ttl_hours: float = field(
        default=72.0,
        metadata={"about": "For how long a message waits for a phone that is off, counted from its making."},
    )
    connections: int = field(default=32, metadata={"about": "Connections to Firebase at most."})
    per_second: float = field(default=0.0, metadata={"about": "Messages a second over all; 0 is unbounded."})
    answer_seconds: float = field(default=15.0, metadata={"about": "How long Firebase's answer may take."})
    api_url: str = field(
        default="https://fcm.googleapis.com",
        metadata={"about": "Where Firebase's API is, for a test or a proxy of yours."},
    )


async def connect(options: Options, door: Door) -> Channel:
    """Return the channel. Raises ValueError, naming every key that is missing or wrong."""
    if problems := _problems(options):
        raise ValueError("\n".join(problems))
    return Fcm(options, read_account(Path(options.service_account)), door)


class Fcm:
    """One Firebase project."""

    name = "fcm"
    space = "fcm"

    def __init__(self, options: Options, account: ServiceAccount, door: Door) -> None:
        self.limits = Limits(
            text=LONGEST_BODY, at_once=options.connections, per_second=options.per_second, threads=False
        )
        self._options, self._door = options, door
        self._url = f"{options.api_url.rstrip('/')}/v1/projects/{options.project or account.project}/messages:send"
        self._looks = Looks(options.sound, options.android_channel)
        timeout = aiohttp.ClientTimeout(total=options.answer_seconds, sock_connect=options.answer_seconds / 2)
        connector = aiohttp.TCPConnector(limit=options.connections)
        self._client = aiohttp.ClientSession(timeout=timeout, connector=connector)
        self._token = GoogleToken(account, SCOPE, self._client, clock=door.clock)
        self._is_proved = False

    def routes(self) -> Sequence[web.RouteDef]:
        """Return none: Firebase tells nothing back, and apps register at the API."""
        return ()

    async def send(self, outbound: Outbound) -> Sending:
        """Hand it to Firebase for each device of its person."""
        now = self._door.clock()
        until = ends_at(outbound, timedelta(hours=self._options.ttl_hours), now)
        if until <= now:
            return Failed("content", "it was not worth showing any more")
        said = message(outbound, now=now, ends_at=until, looks=self._looks)
        if said is None:
            return Failed("content", "larger than Firebase's 4096 bytes")

        async def to_one(address: str, device: Device | None) -> Sending:
            if token_of("fcm", address) is None:
                return Failed("dead", "no such token can exist")
            return self._judged(await self._handed_over({**said, "token": address}))

        return await to_every_device(outbound, self.space, self._door, to_one)

    async def told(self, outbound: Outbound, at: datetime) -> Sequence[tuple[str, str]]:
        """Return what Firebase is told beside the message, for Android and for Apple's devices."""
        until = ends_at(outbound, timedelta(hours=self._options.ttl_hours), at)
        said = message(outbound, now=at, ends_at=until, looks=self._looks)
        if said is None:
            return ()
        android = [(f"android.{name}", value) for name, value in said["android"].items() if isinstance(value, str)]
        return (*android, *said["apns"]["headers"].items())

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        """Raise LookupError: nobody writes to us here."""
        raise LookupError("apps are not heard here")

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    async def _handed_over(self, said: Mapping[str, Any]) -> Sending:
        """Post it; an access token that Google no longer takes is renewed once."""
        try:
            token = await self._token.value()
            sending = await self._posted(said, token)
            if is_expired(sending):
                self._token.refused(token)
                sending = await self._posted(said, await self._token.value())
        except NoToken as error:
            log.warning("fcm.token failed reason=%s", error)
            return Failed("config", str(error)) if error.is_config else Later(error.seconds, str(error))
        return sending

    async def _posted(self, said: Mapping[str, Any], token: str) -> Sending:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            async with self._client.post(
                self._url, data=orjson.dumps({"message": said}), headers=headers, allow_redirects=False
            ) as answer:
                wait = asked_wait(answer.headers.get("Retry-After", ""), self._door.clock())
                return outcome(answer.status, await answer.read(), wait)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Later(AGAIN_SECONDS, type(error).__name__)  # no connection: nothing was handed over
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            return Unknown(type(error).__name__)

    def _judged(self, sending: Sending) -> Sending:
        """Return the outcome; before Firebase took anything, a token of another sender may mean that the project is wrong."""
        if isinstance(sending, Sent):
            self._is_proved = True
        elif isinstance(sending, Failed) and "SENDER_ID_MISMATCH" in sending.detail and not self._is_proved:
            return Failed("config", f"{sending.detail}: tokens of another Firebase project?")
        return sending


def _problems(options: Options) -> list[str]:
    problems = []
    hint = "Hint: Firebase console, Project settings, Service accounts."
    try:
        if not options.service_account:
            raise ValueError("expected the file of a service account, got nothing")
        account = read_account(Path(options.service_account))
        if not (options.project or account.project):
            problems.append("project: expected the Firebase project's id; the service account's file names none.")
    except ValueError as error:
        problems.append(f"service_account: {error}. {hint}")
    if urlsplit(options.api_url).scheme not in ("https", "http"):
        problems.append(f'api_url: expected an https address, got "{options.api_url}".')
    if not 0 < options.ttl_hours * 3600 <= LONGEST_TTL_SECONDS:
        problems.append(f"ttl_hours: expected more than 0 and at most 672, got {options.ttl_hours}.")
    if options.connections < 1:
        problems.append(f"connections: expected at least 1, got {options.connections}.")
    return [f"channels.fcm.{problem}" for problem in problems]
