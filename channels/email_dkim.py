"""DKIM signatures: this mail is ours, and nobody changed it (RFC 6376; Ed25519 by RFC 8463). Pure.

Relaxed canonicalisation of both parts. The fields a reader sees are signed once more than they occur, so that a second one, put
before ours, breaks the signature. Keys are read once: reading a PEM costs as much as a hundred signatures.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # 10 MB of memory, for those who sign: they import it where they do
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

SHORTEST_RSA = 1024  # bits; RFC 8301 forbids shorter ones, and asks for 2048
SIGNED = (
    b"from", b"reply-to", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type",
    b"content-transfer-encoding", b"auto-submitted", b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id",
    b"in-reply-to", b"references",
)  # fmt: skip
OVERSIGNED = (b"from", b"to", b"subject", b"reply-to", b"date", b"message-id", b"content-type")
_SELECTOR = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?")
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_BLANKS = re.compile(rb"[ \t\r\n]+")
_BLANKS_IN_LINE = re.compile(rb"[ \t]+")
_BLANKS_AT_END = re.compile(rb"(?<![ \t])[ \t]+\r\n")  # from where they begin, once


@dataclass(frozen=True, slots=True)
class Key:
    """A private key, and where receivers find the public one: `selector`._domainkey.`domain`."""

    domain: str
    selector: str
    private: "rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey"


def read_key(domain: str, selector: str, pem: str) -> Key:
    """Return the key of a PEM text. Raises ValueError with what is wrong, never with the text."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    if not _SELECTOR.fullmatch(selector):
        raise ValueError("expected a selector such as s1")
    try:
        private = serialization.load_pem_private_key(pem.strip().encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError("expected a private key in PEM, without a password") from error
    if isinstance(private, rsa.RSAPrivateKey):
        if private.key_size < SHORTEST_RSA:
            raise ValueError(f"expected an RSA key of 2048 bits, got {private.key_size}")
        return Key(domain, selector, private)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return Key(domain, selector, private)
    raise ValueError("expected an RSA or Ed25519 key")


def record_of(key: Key) -> str:
    """Return the TXT record that publishes the public half."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    public = key.private.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"
    return f"v=DKIM1; k=ed25519; p={base64.b64encode(public.public_bytes_raw()).decode()}"


def is_rsa(key: Key) -> bool:
    """Return whether it signs by RSA, which every receiver checks; else by Ed25519."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    return isinstance(key.private, rsa.RSAPrivateKey)


def signed(mail: bytes, keys: Sequence[Key], at: datetime) -> bytes:
    """Return the mail (lines ended by CRLF) with one signature by each key in front."""
    if not keys:
        return mail
    head, _, body = mail.partition(b"\r\n\r\n")
    names, fields = _canonical_fields(head)
    digest = base64.b64encode(hashlib.sha256(_canonical_body(body)).digest())
    return b"".join(_signature(key, names, fields, digest, at) for key in keys) + mail


def _signature(key: Key, names: bytes, fields: bytes, digest: bytes, at: datetime) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    is_rsa = isinstance(key.private, rsa.RSAPrivateKey)
    value = b"v=1; a=%b; c=relaxed/relaxed; d=%b;\r\n s=%b; t=%d;\r\n h=%b;\r\n bh=%b;\r\n b=" % (
        b"rsa-sha256" if is_rsa else b"ed25519-sha256", key.domain.encode(), key.selector.encode(), at.timestamp(),
        names, digest,
    )  # fmt: skip
    said = fields + b"dkim-signature:" + _relaxed(value)
    if isinstance(key.private, rsa.RSAPrivateKey):
        proof = key.private.sign(said, padding.PKCS1v15(), hashes.SHA256())
    else:
        proof = key.private.sign(hashlib.sha256(said).digest())
    text = base64.b64encode(proof)
    return b"DKIM-Signature: " + value + b"\r\n ".join(text[at : at + 72] for at in range(0, len(text), 72)) + b"\r\n"


def _canonical_fields(head: bytes) -> tuple[bytes, bytes]:
    """Return the names for h= and the fields they name, as they are signed. Ours occur once each."""
    found: dict[bytes, bytes] = {}
    for line in _FIELD_END.split(head):
        name, _, value = line.partition(b":")
        found[name.strip().lower()] = value
    signed_names = [name for name in SIGNED if name in found]
    fields = b"".join([b"%b:%b\r\n" % (name, _relaxed(found[name])) for name in signed_names])
    lines, line = [], b""
    for name in (*signed_names, *OVERSIGNED):
        if len(line) + len(name) > 70:
            lines.append(line)
            line = b""
        line += name + b":"
    return b"\r\n  ".join([*lines, line]).rstrip(b":"), fields


def _relaxed(value: bytes) -> bytes:
    return _BLANKS.sub(b" ", value).strip()


def _canonical_body(body: bytes) -> bytes:
    if b" \r\n" in body or b"  " in body or b"\t" in body:
        body = _BLANKS_IN_LINE.sub(b" ", _BLANKS_AT_END.sub(b"\r\n", body))
    kept = body.rstrip(b"\r\n")
    return kept + b"\r\n" if kept else b""
