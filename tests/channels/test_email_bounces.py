"""A bounce is believed when it knows the mail's signed path; what it means is read from its status."""

import base64
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email_bounces import Away, Bounce, Complaint, Delayed, read, status_in
from channels.email_verp import bounce_path, token_of

SECRET = b"s" * 32
TOKEN = token_of(SECRET, "m1")
PATH = bounce_path(SECRET, "bounces@shop.example", TOKEN)


def report(action: str, status: str, *, diagnostic: str = "", kind: str = "delivery-status", more: str = "") -> bytes:
    """A report as Postfix writes it."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example
To: {PATH}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Original-Envelope-Id: {TOKEN}

Final-Recipient: rfc822; anna@example.org
Original-Recipient: rfc822;anna+x@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnostic}

--b
Content-Type: text/rfc822-headers

Return-Path: <{PATH}>
Subject: Soldes
{more}
--b--
""".replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("action", "status", "diagnostic", "found"),
    [
        ("failed", "5.1.1", "550 5.1.1 unknown", Bounce(TOKEN, "hard", "5.1.1", "anna+x@example.org")),
        ("failed", "4.2.2", "452 4.2.2 full", Bounce(TOKEN, "soft", "4.2.2", "anna+x@example.org")),
        ("failed", "5.2.2", "552 5.2.2 full", Bounce(TOKEN, "soft", "5.2.2", "anna+x@example.org")),
        ("failed", "5.7.26", "550 5.7.26 no", Bounce(TOKEN, "refused", "5.7.26", "anna+x@example.org")),
        ("failed", "", "550 5.1.1 unknown", Bounce(TOKEN, "hard", "5.1.1", "anna+x@example.org")),
        ("Failed", "5.4.4", "no such host", Bounce(TOKEN, "soft", "5.4.4", "anna+x@example.org")),
        ("failed", "5.0.0", "550 No such user here", Bounce(TOKEN, "hard", "5.0.0", "anna+x@example.org")),
        (
            "failed",
            "5.0.0",
            "550 Sender unknown: no such user",
            Bounce(TOKEN, "refused", "5.0.0", "anna+x@example.org"),
        ),
        ("failed", "5.0.350", "550 5.1.1 gone; see below", Bounce(TOKEN, "hard", "5.1.1", "anna+x@example.org")),
        ("failed", "5.7.1", "550 no such user", Bounce(TOKEN, "refused", "5.7.1", "anna+x@example.org")),
        (  # Outlook.com, of who is not there
            "failed",
            "5.5.0",
            "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
            Bounce(TOKEN, "hard", "5.5.0", "anna+x@example.org"),
        ),
        ("failed", "5.5.0", "550 5.5.0 what", Bounce(TOKEN, "refused", "5.5.0", "anna+x@example.org")),
        (
            "failed",
            "5.0.0",
            "554 delivery error: dd This user doesn't have a yahoo.com account",
            Bounce(TOKEN, "hard", "5.0.0", "anna+x@example.org"),
        ),
        (
            "failed",
            "5.1.0",
            "Domain exmaple.org does not accept mail (nullMX)",
            Bounce(TOKEN, "hard", "5.1.0", "anna+x@example.org"),
        ),
        (  # Exim asked our own server back: nothing is said of whom we wrote to
            "failed",
            "5.0.0",
            "550-Verification failed for <b@shop.example> 550-Response: 550 5.1.1 User unknown 550 Sender verify failed",
            Bounce(TOKEN, "refused", "5.0.0", "anna+x@example.org"),
        ),
        ("failed (undeliverable)", "5.1.1 (no)", "", Bounce(TOKEN, "hard", "5.1.1", "anna+x@example.org")),
        ("Failure", "5.1.1", "", Bounce(TOKEN, "hard", "5.1.1", "anna+x@example.org")),
        ("expired", "4.4.7", "", Bounce(TOKEN, "soft", "4.4.7", "anna+x@example.org")),
        ("", "5.1.1", "", Bounce(TOKEN, "hard", "5.1.1", "anna+x@example.org")),
        ("", "2.1.5", "", None),
        ("", "4.4.1", "", None),
        ("delayed", "4.4.1", "timeout", Delayed(TOKEN, "4.4.1")),
        ("delivered", "2.0.0", "", None),
    ],
)
def test_a_delivery_report_is_read_by_its_status(action: str, status: str, diagnostic: str, found: object) -> None:
    assert read(report(action, status, diagnostic=diagnostic), to=PATH, secret=SECRET) == found


def test_a_report_that_comes_elsewhere_is_known_by_the_mail_it_repeats() -> None:
    found = read(report("failed", "5.1.1"), to="postmaster@shop.example", secret=SECRET)
    assert isinstance(found, Bounce)
    assert found.token == TOKEN


def test_a_report_of_an_address_beyond_ascii_is_read_too() -> None:
    utf8 = report("failed", "5.1.1").replace(b"message/delivery-status", b"message/global-delivery-status")
    utf8 = utf8.replace(b"rfc822;anna+x@example.org", "utf-8; élodie@example.org".encode())
    found = read(utf8, to=PATH, secret=SECRET)
    assert isinstance(found, Bounce)
    assert (found.kind, found.status) == ("hard", "5.1.1")


def test_a_report_of_no_mail_of_ours_is_not_believed() -> None:
    forged = report("failed", "5.1.1").replace(PATH.encode(), b"bounces+abc-def@shop.example")
    assert read(forged, to="bounces+abc-def@shop.example", secret=SECRET) is None


def complaint(kind: str) -> bytes:
    return f"""\
From: fbl@mailbox.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{PATH}>

--b
Content-Type: message/rfc822

From: news@shop.example
Subject: Soldes

x
--b--
""".replace("\n", "\r\n").encode()


def test_a_complaint_is_a_complaint() -> None:
    assert read(complaint("abuse"), to="fbl@shop.example", secret=SECRET) == Complaint(TOKEN, "abuse")


def in_base64(part: str) -> str:
    return f"Content-Transfer-Encoding: base64\n\n{base64.encodebytes(part.encode()).decode()}"


@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_a_report_whose_parts_are_encoded_is_read(line: str) -> None:
    """RFC 6533 allows it for reports of addresses beyond ASCII, and servers do it with others."""
    fields = (
        "Reporting-MTA: dns; mx.example",
        "",
        "Final-Recipient: rfc822; anna@example.org",
        "Action: failed",
        "Status: 5.1.1",
    )
    block, repeated = line.join(fields), line.join((f"Message-ID: <{TOKEN}@shop.example>", "Subject: Soldes", "", "x"))
    for kind in ("delivery-status", "global-delivery-status"):
        octets = f"""\
From: MAILER-DAEMON@mx.example
Content-Type: multipart/report; boundary="b"

--b
Content-Type: message/{kind}
{in_base64(block)}
--b
Content-Type: message/rfc822
{in_base64(repeated)}
--b--
""".encode()
        found = read(octets, to="postmaster@shop.example", secret=SECRET, domain="shop.example")
        assert found == Bounce(TOKEN, "hard", "5.1.1", "anna@example.org")
        assert read(octets, to="", secret=SECRET, domain="another.example") is None


@pytest.mark.parametrize(
    "shape",
    [
        'From: staff@hotmail.com\nContent-Type: multipart/mixed; boundary="b"\n\n'
        "--b\nContent-Type: message/rfc822\n\n{mail}\n--b--\n",
        "{mail}",
    ],
)
def test_a_complaint_of_outlook_that_is_no_arf_is_one(shape: str) -> None:
    mail = f"X-HmXmrOriginalRecipient: anna@hotmail.com\nMessage-ID: <{TOKEN}@shop.example>\nSubject: Soldes\n\nx"
    for told, found in ((mail, Complaint(TOKEN)), (mail.replace(TOKEN, "x"), None), (mail.partition("\n")[2], None)):
        octets = shape.format(mail=told).encode()
        assert read(octets, to="fbl@shop.example", secret=SECRET, domain="shop.example") == found


def test_a_holiday_note_is_no_bounce() -> None:
    note = EmailMessage()
    note["From"], note["Subject"], note["Auto-Submitted"] = "anna@example.org", "Absence du bureau", "auto-replied"
    note.set_content("Je suis en vacances, 5.1.1 merci")
    assert read(note.as_bytes(), to=PATH, secret=SECRET) == Away()


def test_a_report_in_prose_is_read_when_it_has_a_status() -> None:
    prose = EmailMessage()
    prose["From"], prose["Subject"] = "Mail Delivery System <MAILER-DAEMON@qmail.example>", "failure notice"
    prose.set_content("Sorry it didn't work out.\n<anna@example.org>: 550 5.1.1 no mailbox here")
    assert read(prose.as_bytes(), to=PATH, secret=SECRET) == Bounce(TOKEN, "hard", "5.1.1")
    prose.set_content("<anna@example.org>: 550-Response: 550 5.1.1 User unknown\n550 Sender verify failed")
    assert read(prose.as_bytes(), to=PATH, secret=SECRET) == Bounce(TOKEN, "refused", "5.1.1")


def test_a_report_of_exim_in_prose_is_no_holiday_note() -> None:
    prose = EmailMessage()
    prose["From"], prose["Subject"] = "Mail Delivery System <Mailer-Daemon@host.example>", "Mail delivery failed"
    prose["Auto-Submitted"], prose["X-Failed-Recipients"] = "auto-replied", "anna@example.org"
    prose.set_content("A message could not be delivered.\n  anna@example.org\n    550 5.1.1 unknown")
    assert read(prose.as_bytes(), to=PATH, secret=SECRET) == Bounce(TOKEN, "hard", "5.1.1")
    assert read(prose.as_bytes(), to="help@shop.example", secret=SECRET) == Away()


def test_a_read_receipt_is_no_bounce_whatever_day_it_names() -> None:
    for prose in ("Gelesen am 5.7.26 um 09:12.", "Read at 5.9.1."):
        receipt = report("failed", "", kind="disposition-notification").replace(
            b"I'm sorry to have to inform you.", prose.encode()
        )
        receipt = receipt.replace(b"delivery-status", b"disposition-notification").replace(
            b"Auto-Submitted: auto-replied\r\n", b""
        )
        assert read(receipt, to=PATH, secret=SECRET) is None


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("550-5.1.1 no", "5.1.1"),
        ("(#5.7.26).", "5.7.26"),
        ("gone: 5.1.1.", "5.1.1"),
        ("from 5.9.12.34", ""),
        ("at 194.2.3.4", ""),
        ("am 5.11.26", ""),
    ],
)
def test_a_status_is_told_from_an_address_and_a_day(said: str, status: str) -> None:
    assert status_in(said) == status


def test_a_letter_of_a_person_is_none_of_these() -> None:
    letter = EmailMessage()
    letter["From"], letter["Subject"] = "anna@example.org", "Re: Soldes"
    letter.set_content("Bonjour, 5.1.1 ?")
    assert read(letter.as_bytes(), to=PATH, secret=SECRET) is None


def test_what_is_too_large_is_not_read() -> None:
    assert read(report("failed", "5.1.1", more="x" * 2_000_000), to=PATH, secret=SECRET) is None


@given(st.binary(max_size=400), st.integers(0, 900))
def test_noise_in_a_report_breaks_nothing(noise: bytes, at: int) -> None:
    octets = report("failed", "5.1.1")
    read(octets[:at] + noise + octets[at:], to=PATH, secret=SECRET)


def test_a_mail_of_parts_within_parts_without_end_is_not_read() -> None:
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (level, level) for level in range(2_000)
    )
    assert read(deep, to=PATH, secret=SECRET) is None
