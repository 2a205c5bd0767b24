"""What SendGrid says of a mail of ours, as the same facts that a report by mail gives (email_bounces.py); and is it SendGrid? Pure.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event . A request brings many events, signed as a whole (ECDSA
over the instant and the body), so each may come again and says what it said. Our mail is known by the Message-ID that we gave it.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from channels.email_bounces import Bounce, Complaint, Delayed, Heard, Kind, status_in, token_shown, told, weighed
from channels.stranger_json import tables_in, text_at

if TYPE_CHECKING:  # 10 MB of memory, loaded by whoever verifies
    from cryptography.hazmat.primitives.asymmetric import ec

LARGEST = 1_500_000  # octets; SendGrid posts when it has 768 kB, or every half a minute
MOST_EVENTS = 5_000
SIGNATURE, INSTANT = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"
_PASSES = frozenset({"Mailbox Unavailable", "Technical Failure", "Technical", "Frequency or Volume Too High"})
_GONE = frozenset({"Bounced Address", "Invalid"})
"""Why a mail was dropped: SendGrid has had a bounce from there, or it is no address at all."""


def read_key(text: str) -> "ec.EllipticCurvePublicKey":
    """Return the verification key that SendGrid's page shows. Raises ValueError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = serialization.load_der_public_key(base64.b64decode(text.strip(), validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise ValueError("expected the verification key that SendGrid shows, in base64") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("expected an elliptic curve key, as SendGrid's is")
    return key


def is_signed(body: bytes, instant: str, signature: str, key: "ec.EllipticCurvePublicKey") -> bool:
    """Return whether whoever has the private half signed this body, with this instant before it."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        proof = base64.b64decode(signature, validate=True)
        key.verify(proof, instant.encode("utf-8", "replace") + body, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def read(body: bytes, *, secret: bytes, domain: str) -> list[Heard]:
    """Return what its events say of mails that we sent, in order; what matters nothing here is left out."""
    heard = (_heard(event, secret=secret, domain=domain) for event in tables_in(body, most=MOST_EVENTS))
    return [one for one in heard if one is not None]


def _heard(event: Mapping[str, Any], *, secret: bytes, domain: str) -> Heard | None:
    token = token_shown("", text_at(event, "smtp-id"), secret=secret, domain=domain)
    if token is None:
        return None
    match text_at(event, "event"):
        case "bounce":
            return _bounce(token, event)
        case "dropped" if text_at(event, "reason") == "Spam Reporting Address":
            return Complaint(token)  # it is on SendGrid's own list of those who complained
        case "dropped":
            reason = text_at(event, "reason")
            kind: Kind = "hard" if reason in _GONE else "refused"
            return Bounce(token, kind, "", text_at(event, "email")[:254], told(reason))
        case "deferred":
            return Delayed(token, status_in(text_at(event, "response")))
        case "spamreport":
            return Complaint(token)
        case "unsubscribe" | "group_unsubscribe":  # by a link of SendGrid's own
            return Complaint(token, "opt-out")
        case _:
            return None


def _bounce(token: str, event: Mapping[str, Any]) -> Bounce:
    """The status decides, as in a report by mail; where it says nothing (5.0.0, as often here), words and SendGrid's own class do.

    A mail that was `blocked` says nothing of the mailbox: SendGrid tries the next one again.
    """
    reason, sort = text_at(event, "reason"), text_at(event, "bounce_classification")
    word: Kind = "hard" if sort == "Invalid Address" else "soft" if sort in _PASSES else "refused"
    kind, status = weighed(status_in(text_at(event, "status")), reason, word)
    if text_at(event, "type") == "blocked" and kind == "hard":
        kind = "refused"
    return Bounce(token, kind, status, text_at(event, "email")[:254], told(reason))
