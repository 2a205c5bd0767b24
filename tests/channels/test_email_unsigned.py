"""What Brevo, Mailjet and Postmark say of a mail is the same fact as a report by mail, and only who has the secret says it."""

import base64
import json
from typing import Any

import pytest

from channels.email_bounces import Away, Bounce, Complaint, Delayed, Heard
from channels.email_unsigned import REPORTERS, is_shown
from channels.email_verp import token_of

DOMAIN, TOKEN = "shop.example", token_of(b"s" * 32, "n1")
WHO = "a@b.example"


def brevo(name: str, reason: str = "", **more: Any) -> dict[str, Any]:
    """An event as Brevo's manual shows it."""
    return {
        "event": name, "email": WHO, "id": 26224, "date": "2026-11-22 10:00:00", "ts": 1_795_341_600, "tag": "",
        "message-id": "<201798300811.5787683@relay.domain.com>", "X-Mailin-custom": TOKEN, "reason": reason, **more,
    }  # fmt: skip


def mailjet(name: str, error: str = "", hard: bool = False, **more: Any) -> dict[str, Any]:
    """An event as Mailjet's manual shows it."""
    return {
        "event": name, "time": 1_430_812_195, "MessageID": 13_792_286_917_004_336, "email": WHO, "CustomID": TOKEN,
        "mj_campaign_id": 0, "customcampaign": "", "Payload": "", "hard_bounce": hard, "error": error, **more,
    }  # fmt: skip


def postmark(record: str, type: str = "", details: str = "", **more: Any) -> dict[str, Any]:
    """An event as Postmark's manual shows it."""
    return {
        "RecordType": record, "Type": type, "Details": details, "Email": WHO, "MessageStream": "broadcast",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "Metadata": {"Causerie": TOKEN.upper()}, **more,
    }  # fmt: skip


def heard(by: str, said: Any) -> list[Heard]:
    return REPORTERS[by].read(said if isinstance(said, bytes) else json.dumps(said).encode(), DOMAIN)


@pytest.mark.parametrize(
    ("by", "event", "kind", "status"),
    [
        ("brevo", brevo("hard_bounce", "550 5.1.1 no such mailbox"), "hard", "5.1.1"),
        ("brevo", brevo("hard_bounce", "rejected"), "hard", ""),
        ("brevo", brevo("hardBounce", "554 5.7.1 listed"), "refused", "5.7.1"),
        ("brevo", brevo("soft_bounce", "552 5.2.2 mailbox full"), "soft", "5.2.2"),
        ("brevo", brevo("soft_bounce", "no such user here"), "soft", ""),
        ("brevo", brevo("invalid_email"), "hard", ""),
        ("brevo", brevo("blocked", "due to blacklist user"), "refused", ""),
        ("brevo", brevo("blocked", "550 5.1.1 user unknown"), "refused", "5.1.1"),
        ("brevo", brevo("error", "could not render"), "refused", ""),
        ("mailjet", mailjet("bounce", "user unknown", True, error_related_to="recipient"), "hard", ""),
        ("mailjet", mailjet("bounce", "user unknown", True, comment="550 5.7.1 policy"), "refused", "5.7.1"),
        ("mailjet", mailjet("bounce", "quota exceeded"), "soft", ""),
        ("mailjet", mailjet("bounce", "user unknown"), "soft", ""),
        ("mailjet", mailjet("bounce", "content blocked", True, error_related_to="spam"), "refused", ""),
        ("mailjet", mailjet("bounce", "greylisted", True), "soft", ""),
        ("mailjet", mailjet("blocked", "invalid domain"), "hard", ""),
        ("mailjet", mailjet("blocked", "preblocked", error_related_to="mailjet"), "soft", ""),
        ("mailjet", mailjet("blocked", "duplicate in campaign"), "refused", ""),
        ("postmark", postmark("Bounce", "HardBounce", "smtp;550 5.1.1 unknown"), "hard", "5.1.1"),
        ("postmark", postmark("Bounce", "HardBounce", "smtp;550 5.7.1 refused"), "refused", "5.7.1"),
        ("postmark", postmark("Bounce", "HardBounce", "Test bounce details"), "hard", ""),
        ("postmark", postmark("Bounce", "BadEmailAddress"), "hard", ""),
        ("postmark", postmark("Bounce", "SoftBounce", "smtp;550 5.1.1 unknown"), "soft", "5.1.1"),
        ("postmark", postmark("Bounce", "DnsError"), "soft", ""),
        ("postmark", postmark("Bounce", "Blocked", "no such user: listed"), "refused", ""),
        ("postmark", postmark("Bounce", "SpamNotification"), "refused", ""),
        ("postmark", postmark("Bounce", "SomethingNew"), "refused", ""),
    ],
    ids=lambda one: one.get("event", one.get("Type")) if isinstance(one, dict) else str(one),
)
def test_a_bounce_is_hard_soft_or_refused(by: str, event: dict[str, Any], kind: str, status: str) -> None:
    [found] = heard(by, event)
    assert isinstance(found, Bounce)
    assert (found.token, found.kind, found.status, found.recipient) == (TOKEN, kind, status, WHO)


@pytest.mark.parametrize(
    ("by", "events", "found"),
    [
        (
            "brevo",
            [brevo("deferred", "451 4.7.1 later"), brevo("spam"), brevo("unsubscribed"), brevo("complaint")],
            [Delayed(TOKEN, "4.7.1"), Complaint(TOKEN), Complaint(TOKEN, "opt-out"), Complaint(TOKEN)],
        ),
        (
            "mailjet",
            [mailjet("bounce", "greylisted"), mailjet("spam", source="JMRPP"), mailjet("unsub", mj_list_id=1),
             mailjet("blocked", "spam reporter")],
            [Delayed(TOKEN), Complaint(TOKEN), Complaint(TOKEN, "opt-out"), Complaint(TOKEN)],
        ),
        (
            "postmark",
            [postmark("Bounce", "Transient", "smtp;421 4.7.0 later"), postmark("SpamComplaint", "SpamComplaint"),
             postmark("Bounce", "Unsubscribe"), postmark("Bounce", "AutoResponder"),
             postmark("SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression", Origin="Recipient"),
             postmark("SubscriptionChange", SuppressSending=True, SuppressionReason="SpamComplaint", Origin="Recipient")],
            [Delayed(TOKEN, "4.7.0"), Complaint(TOKEN), Complaint(TOKEN, "opt-out"), Away(), Complaint(TOKEN, "opt-out"),
             Complaint(TOKEN)],
        ),
    ],
)  # fmt: skip
def test_everything_else_that_they_say_of_a_mail_in_its_order(
    by: str, events: list[dict[str, Any]], found: list[Heard]
) -> None:
    assert heard(by, events) == found
    assert [one for event in events for one in heard(by, event)] == found, "and one by one"


@pytest.mark.parametrize(
    ("by", "event"),
    [
        *(("brevo", brevo(name)) for name in ("delivered", "request", "unique_opened", "click", "a_new_one", "")),
        *(("mailjet", mailjet(name)) for name in ("sent", "open", "click", "a_new_one", "")),
        *(("postmark", postmark(name)) for name in ("Delivery", "Open", "Click", "Inbound", "ANewOne")),
        ("postmark", postmark("Bounce", "Subscribe") | {"Metadata": {}}),
        ("postmark", postmark("SubscriptionChange", SuppressSending=False, SuppressionReason=None, Origin="Admin")),
        ("postmark", postmark("SubscriptionChange", SuppressSending=True, SuppressionReason="HardBounce")),
        (
            "postmark",
            postmark(
                "SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression", Origin="Customer"
            ),
        ),
        ("brevo", brevo("spam") | {"X-Mailin-custom": f"{TOKEN}0"}),
        ("mailjet", mailjet("spam") | {"CustomID": 7}),
        ("mailjet", mailjet("spam") | {"CustomID": f"{TOKEN}\n{TOKEN}"}),
        ("postmark", postmark("SpamComplaint") | {"Metadata": [TOKEN]}),
        *((by, odd) for by in REPORTERS for odd in (b"", b"7", b"\xff", b"[[]]", b"[null]", b'{"event": ["spam"]}', b"[" * 9)),
    ],
    ids=str,
)  # fmt: skip
def test_what_matters_nothing_or_speaks_of_no_mail_of_ours_is_passed_over(by: str, event: Any) -> None:
    assert heard(by, event) == []


def test_a_mail_whose_message_id_brevo_kept_is_known_by_it() -> None:
    ours = brevo("spam") | {"X-Mailin-custom": "", "message-id": f"<{TOKEN}@{DOMAIN}>"}
    assert heard("brevo", ours) == [Complaint(TOKEN)]
    assert heard("brevo", ours | {"message-id": f"<{TOKEN}@another.example>"}) == []


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_the_secret_is_shown_as_a_password_or_as_a_token_and_nothing_else_is_believed() -> None:
    secrets = ("the-new-one-0123456789", "the-old-one-0123456789é")
    for secret in secrets:
        for shown in (basic("causerie", secret), basic("", secret), f"Bearer {secret}", f"bearer  {secret} "):
            assert is_shown(shown, secrets), shown
    for shown in (
        "", "Basic", "Bearer", "Bearer ", "Basic !", "Basic é", secrets[0], f"Token {secrets[0]}", basic(secrets[0], ""),
        basic("x", secrets[0][:-1]), basic("x", f"{secrets[0]}:"), "Basic " + base64.b64encode(b"\xff").decode(),
        f"Bearer {secrets[0]}x", basic("x", ""),
    ):  # fmt: skip
        assert not is_shown(shown, secrets), shown
    assert not is_shown("Bearer ", ()) and not is_shown(basic("x", ""), ())
