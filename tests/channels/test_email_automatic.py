"""A machine's mail is known as one, so that no machine of ours answers it; a person's mail is not."""

import pytest

from channels.email_automatic import By, written_by
from channels.email_reading import parsed


@pytest.mark.parametrize(
    ("fields", "by"),
    [
        ("Subject: Bonjour", "person"),
        ("Auto-Submitted: no", "person"),
        ("Precedence: first-class", "person"),
        ("X-Auto-Response-Suppress: None", "person"),
        ("Auto-Submitted: auto-replied (vacation)", "holiday note"),
        ("Auto-Submitted: auto-generated\r\nSubject: Automatic reply: Soldes", "holiday note"),
        ("Auto-Submitted: auto-generated\r\nSubject: Réponse automatique", "holiday note"),
        ("X-Autoreply: yes", "holiday note"),
        ("Auto-Submitted: auto-generated", "machine"),
        ("Auto-Submitted: Auto-Notified; x=y", "machine"),
        ("Precedence: bulk", "machine"),
        ("Precedence: LIST", "machine"),
        ("Precedence: junk", "machine"),
        ("List-Id: <a.example>", "machine"),
        ("List-Unsubscribe: <https://x.example>", "machine"),
        ("X-Auto-Response-Suppress: DR, OOF", "machine"),
        ("X-Auto-Response-Suppress: All", "machine"),
        ("Return-Path: <>", "machine"),
        ("X-Loop: help@shop.example", "machine"),
    ],
)
def test_headers_tell_who_wrote(fields: str, by: By) -> None:
    mail = parsed(f"From: anna@example.org\r\n{fields}\r\n\r\nx".encode())
    assert written_by(mail, sender="anna@example.org", path="anna@example.org") == by


@pytest.mark.parametrize("sender", ["mailer-daemon@example.org", "noreply+x@shop.example", "bounces+12@list.example"])
def test_some_addresses_are_nobody(sender: str) -> None:
    assert written_by(parsed(b"Subject: x\r\n\r\nx"), sender=sender, path=None) == "machine"


def test_a_mail_without_a_way_back_is_a_machines() -> None:
    assert written_by(parsed(b"Subject: x\r\n\r\nx"), sender="anna@example.org", path="") == "machine"
