"""A mail's header as people may look at it afterwards: each field on one line, decoded, and nothing in it that opens anything.

The unsubscribe link acts for the person, the end of a bounce path vouches for a report, a signature is made when the mail leaves:
of each only what it is about is told. Pure.
"""

import re
from collections.abc import Iterator, Sequence

from channels.email_charset import words
from channels.email_dkim import Key, is_rsa

_FIELD_END = re.compile(r"\r\n(?![ \t])")
_PERSONAL = re.compile(r"(?<=/u/)[^\s<>]+|(?<=-)[0-9a-f]{10}(?=@)")
CUT = "…"


def fields_of(header: bytes, keys: Sequence[Key]) -> Iterator[tuple[str, str]]:
    """Yield the name and the words of each field, then who signs."""
    for field in _FIELD_END.split(header.decode("utf-8", "replace")):
        name, colon, value = field.partition(":")
        if colon:
            yield name, without_secrets(words(" ".join(value.split())))
    for key in keys:
        algorithm = "rsa-sha256" if is_rsa(key) else "ed25519-sha256"
        yield "DKIM-Signature", f"a={algorithm}; d={key.domain}; s={key.selector}; {CUT}"


def without_secrets(value: str) -> str:
    """Return a field's words without the part that proves or opens something."""
    return _PERSONAL.sub(CUT, value)
