"""What SendGrid says of a mail is the same fact as a report by mail, and only SendGrid says it."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from channels.email_bounces import Bounce, Complaint, Delayed, Heard
from channels.email_sendgrid import is_signed, read, read_key
from channels.email_verp import token_of

SECRET, DOMAIN = b"s" * 32, "shop.example"
TOKEN = token_of(SECRET, "n1")
KEY = ec.generate_private_key(ec.SECP256R1())
SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
SHOWN = base64.b64encode(KEY.public_key().public_bytes(*SPKI)).decode()


def event(name: str, **more: Any) -> dict[str, Any]:
    """An event as SendGrid's manual shows it."""
    return {"email": "a@b.example", "timestamp": 1_513_299_569, "smtp-id": f"<{TOKEN}@{DOMAIN}>", "event": name, **more}


def signed(body: bytes, instant: str = "1732262400") -> str:
    return base64.b64encode(KEY.sign(instant.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()


def heard(*events: Any) -> list[Heard]:
    return read(json.dumps(events).encode(), secret=SECRET, domain=DOMAIN)


@pytest.mark.parametrize(
    ("more", "kind", "status"),
    [
        ({"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 gone"}, "hard", "5.1.1"),
        ({"type": "bounce", "status": "5.0.0", "reason": "500 unknown recipient"}, "hard", "5.0.0"),
        (
            {"type": "bounce", "status": "5.0.0", "reason": "x", "bounce_classification": "Invalid Address"},
            "hard",
            "5.0.0",
        ),
        ({"type": "bounce", "status": "5.0.0", "reason": "550 5.2.1 disabled"}, "hard", "5.2.1"),
        (
            {"type": "bounce", "status": "5.0.0", "reason": "x", "bounce_classification": "Reputation"},
            "refused",
            "5.0.0",
        ),
        ({"type": "bounce", "reason": "x", "bounce_classification": "Mailbox Unavailable"}, "soft", ""),
        ({"type": "blocked", "status": "5.0.0", "reason": "no such user"}, "refused", "5.0.0"),
        ({"type": "blocked", "status": "4.2.2", "reason": "full"}, "soft", "4.2.2"),
    ],
)
def test_a_bounce_is_hard_soft_or_refused(more: dict[str, str], kind: str, status: str) -> None:
    [found] = heard(event("bounce", **more))
    assert isinstance(found, Bounce)
    assert (found.token, found.kind, found.status, found.recipient) == (TOKEN, kind, status, "a@b.example")


def test_the_events_of_a_request_come_in_order_and_what_matters_nothing_is_left_out() -> None:
    found = heard(
        event("processed"), event("deferred", response="451 4.7.1 later"), event("dropped", reason="Bounced Address"),
        event("dropped", reason="Spam Reporting Address"), event("dropped", reason="Spam Content"), event("open"),
        event("spamreport"), event("group_unsubscribe"), 7, {"event": "bounce"},
        event("bounce", **{"smtp-id": f"<{TOKEN}@another.example>"}),
    )  # fmt: skip
    assert found == [
        Delayed(TOKEN, "4.7.1"), Bounce(TOKEN, "hard", "", "a@b.example"), Complaint(TOKEN),
        Bounce(TOKEN, "refused", "", "a@b.example"), Complaint(TOKEN), Complaint(TOKEN, "opt-out"),
    ]  # fmt: skip
    assert [read(odd, secret=SECRET, domain=DOMAIN) for odd in (b"", b"{}", b"7", b"[[]]")] == [[]] * 4


def test_only_who_has_the_key_signs() -> None:
    body, key = b'[{"event": "bounce"}]', read_key(SHOWN)
    assert is_signed(body, "1732262400", signed(body), key)
    for said, instant, proof in (
        (body + b" ", "1732262400", signed(body)), (body, "1732262401", signed(body)), (body, "1732262400", ""),
        (body, "1732262400", "é"), (body, "1732262400", base64.b64encode(b"x").decode()),
    ):  # fmt: skip
        assert not is_signed(said, instant, proof, key)


def test_what_is_no_verification_key_is_refused() -> None:
    other = base64.b64encode(ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(*SPKI)).decode()
    for text in ("x", "é", base64.b64encode(b"no key").decode(), other):
        with pytest.raises(ValueError, match="expected"):
            read_key(text)
