"""Dovecot, started for a test on loopback: mailboxes of its own that take mail by LMTP and are read by IMAP."""

import asyncio
import imaplib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

from causerie.data_folder import free_port
from tests.needed import mail_program
from tests.waiting import until

NOBODY = 65534  # the user who owns the mailboxes: Dovecot keeps none for root
PASSWORD = "opensesame"


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running server and its folder."""

    folder: Path
    lmtp_port: int
    imap_port: int
    imaps_port: int

    def box(self, user: str) -> "Box":
        """Open somebody's mailbox; it waits, so call it in a thread."""
        return Box(self, user)

    def renumber(self, user: str) -> None:
        """Let somebody's mails be numbered anew, as on a server that was restored; nobody may have the mailbox open."""
        for place in (self.folder / "mail" / user).glob("dovecot*"):
            place.unlink()

    async def mails(self, user: str, count: int) -> list[EmailMessage]:
        """Return the mails in somebody's mailbox once there are so many."""
        return [as_read(octets) for octets in await self.octets(user, count)]

    async def octets(self, user: str, count: int) -> list[bytes]:
        """Return them as they are stored."""

        async def has_them() -> list[bytes] | None:
            found = await self.now(user)
            return found if len(found) >= count else None

        return cast(list[bytes], await until(has_them, within_seconds=60))

    async def now(self, user: str) -> list[bytes]:
        """Return the mails that are in somebody's mailbox now."""

        def looked() -> list[bytes]:
            box = Box(self, user)
            found = box.octets()
            box.leave()
            return found

        return await asyncio.to_thread(looked)


class Box:
    """One mailbox, read as a mail program does."""

    def __init__(self, server: Dovecot, user: str) -> None:
        self.imap = imaplib.IMAP4("127.0.0.1", server.imap_port, timeout=20)
        self.imap.login(user, PASSWORD)
        self.imap.select("INBOX")

    def count_of(self, words: str) -> int:
        """Return how many mails have these words in their subject, as the server reads it."""
        self.imap.literal = words.encode()
        state, found = self.imap.search("UTF-8", "SUBJECT")
        assert state == "OK"
        return len(found[0].split())

    def octets(self) -> list[bytes]:
        """Return all mails, in order, as they are stored."""
        _, found = self.imap.search(None, "ALL")
        return [self._octets(number.decode()) for number in found[0].split()]

    def put(self, octets: bytes) -> None:
        """Put a mail there, as if it had just come."""
        status, _ = self.imap.append("INBOX", "", "", octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        assert status == "OK"

    def flags(self) -> bytes:
        """Return the flags of all mails."""
        _, found = self.imap.fetch("1:*", "(FLAGS)")
        return b" ".join(one for one in found if isinstance(one, bytes))

    def leave(self) -> None:
        """Close the mailbox."""
        self.imap.logout()

    def _octets(self, number: str) -> bytes:
        _, found = self.imap.fetch(number, "(BODY.PEEK[])")
        return next(bytes(one[1]) for one in found if isinstance(one, tuple))


def as_read(octets: bytes) -> EmailMessage:
    """Return a mail as the standard library reads it."""
    return cast(EmailMessage, message_from_bytes(octets, policy=default))


@asynccontextmanager
async def dovecot(*users: str, certificate: Path | None = None, offers: str = "") -> AsyncIterator[Dovecot]:
    """Start it with these mailboxes. `certificate`: a folder with cert.pem and key.pem, to speak TLS with. `offers`: what it says
    that it can, in place of all.
    """
    program = mail_program("dovecot", "dovecot-core, dovecot-imapd and dovecot-lmtpd")
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    folder.chmod(0o755)
    server = Dovecot(folder, free_port(), free_port(), free_port() if certificate else 0)
    (folder / "mail").mkdir()
    os.chown(folder / "mail", NOBODY, NOBODY)
    (folder / "users").write_text("".join(f"{name}:{{PLAIN}}{PASSWORD}::::::\n" for name in users))
    (folder / "dovecot.conf").write_text(_configuration(server, certificate, offers))
    process = await asyncio.create_subprocess_exec(
        program, "-F", "-c", str(folder / "dovecot.conf"), stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for port in (server.lmtp_port, server.imap_port):
            await until(lambda port=port: answers(port))
        yield server
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


async def answers(port: int) -> bool:
    """Return whether somebody greets on this port of loopback."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        return bool(await asyncio.wait_for(reader.readline(), 5))
    except (TimeoutError, ConnectionError):
        return False
    finally:
        writer.close()


def _configuration(server: Dovecot, certificate: Path | None, offers: str) -> str:
    folder = server.folder
    tls = (
        f"ssl = yes\nssl_cert = <{certificate}/cert.pem\nssl_key = <{certificate}/key.pem"
        if certificate
        else "ssl = no"
    )
    capability = f"imap_capability = {offers}" if offers else ""
    return f"""
{capability}
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap lmtp
listen = 127.0.0.1
{tls}
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
recipient_delimiter = +
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
  default_fields = uid={NOBODY} gid={NOBODY} home={folder}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {server.imap_port}
  }}
  inet_listener imaps {{
    port = {server.imaps_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {server.lmtp_port}
  }}
}}
"""
