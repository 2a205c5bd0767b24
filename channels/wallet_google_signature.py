"""Did Google really say that a pass was saved or deleted? Its callback, signed by ECv2SigningOnly. Pure.

https://developers.google.com/wallet/generic/use-cases/use-callbacks-for-saves-and-deletions ; the scheme is that of Google Pay,
https://developers.google.com/pay/api/web/guides/resources/payment-data-cryptography . A key of Google's list signs a key that
holds for some days, which signs the message for one issuer: what was said to another issuer proves nothing here.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from channels.stranger_json import table_at, table_in, tables_at, text_at

if TYPE_CHECKING:  # 10 MB of memory, loaded by whoever verifies
    from cryptography.hazmat.primitives.asymmetric import ec

KEYS_URL = "https://pay.google.com/gp/m/issuer/keys"
PROTOCOL, SENDER = "ECv2SigningOnly", "GooglePayPasses"
LARGEST = 20_000  # octets; a callback has some 900
MOST_SIGNATURES = 10  # of a key in between: one for each root, and Google has two at most
LONGEST_NONCE = 100


@dataclass(frozen=True, slots=True)
class Told:
    """One person saved an object to their wallet, or deleted it."""

    object: str
    """Its id at Google, issuer and serial number."""
    is_saved: bool
    nonce: str
    """What marks this callback: the same again is the same."""
    ends_at: datetime
    """Until when it counts."""


def roots_of(listed: bytes, now: datetime) -> "list[ec.EllipticCurvePublicKey]":
    """Return the keys of Google's list that hold now."""
    mine = (one for one in tables_at(table_in(listed), "keys") if text_at(one, "protocolVersion") == PROTOCOL)
    return [key for one in mine if (key := _key(one, now))]


def read(body: bytes, *, issuer: str, roots: "Sequence[ec.EllipticCurvePublicKey]", now: datetime) -> Told | None:
    """Return what Google says to this issuer, or None for what it did not say, or not to count any more."""
    said = table_in(body)
    if text_at(said, "protocolVersion") != PROTOCOL or not issuer:
        return None
    between = text_at(said, "intermediateSigningKey", "signedKey")
    proofs = list(_signatures(said))[:MOST_SIGNATURES]
    key = _key(table_in(between), now)
    if key is None or not _is_signed(roots, proofs, SENDER, PROTOCOL, between):
        return None
    message = text_at(said, "signedMessage")
    if not _is_signed((key,), [_octets(text_at(said, "signature"))], SENDER, issuer, PROTOCOL, message):
        return None
    return _told(table_in(message), now)


def _told(message: Mapping[str, Any], now: datetime) -> Told | None:
    event, nonce, ends_at = text_at(message, "eventType"), text_at(message, "nonce"), _instant(message, "expTimeMillis")
    if event not in ("save", "del") or not 0 < len(nonce) <= LONGEST_NONCE or ends_at is None or ends_at <= now:
        return None
    return Told(text_at(message, "objectId"), event == "save", nonce, ends_at)


def _signatures(said: Mapping[str, Any]) -> Iterator[bytes]:
    listed = table_at(said, "intermediateSigningKey").get("signatures")
    for one in listed if isinstance(listed, list) else ():
        yield _octets(one if isinstance(one, str) else "")


def _key(said: Mapping[str, Any], now: datetime) -> "ec.EllipticCurvePublicKey | None":
    """Return a P-256 key that holds now; one without an end holds, as Google's roots once had none."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    ends_at = _instant(said, "keyExpiration")
    if ("keyExpiration" in said and ends_at is None) or (ends_at is not None and ends_at <= now):
        return None
    try:
        key = load_der_public_key(_octets(text_at(said, "keyValue")))
    except (ValueError, UnsupportedAlgorithm):  # a stranger's word: nobody has signed it yet
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1) else None


def _is_signed(keys: "Sequence[ec.EllipticCurvePublicKey]", proofs: Sequence[bytes], *texts: str) -> bool:
    """Return whether one of these keys signed these texts, each behind its length, four octets, the lowest first."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    parts = [text.encode("utf-8", "replace") for text in texts]
    signed = b"".join(len(part).to_bytes(4, "little") + part for part in parts)
    for key in keys:
        for proof in proofs:
            try:
                key.verify(proof, signed, ec.ECDSA(hashes.SHA256()))
                return True
            except InvalidSignature:
                continue
    return False


def _instant(said: Mapping[str, Any], name: str) -> datetime | None:
    millis = text_at(said, name)
    if not millis.isascii() or not millis.isdecimal() or len(millis) > 14:
        return None
    return datetime.fromtimestamp(int(millis) / 1000, UTC)


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
