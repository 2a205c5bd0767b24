"""A town of mail on this machine, to try e-mail by hand: Postfix carries it, Dovecot keeps Anna's mailbox, and you are Anna.

`sudo .venv/bin/python -m tests.peers.mail_town` says what to put into config.toml, shows every mail that reaches Anna, and sends
what you type as her answer. Ctrl-D ends it.
"""

import asyncio
import smtplib
import sys
from email.message import EmailMessage

from causerie.data_folder import free_port
from tests.peers.dovecot import Dovecot, as_read, dovecot
from tests.peers.postfix import Postfix, postfix

ANNA, SHOP = "anna@mail.example", "help@shop.example"
LOOK_SECONDS = 0.5
SHOWN = ("From", "Subject", "Message-ID", "In-Reply-To", "Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post")

CONFIGURATION = """\
[channels.email]
enabled = true
host = "127.0.0.1"
port = {relay}
tls = "none"
from_address = "{shop}"
return_path = "bounces@shop.example"
receives = ["{shop}"]
lmtp_port = {lmtp}

# or, in place of the last line, Dovecot's mailbox of the shop:
# imap_host = "127.0.0.1"
# imap_port = {imap}
# imap_tls = "none"
# imap_user = "{shop}"
# imap_password = "opensesame"
"""


async def main() -> None:
    """Open the town until the end of what is typed."""
    lmtp_port = free_port()
    async with dovecot(ANNA, SHOP) as boxes:
        routes = {
            "mail.example": f"lmtp:inet:127.0.0.1:{boxes.lmtp_port}",
            "shop.example": f"lmtp:inet:127.0.0.1:{lmtp_port}",
        }
        async with postfix(routes) as relay:
            _say(CONFIGURATION.format(relay=relay.port, lmtp=lmtp_port, imap=boxes.imap_port, shop=SHOP))
            _say(f"You are {ANNA}. Type a line to write to {SHOP}.\n")
            anna = _Anna(boxes, relay)
            looking = asyncio.create_task(anna.look())
            while line := await asyncio.to_thread(sys.stdin.readline):
                await asyncio.to_thread(anna.write, line.strip())
            looking.cancel()


class _Anna:
    """Whoever sits at the keyboard."""

    def __init__(self, boxes: Dovecot, relay: Postfix) -> None:
        self._boxes, self._relay = boxes, relay
        self._last: EmailMessage | None = None

    async def look(self) -> None:
        """Show what comes."""
        shown = 0
        while True:
            for octets in (await self._boxes.now(ANNA))[shown:]:
                self._last = as_read(octets)
                shown += 1
                _say(_told(self._last))
            await asyncio.sleep(LOOK_SECONDS)

    def write(self, text: str) -> None:
        """Send a line, as an answer to what came last."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"Anna <{ANNA}>", SHOP, "Une question"
        mail["Message-ID"] = f"<{id(mail):x}.{len(text)}@mail.example>"
        if self._last is not None:
            mail.replace_header("Subject", f"Re: {self._last['Subject']}")
            mail["In-Reply-To"] = self._last["Message-ID"]
        mail.set_content(text)
        with smtplib.SMTP("127.0.0.1", self._relay.port, timeout=20) as server:
            server.send_message(mail)


def _told(mail: EmailMessage) -> str:
    head = "\n".join(f"{name}: {mail[name]}" for name in SHOWN if mail[name])
    body = mail.get_body(("plain", "html"))
    return f"---\n{head}\n\n{body.get_content() if body else ''}"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
