"""What comes back about a mail of ours: a bounce, a complaint, a holiday note; and what somebody made up."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from channels.email_bounces import Bounce
from channels.email_reports import Reports
from channels.email_verp import bounce_path, token_of
from profiles.brakes import BRAKES, Bearable, Complaints
from profiles.calendar import utc_now
from profiles.topics import EVERY
from tests.channels.email_stage import ANNA, SECRET, PostOffice, mail, named, post_office
from tests.waiting import until

TAKEN = "250 2.0.0 taken"
MARKETING = {"class": "marketing", "rule": "cart", "basis": "not_withdrawn"}


@pytest.fixture
async def office(mongo_url: str, database_name: str) -> AsyncIterator[PostOffice]:
    async with post_office(mongo_url, database_name, soft_bounces=2, complaint_mails=3) as office:
        yield office


def path_of(id: str) -> str:
    """The address that bounces of this message come to."""
    return bounce_path(SECRET, "bounces@shop.example", token_of(SECRET, id))


def report(
    to: str, status: str = "5.1.1", *, action: str = "failed", said: str = "550 5.1.1 no such user", more: str = ""
) -> bytes:
    """A delivery report as a mail server writes it."""
    return f"""\
From: MAILER-DAEMON@mx.example
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {ANNA}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said} <{ANNA}>

--b
Content-Type: text/rfc822-headers

Subject: Soldes
{more}
--b--
""".encode()


def complaint(kind: str, more: str) -> bytes:
    """A complaint as a mailbox provider reports it (RFC 5965)."""
    return f"""\
From: feedback@provider.example
Subject: FW: Soldes
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Provider/1.0
Version: 1

--b
Content-Type: message/rfc822

{more}
Subject: Soldes

Bonjour
--b--
""".encode()


async def test_a_mailbox_that_is_gone_is_not_written_to_again(office: PostOffice) -> None:
    await office.notice("n1")
    assert await office.gets(report(path_of("n1")), path_of("n1"), path="") == [TAKEN]
    delivery = await office.delivery("n1")
    assert (delivery.state, delivery.reason) == ("failed", "dead 550 5.1.1 no such user <(address)>")
    assert {"sent", "failed"} <= delivery.times.keys()
    suppression = (await office.identity()).suppression
    assert suppression and suppression.reason == "bounced"
    [event] = await office.events("message.bounced")
    assert (event.profile, event.properties["message"], event.properties["kind"]) == ("P1", "n1", "hard")


async def test_the_same_report_twice_is_one(office: PostOffice) -> None:
    await office.notice("n1")
    for _ in range(2):
        await office.gets(report(path_of("n1"), "4.2.2"), path_of("n1"), path="")
    assert len(await office.events("message.bounced")) == 1
    assert (await office.identity()).suppression is None


async def test_so_many_soft_bounces_make_a_dead_mailbox(office: PostOffice) -> None:
    for id in ("n1", "n2"):
        await office.notice(id)
        assert (await office.identity()).suppression is None
        await office.gets(report(path_of(id), "4.2.2", said="452 4.2.2 full"), path_of(id), path="")
        assert (await office.delivery(id)).reason == "mailbox 452 4.2.2 full <(address)>"
    suppression = (await office.identity()).suppression
    assert suppression and suppression.reason == "bounced"


async def test_soft_bounces_of_long_ago_count_no_more(office: PostOffice) -> None:
    for id in ("n1", "n2"):
        await office.notice(id)
        await office.gets(report(path_of(id), "4.2.2"), path_of(id), path="")
        before = {"$set": {"happened_at": utc_now() - timedelta(days=15)}}
        await office.store.change("events", {"_id": "n1:bounced"}, before)
    assert (await office.identity()).suppression is None


@pytest.mark.parametrize(("status", "word"), [("5.7.1", "refused"), ("5.4.4", "mailbox")])
async def test_what_is_not_the_mailboxs_end_bans_nobody(office: PostOffice, status: str, word: str) -> None:
    await office.notice("n1")
    await office.gets(report(path_of("n1"), status), path_of("n1"), path="")
    delivery = await office.delivery("n1")
    assert delivery.state == "failed"
    assert str(delivery.reason).startswith(f"{word} {status}")
    assert (await office.identity()).suppression is None


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed"])
async def test_a_mail_that_is_still_tried_or_arrived_stays_sent(office: PostOffice, action: str) -> None:
    await office.notice("n1")
    assert await office.gets(report(path_of("n1"), "4.4.1", action=action), path_of("n1"), path="") == [TAKEN]
    assert (await office.delivery("n1")).state == "sent"


async def test_a_report_to_a_path_that_we_did_not_sign_is_not_believed(office: PostOffice) -> None:
    await office.notice("n1")
    signed = path_of("n1")
    local, _, domain = signed.partition("@")
    forged = f"{local[:-1]}{'0' if local[-1] != '0' else '1'}@{domain}"
    for to in (forged, "bounces@shop.example", "help@shop.example"):
        assert await office.gets(report(to), to, path="") == [TAKEN]
    assert (await office.delivery("n1")).state == "sent"
    assert await office.messages("email:mailer-daemon@mx.example") == []


async def test_a_report_that_comes_to_people_is_known_by_the_mail_it_repeats(office: PostOffice) -> None:
    taken = await office.notice("n1")
    more = f"Message-ID: {named(taken)}"
    await office.gets(report("help@shop.example", more=more), path="")
    assert (await office.delivery("n1")).state == "failed"


async def test_a_report_about_a_mail_that_never_was_changes_nothing(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.email_reports.WAITS", (0.01,))
    assert await office.gets(report(path_of("n9")), path_of("n9"), path="") == [TAKEN]
    assert await office.events("message.bounced") == []


def bounce(id: str) -> Bounce:
    return Bounce(token_of(SECRET, id), "hard", "5.1.1")


def listening(office: PostOffice, sleep: Callable[[float], Awaitable[None]]) -> Reports:
    """What takes reports there, by a clock of the test's own."""
    complaints = Complaints(office.store, utc_now, Bearable())
    return Reports(office.options, office.door, complaints, "email:shop.example", sleep=sleep)


async def test_reports_that_overtake_our_own_note_are_waited_for_together(office: PostOffice) -> None:
    taken = await office.notice("n1")
    token = named(taken).strip("<>").partition("@")[0]
    await office.store.change("messages", {"_id": "n1"}, {"$unset": {"delivery.provider_id": ""}})
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            await office.store.change("messages", {"_id": "n1"}, {"$set": {"delivery.provider_id": f"email:{token}"}})

    strangers = [bounce(f"x{number}") for number in range(500)]
    await listening(office, sleep).take(*strangers, bounce("n1"), *strangers)
    assert slept == [0.2, 0.8, 2.0], "once for all of them"
    assert (await office.delivery("n1")).state == "failed"


async def test_who_reports_again_and_again_what_never_was_holds_up_nobody(office: PostOffice) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    reports = listening(office, sleep)
    for number in range(60):
        await reports.take(bounce(f"x{number}"))
    assert sum(slept) < 45.0, "as a mailbox is read one mail after the other"
    assert slept[-1] == 0.2, "still waited for a moment"


async def test_who_calls_it_spam_gets_no_mail_and_no_marketing_any_more(office: PostOffice) -> None:
    taken = await office.notice("n1")
    assert await office.gets(complaint("abuse", f"Message-ID: {named(taken)}"), path="fbl@provider.example") == [TAKEN]
    suppression = (await office.identity()).suppression
    assert suppression and suppression.reason == "complained"
    assert (await office.ledger("P1")).on[f"email:{EVERY}"] is False
    [proof] = await office.store.find("consents", {"profile": "P1"})
    assert (proof["change"], proof["source"]) == ("withdrawn", "complaint")
    assert (await office.delivery("n1")).state == "sent"
    assert [event.properties["message"] for event in await office.events("message.complained")] == ["n1"]


async def test_who_writes_to_the_address_for_leaving_gets_no_more_of_the_topic(office: PostOffice) -> None:
    taken = await office.notice("n1", **MARKETING)
    found = re.search(r"mailto:([^?>]+)", str(taken.mail["List-Unsubscribe"]))
    assert found
    leaving = mail(
        "", Subject="unsubscribe", To=found[1], Message_ID="<u1@example.org>", Auto_Submitted="auto-generated"
    )
    for _ in range(2):
        assert await office.gets(leaving, found[1], path="") == [TAKEN]
    assert (await office.ledger("P1")).on == {"email:offers": False}
    [proof] = await office.store.find("consents", {"profile": "P1"})
    assert (proof["change"], proof["source"], proof["topic"]) == ("withdrawn", "one_click", "offers")
    assert proof["evidence"] == {"message": "n1", "by": "mail"}
    assert await office.messages() == [], "it is no word to people"
    forged = found[1].replace("@", "0@")
    assert await office.gets(mail("", To=forged, Message_ID="<u2@example.org>"), forged) == [TAKEN]
    assert len(await office.store.find("consents", {"profile": "P1"})) == 1


async def test_who_complained_and_writes_is_answered_and_still_gets_no_marketing(office: PostOffice) -> None:
    taken = await office.notice("n1")
    await office.gets(complaint("abuse", f"Return-Path: <{taken.sender}>"))
    await office.gets(mail("Où est ma commande ?"))
    await office.said(2)
    assert (await office.identity()).suppression is None
    assert (await office.ledger("P1")).on[f"email:{EVERY}"] is False


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "dmarc"])
async def test_a_report_of_another_kind_is_no_complaint(office: PostOffice, kind: str) -> None:
    taken = await office.notice("n1")
    await office.gets(complaint(kind, f"Message-ID: {named(taken)}"))
    assert (await office.identity()).suppression is None
    assert await office.events("message.complained") == []


async def test_too_many_complaints_stop_marketing_and_nothing_else(office: PostOffice) -> None:
    taken = [
        await office.notice(f"n{number}", to=f"p{number}@example.org", profile=f"Q{number}", **MARKETING)
        for number in range(3)
    ]
    await office.gets(complaint("abuse", f"Message-ID: {named(taken[0])}"))
    brakes = {one["_id"] for one in await office.store.find(BRAKES, {})}
    assert brakes == {"email:shop.example", "rule:cart"}
    await office.notice("t1", **{"class": "transactional"})
    await office.writes_and_waits("m9", **MARKETING)
    assert len(office.server.to(ANNA)) == 1


async def test_a_complaint_about_what_is_no_marketing_does_not_count_against_it(office: PostOffice) -> None:
    for number in range(3):
        await office.notice(f"n{number}", to=f"p{number}@example.org", profile=f"Q{number}", **MARKETING)
    taken = await office.notice("t1", **{"class": "transactional"})
    await office.gets(complaint("abuse", f"Message-ID: {named(taken)}"))
    assert (await office.identity()).suppression is not None
    assert await office.store.find(BRAKES, {}) == []


async def test_one_complaint_among_few_mails_stops_nothing(office: PostOffice) -> None:
    taken = await office.notice("n0", **MARKETING)
    await office.gets(complaint("abuse", f"Message-ID: {named(taken)}"))
    assert await office.store.find(BRAKES, {}) == []
    await until(lambda: office.events("message.complained"))
