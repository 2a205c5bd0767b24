"""A mailbox at Dovecot, read by IMAP: nothing lost, nothing doubled, nothing changed there."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from channels.email_imap import ATTEMPTS, COLLECTION, Imap
from channels.email_incoming import Incoming
from channels.email_options import Options
from channels.email_verp import bounce_path, token_of
from profiles.secret import Secret
from profiles.store import Unavailable
from profiles.timeline import Message
from tests.channels.email_certificate import certificate
from tests.channels.email_stage import ANNA, HELP, SECRET, PostOffice, mail, post_office
from tests.channels.test_email_reading import nested
from tests.channels.test_email_reports import report
from tests.peers.dovecot import PASSWORD, Box, Dovecot, dovecot
from tests.waiting import until


@pytest.fixture
async def server() -> AsyncIterator[Dovecot]:
    async with dovecot(HELP) as server:
        yield server


@pytest.fixture
async def box(server: Dovecot) -> Box:
    return await asyncio.to_thread(server.box, HELP)


def reading(server: Dovecot, **changed: Any) -> dict[str, Any]:
    """Options that read the mailbox at this server."""
    usual = {
        "lmtp_port": 0, "imap_host": "127.0.0.1", "imap_port": server.imap_port, "imap_tls": "none", "imap_user": HELP,
        "imap_password": Secret(PASSWORD), "imap_seconds": 0.1,
    }  # fmt: skip
    return {**usual, **changed}


async def begun(office: PostOffice) -> dict[str, Any]:
    """Return how far the mailbox was read, once it was looked at for the first time."""

    async def position() -> dict[str, Any] | None:
        found = await office.store.first(COLLECTION, {})
        return found if found and "validity" in found else None

    found: dict[str, Any] = await until(position)
    return found


async def read_to(office: PostOffice, uid: int) -> None:
    """Return once the mailbox was read so far."""

    async def is_there() -> bool:
        return bool((await begun(office))["uid"] >= uid)

    await until(is_there)


async def put(box: Box, *texts: str) -> None:
    for text in texts:
        octets = bytes(mail(text, Message_ID=f"<{text}@example.org>"))
        await asyncio.to_thread(box.put, octets)


async def heard(office: PostOffice) -> list[str]:
    """Return what Anna said, as it is on disk."""
    messages: list[Message] = await office.messages()
    return [one.content.text for one in messages if one.direction == "inbound"]


async def test_what_comes_is_taken_once_and_left_as_it_is(
    mongo_url: str, database_name: str, server: Dovecot, box: Box
) -> None:
    await put(box, "vieux")
    async with post_office(mongo_url, database_name, **reading(server)) as office:
        await begun(office)
        await put(box, "un", "deux")
        await read_to(office, 3)
        assert await heard(office) == ["un", "deux"], "what was there before the first look stays unread"
        assert len(await office.said(2)) == 2
    flags = await asyncio.to_thread(box.flags)
    assert b"Seen" not in flags
    assert flags.count(b"FLAGS") == 3


@pytest.mark.parametrize("tls", ["none", "tls"])
async def test_a_server_that_tells_of_new_mail_is_heard_at_once(
    mongo_url: str, database_name: str, tmp_path: Path, tls: str
) -> None:
    certificate(tmp_path)
    async with dovecot(HELP, certificate=tmp_path) as server:
        box = await asyncio.to_thread(server.box, HELP)
        port = server.imaps_port if tls == "tls" else server.imap_port
        options = reading(
            server,
            imap_seconds=3600.0,
            imap_tls=tls,
            imap_port=port,
            imap_ca=f"{tmp_path}/cert.pem",
            imap_host="localhost",
        )
        async with post_office(mongo_url, database_name, **options) as office:
            await begun(office)
            await put(box, "un")
            await until(lambda: is_heard(office, "un"))
        async with post_office(mongo_url, database_name, **options) as office:
            await put(box, "deux")
            await until(lambda: is_heard(office, "deux"))


async def is_heard(office: PostOffice, text: str) -> bool:
    return (await heard(office))[-1:] == [text]


class Chatterer:
    """A mailbox whose server has something to say whenever it is asked to tell."""

    idles, has_heard, said = True, True, 0

    def idle(self) -> bool:
        self.said += 1
        return True

    def wake(self) -> None:
        return None


async def test_a_server_that_always_tells_something_is_not_asked_for_ever() -> None:
    nothing: Any = None
    imap, talks = Imap(Options(), nothing, nothing), Chatterer()
    imap._mailbox = talks  # type: ignore[assignment]
    while await imap._told():
        assert talks.said < 50
    assert talks.said >= 20


async def test_a_server_that_tells_nothing_is_looked_at(mongo_url: str, database_name: str) -> None:
    async with dovecot(HELP, offers="IMAP4rev1 UIDPLUS") as server:
        box = await asyncio.to_thread(server.box, HELP)
        async with post_office(mongo_url, database_name, **reading(server)) as office:
            await begun(office)
            await put(box, "un")
            await read_to(office, 1)
            assert await heard(office) == ["un"]


async def test_a_restart_neither_loses_nor_doubles(
    mongo_url: str, database_name: str, server: Dovecot, box: Box
) -> None:
    async with post_office(mongo_url, database_name, **reading(server)) as office:
        await begun(office)
        await put(box, "un")
        await read_to(office, 1)
    await put(box, "deux", "trois")
    async with post_office(mongo_url, database_name, **reading(server)) as office:
        await read_to(office, 3)
        assert await heard(office) == ["un", "deux", "trois"]


async def test_a_folder_that_was_numbered_anew_is_read_again_and_nothing_is_doubled(
    mongo_url: str, database_name: str, server: Dovecot, box: Box
) -> None:
    async with post_office(mongo_url, database_name, **reading(server)) as office:
        before = await begun(office)
        await put(box, "un", "deux")
        await read_to(office, 2)
    await asyncio.to_thread(box.leave)
    await a_second()
    server.renumber(HELP)
    await put(await asyncio.to_thread(server.box, HELP), "trois")
    async with post_office(mongo_url, database_name, **reading(server)) as office:

        async def is_renumbered() -> bool:
            return bool((await begun(office))["validity"] != before["validity"])

        await until(is_renumbered)
        assert await heard(office) == ["un", "deux", "trois"]


async def a_second() -> None:
    """UIDVALIDITY is a second of the clock: let Dovecot see another one."""
    began = int(asyncio.get_running_loop().time())
    await until(lambda: int(asyncio.get_running_loop().time()) > began + 1)


async def test_what_was_not_stored_is_taken_at_the_next_look(
    mongo_url: str, database_name: str, server: Dovecot, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, refused = Incoming._receive, list[int]()

    async def away_at_first(self: Incoming, letter: Any, by: Any) -> None:
        if len(refused) < 2:
            refused.append(1)
            raise Unavailable("told to")
        await receive(self, letter, by)

    async with post_office(mongo_url, database_name, **reading(server)) as office:
        await begun(office)
        monkeypatch.setattr(Incoming, "_receive", away_at_first)
        await put(box, "un", "deux")
        await read_to(office, 2)
        assert await heard(office) == ["un", "deux"]


async def test_a_mail_that_can_not_be_read_or_is_too_large_holds_up_nobody(
    mongo_url: str, database_name: str, server: Dovecot, box: Box
) -> None:
    async with post_office(mongo_url, database_name, **reading(server, largest_in=50_000)) as office:
        await begun(office)
        await asyncio.to_thread(box.put, nested(150))
        await asyncio.to_thread(box.put, bytes(mail("x" * 60 + "\n" + "y\n" * 40_000)))
        await put(box, "un")
        await read_to(office, 3)
        assert await heard(office) == ["un"]


async def test_a_mail_that_breaks_us_is_given_up_after_some_tries(
    mongo_url: str, database_name: str, server: Dovecot, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, tried = Incoming._receive, list[str]()

    async def broken(self: Incoming, letter: Any, by: Any) -> None:
        tried.append(letter.text.strip())
        if tried[-1] == "un":
            raise RuntimeError("our own mistake")
        await receive(self, letter, by)

    async with post_office(mongo_url, database_name, **reading(server)) as office:
        await begun(office)
        monkeypatch.setattr(Incoming, "_receive", broken)
        await put(box, "un", "deux")
        await read_to(office, 2)
        assert tried == ["un"] * ATTEMPTS + ["deux"]
        assert await heard(office) == ["deux"]


async def test_what_was_taken_is_deleted_only_where_it_is_said_so(
    mongo_url: str, database_name: str, server: Dovecot, box: Box
) -> None:
    await put(box, "vieux")
    async with post_office(mongo_url, database_name, **reading(server, imap_deletes=True)) as office:
        await begun(office)
        await put(box, "un")
        await read_to(office, 2)
        assert await heard(office) == ["un"]
    left = await server.mails(HELP, 1)
    assert [str(one.get_content()).strip() for one in left] == ["vieux"]


async def test_bounces_in_the_mailbox_are_read(mongo_url: str, database_name: str, server: Dovecot, box: Box) -> None:
    async with post_office(mongo_url, database_name, **reading(server, receives=())) as office:
        await begun(office)
        await office.notice("n1")
        to = bounce_path(SECRET, "bounces@shop.example", token_of(SECRET, "n1"))
        await asyncio.to_thread(box.put, b"Return-Path: <>\nDelivered-To: " + to.encode() + b"\n" + report(to))

        async def has_failed() -> bool:
            return (await office.delivery("n1")).state == "failed"

        await until(has_failed)
        suppression = (await office.identity(f"email:{ANNA}")).suppression
        assert suppression and suppression.reason == "bounced"


async def test_of_two_processes_one_reads(mongo_url: str, database_name: str, server: Dovecot, box: Box) -> None:
    async with post_office(mongo_url, database_name, **reading(server)) as office:
        await begun(office)
        door = office.door
        other = Imap(office.options, door, None)  # type: ignore[arg-type]
        await office.store.change(COLLECTION, {}, {"$set": {"held_by": "p2"}})
        held = await office.store.first(COLLECTION, {})
        assert held and held["held_by"] == "p2"
        await other.look()
        assert other._mailbox is None, "what another process holds is not opened"


@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_the_mailbox_is_read_over_tls_and_a_strangers_certificate_is_refused(
    mongo_url: str, database_name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, tls: str
) -> None:
    certificate(tmp_path)
    async with dovecot(HELP, certificate=tmp_path) as server:
        port = server.imaps_port if tls == "tls" else server.imap_port
        safely = reading(server, imap_host="localhost", imap_port=port, imap_tls=tls)
        with caplog.at_level(logging.WARNING):
            async with post_office(mongo_url, database_name, **safely):
                await until(lambda: "certificate refused" in caplog.text)
        async with post_office(mongo_url, database_name, **safely, imap_ca=str(tmp_path / "cert.pem")) as office:
            await begun(office)
            await put(await asyncio.to_thread(server.box, HELP), "un")
            await read_to(office, 1)
            assert await heard(office) == ["un"]


async def test_a_wrong_password_is_said_without_it_and_the_server_goes_on(
    mongo_url: str, database_name: str, server: Dovecot, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        wrong = reading(server, imap_password=Secret("hush-hush"))
        async with post_office(mongo_url, database_name, **wrong) as office:
            await until(lambda: "refuses imap_user or imap_password" in caplog.text)
            await office.notice("n1")
    assert "hush-hush" not in caplog.text
    assert HELP not in caplog.text
