"""What our port answers a mail server: it takes what is on disk, and says of the rest why not."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import uvloop

from channels.email import connect
from channels.email_lmtp import MOST_CONNECTIONS
from profiles.secret import Secret
from profiles.store import Unavailable
from tests.channels.email_stage import ANNA, HELP, PostOffice, mail, post_office
from tests.channels.test_email_reading import nested

TAKEN = "250 2.0.0 taken"


@pytest.fixture
async def office(mongo_url: str, database_name: str) -> AsyncIterator[PostOffice]:
    async with post_office(mongo_url, database_name, largest_in=200_000) as office:
        yield office


@pytest.mark.parametrize(
    ("to", "answer"),
    [
        ("help@shop.example", "250"),
        ("HELP@Shop.Example", "250"),
        ("help+orders@shop.example", "250"),
        ("bounces+x@shop.example", "250"),
        ("helper@shop.example", "550 5.1.1"),
        ("help@shop.example.org", "550 5.1.1"),
        ("root@localhost", "550 5.1.1"),
    ],
)
async def test_only_our_own_addresses_are_taken(office: PostOffice, to: str, answer: str) -> None:
    [said] = await office.gets(mail(), to)
    assert said.startswith(answer)


async def test_a_whole_domain_is_ours_where_it_is_said_so(mongo_url: str, database_name: str) -> None:
    async with post_office(mongo_url, database_name, receives=("@shop.example",)) as office:
        assert await office.gets(mail(), "anybody@shop.example") == [TAKEN]
        [said] = await office.gets(mail(), "anybody@other.example")
        assert said.startswith("550")


async def test_a_mail_is_answered_for_each_recipient_who_is_ours(office: PostOffice) -> None:
    assert await office.gets(mail(), HELP, "nobody@shop.example", "help+2@shop.example") == [TAKEN, TAKEN]


async def test_what_the_database_does_not_confirm_is_offered_again(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(arrival: object) -> object:
        raise Unavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(office.channel._ways[0]._incoming, "_receive", lambda letter, by: away(letter))  # type: ignore[union-attr]
        assert await office.gets(mail()) == ["451 4.3.0 not stored; offer it again"]
        patched.setattr(office.channel._ways[0]._incoming, "_receive", None)  # type: ignore[union-attr]
        assert await office.gets(mail()) == ["451 4.3.0 something is wrong here; offer it again"]
    assert await office.messages() == []
    assert await office.gets(mail()) == [TAKEN]
    assert len(await office.messages()) == 2


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (b"From: anna@example.org\r\n\r\n" + b"x" * 70 + b"\r\n" * 100_000, "552"),
        (b"From: anna@example.org\r\n\r\n" + b"x" * 150_000, "250"),
        (nested(1_000), "554 5.6.0"),
        (b"Subject: nobody\r\n\r\nx", "554 5.6.0"),
        (b"\x00\xff\xfe", "554 5.6.0"),
        (b"", "554 5.6.0"),
    ],
    ids=["too large", "one long line", "a thousand parts within parts", "no sender", "no mail", "nothing"],
)
async def test_each_trouble_has_its_answer_and_the_next_mail_is_taken(
    office: PostOffice, octets: bytes, answer: str
) -> None:
    [said, again] = await office.gets(octets, HELP, "help+2@shop.example")
    assert said.startswith(answer)
    assert again == said
    assert await office.gets(mail(Message_ID="<next@example.org>")) == [TAKEN]


async def test_a_bomb_of_a_size_that_is_declared_is_refused_at_once(office: PostOffice) -> None:
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", office.options.lmtp_port)
    writer.write(b"LHLO x\r\nMAIL FROM:<a@example.org> SIZE=50000000\r\nQUIT\r\n")
    said = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert b"552" in said
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "fields",
    [
        {"Subject": "=?utf-8?q?x=0D=0ABcc:_all@example.org?="},
        {"Message_ID": "<a@b\x0b.example>"},
        {"References": "<" + "r" * 3_000 + "@example.org> <m0@example.org>"},
    ],
)
async def test_no_line_break_of_theirs_gets_into_our_answer(office: PostOffice, fields: dict[str, str]) -> None:
    head = {
        "From": ANNA,
        "Subject": "x",
        "Message-ID": "<m1@example.org>",
        **{k.replace("_", "-"): v for k, v in fields.items()},
    }
    octets = "".join(f"{name}: {value}\r\n" for name, value in head.items()) + "\r\nBonjour\r\n"
    assert await office.gets(octets.encode()) == [TAKEN]
    [taken] = await office.said(1)
    assert taken.mail["Bcc"] is None
    assert taken.to == ANNA


async def test_a_sender_whose_address_is_too_long_is_no_sender(office: PostOffice) -> None:
    [said] = await office.gets(mail(From="x" * 300 + "@example.org"))
    assert said.startswith("554")


async def test_no_address_gets_into_the_log(office: PostOffice, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await office.gets(mail())
        await office.gets(mail(), "nobody@shop.example")
        await office.said(1)
    assert "example.org" not in caplog.text
    assert "nobody@" not in caplog.text


async def test_one_connection_too_many_is_turned_away_and_takes_no_place(office: PostOffice) -> None:
    open_ones = [await asyncio.open_connection("127.0.0.1", office.options.lmtp_port) for _ in range(MOST_CONNECTIONS)]
    for reader, _ in open_ones:
        assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"220")
    reader, writer = await asyncio.open_connection("127.0.0.1", office.options.lmtp_port)
    writer.write(b"LHLO x\r\n")
    assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"421")
    for _, other in (*open_ones, (reader, writer)):
        other.close()
        await other.wait_closed()
    assert await office.gets(mail()) == [TAKEN]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"receives": ("help",)}, "receives"),
        ({"lmtp_port": 0}, "receives"),
        ({"receives": (), "return_path": ""}, "receives"),
        ({"lmtp_port": 70_000}, "lmtp_port"),
        ({"lmtp_host": "93.184.215.14"}, "lmtp_host"),
        ({"imap_host": "imap.example.org", "imap_tls": "none"}, "imap_tls"),
        ({"imap_host": "imap.example.org"}, "imap_user"),
        ({"imap_host": "imap.example.org", "imap_folder": "Boîte"}, "imap_folder"),
        ({"imap_seconds": 0.0}, "imap_seconds"),
        ({"answers_per_hour": 0}, "answers_per_hour"),
        ({"soft_bounces": 0}, "soft_bounces"),
        ({"largest_in": 1}, "largest_in"),
        ({"reporter": "brevo"}, "reporter and reporter_secret"),
        ({"reporter_secret": Secret("x" * 20)}, "reporter and reporter_secret"),
        ({"reporter": "brevo", "reporter_secret": Secret("x" * 19)}, "reporter_secret"),
    ],
)
async def test_each_wrong_key_is_named(office: PostOffice, changed: dict[str, object], named: str) -> None:
    wrong = replace(office.options, **changed)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=rf"channels\.email\.{named}"):
        await connect(wrong, office.door)


def test_it_works_on_the_loop_that_the_server_runs_on(mongo_url: str, database_name: str) -> None:
    async def exchange() -> None:
        async with post_office(mongo_url, database_name) as office:
            assert await office.gets(mail(), HELP, "help+2@shop.example") == [TAKEN, TAKEN]
            await office.said(1)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(exchange())


async def test_a_port_that_is_taken_is_named(office: PostOffice) -> None:
    blocked = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = blocked.sockets[0].getsockname()[1]
    with pytest.raises(ValueError, match=rf"channels\.email\.lmtp_port: expected a free port, got 127\.0\.0\.1:{port}"):
        await connect(replace(office.options, lmtp_port=port), office.door)
    blocked.close()
