"""Pushes to apps on iPhones and iPads, through Apple's push service: the channel, put together.

The connection is apns_client.py's, the message's form apns_form.py's, whose devices devices.py's. docs/channels/apns.md
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from aiohttp import web

from channels.apns_client import ApnsClient, ProviderToken, client_context
from channels.apns_form import headers, payload
from channels.apns_options import Options, problems_of
from channels.channel import Channel, Door, Failed, Limits, Outbound, Sending, Sent
from channels.devices import Device, to_every_device
from channels.phone_push import LONGEST_BODY, ends_at

log = logging.getLogger("channels.apns")

__all__ = ["Apns", "Options", "connect"]


async def connect(options: Options, door: Door) -> Channel:
    """Return the channel; it connects with the first push. Raises ValueError, naming every key that is missing or wrong."""
    if problems := problems_of(options):
        raise ValueError("\n".join(problems))
    return Apns(options, door)


class Apns:
    """One team's apps."""

    name = "apns"
    space = "apns"

    def __init__(self, options: Options, door: Door) -> None:
        self.limits = Limits(text=LONGEST_BODY, at_once=options.at_once, threads=False)
        self._options, self._door = options, door
        token = None
        if not options.certificate:
            token = ProviderToken(team=options.team, key_id=options.key_id, key=options.key.reveal(), clock=door.clock)
        context = client_context(
            certificate=options.certificate, key=options.certificate_key,
            password=options.certificate_password.reveal(), ca=options.ca,
        )  # fmt: skip
        self._clients = {
            is_sandbox: ApnsClient(
                host, options.port, context=context, token=token, at_once=options.at_once, clock=door.clock
            )
            for is_sandbox, host in ((False, options.host), (True, options.sandbox_host))
        }
        self._proved: set[bool] = set()

    def routes(self) -> Sequence[web.RouteDef]:
        """Return none: Apple tells nothing back, and apps register at the API."""
        return ()

    async def send(self, outbound: Outbound) -> Sending:
        """Hand it to Apple for each device of its person."""
        now, content = self._door.clock(), outbound.content
        until = ends_at(outbound, timedelta(hours=self._options.ttl_hours), now)
        if until <= now:
            return Failed("content", "it was not worth showing any more")
        thread = str(outbound.metadata.get("topic") or "")
        said = payload(content, outbound.id, thread=thread, sound=self._options.sound)
        if said is None:
            return Failed("content", "larger than Apple's 4096 bytes")

        async def to_one(address: str, device: Device | None) -> Sending:
            is_sandbox = device is not None and device.sandbox
            app = device.app if device else self._options.app
            sending = await self._clients[is_sandbox].sending(
                address, headers(outbound, address, app=app, ends_at=until), said,
                registered_at=device.registered_at if device else None, within_seconds=self._options.answer_seconds,
            )  # fmt: skip
            return self._judged(sending, is_sandbox)

        return await to_every_device(outbound, self.space, self._door, to_one)

    async def told(self, outbound: Outbound, at: datetime) -> Sequence[tuple[str, str]]:
        """Return the header that Apple gets with it, as for the app that the config names."""
        until = ends_at(outbound, timedelta(hours=self._options.ttl_hours), at)
        return tuple(headers(outbound, outbound.address, app=self._options.app, ends_at=until).items())

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        """Raise LookupError: nobody writes to us here."""
        raise LookupError("apps are not heard here")

    async def close(self) -> None:
        """Say goodbye to Apple."""
        for client in self._clients.values():
            await client.close()

    def _judged(self, sending: Sending, is_sandbox: bool) -> Sending:
        """Return the outcome; of a service that has taken nothing yet, a bad token may mean that it is the wrong one of the two."""
        if isinstance(sending, Sent):
            self._proved.add(is_sandbox)
        elif isinstance(sending, Failed) and "BadDeviceToken" in sending.detail and is_sandbox not in self._proved:
            log.error("apns.refused reason=BadDeviceToken sandbox=%s hint=was it registered for the other?", is_sandbox)
            return Failed("config", f"{sending.detail}: a token of the sandbox, or of production?")
        return sending
