"""Short signed claims for a provider: JSON Web Tokens with a private key, RS256 and ES256 (RFC 7515, RFC 7518). Pure.

Not PyJWT: the server loads that without cryptography (profiles/lean.py), and then it knows no private keys. Keys are read once:
reading a PEM costs as much as a hundred signatures.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from profiles.base64url import base64url

if TYPE_CHECKING:  # 10 MB of memory, for those who sign: they import it where they do
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    PrivateKey: TypeAlias = "rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey"

P256_OCTETS = 32
SHORTEST_RSA = 2048  # bits; RFC 7518, section 3.3


def private_key(pem: str) -> "PrivateKey":
    """Return the key of a PEM text: RSA of 2048 bits or more, or P-256. Raises ValueError with what is wrong, never the text."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key = serialization.load_pem_private_key(pem.strip().encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError("expected a private key in PEM, without a password") from error
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= SHORTEST_RSA:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("expected an RSA key of 2048 bits or more, or a P-256 key")


def signed(claims: Mapping[str, Any], key: "PrivateKey", *, key_id: str = "") -> str:
    """Return the compact token of these claims: RS256 with an RSA key, ES256 with a P-256 key."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    is_curve = isinstance(key, ec.EllipticCurvePrivateKey)
    head = {"alg": "ES256" if is_curve else "RS256", "typ": "JWT", **({"kid": key_id} if key_id else {})}
    text = f"{base64url(orjson.dumps(head))}.{base64url(orjson.dumps(claims))}"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        numbers = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        signature = b"".join(number.to_bytes(P256_OCTETS) for number in numbers)  # RFC 7518, section 3.4
    else:
        signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64url(signature)}"
