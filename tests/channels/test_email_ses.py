"""What Amazon SES says of a mail is the same fact as a report by mail, whichever of its two forms it comes in."""

import json
from typing import Any

import pytest

from channels.email_bounces import Away, Bounce, Complaint, Delayed, Heard
from channels.email_ses import read
from channels.email_verp import bounce_path, token_of

SECRET, DOMAIN = b"s" * 32, "shop.example"
TOKEN = token_of(SECRET, "n1")
PATH = bounce_path(SECRET, "bounces@shop.example", TOKEN)


def said(type: str, *, name: str = "notificationType", source: str = PATH, mail: Any = None, **more: Any) -> str:
    """A notification; `name` is eventType where a configuration set publishes it."""
    return json.dumps({name: type, "mail": {"source": source, "messageId": "0100-ses", **(mail or {})}, **more})


def bounce(kind: str, more: str, **who: str) -> dict[str, Any]:
    return {"bounceType": kind, "bounceSubType": more, "bouncedRecipients": [{"emailAddress": "a@b.example", **who}]}


def heard(message: str) -> Heard | None:
    return read(message, secret=SECRET, domain=DOMAIN)


@pytest.mark.parametrize(
    ("told", "kind", "status"),
    [
        (
            bounce("Permanent", "General", status="5.1.1", diagnosticCode="smtp; 550 5.1.1 no such user"),
            "hard",
            "5.1.1",
        ),
        (bounce("Permanent", "NoEmail"), "hard", ""),
        (bounce("Permanent", "OnAccountSuppressionList", status="5.1.1"), "hard", "5.1.1"),
        (bounce("Permanent", "General", status="5.7.1", diagnosticCode="smtp; 550 5.7.1 spam"), "refused", "5.7.1"),
        (bounce("Permanent", "ContentRejected"), "refused", ""),
        (bounce("Transient", "MailboxFull", status="5.2.2"), "soft", "5.2.2"),
        (bounce("Transient", "General", diagnosticCode="smtp; 450 4.7.0 later"), "soft", "4.7.0"),
        (bounce("Transient", "General", status="5.1.1"), "soft", "5.1.1"),
        (bounce("Transient", "MessageTooLarge"), "refused", ""),
        (bounce("Undetermined", "Undetermined"), "soft", ""),
    ],
)
def test_a_bounce_is_hard_soft_or_refused(told: dict[str, Any], kind: str, status: str) -> None:
    for name in ("notificationType", "eventType"):
        found = heard(said("Bounce", name=name, bounce=told))
        assert isinstance(found, Bounce)
        assert (found.token, found.kind, found.status, found.recipient) == (TOKEN, kind, status, "a@b.example")


def test_the_words_of_the_other_side_are_kept_without_addresses() -> None:
    found = heard(
        said("Bounce", bounce=bounce("Permanent", "General", diagnosticCode="smtp; 550 5.1.1 <a@b.example> gone"))
    )
    assert isinstance(found, Bounce)
    assert found.detail == "550 5.1.1 <(address)> gone"


def test_a_holiday_note_that_ses_calls_a_bounce_is_none() -> None:
    assert heard(said("Bounce", bounce=bounce("Transient", "General"))) == Away()


def test_complaints_and_delays_are_told_apart() -> None:
    assert heard(said("Complaint", complaint={"complaintFeedbackType": "not-spam"})) == Complaint(TOKEN, "not-spam")
    assert heard(said("Complaint", complaint={})) == Complaint(TOKEN, "abuse")
    late = {"delayedRecipients": [{"emailAddress": "a@b.example", "status": "4.4.1"}]}
    assert heard(said("DeliveryDelay", name="eventType", deliveryDelay=late)) == Delayed(TOKEN, "4.4.1")
    assert heard(said("Reject", name="eventType", reject={"reason": "Bad content"})) == Bounce(TOKEN, "refused", "")
    assert heard(said("Delivery", delivery={})) is None


@pytest.mark.parametrize(
    "mail",
    [
        {"commonHeaders": {"messageId": f"<{TOKEN}@shop.example>"}},
        {"headers": [{"name": "From", "value": "x"}, {"name": "Message-Id", "value": f"<{TOKEN}@Shop.example>"}]},
    ],
)
def test_without_a_path_of_its_own_a_mail_is_known_by_our_message_id(mail: dict[str, Any]) -> None:
    assert heard(said("Complaint", source="news@shop.example", mail=mail)) == Complaint(TOKEN, "abuse")


@pytest.mark.parametrize(
    "message",
    [
        "", "[]", "null", "{", '{"notificationType": "Bounce"}',
        said("Complaint", source="news@shop.example"),
        said("Complaint", source=PATH.replace("-", "-0")),
        said("Complaint", source="", mail={"commonHeaders": {"messageId": f"<{TOKEN}@evil.example>"}}),
        said("Complaint", source="", mail={"headers": "none", "commonHeaders": [1]}),
    ],
)  # fmt: skip
def test_what_speaks_of_no_mail_of_ours_says_nothing(message: str) -> None:
    assert heard(message) is None


def test_whatever_stands_in_the_fields_breaks_nothing() -> None:
    odds: list[Any] = [None, 7, [], {}, "x" * 5_000, [None], True]
    for odd in odds:
        for told in ({"bounceType": odd, "bouncedRecipients": odd}, {"bouncedRecipients": [{"status": odd}]}, odd):
            assert heard(said("Bounce", bounce=told)) is not None
