"""Which of our mails does a bounce speak of? Each mail has a token of its own, and its sender's path carries it, signed. Pure.

The token is derived from the message's id, so the same message has the same token in every process; nobody can guess another's.
A path says `bounces+TOKEN-PROOF@`, so what anybody could write into a bounce is not believed (variable envelope return path).
"""

import hmac

_TOKEN, _PROOF = 14, 5  # octets: 28 and 10 hexadecimal digits; a local part has 64 characters at most


def token_of(secret: bytes, message: str) -> str:
    """Return our name of this message's mail: 28 small digits, for mail servers may change the case."""
    return hmac.digest(secret, b"email\n" + message.encode("utf-8", "replace"), "sha256")[:_TOKEN].hex()


def bounce_path(secret: bytes, mailbox: str, token: str) -> str:
    """Return the address that a bounce of this mail comes to; empty when there is no mailbox for them."""
    local, at, domain = mailbox.rpartition("@")
    return f"{local}+{token}-{_proof(secret, token)}@{domain}" if at else ""


def bounced(secret: bytes, address: str) -> str | None:
    """Return the token of the mail that this address was the path of, or None when we did not make it."""
    local = address.rpartition("@")[0].lower()
    token, dash, proof = local.rpartition("+")[2].partition("-")
    if not dash or not token.isascii() or not proof.isascii():
        return None
    return token if hmac.compare_digest(proof, _proof(secret, token)) else None


def _proof(secret: bytes, token: str) -> str:
    return hmac.digest(secret, b"bounce\n" + token.encode(), "sha256")[:_PROOF].hex()
