"""A mailbox read by IMAP (RFC 3501; IDLE by RFC 2177), through the standard library, which waits: call it in a thread.

Nothing is changed there: bodies are fetched without marking them as read, and the folder is opened for reading alone, unless what
was taken is to be deleted.
"""

import io
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from channels.email_options import Options

if TYPE_CHECKING:  # imported where a mailbox is opened
    import imaplib

WITHIN_SECONDS = 20.0  # each answer of the server
_IDLE = b"CAUSERIE"  # the tag of our own commands; the library's are four letters and a number
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)", re.IGNORECASE)


class Unreachable(Exception):
    """The mailbox can not be read now; the text says why, without a password or an address."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What the server says of a folder: which numbering of mails holds, and the number that the next one gets."""

    validity: int
    next: int


class Mailbox:
    """One connection, signed in."""

    def __init__(self, options: Options) -> None:
        """Raises Unreachable."""
        import imaplib

        self._options = options
        self._errors: tuple[type[Exception], ...] = (imaplib.IMAP4.error, OSError, EOFError, ValueError)
        try:
            self._imap = _connected(options)
            self._imap.login(options.imap_user, options.imap_password.reveal())
            told = self._ask(self._imap.capability())  # many servers say all they can only to whom they know
            offers = bytes(told[0] or b"").upper().split()
            self._deletes_alone, self.idles = b"UIDPLUS" in offers, b"IDLE" in offers
        except self._errors as error:
            raise Unreachable(_reason(error)) from error

    def look(self) -> Folder:
        """Return where the folder stands. Raises Unreachable."""
        name = '"' + self._options.imap_folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
        try:
            self._ask(self._imap.select(name, readonly=not self._options.imap_deletes))
            return Folder(self._number("UIDVALIDITY"), self._number("UIDNEXT"))
        except self._errors as error:
            raise Unreachable(_reason(error)) from error

    def after(self, uid: int) -> list[int]:
        """Return the numbers of the mails behind this one, in order. Raises Unreachable."""
        return [one for one in self._search(f"UID {uid + 1}:*") if one > uid]  # * is the last one, whatever its number

    def since(self, day: date) -> list[int]:
        """Return the numbers of the mails that came on this day or later. Raises Unreachable."""
        return self._search(f"SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}")

    def fetch(self, uid: int, *, largest: int) -> bytes | None:
        """Return a mail's octets; None when it is gone, or larger than allowed. Raises Unreachable."""
        size = next((found for one in self._fetched(uid, "(RFC822.SIZE)") if (found := _SIZE.search(_line(one)))), None)
        if size is None or int(size[1]) > largest:
            return None
        parts = (one for one in self._fetched(uid, "(BODY.PEEK[])") if isinstance(one, tuple) and len(one) > 1)
        return next((bytes(one[1]) for one in parts), None)

    def delete(self, uid: int) -> None:
        """Delete a mail; where the server can not delete one alone it is only marked. Raises Unreachable."""
        try:
            self._ask(self._imap.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)"))
            if self._deletes_alone:
                self._ask(self._imap.uid("EXPUNGE", str(uid)))
        except self._errors as error:
            raise Unreachable(_reason(error)) from error

    def idle(self) -> bool:
        """Ask to be told of what comes, and return whether we are: then `fileno` gets readable, and `wake` must follow.

        `idles` is False from then on for a server that offers it and refuses. Raises Unreachable.
        """
        try:
            self._imap.send(_IDLE + b" IDLE\r\n")
            while not (line := self._imap.readline()).startswith(b"+"):
                if not line or line.startswith(_IDLE):
                    self.idles = False
                    return False
        except self._errors as error:
            raise Unreachable(_reason(error)) from error
        return True

    def wake(self) -> None:
        """End `idle`. Raises Unreachable."""
        try:
            self._imap.send(b"DONE\r\n")
            while not (line := self._imap.readline()).startswith(_IDLE):
                if not line:
                    raise EOFError
        except self._errors as error:
            raise Unreachable(_reason(error)) from error

    @property
    def has_heard(self) -> bool:
        """Whether a word of the server is read already, so that `fileno` may not get readable for it. Never waits."""
        connection = self._imap.socket()
        connection.setblocking(False)
        try:
            return bool(cast(io.BufferedReader, self._imap.file).peek(1))
        except OSError:  # TLS: nothing but its own words, or the end, which shows when it is read
            return False
        finally:
            connection.settimeout(WITHIN_SECONDS)

    @property
    def fileno(self) -> int:
        """The file descriptor of the connection."""
        return self._imap.socket().fileno()

    def leave(self) -> None:
        """Say goodbye."""
        with suppress(*self._errors):
            self._imap.logout()

    def cut(self) -> None:
        """Hang up from another thread: whoever waits for an answer here waits no longer."""
        with suppress(OSError):
            self._imap.socket().shutdown(socket.SHUT_RDWR)

    def _search(self, what: str) -> list[int]:
        try:
            found = self._ask(self._imap.uid("SEARCH", what))
        except self._errors as error:
            raise Unreachable(_reason(error)) from error
        return sorted(int(number) for number in b" ".join(filter(None, found)).split())

    def _fetched(self, uid: int, what: str) -> list[Any]:
        try:
            return self._ask(self._imap.uid("FETCH", str(uid), what))
        except self._errors as error:
            raise Unreachable(_reason(error)) from error

    def _number(self, name: str) -> int:
        _, said = self._imap.response(name)
        if not said or said[0] is None:
            raise ValueError(f"the server does not say {name}")
        return int(said[0])

    def _ask(self, answer: tuple[str, list[Any]]) -> list[Any]:
        status, found = answer
        if status != "OK":
            raise ValueError(f"the server answered {status}")
        return found


def _connected(options: Options) -> "imaplib.IMAP4":
    import imaplib

    context = None if options.imap_tls == "none" else ssl.create_default_context(cafile=options.imap_ca or None)
    if options.imap_tls == "tls":
        return imaplib.IMAP4_SSL(options.imap_host, options.imap_port, ssl_context=context, timeout=WITHIN_SECONDS)
    connection = imaplib.IMAP4(options.imap_host, options.imap_port, timeout=WITHIN_SECONDS)
    if context:
        connection.starttls(context)
    return connection


def _line(one: Any) -> bytes:
    return bytes(one[0] if isinstance(one, tuple) else one or b"")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    if "AUTHENTICATIONFAILED" in str(error).upper():
        return "the server refuses imap_user or imap_password"
    return str(error) if isinstance(error, ValueError) else type(error).__name__
