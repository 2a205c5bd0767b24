"""A house that is written to by e-mail: front door, back door, the channel between, and a mail server that takes what we send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from typing import Any

from causerie.data_folder import free_port
from channels.channel import Door, Limits
from channels.email import Email, Options, connect
from channels.inbound import FrontDoor
from channels.outbound import BackDoor
from profiles.answer import Answer
from profiles.append import said
from profiles.calendar import utc_now
from profiles.consents import Consents
from profiles.conversation import Conversation, take
from profiles.indexes import INDEXES
from profiles.ledger import Ledger, ledger_of
from profiles.ledgers import Ledgers
from profiles.live import Feed
from profiles.permits import Permits
from profiles.profile import Identity, Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Snapshot, Work
from profiles.store import Store
from profiles.timeline import Button, Content, Delivery, Event, Message
from profiles.writer import Writer
from tests.peers.mail_client import hand_over
from tests.peers.mail_server import MailServer, Taken
from tests.waiting import until

HELP, ANNA = "help@shop.example", "anna@example.org"
SECRET = b"s" * 32
HOUSE = "https://crm.shop.example"


def two_words(snapshot: Snapshot, profile: Profile, conversation: Conversation, message: Message) -> Answer:
    """Answer in two utterances, the second with a choice."""
    choice = (Button("Hours", "/hours"), Button("A person", "/human"))
    heard = message.content.payload or message.content.text
    return Answer(profile, conversation, (Content(f"You said {heard}"), Content("What else?", choice)))


@dataclass
class PostOffice:
    """What a test plays with, and eyes on what is left behind."""

    store: Store
    writer: Writer
    door: Door
    channel: Email
    server: MailServer
    options: Options

    async def gets(self, mail: EmailMessage | bytes, *to: str, path: str = ANNA) -> list[str]:
        """Hand a mail over by LMTP, and return what is answered for each recipient."""
        octets = mail if isinstance(mail, bytes) else bytes(mail)
        return await asyncio.to_thread(hand_over, self.options.lmtp_port, octets, *(to or (HELP,)), path=path)

    async def said(self, count: int, to: str = ANNA) -> list[Taken]:
        """Return the mails that reached this address, once there are so many."""
        await until(lambda: len(self.server.to(to)) >= count)
        return self.server.to(to)

    async def messages(self, conversation: str = f"email:{ANNA}") -> list[Message]:
        found = await self.store.find("messages", {"conversation": conversation}, sort=[("seq", 1)])
        return [from_document(Message, one) for one in found]

    async def conversation(self, id: str = f"email:{ANNA}") -> Conversation:
        return from_document(Conversation, await self.store.get("conversations", id) or {})

    async def profiles(self) -> list[Profile]:
        return [from_document(Profile, one) for one in await self.store.find("profiles", {}, sort=[("created_at", 1)])]

    async def identity(self, key: str = f"email:{ANNA}") -> Identity:
        found = [one for profile in await self.profiles() if (one := profile.identity(key))]
        return found[0]

    async def events(self, name: str) -> list[Event]:
        found = await self.store.find("events", {"name": name}, sort=[("happened_at", 1)])
        return [from_document(Event, one) for one in found]

    async def ledger(self, profile: str) -> Ledger:
        return ledger_of(profile, await self.store.get("ledgers", profile))

    async def delivery(self, message: str) -> Delivery:
        found = from_document(Message, await self.store.get("messages", message) or {}).delivery
        assert found
        return found

    async def agent_says(self, text: str, conversation: str = f"email:{ANNA}", id: str = "out1") -> None:
        """Let an agent answer."""

        def think(snapshot: Snapshot) -> Changes:
            thread = take(snapshot.conversations[conversation], "a1")
            thread, message = said(
                thread, Content(text), id=id, author="agent:a1", now=snapshot.now, to=thread.identity
            )
            return Changes(conversations=(thread,), messages=(message,))

        await self.writer.commit(Work(think, conversations=(conversation,)))

    async def notice(self, id: str, *, to: str = ANNA, profile: str = "P1", **metadata: Any) -> Taken:
        """Send one mail that is in no conversation, and return it as it arrived."""
        await self.writes(id, to=to, profile=profile, **metadata)
        return self.server.to(to)[-1]

    async def writes_and_waits(self, id: str, **metadata: Any) -> None:
        """Write one mail that is put off: return once it waits for its time."""
        await self._commits(id, ANNA, "P1", metadata)

        async def is_put_off() -> bool:
            delivery = await self.delivery(id)
            return delivery.state == "queued" and delivery.leased_by is None

        await until(is_put_off)

    async def writes(self, id: str, *, to: str = ANNA, profile: str = "P1", **metadata: Any) -> None:
        """Send one mail that is in no conversation, to a person made for it when there is none."""
        await self._commits(id, to, profile, metadata)

        async def is_sent() -> bool:
            return (await self.delivery(id)).state == "sent"

        await until(is_sent)

    async def _commits(self, id: str, to: str, profile: str, metadata: dict[str, Any]) -> None:
        key, now = f"email:{to}", utc_now()
        notice = Message(
            id, id, profile, "email", "outbound", "api", Content("Bonjour", title="Soldes"), 1, now, delivery=Delivery(to=key),
            metadata={"topic": "offers", **metadata},
        )  # fmt: skip
        person = Profile(profile, now, identities=(Identity("email", to, now),))

        def think(snapshot: Snapshot) -> Changes:
            if snapshot.holder(key):
                return Changes(messages=(notice,))
            return Changes((person,), claims={key: profile}, messages=(notice,))

        await self.writer.commit(Work(think, identities=(key,)))


def mail(text: str = "Bonjour", **fields: str) -> EmailMessage:
    """A mail from Anna to the shop; `Message_ID="<x@y>"` sets a field, an empty one takes it away."""
    known = {"From": f"Anna <{ANNA}>", "To": HELP, "Subject": "Une question", "Message-ID": "<m1@example.org>"}
    known |= {name.replace("_", "-"): value for name, value in fields.items()}
    found = EmailMessage()
    for name, value in known.items():
        if value:
            found[name] = value
    found.set_content(text)
    return found


def named(taken: Taken) -> str:
    """Return the Message-ID of a mail that we sent, with its brackets."""
    return str(taken.mail["Message-ID"])


@asynccontextmanager
async def post_office(mongo_url: str, database_name: str, **changed: Any) -> AsyncIterator[PostOffice]:
    """Open it; `changed` are options of the channel."""
    store, server = Store(mongo_url, database_name), MailServer()
    await store.prepare(INDEXES)
    await server.start()
    usual = Options(
        enabled=True, host="127.0.0.1", port=server.port, tls="none", from_address=HELP, answer_seconds=5,
        receives=(HELP,), return_path="bounces@shop.example", lmtp_port=free_port(),
    )  # fmt: skip
    options = replace(usual, **changed)
    writer, limits = Writer(store, process="p1"), dict[str, Limits]()
    front = FrontDoor(
        writer, store, answer=two_words, limits=limits, language="en", page=lambda profile, now: f"{HOUSE}/p/{profile}"
    )
    ledgers = Ledgers(store)
    permits = Permits(store, ledgers, clock=utc_now)
    consents = Consents(store, ledgers, permits)
    door = Door(front.receive, HOUSE, utc_now, store, writer, Feed(), SECRET, consents=consents)
    channel = await connect(options, door)
    assert isinstance(channel, Email)
    limits["email"] = channel.limits
    back = BackDoor({"email": channel}, writer, clock=utc_now, permits=permits)
    writer.listen(back.take)
    try:
        yield PostOffice(store, writer, door, channel, server, options)
    finally:
        await channel.close()
        await back.close()
        await permits.close()
        await front.close()
        await writer.close()
        await server.stop()
        await store.close()
