"""What Postmark says of a mail of ours, as the same facts that a report by mail gives (email_bounces.py). Pure.

https://postmarkapp.com/developer/webhooks/webhooks-overview and, for the types, its bounce API. One event a request. A mail is
known by the mark that we gave it: X-PM-Metadata-causerie, which every event repeats in Metadata.
"""

from collections.abc import Mapping
from typing import Any

from channels.email_bounces import Away, Bounce, Complaint, Delayed, Heard, Kind, status_in, told, weighed
from channels.email_verp import token_in
from channels.stranger_json import table_at, tables_in, text_at

NAME = "causerie"
MARK = f"X-PM-Metadata-{NAME}"
_HARD = frozenset({"HardBounce", "BadEmailAddress"})
_SOFT = frozenset({"SoftBounce", "DnsError"})
_MACHINES = frozenset({"AutoResponder", "AddressChange", "ChallengeVerification", "OpenRelayTest", "Subscribe"})


def read(body: bytes) -> list[Heard]:
    """Return what its event says of a mail that we sent; nothing when it matters nothing here."""
    heard = (_heard(event) for event in tables_in(body))
    return [one for one in heard if one is not None]


def _heard(event: Mapping[str, Any]) -> Heard | None:
    marks = table_at(event, "Metadata")
    token = next((token_in(text_at(marks, key)) for key in marks if key.lower() == NAME), None)
    if token is None:
        return None
    match text_at(event, "RecordType"):
        case "Bounce":
            return _of_type(token, event, text_at(event, "Type"))
        case "SpamComplaint":
            return Complaint(token)
        case "SubscriptionChange" if event.get("SuppressSending") is True:
            return _stopped(token, event)
        case _:
            return None


def _of_type(token: str, event: Mapping[str, Any], type: str) -> Heard | None:
    if type in _MACHINES:
        return Away()  # a holiday note and the like: Postmark reports those as bounces
    match type:
        case "Transient":
            return Delayed(token, status_in(text_at(event, "Details")))
        case "SpamComplaint":
            return Complaint(token)
        case "Unsubscribe":
            return Complaint(token, "opt-out")
        case _:
            return _bounce(token, event, type)


def _bounce(token: str, event: Mapping[str, Any], type: str) -> Bounce:
    """The status decides, as in a report by mail; but what Postmark does not call hard bans nobody at once."""
    said = text_at(event, "Details") or text_at(event, "Description")
    word: Kind = "hard" if type in _HARD else "soft" if type in _SOFT else "refused"
    kind, status = weighed(status_in(said), said, word)
    if kind == "hard" and word != "hard":
        kind = word
    return Bounce(token, kind, status, text_at(event, "Email")[:254], told(said) or type[:60])


def _stopped(token: str, event: Mapping[str, Any]) -> Heard | None:
    """Who was put on Postmark's list: of those who bounced, the bounce itself told; whom the shop put there has not spoken."""
    reason, is_theirs = text_at(event, "SuppressionReason"), text_at(event, "Origin") == "Recipient"
    if reason == "SpamComplaint":
        return Complaint(token)
    return Complaint(token, "opt-out") if reason == "ManualSuppression" and is_theirs else None
