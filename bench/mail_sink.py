"""`python -m bench.mail_sink`: an SMTP server that takes every mail and keeps none (bench/sink.py).

It counts mails and recipients. VRFY answers with what it counted since the last time, as JSON, and begins anew. One mail of
some hundred is read as a mail program would: is it to whom it was sent, in two parts, tracked, and can it be left?
"""

import asyncio
import email
import json
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from typing import cast

import uvloop

from bench.sink import serve

END = b"\r\n.\r\n"
READ_EVERY = 200


@dataclass(slots=True)
class Counted:
    """What came since somebody asked."""

    taken: int = 0
    twice: int = 0
    """Mails to somebody who had one."""
    read: int = 0
    right: int = 0
    tracked: int = 0
    """Of those that were read: how many are as they should be, and how many count openings and clicks."""
    recipients: set[bytes] = field(default_factory=set)

    def take(self, recipient: bytes, octets: bytes) -> None:
        """Count one mail."""
        self.twice += recipient in self.recipients
        self.recipients.add(recipient)
        if self.taken % READ_EVERY == 0:
            mail = email.message_from_bytes(octets.replace(b"\r\n..", b"\r\n."), policy=policy.default)
            self.read += 1
            self.right += is_right(mail, recipient.decode())
            self.tracked += is_tracked(mail)
        self.taken += 1

    def told(self) -> dict[str, int]:
        """Return the numbers."""
        return {name: getattr(self, name) for name in ("taken", "twice", "read", "right", "tracked")}


class Sink(asyncio.Protocol):
    """One connection."""

    counted = Counted()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport, self._buffer, self._is_mail = cast(asyncio.Transport, transport), b"", False
        self._recipient = b""
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer each command, and each mail at its end."""
        self._buffer += data
        answers = []
        while self._buffer:
            end, size = (END, 5) if self._is_mail else (b"\r\n", 2)
            at = self._buffer.find(end)
            if at < 0:
                break
            line, self._buffer = self._buffer[:at], self._buffer[at + size :]
            answers.append(self._answer(line))
        self._transport.write(b"".join(answers))

    def _answer(self, line: bytes) -> bytes:
        if self._is_mail:
            self._is_mail = False
            Sink.counted.take(self._recipient, line)
            return b"250 2.0.0 Ok\r\n"
        word = line[:4].upper()
        if word == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        if word == b"DATA":
            self._is_mail = True
            return b"354 go on\r\n"
        if word == b"RCPT":
            self._recipient = line.partition(b"<")[2].partition(b">")[0]
        if word == b"VRFY":
            counted, Sink.counted = Sink.counted, Counted()
            return b"252 %s\r\n" % json.dumps(counted.told()).encode()
        return b"221 bye\r\n" if word == b"QUIT" else b"250 2.1.0 Ok\r\n"


def is_right(mail: EmailMessage, recipient: str) -> bool:
    """Return whether this mail is to them, in text and HTML, and can be left by one click (RFC 8058)."""
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    if text is None or html is None or recipient not in str(mail["To"]) or not mail["Subject"]:
        return False
    is_left = mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" and "/u/" in mail["List-Unsubscribe"]
    return is_left and "Bonjour" in text.get_content() and "<html" in html.get_content()


def is_tracked(mail: EmailMessage) -> bool:
    """Return whether its HTML has the picture that tells of its opening, and links that tell of clicks."""
    html = mail.get_body(("html",))
    shown = html.get_content() if html else ""
    return "/o/" in shown and "/l/" in shown


if __name__ == "__main__":
    uvloop.run(serve(Sink))
