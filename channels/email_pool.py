"""Kept connections to the server that takes our mail: opened when needed, used again, let go when idle or worn."""

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from channels.channel import Failed, Later, Sending
from channels.email_codes import CONNECT_SECONDS, outcome
from channels.email_wire import Account, Handed, Line, Mail, Unreachable, dial

log = logging.getLogger("channels.email")

IDLE_SECONDS = 60.0  # servers close after five minutes (RFC 5321 section 4.5.3.2.7), many sooner
LONGEST_WAIT_SECONDS = 60.0
AT_ONCE_SECONDS = 1.0  # a connection found closed is known at once; one that hangs is not a reason to try the next


class _Kept(NamedTuple):
    line: Line
    since: float


class Pool:
    """At most `size` connections. Who comes when all are busy waits in turn."""

    def __init__(
        self,
        account: Account,
        *,
        size: int,
        mails_per_connection: int = 0,
        dials: Callable[[Account], Awaitable[Line]] = dial,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._account, self._most, self._dials, self._jitter = account, mails_per_connection, dials, jitter
        self._places = asyncio.Semaphore(size)
        self._kept: list[_Kept] = []
        self._failures = 0
        self._down_until = 0.0
        self._down: Sending = Later(CONNECT_SECONDS, "not connected")
        self._closed = False

    async def deliver(self, mail: Mail) -> Handed | Sending:
        """Hand this mail over; what prevents a connection is returned as what it proves, and nobody dials again at once."""
        async with self._places:
            began = asyncio.get_running_loop().time()
            while (line := self._take()) is not None:
                handed = await self._over(line, mail)
                hung = asyncio.get_running_loop().time() - began > AT_ONCE_SECONDS
                if handed.stage == "end" or handed.reply is not None or hung:
                    return handed
                # the server closed it while it was idle: nothing of this mail was taken
            opened = await self._open()
            return await self._over(opened, mail) if isinstance(opened, Line) else opened

    async def close(self) -> None:
        """Say goodbye on the idle connections."""
        self._closed = True
        kept, self._kept = self._kept, []
        await asyncio.gather(*(one.line.quit() for one in kept))

    def _take(self) -> Line | None:
        """Return the connection used last, if it still lives: the others grow idle and are let go."""
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._kept and self._kept[0].since < oldest:
            self._kept.pop(0).line.abort()
        while self._kept:
            line = self._kept.pop().line
            if line.is_open:
                return line
        return None

    async def _over(self, line: Line, mail: Mail) -> Handed:
        """Hand the mail over on this connection, and keep the connection if it can take another."""
        is_kept = False
        try:
            handed = await line.deliver(mail)
            worn = self._closed or (self._most and line.mails >= self._most)
            is_kept = line.is_open and not worn
        finally:
            if not is_kept:
                line.abort()
        self._kept += [_Kept(line, asyncio.get_running_loop().time())] if is_kept else []
        return handed

    async def _open(self) -> Line | Sending:
        now = asyncio.get_running_loop().time()
        if now < self._down_until:
            return self._down
        try:
            line = await self._dials(self._account)
        except ssl.SSLCertVerificationError as error:
            return self._is_down(Failed("config", f"certificate refused: {error.verify_message}"))
        except Unreachable as error:
            if error.reply is None:
                return self._is_down(Later(CONNECT_SECONDS, error.detail))
            return self._is_down(outcome(Handed("connect", error.reply), token=""))
        except (OSError, TimeoutError) as error:
            return self._is_down(Later(CONNECT_SECONDS, type(error).__name__))
        self._failures = 0
        return line

    def _is_down(self, why: Sending) -> Sending:
        self._failures += 1
        wait = min(2.0 ** min(self._failures, 10), LONGEST_WAIT_SECONDS) * (0.5 + self._jitter() / 2)
        self._down_until = asyncio.get_running_loop().time() + wait
        self._down = why
        level = logging.ERROR if isinstance(why, Failed) else logging.WARNING
        log.log(level, "email.connect failed reason=%s seconds=%.0f", getattr(why, "detail", ""), wait)
        return why
