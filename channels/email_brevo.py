"""What Brevo says of a mail of ours, as the same facts that a report by mail gives (email_bounces.py). Pure.

https://developers.brevo.com/docs/transactional-webhooks . One event a request, or many in a list where the webhook is `batched`. A
mail is known by the mark that we gave it (X-Mailin-custom, which every event repeats), else by its Message-ID where Brevo kept it.
"""

from collections.abc import Mapping
from typing import Any

from channels.email_bounces import Bounce, Complaint, Delayed, Heard, Kind, status_in, token_shown, told, weighed
from channels.email_verp import token_in
from channels.stranger_json import tables_in, text_at

MARK = "X-Mailin-custom"
_WORDS: Mapping[str, Kind] = {
    "hardbounce": "hard", "softbounce": "soft", "invalidemail": "hard", "invalid": "hard", "blocked": "refused",
    "error": "refused",
}  # fmt: skip
"""Blocked: it is on Brevo's own list, as one who bounced, complained or left; its event of then said which."""


def read(body: bytes, *, domain: str) -> list[Heard]:
    """Return what its events say of mails that we sent, in order; `domain` is that of our Message-IDs."""
    heard = (_heard(event, domain) for event in tables_in(body))
    return [one for one in heard if one is not None]


def _heard(event: Mapping[str, Any], domain: str) -> Heard | None:
    token = _token(event, domain)
    if token is None:
        return None
    name = text_at(event, "event").lower().replace("_", "")  # hard_bounce, and hardBounce where it is marketing
    match name:
        case "deferred":
            return Delayed(token, status_in(text_at(event, "reason")))
        case "spam" | "complaint":
            return Complaint(token)
        case "unsubscribed" | "unsubscribe":  # by a link of Brevo's own
            return Complaint(token, "opt-out")
        case _ if name in _WORDS:
            return _bounce(token, event, name)
        case _:
            return None


def _bounce(token: str, event: Mapping[str, Any], name: str) -> Bounce:
    """The status decides, as in a report by mail; but what Brevo calls soft or blocked bans nobody at once."""
    reason = text_at(event, "reason")
    kind, status = weighed(status_in(reason), reason, _WORDS[name])
    if kind == "hard" and _WORDS[name] != "hard":
        kind = _WORDS[name]
    return Bounce(token, kind, status, text_at(event, "email")[:254], told(reason) or name)


def _token(event: Mapping[str, Any], domain: str) -> str | None:
    mark = next((text_at(event, key) for key in event if key.lower() == MARK.lower()), "")
    return token_in(mark) or token_shown("", text_at(event, "message-id"), secret=b"", domain=domain)
