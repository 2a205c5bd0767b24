"""Our mail through mail servers that others wrote, on loopback: Postfix, Dovecot, OpenDKIM, smtp-sink and smtp-source."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from causerie.data_folder import free_port
from channels.email_dkim import read_key, record_of
from channels.email_mime import header, words
from channels.email_verp import token_of
from profiles.secret import Secret
from profiles.store import Unavailable
from tests.channels.email_stage import HELP, SECRET, PostOffice, post_office
from tests.needed import mail_program
from tests.peers.dovecot import Dovecot, answers, as_read, dovecot
from tests.peers.opendkim import verdict
from tests.peers.postfix import Postfix, postfix
from tests.waiting import until

ANNA = "anna@mail.example"
PEM = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)


@dataclass(frozen=True, slots=True)
class Town:
    """Our house, the relay that carries our mail, and the server where people have their mailboxes."""

    office: PostOffice
    relay: Postfix
    boxes: Dovecot


@asynccontextmanager
async def town(
    mongo_url: str, database_name: str, *, lifetime_seconds: int = 3600, sink: int = 0, **changed: Any
) -> AsyncIterator[Town]:
    """Open it. `sink`: a port where mail for sink.example goes."""
    lmtp_port = free_port()
    async with dovecot(ANNA) as boxes:
        routes = {
            "mail.example": f"lmtp:inet:127.0.0.1:{boxes.lmtp_port}",
            "shop.example": f"lmtp:inet:127.0.0.1:{lmtp_port}",
            "sink.example": f"smtp:[127.0.0.1]:{sink}",
        }
        async with (
            postfix(routes, lifetime_seconds=lifetime_seconds) as relay,
            post_office(mongo_url, database_name, port=relay.port, lmtp_port=lmtp_port, **changed) as office,
        ):
            yield Town(office, relay, boxes)


@asynccontextmanager
async def smtp_sink(*options: str) -> AsyncIterator[int]:
    """Start Postfix's smtp-sink on a free port; `-r rcpt` refuses recipients for now."""
    program, port = mail_program("smtp-sink", "postfix"), free_port()
    process = await asyncio.create_subprocess_exec(
        program, "-u", "postfix", *options, f"127.0.0.1:{port}", "100", stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await until(lambda: answers(port))
        yield port
    finally:
        process.terminate()
        await process.wait()


async def reached(office: PostOffice, id: str, state: str) -> str:
    """Return why, once this delivery has come to that state."""

    async def has_come() -> bool:
        return (await office.delivery(id)).state == state

    await until(has_come, within_seconds=60)
    return str((await office.delivery(id)).reason)


async def test_a_mail_by_postfix_lies_in_the_mailbox_as_we_wrote_it(mongo_url: str, database_name: str) -> None:
    keys = {"dkim_selector": "s1", "dkim_key": Secret(PEM.decode())}
    async with town(mongo_url, database_name, **keys) as here:
        await here.office.writes("n1", to=ANNA, **{"class": "marketing", "basis": "not_withdrawn"})
        [octets] = await here.boxes.octets(ANNA, 1)
    mail = as_read(octets)
    assert (mail["Subject"], mail["From"]) == ("Soldes", HELP)
    assert mail["Message-ID"] == f"<{token_of(SECRET, 'n1')}@shop.example>"
    assert mail["List-Unsubscribe"].startswith("<https://crm.shop.example/u/")
    assert "bounces+" in mail["Return-Path"]
    key = read_key("shop.example", "s1", PEM.decode())
    fine, said = await verdict(octets, "s1", "shop.example", record_of(key))
    assert fine, said
    changed = octets.replace(b"Subject: Soldes", b"Subject: Solde")
    fine, said = await verdict(changed, "s1", "shop.example", record_of(key))
    assert not fine, "a judge that accepts everything judges nothing"


async def test_postfix_reports_a_mailbox_that_is_not_there_and_we_read_it(mongo_url: str, database_name: str) -> None:
    async with town(mongo_url, database_name) as here:
        await here.office.writes("n1", to="nobody@mail.example")
        assert (await reached(here.office, "n1", "failed")).startswith("dead 550 5.1.1")
        suppression = (await here.office.identity("email:nobody@mail.example")).suppression
        assert suppression and suppression.reason == "bounced"
        assert "example" not in str((await here.office.delivery("n1")).reason)


async def test_postfix_gives_up_what_is_refused_for_now_and_we_count_it_as_soft(
    mongo_url: str, database_name: str
) -> None:
    async with (
        smtp_sink("-r", "rcpt") as sink,
        town(mongo_url, database_name, lifetime_seconds=1, sink=sink, soft_bounces=1) as here,
    ):
        await here.office.writes("n1", to="full@sink.example")
        assert (await reached(here.office, "n1", "failed")).startswith("mailbox 450 4.")

        async def is_banned() -> bool:
            suppression = (await here.office.identity("email:full@sink.example")).suppression
            return suppression is not None and suppression.reason == "bounced"

        await until(is_banned)


async def test_a_conversation_by_postfix_in_both_directions(mongo_url: str, database_name: str) -> None:
    async with town(mongo_url, database_name) as here:
        await relayed(here, "Quels horaires ?", "<q1@mail.example>")
        [answer] = await here.boxes.mails(ANNA, 1)
        assert answer["In-Reply-To"] == "<q1@mail.example>"
        body = answer.get_body(("plain",))
        assert body and body.get_content().startswith("You said Quels horaires ?")
        await relayed(here, "2", "<q2@mail.example>", answers_id=answer["Message-ID"])
        [_, second] = await here.boxes.mails(ANNA, 2)
        assert second["References"] == f"{answer['Message-ID']} <q2@mail.example>"


async def test_postfix_keeps_what_our_database_does_not_confirm_and_offers_it_again(
    mongo_url: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town(mongo_url, database_name) as here:
        incoming: Any = here.office.channel._ways[0]._incoming  # type: ignore[union-attr]
        receive, refused = incoming._receive, list[int]()

        async def away_at_first(letter: Any, by: Any) -> None:
            if len(refused) < 2:
                refused.append(1)
                raise Unavailable("told to")
            await receive(letter, by)

        monkeypatch.setattr(incoming, "_receive", away_at_first)
        await relayed(here, "Bonjour", "<q1@mail.example>")
        [answer] = await here.boxes.mails(ANNA, 1)
        assert len(refused) == 2
        assert "451 4.3.0 not stored" in here.relay.log
        heard = [one for one in await here.office.messages(f"email:{ANNA}") if one.direction == "inbound"]
        assert [one.content.text for one in heard] == ["Bonjour"]


async def test_smtp_source_hands_over_hundreds_and_all_are_there(mongo_url: str, database_name: str) -> None:
    program = mail_program("smtp-source", "postfix")
    async with post_office(mongo_url, database_name) as office:
        where = f"127.0.0.1:{office.options.lmtp_port}"
        process = await asyncio.create_subprocess_exec(
            program, "-L", "-s", "4", "-m", "200", "-l", "2000", "-f", ANNA, "-t", HELP, where,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode == 0, said
        assert await office.store.count("messages", {"direction": "inbound"}) == 200


async def relayed(here: Town, text: str, id: str, *, answers_id: str = "") -> None:
    """Let Anna write to us by the relay."""
    import smtplib

    again = f"In-Reply-To: {answers_id}\r\n" if answers_id else ""
    mail = f"From: {ANNA}\r\nTo: {HELP}\r\nSubject: Horaires\r\nMessage-ID: {id}\r\n{again}\r\n{text}\r\n".encode()

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", here.relay.port, timeout=20) as server:
            assert server.sendmail(ANNA, [HELP], mail) == {}

    await asyncio.to_thread(send)


async def test_dovecot_reads_a_long_subject_of_ours_as_it_was_written() -> None:
    families = " ".join(["👩‍👩‍👧‍👦 été", "soldes −50 %", "𝒻ête d'hiver", "🇫🇷"] * 12)
    plain = "word " * 60 + "end"
    async with dovecot(ANNA) as boxes:
        box = await asyncio.to_thread(boxes.box, ANNA)
        for subject in (families, plain, "x" * 500):
            octets = header("Subject", words(subject)) + b"\r\nx\r\n"
            assert max(map(len, octets.split(b"\r\n"))) <= 78
            await asyncio.to_thread(box.put, octets)
            assert await asyncio.to_thread(box.count_of, subject) == 1
            assert await asyncio.to_thread(box.count_of, f"{subject}?") == 0
        box.leave()
