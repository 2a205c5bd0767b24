"""A mail server for the tests: aiosmtpd, which somebody else wrote, with people who take mail, refuse it or never answer.

Run it by itself to try the channel by hand: `python -m tests.peers.mail_server 2525` shows every mail it takes.
"""

import asyncio
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HANG = "hang"


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that the server took: its envelope and its octets as they came."""

    sender: str
    to: str
    octets: bytes

    @property
    def mail(self) -> EmailMessage:
        """Return the mail as the standard library reads it."""
        return cast(EmailMessage, message_from_bytes(self.octets, policy=default))

    @property
    def text(self) -> str:
        """Return the words of its part without markup."""
        part = self.mail.get_body(("plain",))
        return part.get_content().strip().replace("\r\n", "\n") if part else ""


@dataclass
class MailServer:
    """Listens on a free port of loopback. `answers`: what the server says of a recipient; after DATA for `after_data`."""

    tls: ssl.SSLContext | None = None
    at_once: bool = False
    """Whether TLS begins with the connection, else by STARTTLS."""
    passwords: Mapping[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    after_data: dict[str, str] = field(default_factory=dict)
    pipelining: bool = True
    utf8: bool = True
    largest: int = 33_554_432
    port: int = 0
    shown: Callable[[Taken], None] | None = None
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    signed_in: list[str] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _open: set[asyncio.BaseTransport] = field(default_factory=set)

    async def start(self) -> None:
        """Begin to listen."""
        tls = self.tls if self.at_once else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._speaker, "127.0.0.1", self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Leave the network, with every connection."""
        if self._server:
            self._server.close()
            for transport in self._open:
                cast(asyncio.Transport, transport).abort()
            await asyncio.sleep(0)
            self._server = None

    def to(self, address: str) -> list[Taken]:
        """Return the mails to this address, in order."""
        return [one for one in self.taken if one.to == address]

    # -- what aiosmtpd asks

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [responses[0], *(["250-PIPELINING"] if self.pipelining else []), *responses[1:]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        if answer := self.answers.get(address):
            return await _said(answer)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        to = envelope.rcpt_tos[0]
        if answer := self.after_data.get(to):
            return await _said(answer)
        self.taken.append(Taken(envelope.mail_from or "", to, cast(bytes, envelope.content)))
        if self.shown:
            self.shown(self.taken[-1])
        return "250 2.0.0 Ok: queued"

    def _speaker(self) -> SMTP:
        self.connections += 1
        server = self
        auth: dict[str, Any] = {}
        if self.passwords:
            auth = {
                "authenticator": self._sign_in,
                "auth_required": True,
                "auth_require_tls": self.tls is not None and not self.at_once,
            }

        class Speaker(SMTP):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                server._open.add(transport)
                super().connection_made(transport)

        return Speaker(
            self,
            data_size_limit=self.largest,
            enable_SMTPUTF8=self.utf8,
            hostname="mx.example",
            ident="test",
            tls_context=None if self.at_once else self.tls,
            require_starttls=self.tls is not None and not self.at_once,
            loop=asyncio.get_running_loop(),
            **auth,
        )

    def _sign_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        user = given.login.decode()
        self.signed_in.append(f"{mechanism} {user}")
        return AuthResult(success=self.passwords.get(user) == given.password.decode(), handled=False)


async def _said(answer: str) -> str:
    if answer == HANG:
        await asyncio.Event().wait()
    return answer


async def _main(port: int) -> None:
    def show(taken: Taken) -> None:
        print(f"--- {taken.sender} -> {taken.to}\n{taken.octets.decode('utf-8', 'replace')}", flush=True)  # noqa: T201

    await MailServer(port=port, shown=show).start()
    print(f"listening on 127.0.0.1:{port}", flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else 2525))
