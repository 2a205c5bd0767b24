"""A sender counts as proved only when our own mail server says so of the very domain that is named."""

import pytest

from channels.email_proof import is_proved
from channels.email_reading import parsed

OURS = "mx.shop.example"


@pytest.mark.parametrize(
    ("results", "proved"),
    [
        ("mx.shop.example; dkim=pass header.d=example.org", True),
        ("mx.shop.example; dmarc=pass (p=reject) header.from=example.org", True),
        ("MX.shop.example 1; spf=pass smtp.mailfrom=x@example.org; dkim=pass header.i=@example.org", True),
        ("mx.shop.example; dkim=pass header.d=org.example", False),
        ("mx.shop.example; dkim=pass header.d=org", False),
        ("mx.shop.example; dkim=pass header.d=le.org", False),
        ("mx.shop.example; dkim=fail header.d=example.org", False),
        ("mx.shop.example; spf=pass smtp.mailfrom=example.org", False),
        ("mx.shop.example; dkim=fail (dkim=pass header.d=example.org)", False),
        ("mx.shop.example; dkim=fail header.x=pass; x=dkim=pass header.d=example.org", False),
        ("mx.other.example; dkim=pass header.d=example.org", False),
        ("mx.shop.example; none", False),
        ("", False),
    ],
)
def test_the_servers_word_is_read(results: str, proved: bool) -> None:
    mail = parsed(f"Authentication-Results: {results}\r\nFrom: anna@example.org\r\n\r\nx".encode())
    assert is_proved(mail, "anna@example.org", server=OURS) is proved


def test_a_domain_vouches_for_those_below_it() -> None:
    mail = parsed(
        b"Authentication-Results: mx.shop.example; dkim=pass header.d=example.org\r\nFrom: a@m.example.org\r\n\r\n"
    )
    assert is_proved(mail, "a@m.example.org", server=OURS)


def test_what_stands_below_our_servers_own_word_was_brought_along() -> None:
    brought = (
        b"Authentication-Results: mx.shop.example; dkim=none\r\n"
        b"Authentication-Results: mx.shop.example; dkim=pass header.d=example.org\r\nFrom: anna@example.org\r\n\r\n"
    )
    assert not is_proved(parsed(brought), "anna@example.org", server=OURS)


def test_without_a_trusted_server_or_with_two_senders_nothing_is_proved() -> None:
    good = b"Authentication-Results: mx.shop.example; dkim=pass header.d=example.org\r\nFrom: anna@example.org\r\n"
    assert not is_proved(parsed(good + b"\r\n"), "anna@example.org", server="")
    assert not is_proved(parsed(good + b"From: boris@example.org\r\n\r\n"), "anna@example.org", server=OURS)
