"""What may stand in an envelope: no address smuggles a command, and what no server could take is known beforehand."""

import pytest

from channels.email_address import Mailbox, mailbox


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("anna@example.org", Mailbox("anna@example.org", "example.org")),
        ("Anna+x.y@Example.ORG", Mailbox("Anna+x.y@example.org", "example.org")),
        (" anna@example.org ", Mailbox("anna@example.org", "example.org")),
        ("o'brien@sub.example.co", Mailbox("o'brien@sub.example.co", "sub.example.co")),
        ("anna@bücher.example.org", Mailbox("anna@xn--bcher-kva.example.org", "xn--bcher-kva.example.org")),
        ("élodie@orange.fr", Mailbox("élodie@orange.fr", "orange.fr", needs_utf8=True)),
    ],
)
def test_an_address_and_its_domain(address: str, found: Mailbox) -> None:
    assert mailbox(address) == found


@pytest.mark.parametrize(
    "address",
    [
        "", "anna", "@example.org", "anna@", "anna@example", "a b@example.org", "anna@example.org\r\nDATA", "anna\n@example.org",
        "anna@example.org>", "<anna@example.org>", "anna\0@example.org", ".anna@example.org", "a..b@example.org",
        "anna@-x.org", "anna@x..org", "x" * 300 + "@example.org", "x" * 65 + "@example.org",
        "é" * 40 + "@example.org", "a@" + "x" * 64 + ".org", "a@b.org,c@d.org", "\ud800@example.org", "anna@exa\u2028mple.org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(address: str) -> None:
    assert mailbox(address) is None
