"""How far did a mail come? Each refusal, silence and hang-up is told apart by the stage at which it happened."""

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from channels.email_address import Mailbox, mailbox
from channels.email_talk import Reply
from channels.email_wire import Account, Handed, Line, Mail, Unreachable, dial
from tests.channels.email_certificate import certificate
from tests.peers.mail_script import HANG_UP, SILENCE, MailScript
from tests.peers.mail_server import MailServer

ANNA = Mailbox("anna@example.org", "example.org")
MAIL = Mail("news@shop.example", ANNA, b"Subject: x\r\n\r\n.\r\n..\r\nBonjour\r\n", "tok")


def account(port: int, **more: object) -> Account:
    known = Account("127.0.0.1", port, "none", None, "", "", "shop.example", 0.5)
    return replace(known, **more)  # type: ignore[arg-type]


async def handed(script: MailScript, mail: Mail = MAIL) -> tuple[Handed, Line]:
    line = await dial(account(script.port))
    try:
        return await line.deliver(mail), line
    finally:
        await line.quit()


async def test_a_mail_arrives_octet_by_octet_and_the_connection_is_used_again() -> None:
    server = MailServer()
    await server.start()
    line = await dial(account(server.port))
    for _ in range(3):
        assert await line.deliver(MAIL) == Handed("end", Reply(250, "2.0.0 Ok: queued"))
    assert line.is_open
    await line.quit()
    assert [taken.octets for taken in server.taken] == [MAIL.octets] * 3
    assert server.connections == 1
    await server.stop()


async def test_a_server_without_pipelining_is_asked_one_by_one() -> None:
    server = MailServer(pipelining=False)
    await server.start()
    line = await dial(account(server.port))
    assert (await line.deliver(MAIL)).reply == Reply(250, "2.0.0 Ok: queued")
    await line.quit()
    await server.stop()


async def test_a_report_is_asked_for_where_the_server_offers_it() -> None:
    plus = replace(MAIL, to=Mailbox("anna+x=y@example.org", "example.org"))
    async with MailScript() as script:
        await handed(script, plus)
    assert script.heard[1] == f"MAIL FROM:<news@shop.example> SIZE={len(MAIL.octets)} RET=HDRS ENVID=tok"
    assert (
        script.heard[2] == "RCPT TO:<anna+x=y@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;anna+2Bx+3Dy@example.org"
    )
    assert script.mails == [b"Subject: x\r\n\r\n..\r\n...\r\nBonjour\r\n"]


@pytest.mark.parametrize(
    ("says", "stage", "code"),
    [
        ({"MAIL": "550 5.7.1 no"}, "sender", 550),
        ({"RCPT": "550 5.1.1 unknown"}, "recipient", 550),
        ({"RCPT": "450 4.2.1 later"}, "recipient", 450),
        ({"RCPT": "550 5.1.1 unknown", "DATA": "503 no recipients"}, "recipient", 550),
        ({"DATA": "451 later"}, "data", 451),
        ({".": "500 no"}, "end", 500),
        ({".": "452 full"}, "end", 452),
    ],
)
async def test_a_refusal_is_told_with_its_stage_and_the_connection_stays(
    says: dict[str, str], stage: str, code: int
) -> None:
    async with MailScript(says) as script:
        line = await dial(account(script.port))
        found = await line.deliver(MAIL)
        assert (found.stage, found.reply and found.reply.code) == (stage, code)
        assert line.is_open
        again = await line.deliver(MAIL)  # what was said to the first mail is not taken for the second
        assert (again.stage, again.reply and again.reply.code) == (stage, code)
        await line.quit()


@pytest.mark.parametrize("trouble", [SILENCE, HANG_UP])
@pytest.mark.parametrize(("word", "stage"), [("MAIL", "data"), ("RCPT", "data"), ("DATA", "data"), (".", "end")])
async def test_silence_and_hanging_up_have_no_reply(trouble: str, word: str, stage: str) -> None:
    async with MailScript({word: trouble}) as script:
        found, line = await handed(script)
    assert found == Handed(stage, None)  # type: ignore[arg-type]
    assert not line.is_open


async def test_421_in_the_middle_ends_the_connection() -> None:
    async with MailScript({"RCPT": "421 4.7.0 too many"}) as script:
        found, line = await handed(script)
    assert found.stage == "recipient"
    assert found.reply and found.reply.code == 421
    assert not line.is_open


async def test_an_address_beyond_ascii_goes_only_to_a_server_that_takes_it() -> None:
    elodie = mailbox("élodie@orange.fr")
    assert elodie
    async with MailScript() as script:
        assert (await handed(script, replace(MAIL, to=elodie)))[0].stage == "end"
    assert "SMTPUTF8" in script.heard[1]
    async with MailScript({"EHLO": "250 mx.example"}) as script:
        found, _ = await handed(script, replace(MAIL, to=elodie))
    assert found.reply and found.reply.code == 553
    assert "MAIL" not in " ".join(script.heard)


async def test_a_mail_larger_than_the_server_takes_is_not_sent() -> None:
    async with MailScript({"EHLO": "250-mx\r\n250 SIZE 10"}) as script:
        found, _ = await handed(script)
    assert found.reply and found.reply.enhanced == "5.3.4"


@pytest.mark.parametrize(
    "says",
    [
        {"hello": "554 no service"},
        {"hello": SILENCE},
        {"hello": HANG_UP},
        {"EHLO": "550 no"},
        {"hello": "HTTP/1.1 400 Bad"},
    ],
    ids=str,
)
async def test_who_can_not_be_talked_to_is_unreachable(says: dict[str, str]) -> None:
    async with MailScript(says) as script:
        with pytest.raises(Unreachable):
            await dial(account(script.port))


async def test_an_old_server_is_greeted_the_old_way() -> None:
    async with MailScript({"EHLO": "502 what?", "HELO": "250 mx"}) as script:
        assert (await handed(script))[0].stage == "end"


async def test_an_endless_answer_is_cut() -> None:
    async with MailScript({"MAIL": "250-" + "x" * 100_000}) as script:
        assert (await handed(script))[0] == Handed("data", None)


@pytest.mark.parametrize("at_once", [True, False])
async def test_we_encrypt_then_sign_in(tmp_path: Path, at_once: bool) -> None:
    ours, theirs = certificate(tmp_path)
    server = MailServer(tls=theirs, at_once=at_once, passwords={"shop": "secret"})
    await server.start()
    known = account(server.port, host="localhost", tls="tls" if at_once else "starttls", context=ours, user="shop")
    line = await dial(replace(known, password="secret"))
    assert (await line.deliver(MAIL)).reply == Reply(250, "2.0.0 Ok: queued")
    await line.quit()
    assert [words.split()[1] for words in server.signed_in] == ["shop"]
    with pytest.raises(Unreachable) as refused:
        await dial(replace(known, password="wrong"))
    assert refused.value.reply and refused.value.reply.code == 535
    await server.stop()


async def test_a_certificate_of_nobody_is_refused(tmp_path: Path) -> None:
    _, theirs = certificate(tmp_path)
    server = MailServer(tls=theirs)
    await server.start()
    known = account(server.port, host="localhost", tls="starttls", context=ssl.create_default_context(), user="shop")
    with pytest.raises(ssl.SSLCertVerificationError):
        await dial(replace(known, password="secret"))
    assert server.signed_in == []
    await server.stop()


@pytest.mark.parametrize("says", [{}, {"STARTTLS": "454 not now"}, {"STARTTLS": "220 go\r\n250 injected"}], ids=str)
async def test_nothing_secret_is_said_when_tls_does_not_begin(says: dict[str, str]) -> None:
    offers = {"EHLO": "250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN"} if says else {}
    async with MailScript({**says, **offers}) as script:
        known = account(
            script.port, tls="starttls", context=ssl.create_default_context(), user="shop", password="secret"
        )
        with pytest.raises(Unreachable):
            await dial(known)
    assert not any(line.startswith("AUTH") for line in script.heard)


async def test_a_cancelled_wait_leaves_no_reply_for_the_next_mail() -> None:
    async with MailScript({"RCPT": SILENCE}) as script:
        line = await dial(account(script.port, seconds=30))
        task = asyncio.create_task(line.deliver(MAIL))
        await asyncio.wait_for(script.heard_recipient.wait(), 5)
        task.cancel()
        await asyncio.wait([task])
        line.abort()
        assert await line.deliver(MAIL) == Handed("data", None)
