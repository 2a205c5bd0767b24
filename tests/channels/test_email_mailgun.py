"""What Mailgun says of a mail is the same fact as a report by mail, and only Mailgun says it."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.email_bounces import Bounce, Complaint, Delayed, Heard
from channels.email_mailgun import FRESH_FOR, is_fresh, is_signed, read
from channels.email_verp import bounce_path, token_of

SECRET, DOMAIN, KEY = b"s" * 32, "shop.example", "key-0123456789"
TOKEN = token_of(SECRET, "n1")
ID = f"{TOKEN}@shop.example"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def signed(event: dict[str, Any], *, at: datetime = NOW, word: str = "w" * 50, key: str = KEY) -> dict[str, Any]:
    """An event as Mailgun posts it: signed as its manual says, hex of HMAC-SHA256 over instant and token."""
    instant = str(int(at.timestamp()))
    proof = hmac.new(key.encode(), (instant + word).encode(), hashlib.sha256).hexdigest()
    return {"signature": {"timestamp": instant, "token": word, "signature": proof}, "event-data": event}


def event(name: str, **more: Any) -> dict[str, Any]:
    return {"event": name, "recipient": "a@b.example", "message": {"headers": {"message-id": ID}}, **more}


def failed(reason: str = "bounce", severity: str = "permanent", **status: Any) -> dict[str, Any]:
    return event("failed", severity=severity, reason=reason, **{"delivery-status": status})


def heard(told: dict[str, Any]) -> Heard | None:
    return read({"event-data": told}, secret=SECRET, domain=DOMAIN)


@pytest.mark.parametrize(
    ("told", "kind", "status"),
    [
        (failed(code=550, message="5.1.1 The email account does not exist"), "hard", "5.1.1"),
        (failed(code=550, **{"enhanced-code": "5.7.1", "message": "5.1.1 quoted"}), "refused", "5.7.1"),
        (failed("suppress-bounce", code=605, description="Not delivering to previously bounced address"), "hard", ""),
        (failed("suppress-unsubscribe", code=606), "refused", ""),
        (failed("old", code=452, message="4.2.2 Mailbox full"), "soft", "4.2.2"),
        (failed("generic", code=550, message="denied"), "refused", ""),
    ],
)
def test_a_failed_mail_is_hard_soft_or_refused(told: dict[str, Any], kind: str, status: str) -> None:
    found = heard(told)
    assert isinstance(found, Bounce)
    assert (found.token, found.kind, found.status, found.recipient) == (TOKEN, kind, status, "a@b.example")


def test_everything_else_that_mailgun_says_of_a_mail() -> None:
    assert heard(failed("generic", "temporary", code=451, message="4.7.1 greylisted")) == Delayed(TOKEN, "4.7.1")
    assert heard(failed("suppress-complaint", code=607)) == Complaint(TOKEN, "abuse")
    assert heard(event("complained")) == Complaint(TOKEN, "abuse")
    assert heard(event("unsubscribed")) == Complaint(TOKEN, "opt-out")
    assert heard(event("rejected", reject={"reason": "sandbox"})) == Bounce(TOKEN, "refused", "")
    assert heard(event("delivered")) is None


def test_a_mail_is_known_by_its_signed_path_too_and_no_other_by_anything() -> None:
    path = bounce_path(SECRET, "bounces@shop.example", TOKEN)
    assert heard({"event": "complained", "envelope": {"sender": path}}) == Complaint(TOKEN)
    for told in (
        {},
        {"event": "complained"},
        event("complained", message={"headers": {"message-id": f"{TOKEN}@evil.example"}}),
    ):
        assert heard(told) is None
    assert read({}, secret=SECRET, domain=DOMAIN) is None


def test_a_signature_is_of_this_key_this_instant_and_this_word() -> None:
    right = signed({})
    assert is_signed(right, [KEY])
    assert is_signed(right, ["the new one", KEY])
    assert not is_signed(right, ["another key"])
    assert not is_signed(signed({}, key=""), []), "a key that is not set signs nothing"
    for name, value in (("timestamp", "1"), ("token", "v" * 50), ("signature", ""), ("signature", None), ("token", "")):
        assert not is_signed({"signature": {**right["signature"], name: value}}, [KEY])
    assert not is_signed({"signature": "é"}, [KEY])


@pytest.mark.parametrize(
    ("age", "fresh"),
    [(timedelta(), True), (FRESH_FOR, True), (FRESH_FOR + timedelta(seconds=1), False), (-timedelta(minutes=6), False)],
)
def test_a_signature_counts_for_as_long_as_mailgun_repeats(age: timedelta, fresh: bool) -> None:
    assert is_fresh(signed({}, at=NOW - age), NOW) is fresh


@pytest.mark.parametrize("instant", ["", "soon", "-5", "1" * 400, "٣", None])
def test_an_instant_that_is_none_is_not_fresh(instant: Any) -> None:
    assert not is_fresh({"signature": {"timestamp": instant}}, NOW)
