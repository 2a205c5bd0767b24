"""Google's callback: a person saved a pass to their wallet, or deleted it. Each is taken once, by its nonce.

Google repeats what it got no good answer for and promises no order, and two people may hold one object; so what it says is taken
at once, and two minutes later it is asked what is true (wallet_post.py), as after every save link.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from channels.bodies import body_of
from channels.getting import Fetch, get
from channels.nonces import Nonces
from channels.wallet_google_signature import KEYS_URL, LARGEST, Told, read, roots_of
from channels.wallet_passes import Passes
from channels.wallet_post import Post
from profiles.calendar import Clock
from profiles.store import Store, Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

log = logging.getLogger("channels.wallet")

KEYS_FOR, KEYS_AT_LEAST = timedelta(hours=1), timedelta(minutes=1)
"""For how long Google's list of keys is kept; and before it is read again because something does not verify."""
ASKED_AGAIN = timedelta(seconds=5)  # after Google did not answer: whoever posts anything must not make us ask for each


class Callback:
    """Hears Google for one issuer; for none, everything is refused."""

    def __init__(
        self, issuer: str, passes: Passes, post: Post, store: Store, *, clock: Clock, fetch: Fetch = get
    ) -> None:
        self._issuer, self._passes, self._post, self._clock = issuer, passes, post, clock
        self._nonces, self._fetch = Nonces(store), fetch
        self._roots: list[ec.EllipticCurvePublicKey] = []
        self._read_at: datetime | None = None
        self._failed_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def hear(self, request: web.Request) -> web.Response:
        """Take one callback. 403 for what Google did not say to this issuer. Raises Unavailable."""
        body = await body_of(request, LARGEST)
        if body is None:
            raise web.HTTPRequestEntityTooLarge(LARGEST, request.content_length or 0)
        told = await self._read(body) if self._issuer else None
        if told is None:
            log.info("wallet.callback refused reason=signature")
            return web.Response(status=403, text="this is not signed by Google for this issuer\n")
        word = f"google:{told.nonce}"
        if not await self._nonces.is_used(word):
            await self._take(told)
            await self._nonces.use(word, until=told.ends_at)
        return web.Response()

    async def _take(self, told: Told) -> None:
        issuer, _, serial = told.object.partition(".")
        held = await self._passes.get(serial) if issuer == self._issuer else None
        if held is None:
            log.info("wallet.callback ignored reason=no_pass")  # another program's, of the same issuer
            return
        await self._passes.note_saved(held, told.is_saved)
        await self._post.ask_again(held)
        log.info("wallet.callback pass=%s saved=%s", held.id, told.is_saved)

    async def _read(self, body: bytes) -> Told | None:
        """Return what it says, by the keys as they were read last, then by those that Google has now."""
        now = self._clock()
        for kept_for in (KEYS_FOR, KEYS_AT_LEAST):
            async with self._reading:
                if self._read_at is None or now - self._read_at >= kept_for:
                    await self._read_keys(now)
            if told := read(body, issuer=self._issuer, roots=self._roots, now=now):
                return told
        return None

    async def _read_keys(self, now: datetime) -> None:
        if self._failed_at and now - self._failed_at < ASKED_AGAIN:
            raise Unavailable("Google's keys can not be read")
        try:
            self._roots = roots_of(await self._fetch(KEYS_URL), now)
        except OSError as error:
            log.warning("wallet.callback unanswered reason=%s", error)
            self._failed_at = now
            raise Unavailable("Google's keys can not be read") from error
        self._read_at = now
