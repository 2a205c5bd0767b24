"""Errands of rules outside our house: webhooks, made after their commit, again and again for three days until they are taken.

An errand is claimed by moving its instant ahead, so a crash costs 20 seconds and may repeat it: the receiver knows it by its id. In
no order. One that is given up stays to be seen, and to be sent once more by hand.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from yarl import URL

from profiles.calendar import Clock
from profiles.crash import crash_point
from profiles.every import Every
from profiles.public_address import NotPublic
from profiles.record import Document
from profiles.secret import live
from profiles.store import Store
from rules.effects import ERRANDS
from rules.errand_rows import GIVE_UP_AFTER, claim, end, profile_of, put_off
from rules.options import RulesOptions
from rules.outward import PublicResolver, why_not
from rules.webhooks import body_of, headers, key_of

LOOK_SECONDS = 1.0
AT_ONCE = 16
PATIENCE = aiohttp.ClientTimeout(total=10, connect=5)
SILENT_FOR = timedelta(seconds=30)  # a host that did not answer is left alone so long: the others do not wait for it
GONE = 410  # the receiver says that it wants no more


class Errands:
    """Carries out webhooks, from `start` to `close`. Every process has one; each errand is claimed by one of them."""

    def __init__(
        self, store: Store, options: RulesOptions, *, clock: Clock, connector: aiohttp.BaseConnector | None = None
    ) -> None:
        self._store, self._clock, self._options = store, clock, options
        secrets = live(options.webhook_secret, options.previous_webhook_secret) if options.webhook_secret else ()
        self._keys = [key_of(secret) for secret in secrets]
        self._connector = connector
        self._session: aiohttp.ClientSession | None = None
        self._silent: dict[str, datetime] = {}
        self._looking = Every(LOOK_SECONDS, self.look, name="errands")

    async def start(self) -> None:
        """Begin to look for errands that are due."""
        await self._looking.start()

    async def close(self) -> None:
        """Stop; what is under way is done again by the next process."""
        await self._looking.close()
        if self._session:
            await self._session.close()

    async def look(self) -> int:
        """Carry out all that is due, and return how many attempts that took."""
        tried = 0
        while claimed := await claim(self._store, "webhook", self._clock(), most=AT_ONCE):
            await asyncio.gather(*(self._attempt(errand) for errand in claimed))
            tried += len(claimed)
        return tried

    async def _attempt(self, errand: Document) -> None:
        crash_point("errand.claimed")
        reason = await self._sent(errand)
        crash_point("errand.sent")
        now = self._clock()
        if reason.startswith("2"):
            await end(self._store, errand, "done", reason, now)
        elif reason in (str(GONE), "not_public", "not_https", "bad_address", "nobody"):
            await end(self._store, errand, "dead", reason, now)
        else:
            await put_off(self._store, errand, reason, now, again_in=SILENT_FOR if reason == "silent" else None)

    async def _sent(self, errand: Mapping[str, Any]) -> str:
        """Return what the attempt came to: an HTTP status, or a word."""
        url, now = errand["target"], self._clock()
        if not self._keys:
            return "no_secret"
        if not self._options.webhooks_inside and (wrong := why_not(url)):
            return wrong
        host = URL(url).host or ""
        if self._silent.get(host, now) > now:
            return "silent"
        profile = await profile_of(self._store, errand["profile"])
        if profile is None:
            return "nobody"
        body = body_of(errand, profile, now)
        try:
            async with self._http().post(
                url, data=body, headers=headers(errand["_id"], body, self._keys, now), allow_redirects=False
            ) as answer:
                return str(answer.status)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            if isinstance(error.__cause__, NotPublic) or isinstance(error, NotPublic):
                return "not_public"
            self._leave_alone(host, self._clock())
            return "timeout" if isinstance(error, TimeoutError) else "unreachable"

    def _leave_alone(self, host: str, now: datetime) -> None:
        """Note that this host did not answer, and forget those whose time is over: rules may name ever new ones."""
        self._silent = {name: until for name, until in self._silent.items() if until > now} | {host: now + SILENT_FOR}

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = None if self._options.webhooks_inside else PublicResolver()
            connector = self._connector or aiohttp.TCPConnector(limit=AT_ONCE, limit_per_host=4, resolver=resolver)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=PATIENCE, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        return self._session


async def again(store: Store, id: str, now: datetime) -> bool | None:
    """Let a webhook that was given up be tried for three more days: True; False when it was not; None when it is not there."""
    where = {"_id": id, "kind": "webhook", "state": "dead"}
    put = {"due_at": now, "attempts": 0, "give_up_at": now + GIVE_UP_AFTER}
    clear = {"state": "", "ended_at": "", "reason": ""}
    if await store.change(ERRANDS, where, {"$set": put, "$unset": clear}):
        return True
    errand = await store.get(ERRANDS, id)
    return False if errand and errand["kind"] == "webhook" else None
