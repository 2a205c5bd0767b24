"""What Firebase's answers mean for us: is the token dead, is it our set-up, is it this message, may we try again?

https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, read 2026-11-21.
"""

import re
from collections.abc import Mapping
from typing import Any

from channels.apns_client import CONTENT as APPLES_CONTENT
from channels.channel import Failed, Later, Sending, Sent, Unknown
from channels.stranger_json import table_in

QUOTA_SECONDS, BUSY_SECONDS = 60.0, 10.0  # what Google asks for where it says nothing itself
_FCM = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_APPLE = "type.googleapis.com/google.firebase.fcm.v1.ApnsError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
_TOKEN = re.compile(r"registration.token", re.IGNORECASE)


def outcome(status: int, raw: bytes, wait: float | None = None) -> Sending:
    """Return what this answer means for the delivery. `wait`: the seconds that Google asked for, if it did."""
    said = table_in(raw)
    if status == 200:
        name = said.get("name")
        return Sent(name.rpartition("/")[2]) if isinstance(name, str) and name else Unknown("an answer without a name")
    error = said.get("error")
    if not isinstance(error, Mapping):
        return Later(wait or BUSY_SECONDS, f"http {status}") if status in (429, 503) else _proves_nothing(status)
    code, faults, apple = _code(error), _faults(error), _apple(error)
    why = f"{status} {code or str(error.get('status', ''))[:60]}".strip()
    if code == "UNREGISTERED" or (status == 400 and code == "INVALID_ARGUMENT" and _is_token(error, faults, apple)):
        return Failed("dead", why)
    if code == "SENDER_ID_MISMATCH":
        return Failed("dead", why)
    if status == 400 and apple:  # Apple's own word, which Firebase passes on: of the app, the key or the payload
        return Failed("content" if apple in APPLES_CONTENT else "config", f"{why}, {apple}")
    if status == 400:
        return Failed("content", ", ".join([why, *sorted(faults)])[:200])
    if status == 429:
        return Later(wait or QUOTA_SECONDS, why)
    if status >= 500:
        return Later(wait or BUSY_SECONDS, why)
    return Failed("config", why)


def is_expired(sending: Sending) -> bool:
    """Whether the access token was refused, so that a new one may help."""
    return isinstance(sending, Failed) and sending.reason == "config" and sending.detail == "401 UNAUTHENTICATED"


def _proves_nothing(status: int) -> Sending:
    """A page that is not Google's own: a proxy's, or a wrong address."""
    return Unknown(f"http {status}") if status >= 500 else Failed("config", f"http {status}")


def _is_token(error: Mapping[str, Any], faults: set[str], apple: str) -> bool:
    """Return whether the token is what is wrong: as the one field named, or in words where no field is.

    Everything else that is wrong with a message comes under the same code, also "Android message is too big" with no field.
    """
    if apple:
        return False
    return faults == {"message.token"} or (not faults and bool(_TOKEN.search(str(error.get("message", "")))))


def _apple(error: Mapping[str, Any]) -> str:
    """Return Apple's word, where Firebase passes on that Apple refused."""
    return next((str(one["reason"])[:60] for one in _details(error, _APPLE) if isinstance(one.get("reason"), str)), "")


def _code(error: Mapping[str, Any]) -> str:
    for detail in _details(error, _FCM):
        if isinstance(detail.get("errorCode"), str):
            return str(detail["errorCode"])[:60]
    return ""


def _faults(error: Mapping[str, Any]) -> set[str]:
    """Return the fields that Google names as wrong."""
    found = set()
    for detail in _details(error, _BAD_REQUEST):
        violations = detail.get("fieldViolations")
        for one in violations if isinstance(violations, list) else ():
            if isinstance(one, Mapping) and isinstance(one.get("field"), str):
                found.add(str(one["field"])[:60])
    return found


def _details(error: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    details = error.get("details")
    return (
        [one for one in details if isinstance(one, Mapping) and one.get("@type") == kind]
        if isinstance(details, list)
        else []
    )
