"""One connection to an SMSC: bind, keep alive, ask and answer, and come back after every loss.

A session lives from a bind to its loss. Requests wait for their answers in a window; whatever the peer asks is answered
once it has been dealt with, so that nothing is acknowledged that was not stored.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from channels.smpp_wire import (
    ALERT_NOTIFICATION,
    BIND_TRANSCEIVER,
    DELIVER_SM,
    ENQUIRE_LINK,
    GENERIC_NACK,
    INVALID_COMMAND,
    OK,
    OUTBIND,
    QUEUE_FULL,
    RESPONSE,
    SUBMIT_SM,
    TEMPORARY,
    UNBIND,
    UNKNOWN_ERROR,
    Header,
    Malformed,
    bind,
    header,
    pdu,
)

log = logging.getLogger("channels.smpp")

LONGEST_WAIT_SECONDS = 60.0  # between two attempts to connect
PROOF_SECONDS = 2.0  # after this we ask for a sign of life, so that our last answers count as arrived
MOST_DELIVERIES = 500  # being stored at once; the SMSC keeps the rest
MISSED_ENQUIRIES = 2


class NotBound(Exception):
    """There is no session: nothing was handed over."""


class Lost(Exception):
    """The session ended, or the answer did not come in time: what was handed over may have been taken."""


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


@dataclass(frozen=True, slots=True)
class Delivery:
    """A deliver_sm that waits for its answer. `reply(status)` writes it, and returns its number in this session."""

    body: bytes
    session: int
    reply: Callable[[int], int]


Heard = Callable[[Delivery], Awaitable[None]]
Proven = Callable[[int, int], None]
"""(session, number): the peer has had our answers up to this number, since it answered what we asked after them."""


@dataclass(slots=True)
class _Asked:
    answer: asyncio.Future[tuple[int, bytes]]
    answers_before: int


class Link:
    """Keeps one session bound. `heard` is called for every deliver_sm, `bound` when a session begins."""

    def __init__(
        self, account: Account, *, heard: Heard, proven: Proven, jitter: Callable[[], float] = random.random
    ) -> None:
        self._account, self._heard, self._proven, self._jitter = account, heard, proven, jitter
        self._session: _Session | None = None
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

    async def _current(self, within_seconds: float) -> "_Session":
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
        session = _Session(
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

    async def _bind(self, session: "_Session") -> None:
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


@dataclass(slots=True)
class _Session:
    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    window_size: int
    heard: Heard
    proven: Proven
    deliveries: set[asyncio.Task[None]]
    sequence: int = 0
    answers: int = 0
    answers_proven: int = 0
    asked: dict[int, _Asked] = field(default_factory=dict)
    window: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.window = asyncio.Semaphore(self.window_size)

    async def live(self, keeping: Coroutine[Any, Any, None]) -> None:
        """Read until the end, beside what keeps the session alive. Raises the reason of the end."""
        reading, alive = asyncio.create_task(self._read()), asyncio.create_task(keeping)
        try:
            done, _ = await asyncio.wait([reading, alive], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (reading, alive):
                task.cancel()
            await asyncio.wait([reading, alive])

    async def ask(self, command: int, body: bytes, within_seconds: float) -> tuple[int, bytes]:
        """Return the answer (status, body). Raises Lost when none came."""
        self.sequence = self.sequence % 0x7FFFFFFE + 1
        sequence = self.sequence
        waiting = _Asked(asyncio.get_running_loop().create_future(), self.answers)
        self.asked[sequence] = waiting
        self._write(pdu(command, sequence, body))
        try:
            async with asyncio.timeout(within_seconds):
                return await waiting.answer
        except TimeoutError as error:
            raise Lost("no answer in time") from error
        finally:
            self.asked.pop(sequence, None)

    async def stay_alive(self, every_seconds: float, within_seconds: float) -> None:
        """Ask for a sign of life when due, sooner while answers of ours are unproven. Raises Lost after two missed."""
        missed = 0
        while True:
            for _ in range(max(1, round(every_seconds / PROOF_SECONDS))):
                await asyncio.sleep(min(PROOF_SECONDS, every_seconds))
                if self.answers > self.answers_proven:
                    break
            try:
                await self.ask(ENQUIRE_LINK, b"", within_seconds)
                missed = 0
            except Lost:
                missed += 1
                if missed >= MISSED_ENQUIRIES:
                    raise

    async def leave(self) -> None:
        """Unbind, within a second."""
        with suppress(Lost, OSError):
            await self.ask(UNBIND, b"", 1.0)

    def end(self) -> None:
        """Close the connection; nobody is left waiting for an answer."""
        for waiting in self.asked.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(Lost("the session ended"))
                waiting.answer.exception()  # read here too: its asker may be gone
        self.writer.close()

    async def _read(self) -> None:
        while True:
            await self.writer.drain()  # a peer that asks and never reads is not read either, and so is lost in time
            head = header(await self.reader.readexactly(16))
            body = await self.reader.readexactly(head.length - 16)
            if head.command & RESPONSE:
                self._answered(head, body)
            elif head.command == DELIVER_SM:
                self._deliver(head, body)
            elif head.command == ENQUIRE_LINK:
                self._write(pdu(RESPONSE | ENQUIRE_LINK, head.sequence))
            elif head.command == UNBIND:
                self._write(pdu(RESPONSE | UNBIND, head.sequence))
                raise Lost("the SMSC said goodbye")
            elif head.command not in (ALERT_NOTIFICATION, OUTBIND):  # these two have no answer
                self._write(pdu(GENERIC_NACK, head.sequence, status=INVALID_COMMAND))

    def _answered(self, head: Header, body: bytes) -> None:
        waiting = self.asked.get(head.sequence)
        if waiting is None or waiting.answer.done():
            return  # it came too late, or was never asked for
        if waiting.answers_before > self.answers_proven:
            self.answers_proven = waiting.answers_before
            self.proven(self.number, self.answers_proven)
        refused = head.command == GENERIC_NACK and head.status == OK  # a nack never means yes
        waiting.answer.set_result((UNKNOWN_ERROR if refused else head.status, body))

    def _deliver(self, head: Header, body: bytes) -> None:
        def reply(status: int) -> int:
            self._write(pdu(RESPONSE | DELIVER_SM, head.sequence, b"\0", status))
            self.answers += 1
            return self.answers

        if len(self.deliveries) >= MOST_DELIVERIES:
            reply(QUEUE_FULL)
            return
        task = asyncio.create_task(self._hear(Delivery(body, self.number, reply)), name="smpp-deliver")
        self.deliveries.add(task)
        task.add_done_callback(self.deliveries.discard)

    async def _hear(self, delivery: Delivery) -> None:
        try:
            await self.heard(delivery)
        except Exception as error:  # noqa: BLE001 (whatever broke, the SMSC must keep the message)
            log.error("smpp.deliver broke error=%s", type(error).__name__, exc_info=error)
            delivery.reply(TEMPORARY)

    def _write(self, octets: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(octets)
