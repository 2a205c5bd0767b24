"""Did Amazon SNS really send this, and of our topic? Its signature by the key of a certificate that its own host gives. Pure.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html . Anybody can have SNS sign messages of a topic of
their own, so the topic's name (ARN) counts first, and it says which host the certificate may come from: one, spelled in full. A
pattern of Amazon's hosts would let in `sns.s3-us-west-2.amazonaws.com`, which is somebody's folder of files.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from channels.stranger_json import table_in, text_at

if TYPE_CHECKING:  # 10 MB of memory, loaded by whoever verifies
    from cryptography.hazmat.primitives.asymmetric import rsa

LARGEST = 300_000  # octets; SNS sends 256 KiB at most, and escapes some of it
CONFIRMATION = "SubscriptionConfirmation"
_TOPIC = re.compile(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}):\d{12}:[A-Za-z0-9_-]{1,256}")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,80}\.pem")
_SIGNED: Mapping[str, tuple[str, ...]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
"""type -> the fields that its signature is over, in their order."""


@dataclass(frozen=True, slots=True)
class Note:
    """One message of SNS that names our topic. Nothing of it is believed before `is_genuine`."""

    type: str
    message: str
    certificate: str
    """Where its certificate is: an address at SNS's own host."""
    subscribe: str
    """What a visit confirms the subscription by, at SNS's own host; empty when it names none, or another host."""
    signed: bytes
    signature: bytes
    version: str


def is_topic(name: str) -> bool:
    """Return whether this is the ARN of a topic."""
    return _TOPIC.fullmatch(name) is not None


def read(body: bytes, topic: str) -> Note | None:
    """Return the message of this topic, or None for anything else."""
    said = table_in(body)
    type, certificate = text_at(said, "Type"), text_at(said, "SigningCertURL")
    host = _host(topic)
    if text_at(said, "TopicArn") != topic or type not in _SIGNED or not host:
        return None
    if not _is_at(certificate, host) or not _CERTIFICATE.fullmatch(urlsplit(certificate).path):
        return None
    try:
        signature = base64.b64decode(text_at(said, "Signature"), validate=True)
    except (binascii.Error, ValueError):
        return None
    subscribe = text_at(said, "SubscribeURL")
    return Note(
        type, text_at(said, "Message"), certificate, subscribe if _is_at(subscribe, host) else "", _text(said, type),
        signature, text_at(said, "SignatureVersion"),
    )  # fmt: skip


def key_of(certificate: bytes, now: datetime) -> "rsa.RSAPublicKey | None":
    """Return the key of a certificate that holds now, PEM; None for anything else."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        read = x509.load_pem_x509_certificate(certificate)
        key = read.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    holds = read.not_valid_before_utc <= now <= read.not_valid_after_utc
    return key if holds and isinstance(key, rsa.RSAPublicKey) else None


def is_genuine(note: Note, key: "rsa.RSAPublicKey") -> bool:
    """Return whether SNS signed it: version 2 with SHA-256, version 1, a topic's default, with SHA-1."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    if note.version not in ("1", "2"):
        return False
    digest = hashes.SHA256() if note.version == "2" else hashes.SHA1()  # noqa: S303 (what SNS signs by; the other side chooses)
    try:
        key.verify(note.signature, note.signed, padding.PKCS1v15(), digest)
    except InvalidSignature:
        return False
    return True


def _text(said: Mapping[str, Any], type: str) -> bytes:
    """Return what the signature is over; a subject that is not there is left out."""
    fields = [name for name in _SIGNED[type] if name != "Subject" or isinstance(said.get(name), str)]
    return "".join(f"{name}\n{text_at(said, name)}\n" for name in fields).encode("utf-8", "replace")


def _host(topic: str) -> str:
    found = _TOPIC.fullmatch(topic)
    if found is None:
        return ""
    return f"sns.{found[2]}.amazonaws.com" + (".cn" if found[1] == "aws-cn" else "")


def _is_at(address: str, host: str) -> bool:
    """Return whether this is an https address at this very host, its own port, nobody's name before it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" and parts.netloc == host and address.isprintable() and len(address) <= 2_000
