"""Addresses that we made and nobody else can make: a purpose, a few parts, and this installation's signature. Pure.

A token says what it is for, so that one made to count a click opens no preference centre. It has no end of its own: whoever
wants one signs the instant as a part. A link in a message is counted by its message and number, in 32 characters where the
message is a rule's; where it leads stands with the message, so a redirect never goes anywhere that we did not write ourselves.
"""

import base64
import binascii
import hmac
import re

from profiles.base64url import base64url

LONGEST = 2048  # characters of a token that is looked at
_MAC = 16  # bytes: 2^128 guesses
_SHORT_MAC = 8  # bytes: 2^64 guesses over the network, each of which could only count a click
_RAW = 15 + 1 + _SHORT_MAC  # a rule's message, the number, the signature
_PART = "\x1f"
_RULES_OWN = re.compile(r"rule:([0-9a-f]{30})")


def sign(secret: bytes, purpose: str, *parts: str) -> str:
    """Return the token that says these parts for this purpose. Raises ValueError for a part that holds the separator."""
    if any(_PART in part for part in parts):
        raise ValueError("expected parts without U+001F")
    body = _PART.join(parts).encode()
    return f"{base64url(body)}.{base64url(_mac(secret, purpose, body)[:_MAC])}"


def read(secret: bytes, purpose: str, token: str) -> tuple[str, ...] | None:
    """Return the parts that were signed for this purpose, or None when this token is not one of ours for it."""
    if len(token) > LONGEST:
        return None
    said, _, signature = token.partition(".")
    body, mac = _bytes(said), _bytes(signature)
    if body is None or mac is None or not hmac.compare_digest(mac, _mac(secret, purpose, body)[:_MAC]):
        return None
    return tuple(body.decode().split(_PART))  # we signed it, so it is the text that we wrote


def sign_link(secret: bytes, message: str, number: int) -> str:
    """Return the token of a message's link, counted from 0 (at most 255): as short as can be where the message is a rule's."""
    own = _RULES_OWN.fullmatch(message)
    if own is None:
        return sign(secret, "link", message, str(number))
    body = bytes.fromhex(own[1]) + bytes([number])
    return base64url(body + _mac(secret, "short link", body)[:_SHORT_MAC])


def read_link(secret: bytes, token: str) -> tuple[str, int] | None:
    """Return the message and the number of a link, or None when this token is not one of ours."""
    if "." in token:
        parts = read(secret, "link", token)
        return (parts[0], int(parts[1])) if parts else None
    raw = _bytes(token)
    if raw is None or len(raw) != _RAW:
        return None
    body, mac = raw[:-_SHORT_MAC], raw[-_SHORT_MAC:]
    if not hmac.compare_digest(mac, _mac(secret, "short link", body)[:_SHORT_MAC]):
        return None
    return f"rule:{body[:-1].hex()}", body[-1]


def number_in(token: str) -> int | None:
    """Return the number that a link's token says, signed by us or not: good for showing, never for leading anywhere."""
    said, _, signature = token.partition(".")
    raw = _bytes(said)
    if raw is None:
        return None
    if not signature:
        return raw[-_SHORT_MAC - 1] if len(raw) == _RAW else None
    number = raw.rpartition(_PART.encode())[2]
    return int(number) if number.isdigit() and len(number) <= 3 else None


def sign_open(secret: bytes, message: str) -> str:
    """Return the token of the picture that tells that a message was opened."""
    return sign(secret, "open", message)


def read_open(secret: bytes, token: str) -> str | None:
    """Return the message whose picture this is, or None when this token is not one of ours."""
    parts = read(secret, "open", token)
    return parts[0] if parts else None


def _mac(secret: bytes, purpose: str, body: bytes) -> bytes:
    return hmac.digest(secret, b"link\n" + purpose.encode() + b"\n" + body, "sha256")


def _bytes(text: str) -> bytes | None:
    """Return what was encoded, or None for what we would not have written so: each token has one spelling."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return raw if base64url(raw) == text else None
