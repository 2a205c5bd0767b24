"""What providers post to us about our mails: Amazon SES through SNS, Mailgun, SendGrid, and those who do not sign
(email_unsigned.py). Routes under /channels/email.

They say the same as reports by mail do, and it takes the same way (email_reports.py): what bans an address, counts as a soft bounce
or pulls the brake is decided there. What can not be stored is answered with 503, so the provider repeats it; a signature that is
not theirs with 403, a wrong secret with 401, which they repeat as well (Postmark gives up at a 403), so a key that was set wrong
loses nothing when it is mended within hours.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from channels import email_mailgun, email_sendgrid, email_ses, email_sns, email_unsigned
from channels.bodies import body_of
from channels.channel import Door
from channels.email_bounces import Heard
from channels.email_options import Options
from channels.email_reports import Reports
from channels.getting import Fetch, get
from channels.nonces import Nonces
from channels.stranger_json import table_in
from channels.webchat_limits import Bucket
from profiles.secret import live
from profiles.store import Unavailable

log = logging.getLogger("channels.email")

ASKED_PER_SECOND, ASKED_AT_ONCE = 0.5, 20.0
"""How often SNS is asked for certificates and confirmations: whoever knows our topic may name any number."""
MOST_CERTIFICATES = 20


class Hooks:
    """The webhooks of the providers that the config names. `domain` is that of our Message-IDs."""

    def __init__(self, options: Options, door: Door, reports: Reports, *, domain: str, fetch: Fetch = get) -> None:
        self._door, self._reports, self._domain = door, reports, domain
        self._topic = options.sns_topic
        self._mailgun_keys = live(options.mailgun_key, options.previous_mailgun_key) if options.mailgun_key else ()
        self._sendgrid_key = email_sendgrid.read_key(options.sendgrid_key) if options.sendgrid_key else None
        self._reporter_name, self._reporter = options.reporter, email_unsigned.REPORTERS.get(options.reporter)
        self._reporter_secrets = live(options.reporter_secret, options.previous_reporter_secret)
        self._nonces = Nonces(door.store)
        self._fetch = fetch
        self._certificates: dict[str, bytes] = {}
        self._asks = Bucket(per_second=ASKED_PER_SECOND, burst=ASKED_AT_ONCE)

    def routes(self) -> Sequence[web.RouteDef]:
        """Return those of the providers that are set up, relative to /channels/email."""
        routes = []
        if self._topic:
            routes.append(web.post("/sns", self._answering(self._sns)))
        if self._mailgun_keys:
            routes.append(web.post("/mailgun", self._answering(self._mailgun)))
        if self._sendgrid_key:
            routes.append(web.post("/sendgrid", self._answering(self._sendgrid)))
        if self._reporter:
            routes.append(web.post(f"/{self._reporter_name}", self._answering(self._unsigned)))
        return routes

    async def _sns(self, request: web.Request) -> web.Response:
        note = email_sns.read(await _body(request, email_sns.LARGEST), self._topic)
        if note is None:
            return _refused("sns", "topic")
        key = email_sns.key_of(await self._certificate(note.certificate), self._door.clock())
        if key is None or not email_sns.is_genuine(note, key):
            return _refused("sns", "signature")
        if note.type == email_sns.CONFIRMATION:
            if not note.subscribe:
                return _refused("sns", "address")
            await self._asked(note.subscribe)
            log.info("email.hook confirmed provider=sns")
        elif note.type == "Notification":
            await self._take(email_ses.read(note.message, secret=self._door.secret, domain=self._domain), "ses")
        else:
            log.warning("email.hook ended provider=sns: the topic sends us nothing any more")
        return web.Response()

    async def _mailgun(self, request: web.Request) -> web.Response:
        said = table_in(await _body(request, email_mailgun.LARGEST))
        now = self._door.clock()
        if not email_mailgun.is_signed(said, self._mailgun_keys):
            return _refused("mailgun", "signature")
        if not email_mailgun.is_fresh(said, now):
            log.info("email.hook refused provider=mailgun reason=stale")
            return web.Response(status=406, text="signed too long ago\n")  # 406: Mailgun does not repeat it
        word = f"mailgun:{email_mailgun.word_of(said)}"
        if await self._nonces.is_used(word):
            return web.Response()
        await self._take(email_mailgun.read(said, secret=self._door.secret, domain=self._domain), "mailgun")
        await self._nonces.use(word, until=now + email_mailgun.FRESH_FOR + email_mailgun.AHEAD)
        return web.Response()

    async def _sendgrid(self, request: web.Request) -> web.Response:
        body, key = await _body(request, email_sendgrid.LARGEST), self._sendgrid_key
        instant, signature = (
            request.headers.get(name, "") for name in (email_sendgrid.INSTANT, email_sendgrid.SIGNATURE)
        )
        if key is None or not email_sendgrid.is_signed(body, instant, signature, key):
            return _refused("sendgrid", "signature")
        await self._reports.take(*email_sendgrid.read(body, secret=self._door.secret, domain=self._domain))
        return web.Response()

    async def _unsigned(self, request: web.Request) -> web.Response:
        """Answer whoever shows the secret; nobody else's body is read at all."""
        assert self._reporter
        if not email_unsigned.is_shown(request.headers.get("Authorization", ""), self._reporter_secrets):
            log.info("email.hook refused provider=%s reason=secret", self._reporter_name)
            asks = {"WWW-Authenticate": 'Basic realm="causerie"'}
            return web.Response(status=401, headers=asks, text="this does not show the secret\n")
        body = await _body(request, email_unsigned.LARGEST)
        await self._reports.take(*self._reporter.read(body, self._domain))
        return web.Response()

    async def _take(self, heard: Heard | None, provider: str) -> None:
        if heard is None:
            log.debug("email.hook ignored provider=%s", provider)
            return
        await self._reports.take(heard)

    async def _certificate(self, address: str) -> bytes:
        known = self._certificates.get(address)
        if known is None:
            known = await self._asked(address)
            if len(self._certificates) >= MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[address] = known
        return known

    async def _asked(self, address: str) -> bytes:
        """Ask SNS itself. Raises Unavailable when it does not answer, or is asked too much."""
        if self._asks.take(asyncio.get_running_loop().time()):
            raise Unavailable("SNS is asked too much")
        try:
            return await self._fetch(address)
        except OSError as error:
            log.warning("email.hook unanswered provider=sns reason=%s", error)
            raise Unavailable("SNS does not answer") from error

    def _answering(
        self, answer: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def webhook(request: web.Request) -> web.Response:
            try:
                return await answer(request)
            except Unavailable:
                return web.Response(status=503, headers={"Retry-After": "5"}, text="not stored; please repeat\n")

        return webhook


async def _body(request: web.Request, largest: int) -> bytes:
    body = await body_of(request, largest)
    if body is None:
        raise web.HTTPRequestEntityTooLarge(largest, request.content_length or 0)
    return body


def _refused(provider: str, reason: str) -> web.Response:
    log.info("email.hook refused provider=%s reason=%s", provider, reason)
    return web.Response(status=403, text="this is not signed by the provider, or not for this address\n")
