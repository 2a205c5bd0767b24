"""One session with an SMSC, from a bind to its loss: asking and answering, and the signs that the peer is still there.

Requests wait for their answers in a window; whatever the peer asks is answered once it has been dealt with, so that nothing is
acknowledged that was not stored.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from channels.smpp_wire import (
    ALERT_NOTIFICATION,
    DELIVER_SM,
    ENQUIRE_LINK,
    GENERIC_NACK,
    INVALID_COMMAND,
    OK,
    OUTBIND,
    QUEUE_FULL,
    RESPONSE,
    TEMPORARY,
    UNBIND,
    UNKNOWN_ERROR,
    Header,
    header,
    pdu,
)

log = logging.getLogger("channels.smpp")

PROOF_SECONDS = 2.0  # after this we ask for a sign of life, so that our last answers count as arrived
MOST_DELIVERIES = 500  # being stored at once; the SMSC keeps the rest
MISSED_ENQUIRIES = 2


class Lost(Exception):
    """The session ended, or the answer did not come in time: what was handed over may have been taken."""


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


@dataclass(slots=True)
class Session:
    """A connection that is being bound, or is; `heard` is called for every deliver_sm, one task each."""

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
