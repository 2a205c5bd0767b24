"""A rule's e-mail, from the rule file to a mailbox at Dovecot by Postfix; what its reader does there holds here."""

import asyncio
import re
import smtplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from admin.keys import create_key
from causerie.app import CONSENTS, STORE, WRITER, build
from causerie.data_folder import free_port
from causerie.options import Options, ServerOptions
from channels import email
from profiles.calendar import utc_now
from profiles.consents import Said
from profiles.profile import Identity, Profile
from profiles.snapshot import Changes, Work
from profiles.store import Store
from profiles.topics import Topic
from rules.options import RulesOptions
from tests.peers.dovecot import Dovecot, dovecot
from tests.peers.postfix import Postfix, postfix
from tests.waiting import until

ANNA, SHOP = "anna@mail.example", "help@shop.example"
BOOK = {
    "topics.yml": """
offers:
  title: {fr: Offres, en: Offers}
  wording: {fr: Oui aux offres, en: Yes to offers}
""",
    "after-order.yml": """
rule: after-order
state: live
class: marketing
topic: offers
when: {event: order.paid}
steps:
  - send: {channel: email, template: offer}
""",
    "templates/offer.yml": """
fr:
  title: "Merci {{ contact.first_name | default('à vous') }}"
  html: '<p>Une offre pour vous : <a href="https://shop.example/offre">la voir</a></p>'
""",
}


@dataclass(frozen=True, slots=True)
class Place:
    """The server, the relay that carries its mail and brings it Anna's, and where she has her mailbox."""

    url: str
    app: web.Application
    relay: Postfix
    boxes: Dovecot

    @property
    def store(self) -> Store:
        return self.app[STORE]

    async def order_paid(self, id: str) -> None:
        """Report an order of Anna's through the API."""
        key = await create_key(self.store, f"shop {id}", ["events:write"], now=utc_now())
        event = {"id": id, "name": "order.paid", "identity": {"space": "email", "address": ANNA}, "properties": {}}
        shop = aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"})
        async with shop, shop.post(f"{self.url}/api/v1/events", json=event) as answer:
            assert answer.status == 201

    async def decided(self, *reasons: str) -> None:
        """Return once the rule has decided so, in this order."""

        async def told() -> bool:
            rows = await self.store.find("decisions", {}, sort=[("at", 1)])
            return tuple(row["reason"] for row in rows) == reasons

        await until(told)

    async def answers(self, mail: EmailMessage, text: str) -> None:
        """Let Anna answer this mail from her mail program."""
        answer = EmailMessage()
        answer["From"], answer["To"], answer["Subject"] = f"Anna <{ANNA}>", SHOP, f"Re: {mail['Subject']}"
        answer["Message-ID"], answer["In-Reply-To"] = "<answer@mail.example>", mail["Message-ID"]
        answer.set_content(text)

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", self.relay.port, timeout=20) as server:
                server.send_message(answer)

        await asyncio.to_thread(send)


@pytest.fixture
async def place(mongo_url: str, database_name: str, free_port: int, tmp_path: Path) -> AsyncIterator[Place]:
    for name, text in BOOK.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    async with _opened(mongo_url, database_name, free_port, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def _opened(mongo_url: str, database: str, port: int, book: Path) -> AsyncIterator[Place]:
    lmtp_port = free_port()
    async with dovecot(ANNA) as boxes:
        routes = {
            "mail.example": f"lmtp:inet:127.0.0.1:{boxes.lmtp_port}",
            "shop.example": f"lmtp:inet:127.0.0.1:{lmtp_port}",
        }
        async with postfix(routes) as relay:
            mail = email.Options(
                enabled=True, host="127.0.0.1", port=relay.port, tls="none", from_address=SHOP, from_name="La boutique",
                return_path="bounces@shop.example", receives=(SHOP,), lmtp_port=lmtp_port,
            )  # fmt: skip
            options = Options(
                server=ServerOptions(port=port),
                rules=RulesOptions(str(book)),
                channels={"email": mail},
                database=database,
            )
            app = await build(options, mongo_url)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            try:
                await _anna_agrees(app)
                yield Place(f"http://127.0.0.1:{port}", app, relay, boxes)
            finally:
                await runner.cleanup()


async def _anna_agrees(app: web.Application) -> None:
    key, now = f"email:{ANNA}", utc_now()
    anna = Profile("anna", now, (Identity("email", ANNA, now),), language="fr")
    await app[WRITER].commit(Work(lambda _: Changes((anna,), claims={key: "anna"}), identities=(key,)))
    await app[CONSENTS].give("anna", Topic("offers"), "email", Said("form"), now=utc_now())


async def posted(url: str, body: dict[str, Any]) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, data=body, allow_redirects=False) as answer:
        return answer.status


async def test_the_one_click_unsubscribe_of_a_mail_in_the_mailbox_works(place: Place) -> None:
    await place.order_paid("o1")
    [mail] = await place.boxes.mails(ANNA, 1)
    html = mail.get_body(("html",))
    assert (mail["Subject"], mail["Content-Language"]) == ("Merci à vous", "fr")
    assert html and "Une offre pour vous" in html.get_content()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link, by_mail = (one.strip("<>") for one in mail["List-Unsubscribe"].split(", "))
    assert link.startswith(f"{place.url}/u/")
    assert by_mail.startswith("mailto:bounces+")
    seen = re.search(rf'<a href="({place.url}/u/[^"]+)">Se désabonner</a>', html.get_content())
    assert seen and f"Se désabonner : {seen[1]}" in mail.get_body(("plain",)).get_content()

    async with aiohttp.ClientSession() as session, session.get(link) as looked:  # a scanner opens every link
        assert looked.status == 200
    await place.order_paid("o2")
    assert len(await place.boxes.mails(ANNA, 2)) == 2

    assert await posted(link, {"List-Unsubscribe": "One-Click"}) == 200
    await place.order_paid("o3")
    await place.decided("sent", "sent", "opted_out:topic:offers")
    assert len(await place.boxes.mails(ANNA, 2)) == 2


async def test_whoever_answers_a_rules_mail_talks_to_the_bot_and_the_rule_knows_it(place: Place) -> None:
    await place.order_paid("o1")
    [mail] = await place.boxes.mails(ANNA, 1)
    await place.answers(mail, "Je veux parler à un conseiller\n\n> Une offre pour vous")
    [_, answer] = await place.boxes.mails(ANNA, 2)
    assert answer["In-Reply-To"] == "<answer@mail.example>"
    assert answer["Subject"] == "Re: Merci à vous"
    assert answer["Auto-Submitted"] == "auto-replied"
    [told] = await place.store.find("events", {"name": "message.answered"})
    assert told["properties"]["rule"] == "after-order"
    thread = await place.store.get("conversations", f"email:{ANNA}")
    assert thread and thread["profile"] == "anna"
    assert thread["owner"] == "queue"
