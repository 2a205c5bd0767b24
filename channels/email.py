"""E-mail, through a provider's server or your own: the channel, put together.

Out: a message becomes a mail in email_composing.py, its letter in email_letter.py, octets in email_mime.py, signatures in
email_dkim.py; the connection is in email_wire.py and email_pool.py, answers in email_codes.py, how fast a domain may be fed in
email_domains.py and email_warmup.py. In: by email_lmtp.py or email_imap.py to email_incoming.py, which knows people's mail from
reports about ours; providers report to email_hooks.py.
"""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta

from aiohttp import web

from channels.channel import Channel, Door, Failed, Later, Limits, Outbound, Sending, Sent
from channels.email_address import mailbox
from channels.email_codes import outcome, slows
from channels.email_composing import Composer
from channels.email_domains import COME_BACK_SECONDS, Domains
from channels.email_hooks import Hooks
from channels.email_imap import Imap
from channels.email_incoming import Incoming
from channels.email_letter import House
from channels.email_lmtp import Lmtp
from channels.email_mime import Malformed
from channels.email_options import Options, first_day, in_ascii
from channels.email_pool import Pool
from channels.email_problems import problems_of
from channels.email_reports import Reports
from channels.email_unsigned import REPORTERS
from channels.email_verp import token_of
from channels.email_warmup import WarmUp
from channels.email_wire import Account, Handed, Mail
from profiles.brakes import Bearable, Complaints
from profiles.record import replace
from profiles.store import Unavailable

log = logging.getLogger("channels.email")

CHANNEL = "email"
LONGEST_TEXT = 100_000
BEGIN_WITHIN_SECONDS = 10.0
"""A permit to write to somebody lasts thirteen (profiles/permits.py), and a domain may take two."""
COMPOSING = 8
"""Mails for each connection that are composed while others are handed over: their permits are asked for together."""

__all__ = ["Email", "Options", "connect"]


async def connect(options: Options, door: Door) -> Channel:
    """Return the channel; it connects with the first mail. Raises ValueError, naming every key that is missing or wrong."""
    if problems := problems_of(options):
        raise ValueError("\n".join(problems))
    channel = Email(in_ascii(options), door)
    try:
        await channel.start()
    except BaseException:
        await channel.close()
        raise
    return channel


class Email:
    """One sending address at one server."""

    name = CHANNEL
    space = CHANNEL

    def __init__(self, options: Options, door: Door) -> None:
        self.limits = Limits(
            text=LONGEST_TEXT,
            attachments=("image", "audio", "video", "file"),
            attachment_bytes=options.largest,
            per_second=options.per_second,
            at_once=options.connections * COMPOSING,
            keywords=("stop",) if options.hears else (),
            stop_bans=False,
            whole=True,
            threads=options.hears,
        )
        self._options, self._door = options, door
        self._house = House(
            options.from_address, options.from_name, options.reply_to, options.list_domain, options.feedback_id,
            REPORTERS[options.reporter].mark if options.reporter in REPORTERS else "",
        )  # fmt: skip
        self._composer = Composer(options, door, self._house, space=self.space)
        self._pool = Pool(
            _account(options, self._house), size=options.connections, mails_per_connection=options.mails_per_connection
        )
        self._domains = Domains(options.per_domain)
        self._warm_up = _warm_up(options, door, self._house)
        self._scope = f"email:{self._house.domain}"
        self._complaints = Complaints(door.store, door.clock, _bearable(options))
        reports = Reports(options, door, self._complaints, self._scope)
        self._ways = _ways(options, door, self._house, reports)
        self._hooks = Hooks(options, door, reports, domain=self._house.domain)

    async def start(self) -> None:
        """Begin to take mail, where any comes in. Raises ValueError when the port can not be had."""
        for way in self._ways:
            await way.start()

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the webhooks of the providers that report to us; mail comes by other ways."""
        return self._hooks.routes()

    async def send(self, outbound: Outbound) -> Sending:
        """Hand one mail over, once its domain has room for it."""
        now = self._door.clock()
        to = mailbox(outbound.address)
        if to is None:
            return Failed("dead", "no such address can exist")
        token, scopes = token_of(self._door.secret, outbound.id), self._scopes(outbound)
        try:
            if scopes:
                await self._complaints.look()
            if until := self._complaints.brakes.until(*scopes):
                wait = max((until - now).total_seconds(), COME_BACK_SECONDS)
                return self._given_up(outbound, Later(wait, "paused: too many complaints"), now)
            octets = await self._composer.mail(outbound, to, token, now)
        except Malformed as error:
            return Failed("content", str(error))
        except Unavailable:
            return Later(COME_BACK_SECONDS, "the database is away")
        mail = Mail(self._composer.path(token), to, octets, token)
        sending = await self._hand_over(mail, token)
        if isinstance(sending, Sent):
            self._complaints.sent(*scopes)
        return self._given_up(outbound, sending, now)

    async def told(self, outbound: Outbound, at: datetime) -> Sequence[tuple[str, str]]:
        """Return the mail's header, without what would open the person's page, forge a bounce or count as a signature."""
        to = mailbox(outbound.address)
        if to is None:
            return ()
        try:
            return await self._composer.header(outbound, to, token_of(self._door.secret, outbound.id), at)
        except Malformed:
            return ()

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        """Raise LookupError: files of mails are kept by us."""
        raise LookupError("a mail's files are kept with it")

    async def close(self) -> None:
        """Take no more mail, and say goodbye to the server."""
        for way in self._ways:
            await way.close()
        await self._complaints.close()
        await self._pool.close()

    async def _hand_over(self, mail: Mail, token: str) -> Sending:
        domain = mail.to.domain
        if wait := await self._domains.enter(domain):
            return Later(wait, f"{domain} takes no more now")
        reply, sending = None, None
        try:
            if later := await self._day():
                return later
            handed = await self._begun(mail)
            reply = handed.reply if isinstance(handed, Handed) else None
            sending = outcome(handed, token=token) if isinstance(handed, Handed) else handed
            if self._warm_up and isinstance(sending, (Later, Failed)):
                self._warm_up.give_back()
            return sending
        finally:
            self._domains.leave(domain, slows=slows(reply), took=isinstance(sending, Sent))

    async def _begun(self, mail: Mail) -> Handed | Sending:
        """Hand it over; what could not begin in time is known not to have gone."""
        try:
            async with asyncio.timeout(BEGIN_WITHIN_SECONDS) as deadline:
                return await self._pool.deliver(replace(mail, begins=lambda: deadline.reschedule(None)))
        except TimeoutError:
            return Later(COME_BACK_SECONDS, "the server did not take it in time")

    async def _day(self) -> Sending | None:
        """Return why this mail must wait for another day, None when it need not."""
        if self._warm_up is None:
            return None
        try:
            wait = await self._warm_up.take()
        except Unavailable:
            return Later(COME_BACK_SECONDS, "the database is away")
        return Later(wait, "the warming up's mails of this day are sent") if wait else None

    def _scopes(self, outbound: Outbound) -> tuple[str, ...]:
        """Return what a complaint about this mail counts for; of what is no marketing, nothing."""
        if outbound.metadata.get("class") != "marketing":
            return ()
        rule = outbound.metadata.get("rule")
        return (self._scope, f"rule:{rule}") if rule else (self._scope,)

    def _given_up(self, outbound: Outbound, sending: Sending, now: datetime) -> Sending:
        """Return the outcome; what is put off past its time is put off no more."""
        if isinstance(sending, Later) and outbound.at:
            ends_at = outbound.at + timedelta(hours=self._options.give_up_hours)
            if now + timedelta(seconds=sending.seconds) > ends_at:
                return Failed("content", f"given up: {sending.detail}")
        return sending


def _account(options: Options, house: House) -> Account:
    context = None if options.tls == "none" else ssl.create_default_context(cafile=options.tls_ca or None)
    return Account(
        options.host, options.port, options.tls, context, options.user, options.password.reveal(),
        options.hello or house.domain, options.answer_seconds,
    )  # fmt: skip


def _ways(options: Options, door: Door, house: House, reports: Reports) -> tuple[Lmtp | Imap, ...]:
    """Return the ways by which mail comes in."""
    incoming = Incoming(options, door, house, reports)
    lmtp = (Lmtp(options, incoming),) if options.lmtp_port else ()
    return (*lmtp, Imap(options, door, incoming)) if options.imap_host else lmtp


def _bearable(options: Options) -> Bearable:
    pause = timedelta(hours=options.complaint_pause_hours)
    return Bearable(options.complaint_percent, options.complaint_mails, options.complaint_days, pause)


def _warm_up(options: Options, door: Door, house: House) -> WarmUp | None:
    began = first_day(options)
    if began is None:
        return None
    return WarmUp(
        door.store, door.clock, domain=house.domain, began=began, first=options.warm_up_first,
        growth=options.warm_up_growth, days=options.warm_up_days,
    )  # fmt: skip
