"""May this address stand in an envelope, and what must a server know to take it? RFC 5321 section 4.1.2, RFC 6531. Pure.

What is refused here is never sent: a line break in an address would be a command of its own.
"""

import re
from dataclasses import dataclass

from profiles.identity import normalise

LONGEST = 254  # octets of a path without its brackets, RFC 5321 section 4.5.3.1.3
LONGEST_LOCAL = 64
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_NEVER = re.compile(r"[\x00-\x20\x7f<>]")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address as it stands in an envelope; the domain in lower case and ASCII."""

    address: str
    domain: str
    needs_utf8: bool = False
    """Whether only a server with SMTPUTF8 can take it: the part before @ is not ASCII."""


def mailbox(address: str) -> Mailbox | None:
    """Return the mailbox of this address, or None when there can be none."""
    if len(address) > LONGEST:
        return None
    if not _PLAIN.fullmatch(address):  # most are; the careful reading costs a hundred times more
        known = normalise("email", address, country="FR")
        if known is None or _NEVER.search(known):
            return None
        address = known
    local, _, domain = address.rpartition("@")
    if len(local.encode()) > LONGEST_LOCAL:
        return None
    return Mailbox(f"{local}@{domain.lower()}", domain.lower(), not local.isascii())
