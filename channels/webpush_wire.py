"""Posting to push services over kept connections, to public addresses alone.

What is known not to have left is told apart from what may have arrived: only the first may be tried again by anybody. A kept
connection that ends before it answered is tried once more on a new one; should the message have arrived all the same, its tag
lets the browser show it once.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any

from channels.webpush_line import Answer, Line, Lost
from channels.webpush_services import Endpoint
from profiles.public_address import NotPublic, is_public

CONNECT_SECONDS = 8.0
MOST_SERVICES = 1_000
LOOKS = 10  # at what is overdue, in the time an answer may take
IDLE_SECONDS = 50.0  # Mozilla's service lets go after a minute, others later

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""Returns the IP addresses of a name. Raises OSError."""


class NotSent(Exception):
    """There was no connection: nothing left."""


async def look_up(host: str, port: int) -> list[str]:
    """Return where this name leads, as the system knows it. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


class Wire:
    """Kept connections, at most `most` to each push service."""

    def __init__(
        self, *, most: int, answer_seconds: float, looks_up: Lookup = look_up, trusts: ssl.SSLContext | None = None
    ) -> None:
        """`trusts` is whose certificates are taken; None: those that the system trusts."""
        self._most, self._answer_seconds, self._looks_up = most, answer_seconds, looks_up
        self._pools: dict[str, _Pool] = {}
        self._busy: dict[Line, float] = {}
        self._watching: asyncio.TimerHandle | None = None
        self._context = trusts

    async def post(self, endpoint: Endpoint, headers: str, body: bytes) -> Answer:
        """Post once and return the answer. Raises NotSent, Lost, TimeoutError (it may have arrived)."""
        pool = self._pools.get(endpoint.origin)
        if pool is None:
            self._forget_idle()
            pool = self._pools[endpoint.origin] = _Pool(self._most)
        request = (
            f"POST {endpoint.target} HTTP/1.1\r\nHost: {endpoint.origin.partition('://')[2]}\r\n"
            f"Content-Length: {len(body)}\r\n{headers}\r\n"
        ).encode("ascii") + body
        pool.under_way += 1
        try:
            return await self._through(pool, endpoint, request)
        finally:
            pool.under_way -= 1

    async def close(self) -> None:
        """Let go of all connections."""
        if self._watching:
            self._watching.cancel()
        for pool in self._pools.values():
            pool.close()

    async def _through(self, pool: "_Pool", endpoint: Endpoint, request: bytes) -> Answer:
        async with pool.places:
            while (line := pool.take()) is not None:
                try:
                    return await self._asked(line, request, pool)
                except Lost as lost:
                    if lost.heard:
                        raise
            return await self._asked(await self._open(endpoint), request, pool)

    async def _asked(self, line: Line, request: bytes, pool: "_Pool") -> Answer:
        loop = asyncio.get_running_loop()
        self._busy[line] = loop.time() + self._answer_seconds
        if self._watching is None:
            self._watching = loop.call_later(self._answer_seconds / LOOKS, self._watch)
        try:
            answer = await line.ask(request)
        finally:
            del self._busy[line]
        pool.give_back(line)
        return answer

    def _forget_idle(self) -> None:
        """A browser may invent a service's host: what is used no more is not remembered for ever."""
        if len(self._pools) >= MOST_SERVICES:
            self._pools = {origin: pool for origin, pool in self._pools.items() if pool.is_used}

    def _watch(self) -> None:
        """Give up on the lines whose answer is overdue: one timer for all of them, for one each costs 10 us a message."""
        loop = asyncio.get_running_loop()
        for line in [line for line, until in self._busy.items() if until <= loop.time()]:
            line.give_up()
        self._watching = loop.call_later(self._answer_seconds / LOOKS, self._watch) if self._busy else None

    async def _open(self, endpoint: Endpoint) -> Line:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                addresses = [endpoint.host] if endpoint.is_vouched else await self._public(endpoint)
                return await self._dial(endpoint, addresses)
        except NotPublic as error:
            raise NotSent("not_public") from error
        except (OSError, TimeoutError) as error:  # ssl's errors are OSErrors
            raise NotSent(f"no connection: {type(error).__name__}") from error

    async def _public(self, endpoint: Endpoint) -> list[str]:
        found = await self._looks_up(endpoint.host, endpoint.port)
        if not found or not all(map(is_public, found)):
            raise NotPublic(endpoint.host)
        return found

    async def _dial(self, endpoint: Endpoint, addresses: list[str]) -> Line:
        """Connect to the first of these that answers: the very addresses that were judged."""
        secure: dict[str, Any] = {"ssl": self._trust(), "server_hostname": endpoint.host} if endpoint.is_secure else {}
        loop, failure = asyncio.get_running_loop(), OSError("no address")
        for address in addresses:
            try:
                _, line = await loop.create_connection(Line, address, endpoint.port, **secure)
                return line
            except OSError as error:
                failure = error
        raise failure

    def _trust(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
            self._context.set_alpn_protocols(["http/1.1"])
        return self._context


class _Pool:
    """The idle connections of one push service, the one used last on top."""

    def __init__(self, most: int) -> None:
        self.places, self.under_way = asyncio.Semaphore(most), 0
        self._idle: list[tuple[Line, float]] = []
        self._is_closed = False

    @property
    def is_used(self) -> bool:
        """Whether a connection is kept here, or one is waited for."""
        return bool(self._idle) or self.under_way > 0

    def take(self) -> Line | None:
        """Return an idle connection that is still open, or None."""
        while self._idle:
            line, since = self._idle.pop()
            if line.is_open and time.monotonic() - since < IDLE_SECONDS:
                return line
            line.close()
        return None

    def give_back(self, line: Line) -> None:
        """Keep a connection for the next message."""
        if line.is_open and not self._is_closed:
            self._idle.append((line, time.monotonic()))
        else:
            line.close()

    def close(self) -> None:
        """Let go of all that are idle; those in use end with their answer."""
        self._is_closed = True
        for line, _ in self._idle:
            line.close()
        self._idle.clear()
