"""Cards in people's phones: Apple Wallet and Google Wallet, kept by rules, told of by push.

A message sent here stands on the pass, and the lock screen shows it. What a pass is and how it changes: wallet_keeping.py; how
it looks: wallet_face.py, wallet_apple.py, wallet_google.py; who is told: wallet_post.py; what devices ask: wallet_web.py.
"""

import asyncio
import logging
from collections.abc import Sequence

import aiohttp
from aiohttp import web
from yarl import URL

from channels.channel import Channel, Door, Failed, Later, Limits, Outbound, Sending, Sent
from channels.google_token import GoogleToken, ServiceAccount
from channels.wallet_apple import Issuer, NoPicture, files_of, packed, pictures_of
from channels.wallet_callback import Callback
from channels.wallet_face import Unshown
from channels.wallet_google import SAVE, Seller, save_claims
from channels.wallet_google_client import SCOPE, GoogleWallet, Trouble
from channels.wallet_options import Options
from channels.wallet_passes import Passes
from channels.wallet_post import GoogleSide, Post, Push
from channels.wallet_setup import TRY_OUT_TEAM, TRY_OUT_TYPE, own_papers, problems_of, read_files
from channels.wallet_signature import Papers, Sign, signer
from channels.wallet_web import Service
from profiles.calendar import Clock
from profiles.passes import Pass, Wish, token_of
from profiles.store import Unavailable
from profiles.text import clean
from profiles.timeline import Content

__all__ = ["Options", "Wallet", "connect"]

log = logging.getLogger("channels.wallet")

LONGEST_MESSAGE = 500  # characters: the lock screen shows some 150, the back of the pass all of it


async def connect(options: Options, door: Door) -> Channel:
    """Return the channel. Raises ValueError, naming every key that is missing or wrong."""
    problems = problems_of(options)
    papers: Papers | None = None
    account: ServiceAccount | None = None
    if not problems:
        papers, account, problems = await asyncio.to_thread(read_files, options, door.clock())
    if problems:
        raise ValueError("\n".join(problems))
    wallet = Wallet(options, door, papers, account)
    await wallet.start()
    return wallet


class Wallet:
    """The passes of one issuer."""

    name = "wallet"
    space = "wallet"

    def __init__(self, options: Options, door: Door, papers: Papers | None, account: ServiceAccount | None) -> None:
        self.limits = Limits(text=LONGEST_MESSAGE, threads=False, at_once=32)
        self.passes = Passes(door.writer, door.store, door.cards, secret=door.secret, clock=door.clock)
        self.is_try_out = not options.certificate
        self._door, self._papers = door, papers
        self._sign: Sign | None = None
        self._signing = asyncio.Lock()
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=options.timeout_seconds))
        self.organisation = options.organisation or "Causerie"
        self._issuer = Issuer(
            options.pass_type or TRY_OUT_TYPE, options.team or TRY_OUT_TEAM, self.organisation,
            f"{door.public_url}/channels/{self.name}",
        )  # fmt: skip
        self._google = self._google_side(options, account) if account else None
        self._apns = None if self.is_try_out else _Apple(options, self._issuer.pass_type, door.clock)
        push: Push | None = self._apns.push if self._apns else None
        self._post = Post(door.store, self.passes, push=push, google=self._google, clock=door.clock)
        self._callback = Callback(options.issuer, self.passes, self._post, door.store, clock=door.clock)
        self._service = Service(
            self.passes, self.build, pass_type=self._issuer.pass_type, secret=door.secret, proxies=options.proxies
        )

    async def start(self) -> None:
        """Begin to tell the wallets of what changes."""
        if self.is_try_out:
            log.warning(
                "wallet.papers own pass_type=%s: downloads verify, a real iPhone wants Apple's", self._issuer.pass_type
            )
        await self._post.start()

    @property
    def has_google(self) -> bool:
        """Whether passes can be saved to Google Wallet."""
        return self._google is not None

    def routes(self) -> Sequence[web.RouteDef]:
        """Return what devices ask, the pictures that Google fetches, and what it tells us."""
        callback = web.post("/google", self._service.guarded(self._callback.hear))
        return [*self._service.routes(), web.get("/images/{file}", self._picture), callback]

    async def send(self, outbound: Outbound) -> Sending:
        """Put the message on the pass, from where the wallets are told of it until they know."""
        try:
            held = await self.passes.get(outbound.address)
            if held is None or held.state == "expired":
                return Failed("dead", "no such pass" if held is None else "the pass is over")
            if not held.is_held:
                return Failed("dead", "on no device any more")
            if not (said := _told(outbound.content)):
                return Failed("content", "nothing to say")
            kept = await self.passes.keep(Wish(held.profile, held.card, message=said, id=outbound.id))
        except Unavailable as error:
            return Later(5.0, str(error))  # the message's id lets it be told once, however often it is wished for
        if kept in ("changed", "same"):
            return Sent(held.id)
        return Failed("dead" if kept == "nobody" else "content", kept)

    async def build(self, held: Pass) -> bytes | Unshown:
        """Return the .pkpass of a pass as it is now, or why it can not be shown."""
        shown = await self.passes.face(held)
        if isinstance(shown, Unshown):
            return shown
        card, face = shown
        token = token_of(self._door.secret, held.id)
        try:
            pictures = await asyncio.to_thread(pictures_of, card, self.passes.cards.images)
        except NoPicture as error:
            return Unshown("images", str(error))
        files = files_of(face, self._issuer, token, pictures)
        return await asyncio.to_thread(packed, files, await self._signer())

    async def save_link(self, held: Pass) -> str | Trouble:
        """Return the address that saves this pass to Google Wallet, once Google has it. Raises Unavailable."""
        shown = await self.passes.face(held)
        if self._google is None or isinstance(shown, Unshown):
            return Trouble("content", "no issuer" if self._google is None else f"{shown}")
        if trouble := await self._post.put_on_google(held):
            return trouble
        token, base = self._google.wallet.token, URL(self._door.public_url)
        claims = save_claims(
            shown[1], self._google.seller, email=token.account.email, origin=str(base.origin()), now=self._door.clock()
        )
        return SAVE + token.signed(claims)

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        """There is nothing to fetch: nobody writes from a pass."""
        raise LookupError(remote)

    async def close(self) -> None:
        """Stop telling, let go of the connections."""
        await self._post.close()
        if self._apns:
            await self._apns.close()
        await self._client.close()

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        """A picture of a card, for Google: of those that cards name, and no other file."""
        file = request.match_info["file"]
        named = {name for card in self.passes.cards.known.values() for name in card.images.values()}
        path = self.passes.cards.images / file
        if file not in named or not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": "public, max-age=3600"})

    async def _signer(self) -> Sign:
        """Return what signs; with the first pass the libraries are loaded, and without Apple's papers our own are made."""
        async with self._signing:
            if self._sign is None:
                papers = self._papers or await own_papers(self._door.store, self._door.clock)
                self._sign = await asyncio.to_thread(signer, papers)
            return self._sign

    def _google_side(self, options: Options, account: ServiceAccount) -> GoogleSide:
        token = GoogleToken(account, SCOPE, self._client, clock=self._door.clock)
        base = f"{self._door.public_url}/channels/{self.name}"
        callback = f"{base}/google" if base.startswith("https://") else ""  # Google calls no other
        return GoogleSide(
            GoogleWallet(self._client, token, url=options.google_url),
            Seller(options.issuer, self.organisation, f"{base}/images", callback),
        )


class _Apple:
    """The connection to Apple's push service, proved by the pass certificate; opened with the first push."""

    def __init__(self, options: Options, pass_type: str, clock: Clock) -> None:
        from channels.apns_client import ApnsClient, client_context

        host, _, port = options.push_host.partition(":")
        context = client_context(
            certificate=options.certificate, key=options.key, password=options.key_password.reveal(), ca=options.push_ca
        )
        self._client = ApnsClient(host, int(port or 443), context=context, clock=clock)
        self._headers = {"apns-topic": pass_type}  # no push type: Apple has none for passes

    async def push(self, token: str) -> Sending:
        return await self._client.sending(token, self._headers, b"{}")

    async def close(self) -> None:
        await self._client.close()


def _told(content: Content) -> str:
    """Return a message as the back of a pass shows it: addresses in it can be tapped there, and nothing else can."""
    first = f"{content.title}: {content.text}" if content.title and content.text else content.title or content.text
    rest = [f"{button.title} {button.url or ''}".strip() for button in content.buttons]
    rest += [content.link] if content.link and content.link not in first else []
    return clean("\n".join([first, *rest]).strip(), longest=LONGEST_MESSAGE)
