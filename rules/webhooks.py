"""One webhook as the other system gets it: a JSON body, and a signature by which it knows that we sent it. Pure.

As https://www.standardwebhooks.com has it: HMAC-SHA256 over `id.timestamp.body`, the secret is `whsec_` and base64. The id is
the same at every attempt, for the receiver to know what it had before; the instant is that of the attempt.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from profiles.personalize import Rendered, compile_text
from profiles.profile import Profile
from rules.letters import fields_for

PREFIX = "whsec_"
SHORTEST_SECRET, LONGEST_SECRET = 24, 64  # bytes, as the standard has them


def key_of(secret: str) -> bytes:
    """Return the bytes of a `whsec_...` secret. Raises ValueError for what is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST_SECRET <= len(key) <= LONGEST_SECRET:
        raise ValueError("expected whsec_ and 24 to 64 bytes in base64. Hint: openssl rand -base64 32")
    return key


def headers(id: str, body: bytes, keys: Sequence[bytes], now: datetime) -> dict[str, str]:
    """Return the headers that prove the body: signed once with each key, so that a receiver may know the new one or the old."""
    stamp = str(int(now.timestamp()))
    signed = b".".join((id.encode(), stamp.encode(), body))
    signatures = (base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Causerie-Webhook",
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def body_of(errand: Mapping[str, Any], profile: Profile, now: datetime) -> bytes:
    """Return what is told: who and which rule, what began the run, and the fields that the step wrote."""
    fields = fields_for(profile, errand["start"], now)
    told = {
        "type": "rule.webhook", "id": errand["_id"], "at": errand["at"], "rule": errand["rule"], "run": errand["run"],
        "profile": profile.id, "start": errand["start"],
        "fields": {name: written_for(profile, text, fields) for name, text in errand["fields"].items()},
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def written_for(profile: Profile, source: str, fields: Mapping[str, Any]) -> str:
    """Return a field's text for this contact; one that can not be written is empty, as one that they lack is."""
    text = compile_text(source)
    if isinstance(text, tuple):
        return ""
    rendered = text.render(fields, language=(profile.language or "en").split("-")[0])
    return rendered.text if isinstance(rendered, Rendered) else ""


def _plain(value: object) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
