"""Mail in by LMTP (RFC 2033): our own mail server hands it over, and keeps it until we say that it is on disk.

250 only after the commit, for each recipient; 451 when the database does not confirm, so that the server offers it again; 550
for an address that is none of ours, 552 for too large, 554 for what is made to exhaust its reader. Whoever reaches the port may
hand mail over, so it listens on this host alone unless told otherwise.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from channels.email_incoming import Incoming
from channels.email_options import Options
from channels.email_reading import Unreadable
from profiles.store import Unavailable

if TYPE_CHECKING:  # 6 MB of memory, for those who use it: it is imported where it starts
    from aiosmtpd.smtp import Envelope, Session

log = logging.getLogger("channels.email")

MOST_CONNECTIONS = 25  # each may hold a whole mail in memory; Postfix opens 20 at most
MOST_RECIPIENTS = 100
LONGEST_LINE = 1_000_000  # octets; RFC 5322 allows 998, and not every program knows it
IDLE_SECONDS = 300.0

TAKEN = "250 2.0.0 taken"
LATER = "451 4.3.0 not stored; offer it again"
BROKEN = "451 4.3.0 something is wrong here; offer it again"
NOBODY = "550 5.1.1 nobody reads this address here"
UNREADABLE = "554 5.6.0 this is no mail that can be read"
TOO_MANY = "452 4.5.3 too many recipients"


class Lmtp:
    """The listening port."""

    def __init__(self, options: Options, incoming: Incoming) -> None:
        self._options, self._incoming = options, incoming
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Transport] = set()

    async def start(self) -> None:
        """Begin to listen. Raises ValueError when the port can not be had."""
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # it would write everybody's address into the log
        loop = asyncio.get_running_loop()
        speaker = _speaker(self, self._options.largest_in, self._open)
        host, port = self._options.lmtp_host, self._options.lmtp_port
        try:
            self._server = await loop.create_server(speaker, host, port, reuse_port=True)
        except OSError as error:
            place = f"{host}:{port}"
            raise ValueError(
                f"channels.email.lmtp_port: expected a free port, got {place}: {error.strerror}"
            ) from error
        log.info("email.lmtp listens port=%d", port)

    async def close(self) -> None:
        """Stop listening; a mail whose answer is not out yet is offered again, and known."""
        if self._server:
            self._server.close()
            self._server = None
        for transport in list(self._open):
            transport.abort()

    # -- what aiosmtpd asks

    async def handle_EHLO(
        self, server: Any, session: "Session", envelope: "Envelope", hostname: str, responses: list[str]
    ) -> list[str]:
        """Add what RFC 2033 section 5 asks of every such server."""
        session.host_name = hostname
        return [responses[0], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", *responses[1:]]

    async def handle_RCPT(
        self, server: Any, session: "Session", envelope: "Envelope", address: str, options: Sequence[str]
    ) -> str:
        """Answer whether somebody reads this address here."""
        if not self._incoming.is_ours(address):
            return NOBODY
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return TOO_MANY
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: "Session", envelope: "Envelope") -> str:
        """Answer once the mail is on disk; the same for each recipient, for it is stored once."""
        octets = envelope.content if isinstance(envelope.content, bytes) else b""
        path = (envelope.mail_from or "").replace("<>", "")
        try:
            await self._incoming.take(octets, to=envelope.rcpt_tos, path=path)
        except Unavailable as error:
            log.warning("email.lmtp waits reason=%s", error)
            return LATER
        except Unreadable as error:
            log.warning("email.lmtp refused reason=%s", error)
            return UNREADABLE
        except Exception as error:  # noqa: BLE001 (the mail stays with its server, which offers it again)
            log.error("email.lmtp broke error=%s", type(error).__name__, exc_info=error)
            return BROKEN
        return TAKEN

    async def handle_exception(self, error: Exception) -> str:
        """Answer what aiosmtpd stumbled over; its own words would show what came."""
        log.error("email.lmtp broke error=%s", type(error).__name__, exc_info=error)
        return BROKEN


def _speaker(handler: Lmtp, largest: int, connected: set[asyncio.Transport]) -> Any:
    """Return what makes the protocol of one connection."""
    from aiosmtpd.lmtp import LMTP

    class Speaker(LMTP):
        """aiosmtpd's LMTP, with one answer for each recipient after the mail (RFC 2033 section 4.2)."""

        line_length_limit = LONGEST_LINE
        _is_turned_away = False
        _answers = 1
        """How often the next status is said."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            writable = cast(asyncio.Transport, transport)  # uvloop's are of no common class
            if len(connected) >= MOST_CONNECTIONS:
                self._is_turned_away = True
                writable.write(b"421 4.3.2 too many connections\r\n")
                writable.close()
                return
            connected.add(writable)
            super().connection_made(transport)

        def connection_lost(self, error: Exception | None) -> None:
            if not self._is_turned_away:
                connected.discard(self.transport)
                super().connection_lost(error)

        def eof_received(self) -> bool | None:
            return None if self._is_turned_away else super().eof_received()

        async def smtp_DATA(self, arg: str) -> None:
            self._answers = len(self.envelope.rcpt_tos) if self.envelope and not arg else 1
            try:
                await super().smtp_DATA(arg)
            finally:
                self._answers = 1

        async def push(self, status: Any) -> None:
            text = status if isinstance(status, str) else bytes(status).decode("ascii", "replace")
            if not text.startswith("354"):
                text = "\r\n".join([text] * max(self._answers, 1))
            await super().push(text)

    loop = asyncio.get_running_loop()
    return lambda: Speaker(
        handler, data_size_limit=largest, enable_SMTPUTF8=True, hostname="localhost", ident="LMTP", timeout=IDLE_SECONDS,
        loop=loop,
    )  # fmt: skip
