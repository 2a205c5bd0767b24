"""A mail on its way: what leaves, to whom, how often, and what each trouble leaves behind in the delivery."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from channels.channel import Door, Failed, Later, Outbound, Sending, Sent, Tells, Unknown
from channels.email import Email, Options, connect
from channels.email_dkim import read_key, record_of
from channels.email_verp import bounced, token_of
from channels.outbound import HOLD_SECONDS
from profiles.live import Feed
from profiles.personal_links import Offer, PersonalLinks
from profiles.secret import Secret
from profiles.store import Store
from profiles.timeline import Attachment, Content
from profiles.writer import Writer
from tests.channels.kits.kit import Recorder
from tests.peers.mail_script import SILENCE, MailScript
from tests.peers.mail_server import HANG, MailServer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET, HOUSE = b"s" * 32, "https://crm.shop.example"
RULE = "rule:" + "a" * 30
MARKETING = {"rule": "cart_1", "class": "marketing", "topic": "offers"}


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    server = MailServer(
        answers={"gone@example.org": "550 5.1.1 User unknown", "busy@slow.example": "421 4.7.0 Too many messages"},
        after_data={"late@example.org": "500 no", "asleep@example.org": HANG},
    )
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def options(server: MailServer) -> Options:
    return Options(
        enabled=True, host="127.0.0.1", port=server.port, tls="none", from_address="news@shop.example", answer_seconds=0.5,
        return_path="bounces@shop.example",
    )  # fmt: skip


@pytest.fixture
async def door(mongo_url: str, database_name: str) -> AsyncIterator[Door]:
    store, recorder = Store(mongo_url, database_name), Recorder()
    yield Door(recorder.receive, HOUSE, lambda: NOW, store, Writer(store, process="p1"), Feed(), SECRET)
    await store.close()


def outbound(to: str = "anna@example.org", id: str = RULE, **more: object) -> Outbound:
    known = Outbound(id, to, Content("Bonjour", title="Soldes"), id, 1, profile="P1", at=NOW, metadata=MARKETING)
    return replace(known, **more)  # type: ignore[arg-type]


async def test_a_domain_of_any_letters_leaves_in_ascii(server: MailServer, options: Options, door: Door) -> None:
    named = replace(options, from_address="news@bücher.example", reply_to="help@bücher.example",
                    return_path="b@bücher.example", hello="mx.bücher.example", list_domain="bücher.example")  # fmt: skip
    [result] = await sent(named, door, outbound())
    assert isinstance(result, Sent)
    [taken] = server.to("anna@example.org")
    assert taken.octets.isascii()
    assert taken.sender.endswith("@xn--bcher-kva.example")
    assert taken.mail["From"] == "news@xn--bcher-kva.example"


@pytest.mark.parametrize(("more", "is_told"), [
    ({}, False), ({"lmtp_port": 24}, True), ({"imap_host": "i", "imap_user": "help@shop.example"}, False),
    ({"imap_host": "i", "imap_user": "Bounces@shop.example"}, True), ({"receives": ("@shop.example",)}, False),
    ({"imap_host": "i", "imap_user": "x", "receives": ("@shop.example",)}, True), ({"lmtp_port": 24, "return_path": ""}, False),
])  # fmt: skip
def test_nobody_is_told_to_write_to_a_mailbox_that_is_not_read(more: dict[str, Any], is_told: bool) -> None:
    assert replace(Options(return_path="bounces@shop.example"), **more).is_told is is_told


async def test_the_header_is_told_as_it_left_and_opens_nothing(options: Options, door: Door) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()  # fmt: skip
    channel = await connect(replace(options, dkim_selector="s1", dkim_key=Secret(key)), door)
    assert isinstance(channel, Tells)
    told = dict(await channel.told(outbound(content=Content("Bonjour", title="Déjà les soldes")), NOW))
    await channel.close()
    token = token_of(SECRET, RULE)
    assert told["Return-Path"] == f"bounces+{token}-…@shop.example"
    assert (told["To"], told["Subject"]) == ("anna@example.org", "Déjà les soldes")
    assert told["Message-ID"] == f"<{token}@shop.example>"
    assert told["List-Unsubscribe"] == f"<{HOUSE}/u/…>"
    assert told["DKIM-Signature"] == "a=rsa-sha256; d=shop.example; s=s1; …"


async def sent(options: Options, door: Door, *mails: Outbound) -> list[Sending]:
    channel = await connect(options, door)
    try:
        return [await channel.send(mail) for mail in mails]
    finally:
        await channel.close()


async def test_a_mail_arrives_with_its_own_names(server: MailServer, options: Options, door: Door) -> None:
    [result] = await sent(options, door, outbound())
    token = token_of(SECRET, RULE)
    assert result == Sent(token)
    [taken] = server.taken
    assert bounced(SECRET, taken.sender) == token
    assert taken.mail["Message-ID"] == f"<{token}@shop.example>"


async def test_the_unsubscribe_link_ends_this_topic_for_this_person(
    server: MailServer, options: Options, door: Door
) -> None:
    await sent(options, door, outbound())
    link = server.taken[0].mail["List-Unsubscribe"].strip("<>")
    assert link.startswith(f"{HOUSE}/u/")
    offer = PersonalLinks(SECRET, HOUSE).offer_of(link.rpartition("/")[2], NOW + timedelta(days=90))
    assert offer == Offer("P1", "email", "offers", RULE)


async def test_what_is_no_marketing_has_no_unsubscribe_link(server: MailServer, options: Options, door: Door) -> None:
    await sent(options, door, outbound(metadata={"class": "transactional"}))
    assert server.taken[0].mail["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    ("to", "kind", "reason"),
    [
        ("gone@example.org", Failed, "dead"),
        ("late@example.org", Failed, "content"),
        ("x" * 300 + "@example.org", Failed, "dead"),
        ("anna@example.org\r\nRCPT TO:<boris@example.org>", Failed, "dead"),
        ("asleep@example.org", Unknown, ""),
        ("busy@slow.example", Later, ""),
    ],
)
async def test_each_trouble_has_its_outcome(
    server: MailServer, options: Options, door: Door, to: str, kind: type, reason: str
) -> None:
    [result, next_one] = await sent(options, door, outbound(to), outbound(id="other"))
    assert isinstance(result, kind)
    assert getattr(result, "reason", "") == reason
    assert isinstance(next_one, Sent), "one trouble holds up nobody else"
    assert [taken.to for taken in server.taken] == ["anna@example.org"]


@pytest.mark.parametrize(
    "content",
    [
        Content("x", title="x\r\nBcc: all@example.org"),
        Content("x", html='<img src="cid:logo.png">'),
        Content("x", attachments=(Attachment("file", "a.pdf", file="nowhere"),)),
    ],
    ids=["line break", "picture missing", "file gone"],
)
async def test_what_can_not_be_a_mail_is_not_sent(
    server: MailServer, options: Options, door: Door, content: Content
) -> None:
    [result] = await sent(options, door, outbound(content=content))
    assert isinstance(result, Failed)
    assert result.reason == "content"
    assert server.connections == 0


async def test_a_file_goes_along(server: MailServer, options: Options, door: Door) -> None:
    await door.store.insert("files", {"_id": "F1", "bytes": b"%PDF", "mime": "application/pdf"})
    content = Content("x", attachments=(Attachment("file", "facture.pdf", "application/pdf", 4, file="F1"),))
    await sent(options, door, outbound(content=content))
    [file] = list(server.taken[0].mail.iter_attachments())
    assert (file.get_filename(), file.get_content()) == ("facture.pdf", b"%PDF")


async def test_files_too_large_together_are_refused(server: MailServer, options: Options, door: Door) -> None:
    await door.store.insert("files", {"_id": "F1", "bytes": b"x" * 600})
    one = Attachment("file", "a", file="F1")
    [result] = await sent(replace(options, largest=1000), door, outbound(content=Content("x", attachments=(one, one))))
    assert isinstance(result, Failed)


async def test_a_domain_that_complains_rests_and_others_do_not(
    server: MailServer, options: Options, door: Door
) -> None:
    found = await sent(options, door, outbound("busy@slow.example"), outbound("boris@slow.example"), outbound())
    assert [type(one) for one in found] == [Later, Later, Sent]
    assert isinstance(found[1], Later)
    assert "slow.example" in found[1].detail


async def test_a_mail_is_not_put_off_for_ever(server: MailServer, options: Options, door: Door) -> None:
    [result] = await sent(options, door, outbound("busy@slow.example", at=NOW - timedelta(hours=72)))
    assert isinstance(result, Failed)
    assert result.detail.startswith("given up: smtp 421")


async def test_what_a_relay_that_is_away_did_not_get_comes_later(options: Options, door: Door, free_port: int) -> None:
    first, second = await sent(replace(options, port=free_port), door, outbound(), outbound(id="other"))
    assert isinstance(first, Later)
    assert isinstance(second, Later)


async def test_a_server_that_hangs_before_the_mail_took_none(
    options: Options, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.email.BEGIN_WITHIN_SECONDS", 0.2)
    async with MailScript({"RCPT": SILENCE}) as script:
        slow = await connect(replace(options, port=script.port, connections=1, answer_seconds=20), door)
        found = await asyncio.gather(*(slow.send(outbound(id=f"m{number}")) for number in range(3)))
        await slow.close()
    assert [type(one) for one in found] == [Later] * 3
    assert script.mails == []


async def test_every_wait_is_long_enough_to_outlast_an_outage(options: Options, door: Door, free_port: int) -> None:
    away = await sent(replace(options, port=free_port), door, outbound(), outbound(id="other"))
    assert all(isinstance(one, Later) and one.seconds > HOLD_SECONDS for one in away)


async def test_connections_are_kept_and_worn_ones_replaced(server: MailServer, options: Options, door: Door) -> None:
    channel = await connect(replace(options, connections=2, mails_per_connection=10, per_domain=50), door)
    found = await asyncio.gather(*(channel.send(outbound(id=f"m{number}")) for number in range(40)))
    assert all(isinstance(one, Sent) for one in found)
    assert len({taken.mail["Message-ID"] for taken in server.taken}) == 40
    assert 4 <= server.connections <= 6
    await channel.close()


async def test_a_connection_that_the_server_closed_meanwhile_loses_no_mail(options: Options, door: Door) -> None:
    async with MailScript({"RSET": "421 bye", "RCPT": "450 later"}) as script:
        found = await sent(replace(options, port=script.port), door, outbound(), outbound(id="other"))
    assert [type(one) for one in found] == [Later, Later]
    assert script.connections == 2


async def test_a_wrong_password_is_ours_to_mend(options: Options, door: Door) -> None:
    async with MailScript({"EHLO": "250-mx\r\n250 AUTH PLAIN", "AUTH": "535 5.7.8 wrong"}) as script:
        wrong = replace(options, port=script.port, user="shop", password=Secret("secret"))
        found = await sent(wrong, door, outbound(), outbound(id="other"))
    assert [getattr(one, "reason", "") for one in found] == ["config", "config"]
    assert script.connections == 1, "a server that refuses us is not asked again at once"


async def test_a_new_domain_stops_at_its_ceiling(server: MailServer, options: Options, door: Door) -> None:
    warming = replace(options, warm_up_from="2026-11-22", warm_up_first=2)
    found = await sent(warming, door, *(outbound(id=f"m{number}") for number in range(3)))
    assert [type(one) for one in found] == [Sent, Sent, Later]
    assert isinstance(found[2], Later)
    assert found[2].seconds == 12 * 3600 + 1


async def test_the_mail_is_signed_as_it_leaves(server: MailServer, options: Options, door: Door) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    await sent(replace(options, dkim_selector="s1", dkim_key=Secret(pem)), door, outbound())
    record = record_of(read_key("shop.example", "s1", pem)).encode()
    assert dkim.DKIM(server.taken[0].octets).verify(dnsfunc=lambda name, timeout=5: record)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"host": ""}, "host"),
        ({"from_address": "shop"}, "from_address"),
        ({"tls": "none", "host": "smtp.example.org"}, "tls"),
        ({"user": "x"}, "password"),
        ({"return_path": "x" * 40 + "@shop.example"}, "return_path"),
        ({"list_domain": "a b"}, "list_domain"),
        ({"feedback_id": "a:b"}, "feedback_id"),
        ({"connections": 0}, "connections"),
        ({"warm_up_from": "tomorrow"}, "warm_up_from"),
        ({"dkim_selector": "s1"}, "dkim_key"),
    ],
)
async def test_each_wrong_key_is_named(options: Options, door: Door, change: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=rf"channels\.email\.(\w+ and )?{named}"):
        await connect(replace(options, **change), door)  # type: ignore[arg-type]


def test_it_sends_notices() -> None:
    assert Email.space == "email"
