"""The second factor: a six-digit code that changes every 30 seconds (RFC 6238), and recovery codes for a lost phone."""

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import datetime
from urllib.parse import quote

STEP_SECONDS = 30
DRIFT_STEPS = 1  # a phone's clock may be this many steps off either way
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are misread


def new_secret() -> str:
    """Return a fresh shared secret: 160 bits in base 32, as authenticator apps take it."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, step: int) -> str:
    """Return the code of one step."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack_from('>I', digest, offset)[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the step this code belongs to if it is valid now, else None."""
    present = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.strip().replace(" ", "").encode()):
            found = step
    return found


def uri(secret: str, *, account: str, issuer: str) -> str:
    """Return the otpauth address that authenticator apps read (github.com/google/google-authenticator/wiki/Key-Uri-Format)."""
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?secret={secret}&issuer={quote(issuer)}"


def new_recovery_codes() -> list[str]:
    """Return ten codes of 50 bits each, to be shown once."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(2)) for _ in range(RECOVERY_CODES)
    ]


def recovery_hash(code: str) -> str:
    """Return what is kept of a recovery code, typed with its dash, with a space or with nothing between its halves."""
    typed = "".join(char for char in code.casefold() if char.isalnum())
    return hashlib.sha256(f"{typed[:5]}-{typed[5:]}".encode()).hexdigest()
