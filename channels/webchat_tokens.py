"""Who may speak, and read what was said, in the web chat: three kinds of signed token, made and checked. Pure.

A visitor token is ours and says "this browser is visitor <address>". An identity token is the shop's: a short JWT (RFC 7519,
HS256) that its own server signs for the person who is signed in there. A file's link is ours and ends after an hour or two.
"""

import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from profiles.base64url import base64url
from profiles.calendar import from_timestamp
from profiles.lean import absent

with absent("cryptography"):
    import jwt

LONGEST_IDENTITY = timedelta(hours=24)
CLOCKS_DIFFER_BY = timedelta(seconds=60)
FILE_LINK_FOR = timedelta(hours=1)
LONGEST_TOKEN = 4096  # characters; a JWT with all our claims is about 400
LONGEST_CLAIM = 320  # the longest e-mail address (RFC 3696, erratum 1690)

_ADDRESS = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as the shop's server vouches for them, until `expires_at`."""

    subject: str
    expires_at: datetime
    email: str = ""
    phone: str = ""
    name: str = ""
    language: str | None = None


Problem: TypeAlias = Literal["malformed", "forged", "expired", "early", "too_long"]
"""Why an identity token is refused. too_long: its `exp` is missing or more than a day away."""


def demo_key(secret: bytes) -> str:
    """Return what the demo shop signs identity tokens with, made of this installation's own secret."""
    return hmac.digest(hmac.digest(secret, b"webchat", "sha256"), b"demo shop", "sha256").hex()


def new_address() -> str:
    """Return the address of a new visitor: 128 random bits, so that nobody guesses another's."""
    return secrets.token_hex(16)


def visitor_token(address: str, secret: bytes) -> str:
    """Return the token that this visitor's browser keeps."""
    return f"v1.{address}.{_sign(secret, 'webchat visitor', address)}"


def visitor_of(token: str, secret: bytes) -> str | None:
    """Return the address in a visitor token, or None when we did not sign it."""
    version, _, rest = token.partition(".")
    address, _, signature = rest.partition(".")
    if version != "v1" or not _ADDRESS.fullmatch(address):
        return None
    return address if _same(signature, _sign(secret, "webchat visitor", address)) else None


def read_identity(token: str, keys: Sequence[str], now: datetime) -> Identity | Problem:
    """Return who the token says it is, when one of these keys signed it and it is valid now; else why not."""
    if not token or len(token) > LONGEST_TOKEN:
        return "malformed"
    claims: Identity | Problem = "forged"
    for key in keys:
        claims = _read(token, key, now)
        if claims != "forged":
            break
    return claims


def sign_identity(claims: Mapping[str, Any], key: str, *, now: datetime, valid_for: timedelta) -> str:
    """Return an identity token, as the shop's own server would make it; the demo shop does so here."""
    return jwt.encode({**claims, "exp": int((now + valid_for).timestamp())}, key, algorithm="HS256")


def file_query(file: str, secret: bytes, now: datetime) -> str:
    """Return the query that opens this file for the next one to two hours.

    The end is a full hour, so that a page opened again finds the same address in its cache.
    """
    hour = int(FILE_LINK_FOR.total_seconds())
    until = str((int(now.timestamp()) // hour + 2) * hour)
    return f"until={until}&signature={_sign(secret, 'webchat file', file, until)}"


def opens_file(file: str, until: str, signature: str, *, secret: bytes, now: datetime) -> bool:
    """Return whether this link to a file is ours and not over."""
    if not _same(signature, _sign(secret, "webchat file", file, until)):
        return False
    return now.timestamp() < int(until)  # signed, so it is the number we wrote


def _read(token: str, key: str, now: datetime) -> Identity | Problem:
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=["HS256"],  # never what the token itself asks for
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
        )
    except jwt.InvalidSignatureError:
        return "forged"
    except jwt.InvalidAlgorithmError:
        return "forged"
    except jwt.PyJWTError:
        return "malformed"
    return _identity(claims, now)


def _identity(claims: Mapping[str, Any], now: datetime) -> Identity | Problem:
    expires_at = _instant(claims.get("exp"))
    starts_at = _instant(claims.get("nbf", 0))
    texts = {name: claims.get(name) or "" for name in ("sub", "email", "phone", "name", "language")}
    if starts_at is None or not texts["sub"]:
        return "malformed"
    if any(not isinstance(text, str) or len(text) > LONGEST_CLAIM for text in texts.values()):
        return "malformed"
    if expires_at is None or expires_at > now + LONGEST_IDENTITY + CLOCKS_DIFFER_BY:
        return "too_long"
    if expires_at <= now:
        return "expired"
    if starts_at > now + CLOCKS_DIFFER_BY:
        return "early"
    return Identity(
        subject=texts["sub"],
        expires_at=expires_at,
        email=texts["email"],
        phone=texts["phone"],
        name=texts["name"],
        language=texts["language"] or None,
    )


def _instant(seconds: Any) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return None
    try:
        return from_timestamp(seconds)
    except ValueError:
        return None


def _sign(secret: bytes, purpose: str, *parts: str) -> str:
    mac = hmac.digest(secret, "\n".join((purpose, *parts)).encode("utf-8", "surrogatepass"), "sha256")
    return base64url(mac)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), right.encode())
