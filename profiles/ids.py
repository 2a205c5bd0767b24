"""Names for new things: 26 characters that sort by the time they were made (ULID, github.com/ulid/spec)."""

import secrets
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U to misread


def new_id(now: datetime) -> str:
    """Return an id that nobody can guess (80 random bits) and that sorts after those of earlier milliseconds."""
    number = int(now.timestamp() * 1000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
