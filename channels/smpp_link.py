"""One connection to an SMSC: bind, and come back after every loss. What happens in between is in smpp_session.py."""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from channels.smpp_session import Heard, Lost, Proven, Session
from channels.smpp_wire import BIND_TRANSCEIVER, OK, SUBMIT_SM, Malformed, bind

log = logging.getLogger("channels.smpp")

LONGEST_WAIT_SECONDS = 60.0  # between two attempts to connect


class NotBound(Exception):
    """There is no session: nothing was handed over."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where the SMSC is, who we are there, and how patient we are."""

    host: str
    port: int
    system_id: str
    password: str
    system_type: str = ""
    tls: ssl.SSLContext | None = None
    window: int = 50
    enquire_seconds: float = 30.0
    answer_seconds: float = 20.0
    reconnect_seconds: float = 1.0


class Link:
    """Keeps one session bound. `heard` is called for every deliver_sm."""

    def __init__(
        self, account: Account, *, heard: Heard, proven: Proven, jitter: Callable[[], float] = random.random
    ) -> None:
        self._account, self._heard, self._proven, self._jitter = account, heard, proven, jitter
        self._session: Session | None = None
        self._count = 0
        self._bound = asyncio.Event()
        self._closing = False
        self._deliveries: set[asyncio.Task[None]] = set()
        self._runner: asyncio.Task[None] | None = None
        self.refused = ""
        """Why the last bind was refused; empty when it was not."""

    def start(self) -> None:
        """Connect in the background, and again after every loss."""
        self._runner = asyncio.create_task(self.run(), name="smpp")

    async def submit(self, body: bytes, *, within_seconds: float) -> tuple[int, bytes]:
        """Return the SMSC's answer (status, body) to a submit_sm.

        Raises NotBound when there is no session and none comes in time, Lost when the answer did not come.
        """
        deadline = asyncio.get_running_loop().time() + within_seconds
        session = await self._current(min(within_seconds, 5.0))
        try:
            async with asyncio.timeout_at(deadline):
                await session.window.acquire()
        except TimeoutError as error:
            raise NotBound("the window stayed full") from error
        try:
            left = deadline - asyncio.get_running_loop().time()
            if session is not self._session or left <= 0:
                raise NotBound("no session, or no time left, when the window had room")
            return await session.ask(SUBMIT_SM, body, min(self._account.answer_seconds, left))
        finally:
            session.window.release()

    async def close(self) -> None:
        """Say goodbye and let go; returns within two seconds."""
        session, self._session = self._session, None
        self._closing = True
        if self._deliveries:
            await asyncio.wait(self._deliveries, timeout=1.0)
        if session:
            await session.leave()
        left = [task for task in (self._runner, *self._deliveries) if task]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    async def _current(self, within_seconds: float) -> Session:
        if self._session is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_seconds):
                    await self._bound.wait()
        if self._session is None:
            raise NotBound(self.refused or "not connected")
        return self._session

    async def run(self) -> None:
        """Connect, and again after every loss, until cancelled or closed."""
        failures = 0
        while not self._closing:
            began = asyncio.get_running_loop().time()
            await self._serve()
            lived = asyncio.get_running_loop().time() - began
            failures = 0 if lived > self._account.enquire_seconds else failures + 1
            wait = min(self._account.reconnect_seconds * 2 ** min(failures, 10), LONGEST_WAIT_SECONDS)
            await asyncio.sleep(wait * (0.5 + self._jitter() / 2))

    async def _serve(self) -> None:
        """Live one session, from connecting to its loss."""
        try:
            async with asyncio.timeout(self._account.answer_seconds):
                reader, writer = await asyncio.open_connection(
                    self._account.host, self._account.port, ssl=self._account.tls
                )
        except (OSError, TimeoutError) as error:
            log.warning("smpp.connect failed reason=%s", type(error).__name__)
            return
        self._count += 1
        session = Session(
            self._count, reader, writer, self._account.window, self._heard, self._proven, self._deliveries
        )
        try:
            await session.live(self._bind(session))
        except (OSError, EOFError, Malformed, Lost) as error:
            if not self._closing:
                log.warning("smpp.session lost session=%d reason=%s", session.number, type(error).__name__)
        finally:
            if self._session is session:
                self._session = None
            self._bound.clear()
            session.end()

    async def _bind(self, session: Session) -> None:
        """Bind, then keep the session alive until it is lost."""
        account = self._account
        body = bind(account.system_id, account.password, account.system_type)
        status, _ = await session.ask(BIND_TRANSCEIVER, body, account.answer_seconds)
        self.refused = "" if status == OK else f"bind refused with status 0x{status:02x}"
        if status != OK:
            log.error("smpp.bind refused status=0x%02x", status)
            raise Lost(self.refused)
        log.info("smpp.bind done session=%d", session.number)
        self._session = session
        self._bound.set()
        await session.stay_alive(account.enquire_seconds, min(account.answer_seconds, account.enquire_seconds))
