"""What Mailjet says of a mail of ours, as the same facts that a report by mail gives (email_bounces.py). Pure.

https://dev.mailjet.com/email/guides/webhooks/ . One event a request, or the events of a second in a list where they are grouped. A
mail is known by the mark that we gave it: X-MJ-CustomID, which every event repeats as CustomID.
"""

from collections.abc import Mapping
from typing import Any

from channels.email_bounces import Bounce, Complaint, Delayed, Heard, Kind, status_in, told, weighed
from channels.email_verp import token_in
from channels.stranger_json import tables_in, text_at

MARK = "X-MJ-CustomID"
_GONE = frozenset({"user unknown", "mailbox inactive", "invalid domain", "typofix"})
_PASSES = frozenset({"quota exceeded", "greylisted", "preblocked", "no mail host", "connection issue", "system issue"})
"""Preblocked: Mailjet has seen bounces from there, of whichever sender, and tries again after a while."""


def read(body: bytes) -> list[Heard]:
    """Return what its events say of mails that we sent, in order; what matters nothing here is left out."""
    heard = (_heard(event) for event in tables_in(body))
    return [one for one in heard if one is not None]


def _heard(event: Mapping[str, Any]) -> Heard | None:
    token, error = token_in(text_at(event, "CustomID")), text_at(event, "error").lower()
    if token is None:
        return None
    match text_at(event, "event"):
        case "bounce" if error == "greylisted" and not _is_permanent(event):
            return Delayed(token, _status(event))
        case "bounce" | "blocked" if error == "spam reporter":
            return Complaint(token)  # it is on Mailjet's own list of those who complained
        case "bounce" | "blocked":
            return _bounce(token, event, error)
        case "spam":
            return Complaint(token)
        case "unsub":  # by a link of Mailjet's own
            return Complaint(token, "opt-out")
        case _:
            return None


def _bounce(token: str, event: Mapping[str, Any], error: str) -> Bounce:
    """A status in the other server's words decides, as in a report by mail, else Mailjet's word for the error.

    What Mailjet held back itself (`blocked`), or does not call permanent, bans nobody at once, but for an address that can not be.
    """
    said = text_at(event, "comment")
    kind, status = weighed(_status(event), said, _word(error))
    is_sure = _is_permanent(event) or (text_at(event, "event") == "blocked" and error in _GONE)
    if kind == "hard" and not is_sure:
        kind = "soft"
    return Bounce(token, kind, status, text_at(event, "email")[:254], told(said) or told(error))


def _word(error: str) -> Kind:
    if error in _GONE:
        return "hard"
    return "soft" if error in _PASSES else "refused"


def _is_permanent(event: Mapping[str, Any]) -> bool:
    return event.get("hard_bounce") in (True, "true", 1, "1")


def _status(event: Mapping[str, Any]) -> str:
    return status_in(text_at(event, "comment"))
