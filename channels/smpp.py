"""SMS through an operator's SMSC, by SMPP 3.4: the channel, put together.

The octets are in smpp_wire.py, the connection in smpp_link.py, one session of it in smpp_session.py, submitting in
smpp_outgoing.py, what is delivered in smpp_incoming.py. Our own client: those on the package index break long messages
(docs/channels/smpp.md).
"""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from datetime import timedelta

from aiohttp import web

from channels.channel import Channel, Door, Elsewhere, Limits, Outbound, Sending
from channels.smpp_incoming import CHANNEL, SPACE, Incoming
from channels.smpp_link import Account, Link
from channels.smpp_options import Options, problems_of
from channels.smpp_outgoing import Outgoing, address_of
from channels.smpp_repeats import Repeats
from channels.smpp_stored import Stored
from channels.sms_text import TEN_SEGMENTS
from profiles.ids import new_id
from profiles.sole import Sole
from profiles.store import Unavailable

log = logging.getLogger("channels.smpp")

SWEEP_SECONDS = 15.0

__all__ = ["Options", "Smpp", "connect"]


async def connect(options: Options, door: Door) -> Channel:
    """Return the channel, connecting in the background. Raises ValueError, naming every key that is missing or wrong."""
    if problems := problems_of(options):
        raise ValueError("\n".join(problems))
    channel = Smpp(options, door, ssl.create_default_context(cafile=options.tls_ca or None) if options.tls else None)
    await channel.start()
    return channel


class Smpp:
    """One account at one SMSC."""

    name = CHANNEL
    space = SPACE

    def __init__(self, options: Options, door: Door, tls: ssl.SSLContext | None) -> None:
        self.limits = Limits(
            text=TEN_SEGMENTS,
            per_second=options.per_second,
            at_once=options.window,
            keywords=("stop", "start", "help"),
            sole=True,
        )
        self._repeats = Repeats(new_id)
        self._stored = Stored(door.store, door.clock)
        account = Account(
            options.host, options.port, options.system_id, options.password.reveal(), options.system_type, tls,
            options.window, options.enquire_seconds, options.answer_seconds, options.reconnect_seconds,
        )  # fmt: skip
        # what is heard is looked up when it comes: hearing needs the outgoing half, which needs the link
        self._link = Link(account, heard=lambda delivery: self._incoming.heard(delivery), proven=self._repeats.proven)
        self._outgoing = Outgoing(
            self._link,
            door.store,
            door.clock,
            sender=address_of(options.sender, options.sender_ton, options.sender_npi),
            default=options.default_alphabet,
            receipts=options.receipts,
            ids=options.receipt_ids,
        )
        self._incoming = Incoming(
            door, self._outgoing, self._repeats, self._stored, default=options.default_alphabet, ids=options.receipt_ids
        )
        # an account may be bound once or a few times, and is fed no faster than it allows: one process does it for all
        self._process = door.writer.process
        self._bound = Sole(
            door.store, f"smpp {options.system_id}@{options.host}:{options.port}", self._link.run, process=self._process
        )
        self._parts_within = timedelta(seconds=options.parts_seconds)
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect in the background."""
        await self._stored.begin()
        await self._bound.start()
        self._sweeper = asyncio.create_task(self._sweep(), name="smpp-sweep")

    def routes(self) -> Sequence[web.RouteDef]:
        """Return none: everything comes through the session."""
        return ()

    async def send(self, outbound: Outbound) -> Sending:
        """Submit all its parts in order, where this process is bound."""
        if (holder := self._bound.holder) and holder != self._process:
            return Elsewhere(holder)
        return await self._outgoing.send(outbound)

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        """Raise LookupError: SMS carries no files."""
        raise LookupError("SMS carries no files")

    async def close(self) -> None:
        """Say goodbye to the SMSC and let go."""
        if self._sweeper is None:
            return
        self._sweeper.cancel()
        await asyncio.wait([self._sweeper])
        self._sweeper = None
        await self._link.close()
        await self._bound.close()
        if not self._repeats.in_doubt:
            try:
                await self._stored.end()
            except Unavailable:
                log.warning("smpp.close unrecorded")  # the next start looks twice: harmless

    async def _sweep(self) -> None:
        """Give over what stayed incomplete."""
        while True:
            await asyncio.sleep(min(SWEEP_SECONDS, self._parts_within.total_seconds()))
            try:
                await self._incoming.give_over_incomplete(self._parts_within)
            except Unavailable:
                log.warning("smpp.sweep postponed")
