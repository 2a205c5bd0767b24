"""What Amazon SES says of a mail of ours, as the same facts that a report by mail gives (email_bounces.py). Pure.

The notifications of an identity and the events of a configuration set, which differ in one name.
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html . Our mail is known by its signed path, which SES repeats as
`source`, or by the Message-ID that we gave it, where original headers are included.
"""

from collections.abc import Mapping
from typing import Any

from channels.email_bounces import Away, Bounce, Complaint, Delayed, Heard, Kind, kind_of, status_in, token_shown, told
from channels.stranger_json import table_at, table_in, tables_at, text_at

_GONE = frozenset({"General", "NoEmail", "Suppressed", "OnAccountSuppressionList"})
_CONTENT = frozenset({"MessageTooLarge", "ContentRejected", "AttachmentRejected"})


def read(message: str, *, secret: bytes, domain: str) -> Heard | None:
    """Return what this notification says; None when it speaks of no mail that we sent, or of nothing that matters here.

    `domain` is that of our Message-IDs. Each mail of ours has one recipient, so the first one named is it.
    """
    said = table_in(message)
    mail = table_at(said, "mail")
    token = token_shown(text_at(mail, "source"), _message_id(mail), secret=secret, domain=domain)
    if token is None:
        return None
    match text_at(said, "notificationType") or text_at(said, "eventType"):
        case "Bounce":
            return _bounce(token, table_at(said, "bounce"))
        case "Complaint":
            return Complaint(token, text_at(said, "complaint", "complaintFeedbackType")[:40] or "abuse")
        case "DeliveryDelay":
            late = next(iter(tables_at(said, "deliveryDelay", "delayedRecipients")), {})
            return Delayed(token, status_in(text_at(late, "status")))
        case "Reject":  # SES found a virus in it
            return Bounce(token, "refused", "", detail=told(text_at(said, "reject", "reason")))
        case _:
            return None


def _bounce(token: str, bounce: Mapping[str, Any]) -> Heard:
    kind, more = text_at(bounce, "bounceType"), text_at(bounce, "bounceSubType")
    who = next(iter(tables_at(bounce, "bouncedRecipients")), {})
    diagnosis = text_at(who, "diagnosticCode")
    status = status_in(text_at(who, "status")) or status_in(diagnosis)
    if kind == "Transient" and more == "General" and not status and not diagnosis:
        return Away()  # a holiday note: SES reports those as bounces, without a word of any server
    detail = told(diagnosis.partition(";")[2] or diagnosis) or more[:60]
    return Bounce(token, _kind(kind, more, status), status, text_at(who, "emailAddress")[:254], detail)


def _kind(kind: str, more: str, status: str) -> Kind:
    """The status decides, as in a report by mail; SES's own word where there is none, or where it says that it may pass."""
    if not status:
        if kind == "Permanent" and more in _GONE:
            return "hard"
        return "refused" if kind == "Permanent" or more in _CONTENT else "soft"
    found = kind_of(status)
    return "soft" if found == "hard" and kind == "Transient" else found


def _message_id(mail: Mapping[str, Any]) -> str:
    """Return the Message-ID that we gave the mail; SES has sent it under one of its own."""
    if said := text_at(mail, "commonHeaders", "messageId"):
        return said
    named = (one for one in tables_at(mail, "headers") if text_at(one, "name").lower() == "message-id")
    return next((text_at(one, "value") for one in named), "")
