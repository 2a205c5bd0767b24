"""Web push: messages to browsers that agreed to them, on the shop's own pages, whether or not anybody knows who sits there.

Who may subscribe and how in webpush_pages.py, whose a browser is in webpush_people.py, what it gets in webpush_payload.py,
encryption in webpush_encryption.py, the connections in webpush_wire.py, answers in webpush_codes.py. docs/channels/webpush.md
"""

import asyncio
import hmac
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from aiohttp import web

from channels.channel import Channel, Door, Failed, Later, Limits, Outbound, Sending, Unknown
from channels.devices import to_every_address
from channels.webchat_origins import Origins
from channels.webchat_visitors import Keys
from channels.webpush_codes import NO_CONNECTION_SECONDS, THROTTLED, outcome
from channels.webpush_encryption import Together
from channels.webpush_keys import Vapid, vapid_of
from channels.webpush_line import Lost
from channels.webpush_options import Options, problems_of, subject_of
from channels.webpush_pages import Pages
from channels.webpush_payload import LONGEST_BODY, MOST_ACTIONS, payload, topic, urgency
from channels.webpush_people import SPACE
from channels.webpush_receipts import receipt_token
from channels.webpush_services import Endpoint, Services
from channels.webpush_subscriptions import Subscription, Subscriptions
from channels.webpush_wire import NotSent, Wire
from profiles.store import Unavailable

log = logging.getLogger("channels.webpush")

COME_BACK_SECONDS = 5.0
MOST_SERVICES = 1_000

__all__ = ["Options", "Webpush", "connect"]


async def connect(options: Options, door: Door) -> Channel:
    """Return the channel; it connects with the first message. Raises ValueError, naming every key that is wrong."""
    if problems := problems_of(options):
        raise ValueError("\n".join(problems))
    vapid = await vapid_of(door.store, options.private_key, subject_of(options, door.public_url))
    return Webpush(options, door, vapid)


class Webpush:
    """One installation's web push."""

    name = SPACE
    space = SPACE

    def __init__(self, options: Options, door: Door, vapid: Vapid, *, wire: Wire | None = None) -> None:
        self.limits = Limits(
            text=LONGEST_BODY,
            buttons=MOST_ACTIONS,
            per_second=options.per_second,
            at_once=options.connections,
            threads=False,
        )
        self._options, self._door, self._vapid = options, door, vapid
        self._ttl = timedelta(hours=options.ttl_hours)
        self._services = Services(options.services)
        self._subscriptions = Subscriptions(door.store)
        self._wire = wire or Wire(most=options.connections, answer_seconds=options.answer_seconds)
        self._encrypting = Together()
        self._asked_to_wait: dict[str, float] = {}
        own = hmac.digest(door.secret, b"webchat", "sha256")  # the web chat's: its visitors are ours
        self._pages = Pages(
            door, self._subscriptions, self._services, Origins(options.origins, door.public_url),
            public_key=vapid.public, keys=Keys(own, door.identity_secrets), proxies=options.proxies,
        )  # fmt: skip

    def routes(self) -> Sequence[web.RouteDef]:
        """Return what the shop's pages and browsers ask."""
        return self._pages.routes()

    async def send(self, outbound: Outbound) -> Sending:
        """Post one message to the push service of each of its person's browsers."""
        if outbound.content.silent:
            return Failed("content", "silent: a browser must show what it gets")
        return await to_every_address(outbound, SPACE, self._door, lambda address: self._to(address, outbound))

    async def told(self, outbound: Outbound, at: datetime) -> Sequence[tuple[str, str]]:
        """Return what push services are told beside the message, which they can not read."""
        place = topic(outbound.metadata)
        told = (("TTL", str(max(self._seconds_left(outbound, at), 0))), ("Urgency", urgency(outbound.metadata)))
        return (*told, ("Topic", place)) if place else told

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        """Raise LookupError: nothing is heard here."""
        raise LookupError("nothing is received by web push")

    async def close(self) -> None:
        """Let go of all connections."""
        await self._wire.close()
        await self._subscriptions.close()

    async def _to(self, address: str, outbound: Outbound) -> Sending:
        try:
            browser = await self._subscriptions.get(address)
        except Unavailable:
            return Later(COME_BACK_SECONDS, "the database is away")
        if browser is None:
            return Failed("dead", "no such subscription")
        endpoint = self._services.endpoint(browser.endpoint)
        if endpoint is None or browser.key != self._vapid.public:
            return Failed("config", "subscribed with another key" if endpoint else "its push service is not allowed")
        if seconds := self._wait_of(endpoint.origin):
            return Later(seconds, "its push service asked us to wait")
        sending = await self._post(outbound, browser, endpoint)
        if isinstance(sending, Failed) and sending.reason == "dead":
            await self._forget(browser.id)
        return sending

    async def _post(self, outbound: Outbound, browser: Subscription, endpoint: Endpoint) -> Sending:
        now = self._door.clock()
        ttl = self._seconds_left(outbound, now)
        if ttl <= 0:
            return Failed("content", "too late: it is over, or older than ttl_hours")
        plain = payload(
            outbound.content,
            message=outbound.id,
            receipts=receipt_token(self._door.secret, outbound.id),
            title=self._options.title,
            icon=self._options.icon,
            language=outbound.language or "",
        )
        if plain is None:
            return Failed("content", "too large: its addresses alone do not fit")
        headers = self._headers(outbound, endpoint, ttl, now)
        try:
            body = await self._encrypting.encrypted(browser.p256dh, browser.auth, plain)
            answer = await self._wire.post(endpoint, headers, body)
        except ValueError:
            return Failed("dead", "its keys are wrong")
        except NotSent as error:
            return Later(NO_CONNECTION_SECONDS, str(error))
        except (Lost, TimeoutError) as error:
            return Unknown(str(error) or "no answer in time")
        sending = outcome(answer, outbound.id, now)
        if answer.status in THROTTLED and isinstance(sending, Later):
            self._wait(endpoint.origin, sending.seconds)
        return sending

    def _headers(self, outbound: Outbound, endpoint: Endpoint, ttl: int, now: datetime) -> str:
        place = topic(outbound.metadata)
        return (
            f"Authorization: {self._vapid.authorization(endpoint.origin, now)}\r\n"
            "Content-Type: application/octet-stream\r\nContent-Encoding: aes128gcm\r\n"
            f"TTL: {ttl}\r\nUrgency: {urgency(outbound.metadata)}\r\n" + (f"Topic: {place}\r\n" if place else "")
        )

    def _seconds_left(self, outbound: Outbound, now: datetime) -> int:
        ends = (outbound.at or now) + self._ttl
        if outbound.content.expires_at:
            ends = min(ends, outbound.content.expires_at)
        return int((ends - now).total_seconds())

    def _wait(self, origin: str, seconds: float) -> None:
        """Leave a push service alone that said so: the messages that stand behind this one would hear the same."""
        if len(self._asked_to_wait) >= MOST_SERVICES:
            self._asked_to_wait.clear()
        self._asked_to_wait[origin] = asyncio.get_running_loop().time() + seconds

    def _wait_of(self, origin: str) -> float:
        until = self._asked_to_wait.get(origin)
        return 0.0 if until is None else max(until - asyncio.get_running_loop().time(), 0.0)

    async def _forget(self, id: str) -> None:
        try:
            await self._subscriptions.forget([id])
        except Unavailable as error:  # its identity is banned all the same (channels/banning.py)
            log.warning("webpush.forget failed reason=%s", error)
