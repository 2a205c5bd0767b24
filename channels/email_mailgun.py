"""What Mailgun says of a mail of ours, as the same facts that a report by mail gives (email_bounces.py); and is it Mailgun? Pure.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads . The signature is over an instant and a word
alone, never over what is said, so each word counts once (nonces.py) and not for long.
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from channels.email_bounces import Bounce, Complaint, Delayed, Heard, Kind, judged, status_in, token_shown, told
from channels.stranger_json import table_at, text_at
from profiles.secret import is_one_of

LARGEST = 300_000  # octets; an event repeats some headers, and variables that we do not set
FRESH_FOR = timedelta(hours=9)
"""For how long a signature counts: what we did not take, Mailgun repeats for eight hours."""
AHEAD = timedelta(minutes=5)  # how much another's clock may be ahead of ours
LONGEST_WORD = 100


def is_signed(said: Mapping[str, Any], keys: Sequence[str]) -> bool:
    """Return whether whoever has one of the signing keys signed this event's instant and word."""
    instant, word, given = (text_at(said, "signature", name) for name in ("timestamp", "token", "signature"))
    if not instant or not 0 < len(word) <= LONGEST_WORD:
        return False
    signed = f"{instant}{word}".encode("utf-8", "replace")
    return is_one_of(given, [hmac.digest(key.encode(), signed, "sha256").hex() for key in keys])


def is_fresh(said: Mapping[str, Any], now: datetime) -> bool:
    """Return whether the signed instant is of the last hours."""
    instant = text_at(said, "signature", "timestamp")
    if not instant.isascii() or not instant.isdecimal() or len(instant) > 12:
        return False
    age = timedelta(seconds=now.timestamp() - int(instant))
    return -AHEAD <= age <= FRESH_FOR


def word_of(said: Mapping[str, Any]) -> str:
    """Return the word that this event is marked with."""
    return text_at(said, "signature", "token")


def read(said: Mapping[str, Any], *, secret: bytes, domain: str) -> Heard | None:
    """Return what this event says; None when it speaks of no mail that we sent, or of nothing that matters here."""
    event = table_at(said, "event-data")
    id, path = text_at(event, "message", "headers", "message-id"), text_at(event, "envelope", "sender")
    token = token_shown(path, id, secret=secret, domain=domain)
    if token is None:
        return None
    match text_at(event, "event"):
        case "failed" if text_at(event, "severity") == "temporary":
            return Delayed(token, _status(event))
        case "failed" if text_at(event, "reason") == "suppress-complaint":
            return Complaint(token)  # it was on Mailgun's own list of those who complained
        case "failed":
            return _failed(token, event)
        case "rejected":
            return Bounce(token, "refused", "", detail=told(text_at(event, "reject", "reason")))
        case "complained":
            return Complaint(token)
        case "unsubscribed":  # by a link of Mailgun's own
            return Complaint(token, "opt-out")
        case _:
            return None


def _failed(token: str, event: Mapping[str, Any]) -> Bounce:
    status = _status(event)
    said = text_at(event, "delivery-status", "message") or text_at(event, "delivery-status", "description")
    return Bounce(token, _kind(event, status), status, text_at(event, "recipient")[:254], told(said))


def _kind(event: Mapping[str, Any], status: str) -> Kind:
    """The status decides, as in a report by mail, then words such as "no such user". Without either nobody is banned, but whom
    Mailgun itself has on its list of bounces: it puts there whoever is gone, and says so with the next mail.
    """
    if text_at(event, "reason") == "suppress-bounce":
        return "hard"
    said = text_at(event, "delivery-status", "message") or text_at(event, "delivery-status", "description")
    kind = judged(status, said)[0]
    return kind if status or kind == "hard" else "refused"


def _status(event: Mapping[str, Any]) -> str:
    """Return the enhanced status, from wherever Mailgun has it."""
    told_by = ("enhanced-code", "bounce-code", "message", "description")
    found = (status_in(text_at(event, "delivery-status", name)) for name in told_by)
    return next(filter(None, found), "")
