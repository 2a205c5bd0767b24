"""A mail provider, played by aiosmtpd (tests/peers/mail_server.py); mail comes in by LMTP, from the standard library's client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage

from causerie.data_folder import free_port
from channels.channel import Door
from channels.email import Options
from tests.peers.mail_client import hand_over
from tests.peers.mail_server import HANG, MailServer


@asynccontextmanager
async def play(door: Door) -> AsyncIterator["EmailKit"]:
    """Start the server on a free port."""
    kit = EmailKit()
    await kit.peer.start()
    kit.options = Options(
        enabled=True, host="127.0.0.1", port=kit.peer.port, tls="none", from_address="news@shop.example",
        from_name="La boutique", answer_seconds=0.6, receives=("news@shop.example",), lmtp_port=free_port(),
    )  # fmt: skip
    yield kit
    await kit.vanish()


class EmailKit:
    person = "anna@example.org"
    troubles = {"blocked": "gone@example.org", "throttled": "grey@example.org", "silent": "asleep@example.org"}
    options: Options

    def __init__(self) -> None:
        self.peer = MailServer(
            answers={"gone@example.org": "550 5.1.1 User unknown", "grey@example.org": "451 4.7.1 Greylisted"},
            after_data={"asleep@example.org": HANG},
        )

    async def connected(self) -> None:
        """There is nothing to wait for: it connects with the first mail."""

    async def says(self, text: str, *, id: str) -> bool:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Message-ID"] = (
            f"Anna <{self.person}>",
            "news@shop.example",
            f"<{id}@example.org>",
        )
        mail.set_content(text)
        answers = await asyncio.to_thread(hand_over, self.options.lmtp_port, bytes(mail), "news@shop.example")
        return all(answer.startswith("250") for answer in answers)

    async def heard(self) -> list[str]:
        return [taken.text for taken in self.peer.to(self.person)]

    async def vanish(self) -> None:
        await self.peer.stop()
