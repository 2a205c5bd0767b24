"""A notice from commit to mailbox: through the writer and the back door, and what stays in its delivery."""

from collections.abc import AsyncIterator

import pytest

from channels.channel import Door
from channels.email import Options, connect
from channels.outbound import BackDoor
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.live import Feed
from profiles.profile import Identity, Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Work
from profiles.store import Store
from profiles.timeline import Content, Delivery, Message
from profiles.writer import Writer
from tests.channels.kits.kit import Recorder
from tests.peers.mail_server import MailServer
from tests.waiting import until

HTML = '<p>Bonjour <a href="https://s.example/p">Anna</a></p>'


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    server = MailServer(answers={"gone@example.org": "550 5.1.1 User unknown"})
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


async def delivered(store: Store, server: MailServer, to: str) -> Delivery:
    """Commit a notice to this address, let it be sent and return its delivery as it ended."""
    writer = Writer(store, process="p1")
    door = Door(Recorder().receive, "https://crm.shop.example", utc_now, store, writer, Feed(), b"s" * 32)
    options = Options(
        host="127.0.0.1", port=server.port, tls="none", from_address="news@shop.example", answer_seconds=1
    )
    channel = await connect(options, door)
    back_door = BackDoor({"email": channel}, writer, clock=utc_now)
    writer.listen(back_door.take)
    key, now = f"email:{to}", utc_now()
    notice = Message(
        "m1", "m1", "P1", "email", "outbound", "api", Content("Bonjour", title="Soldes", html=HTML), 1, now,
        delivery=Delivery(to=key), metadata={"topic": "orders"},
    )  # fmt: skip
    anna = Profile("P1", now, identities=(Identity("email", to, now),))
    await writer.commit(Work(lambda _: Changes((anna,), claims={key: "P1"}, messages=(notice,)), identities=(key,)))

    async def ended() -> Delivery | None:
        message = from_document(Message, await store.get("messages", "m1") or {})
        return message.delivery if message.delivery and message.delivery.state in ("sent", "failed") else None

    try:
        found = await until(ended)
        if found.state == "failed":
            await until(lambda: _suppression(store))
        return found
    finally:
        await back_door.close()
        await channel.close()
        await writer.close()


async def _suppression(store: Store) -> str | None:
    profile = from_document(Profile, await store.get("profiles", "P1") or {})
    found = profile.identities[0].suppression
    return found.reason if found else None


async def test_a_notice_arrives_whole_and_its_delivery_knows_its_mail(store: Store, server: MailServer) -> None:
    delivery = await delivered(store, server, "anna@example.org")
    [taken] = server.taken
    html = taken.mail.get_body(("html",))
    assert taken.mail["Subject"] == "Soldes"
    assert html and "https://s.example/p" in html.get_content()
    assert delivery.state == "sent"
    assert f"<{str(delivery.provider_id).removeprefix('email:')}@shop.example>" == taken.mail["Message-ID"]


async def test_a_mailbox_that_does_not_exist_is_suppressed_as_bounced(store: Store, server: MailServer) -> None:
    delivery = await delivered(store, server, "gone@example.org")
    assert (delivery.state, delivery.reason) == ("failed", "dead")
    assert await _suppression(store) == "bounced"
