"""Octets as a text that may stand in an address: base64url without padding (RFC 4648, section 5)."""

import base64


def base64url(octets: bytes) -> str:
    """Return the text of these octets."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
