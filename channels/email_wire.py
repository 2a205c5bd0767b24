"""One SMTP connection: greeting, TLS, sign-in, and a mail in two writes (RFC 5321, pipelined by RFC 2920, DSN by RFC 3461).

aiosmtplib sends a ready mail at 180 us of CPU and this at about 25, for sender, recipient and DATA go out together. What the
caller gets is how far a mail came and what the server said last: what that means is in email_codes.py.
"""

import asyncio
import base64
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from channels.email_address import Mailbox
from channels.email_talk import Reply, Talk
from profiles.swift import swift

Stage = Literal["connect", "sender", "recipient", "data", "end"]
_XTEXT = re.compile(r"[^!-*,-<>-~]")


class Unreachable(Exception):
    """There is no usable connection. `reply` is what the server said, when it said something."""

    def __init__(self, detail: str, reply: "Reply | None" = None) -> None:
        super().__init__(detail)
        self.detail, self.reply = detail, reply


@dataclass(frozen=True, slots=True)
class Account:
    """Where mail is handed over, and as whom."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"]
    context: ssl.SSLContext | None
    user: str
    password: str
    name: str
    """How we introduce ourselves (EHLO)."""
    seconds: float
    """How long each answer may take."""


@swift
@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one mailbox: the envelope and the octets, lines ended by CRLF."""

    sender: str
    to: Mailbox
    octets: bytes
    envelope: str = ""
    """The envelope id that a delivery status notification repeats."""
    begins: Callable[[], None] = lambda: None
    """Called right before its octets go out: until then nothing is handed over, whatever happens."""


@swift
@dataclass(frozen=True, slots=True)
class Handed:
    """How far a mail came. No reply: the connection was lost, or the answer did not come in time."""

    stage: Stage
    reply: Reply | None = None


async def dial(account: Account) -> "Line":
    """Return a connection that takes mail. Raises Unreachable, or OSError when there is no connection at all."""
    loop = asyncio.get_running_loop()
    line = Line(account.seconds)
    at_once = account.context if account.tls == "tls" else None
    try:
        async with asyncio.timeout(account.seconds):
            await loop.create_connection(lambda: line, account.host, account.port, ssl=at_once)
        await line.begin(account)
    except BaseException:
        line.abort()
        raise
    return line


class Line(Talk):
    """A connection that takes mails, one after the other."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.mails = 0
        """How many mails it has taken."""
        self.offers: Mapping[str, str] = {}

    # -- what a caller does

    async def begin(self, account: Account) -> None:
        """Hear the greeting, introduce ourselves, encrypt, sign in. Raises Unreachable."""
        _need(_only(await self.answers(1)), "greeting")
        await self._hello(account.name)
        if account.tls == "starttls":
            await self._encrypt(account)
        if account.user:
            await self._sign_in(account.user, account.password)
        self.is_open = not self._replies

    async def deliver(self, mail: Mail) -> Handed:
        """Hand one mail over and return how far it came."""
        self.mails += 1
        lacking = self._lacks(mail)
        if lacking:
            return lacking
        mail_from, rcpt_to = self._commands(mail)
        if "PIPELINING" in self.offers:
            replies = await self.ask(mail_from + rcpt_to + b"DATA\r\n", 3)
        else:
            replies = await self._one_by_one(mail_from, rcpt_to, b"DATA\r\n")
        stages: tuple[Stage, ...] = ("sender", "recipient", "data")
        for stage, reply in zip(stages, replies, strict=False):
            if not reply.is_good:
                await self._recover(replies)
                return Handed(stage, reply)
        if len(replies) < 3 or not self.is_connected():
            self.abort()
            return Handed("data", None)
        if replies[2].code != 354:
            self.abort()  # it follows no protocol that we know
            return Handed("data", Reply(replies[2].code, "expected 354 after DATA"))
        mail.begins()
        answer = _only(await self.ask(_stuffed(mail.octets), 1))
        if answer is None or answer.code < 200 or 300 <= answer.code < 400:
            self.abort()
            return Handed("end", None)
        return Handed("end", answer)

    async def quit(self) -> None:
        """Say goodbye and close, within a second."""
        if self.is_connected():
            self.seconds = min(self.seconds, 1.0)
            await self.ask(b"QUIT\r\n", 1)
        self.abort()

    # -- how it is done

    async def _hello(self, name: str) -> None:
        reply = _only(await self.ask(f"EHLO {name}\r\n".encode(), 1))
        if reply and reply.code in (500, 502):
            _need(_only(await self.ask(f"HELO {name}\r\n".encode(), 1)), "HELO")
            self.offers = {}
            return
        said = _need(reply, "EHLO").text.split("\n")[1:]
        words = [line.strip().partition(" ") for line in said]
        self.offers = {word.upper(): rest.strip() for word, _, rest in words if word}

    async def _encrypt(self, account: Account) -> None:
        if "STARTTLS" not in self.offers:
            raise Unreachable("the server offers no STARTTLS")
        _need(_only(await self.ask(b"STARTTLS\r\n", 1)), "STARTTLS")
        if self._buffer or self._replies or not self.transport or not account.context:
            raise Unreachable("words in clear after STARTTLS")  # somebody in between may have put them there
        async with asyncio.timeout(self.seconds):
            transport = await asyncio.get_running_loop().start_tls(
                self.transport, self, account.context, server_hostname=account.host
            )
        if transport is None:
            raise Unreachable("lost during TLS")
        self.transport = transport
        await self._hello(account.name)  # what was said before TLS counts no more, RFC 3207

    async def _sign_in(self, user: str, password: str) -> None:
        ways = self.offers.get("AUTH", "").upper().split()
        if "PLAIN" in ways:
            proof = base64.b64encode(f"\0{user}\0{password}".encode())
            _need(_only(await self.ask(b"AUTH PLAIN " + proof + b"\r\n", 1)), "AUTH")
        elif "LOGIN" in ways:
            _need(_only(await self.ask(b"AUTH LOGIN\r\n", 1)), "AUTH")
            _need(_only(await self.ask(base64.b64encode(user.encode()) + b"\r\n", 1)), "AUTH")
            _need(_only(await self.ask(base64.b64encode(password.encode()) + b"\r\n", 1)), "AUTH")
        else:
            raise Unreachable("the server offers neither AUTH PLAIN nor LOGIN")

    def _lacks(self, mail: Mail) -> Handed | None:
        """Return a refusal of our own where the server has said that it can not take such a mail."""
        if mail.to.needs_utf8 and "SMTPUTF8" not in self.offers:
            return Handed("recipient", Reply(553, "5.6.7 the server takes no address beyond ASCII"))
        largest = self.offers.get("SIZE", "")
        if largest.isdecimal() and 0 < int(largest[:12]) < len(mail.octets):
            return Handed("sender", Reply(552, f"5.3.4 {len(mail.octets)} octets, the server takes {largest[:12]}"))
        return None

    def _commands(self, mail: Mail) -> tuple[bytes, bytes]:
        sender, to = f"MAIL FROM:<{mail.sender}>", f"RCPT TO:<{mail.to.address}>"
        if "SIZE" in self.offers:
            sender += f" SIZE={len(mail.octets)}"
        if mail.to.needs_utf8:
            sender += " SMTPUTF8"
            sender += " BODY=8BITMIME" if "8BITMIME" in self.offers else ""
        if mail.envelope and "DSN" in self.offers:
            sender += f" RET=HDRS ENVID={mail.envelope}"
            to += " NOTIFY=FAILURE,DELAY"
            to += "" if mail.to.needs_utf8 else f" ORCPT=rfc822;{_xtext(mail.to.address)}"
        return f"{sender}\r\n".encode(), f"{to}\r\n".encode()

    async def _one_by_one(self, *commands: bytes) -> list[Reply]:
        replies: list[Reply] = []
        for command in commands:
            reply = _only(await self.ask(command, 1))
            if reply is None:
                break
            replies.append(reply)
            if not reply.is_good:
                break
        return replies

    async def _recover(self, replies: list[Reply]) -> None:
        """After a refusal: make the connection ready for the next mail, or close it."""
        if any(reply.code == 421 for reply in replies):
            return self.abort()
        if replies[-1].code == 354 and len(replies) == 3:
            await self.ask(b".\r\n", 1)  # it waits for a mail to nobody
        reset = _only(await self.ask(b"RSET\r\n", 1))
        if reset is None or not reset.is_good:
            self.abort()
        return None


def _only(replies: list[Reply]) -> Reply | None:
    return replies[0] if replies else None


def _need(reply: Reply | None, step: str) -> Reply:
    if reply is None:
        raise Unreachable(f"no answer to {step}")
    if not reply.is_good:
        raise Unreachable(f"{step} refused", reply)
    return reply


def _stuffed(octets: bytes) -> bytes:
    """Return the mail as it goes over the wire: a dot that begins a line doubled, and the end of the mail."""
    if octets.startswith(b"."):
        octets = b"." + octets
    end = b".\r\n" if octets.endswith(b"\r\n") else b"\r\n.\r\n"
    return octets.replace(b"\r\n.", b"\r\n..") + end


def _xtext(text: str) -> str:
    return _XTEXT.sub(lambda found: f"+{ord(found[0]):02X}", text)
