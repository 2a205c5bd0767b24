"""Which of our mails does a bounce speak of, or who wants no more of them? Each has a token, and addresses carry it, signed. Pure.

The token is derived from the message's id, so the same message has the same token in every process; nobody can guess another's.
A path says `bounces+TOKEN-PROOF@`, so what anybody could write into a bounce is not believed (variable envelope return path). The
address that a mail names for leaving (List-Unsubscribe) looks the same and has another proof.
"""

import hmac
import re

_BOUNCE, _LEAVING = b"bounce", b"leave"
_TOKEN, _PROOF = 14, 5  # octets: 28 and 10 hexadecimal digits; a local part has 64 characters at most
_LOOKS = re.compile(rf"[0-9a-f]{{{2 * _TOKEN}}}")


def token_of(secret: bytes, message: str) -> str:
    """Return our name of this message's mail: 28 small digits, for mail servers may change the case."""
    return hmac.digest(secret, b"email\n" + message.encode("utf-8", "replace"), "sha256")[:_TOKEN].hex()


def token_in(text: str) -> str | None:
    """Return the token that this text is, or None when it is none."""
    said = text.strip().lower()
    return said if _LOOKS.fullmatch(said) else None


def bounce_path(secret: bytes, mailbox: str, token: str) -> str:
    """Return the address that a bounce of this mail comes to; empty when there is no mailbox for them."""
    return _address(secret, mailbox, token, _BOUNCE)


def leaving_address(secret: bytes, mailbox: str, token: str) -> str:
    """Return the address to which whoever got this mail writes to get no more; empty when there is no mailbox for it."""
    return _address(secret, mailbox, token, _LEAVING)


def bounced(secret: bytes, address: str) -> str | None:
    """Return the token of the mail that this address was the path of, or None when we did not make it."""
    return _token(secret, address, _BOUNCE)


def left_by(secret: bytes, address: str) -> str | None:
    """Return the token of the mail that named this address for leaving, or None when we did not make it."""
    return _token(secret, address, _LEAVING)


def _address(secret: bytes, mailbox: str, token: str, purpose: bytes) -> str:
    local, at, domain = mailbox.rpartition("@")
    return f"{local}+{token}-{_proof(secret, token, purpose)}@{domain}" if at else ""


def _token(secret: bytes, address: str, purpose: bytes) -> str | None:
    local = address.rpartition("@")[0].lower()
    token, dash, proof = local.rpartition("+")[2].partition("-")
    if not dash or not token.isascii() or not proof.isascii():
        return None
    return token if hmac.compare_digest(proof, _proof(secret, token, purpose)) else None


def _proof(secret: bytes, token: str, purpose: bytes) -> str:
    return hmac.digest(secret, purpose + b"\n" + token.encode(), "sha256")[:_PROOF].hex()
