"""Words of a mail that came in, whatever it says of its own letters: many mails lie about their charset. Pure.

RFC 2047 for headers. A wrong charset is survived: UTF-8 is tried, then Windows-1252, which reads any octet.
"""

import codecs
import re
from email.errors import MessageError
from email.header import decode_header
from email.message import Message

LONGEST_FIELD = 5_000  # characters of one field that are read; no honest subject is longer
_NEVER = frozenset({"idna", "punycode", "unicode-escape", "unicode_escape", "raw-unicode-escape", "raw_unicode_escape"})
"""Codecs of Python's own that no mail has; two of them take a time that grows with the square of the length."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def decoded(octets: bytes, charset: str) -> str:
    """Return the text of these octets: by their charset where it is right, else by what it most likely is."""
    for name in (_known(charset), "utf-8"):
        if name:
            try:
                return octets.decode(name)
            except (UnicodeError, LookupError):
                continue
    return octets.decode("cp1252", "replace")


def field(mail: Message, name: str, *, end: bool = False) -> str:
    """Return one field of the header as it came, unfolded and not yet decoded; empty when there is none.

    Of one that is too long the beginning, or with `end` the end: the newest of a list of references.
    """
    for known, value in mail.raw_items():
        if known.lower() == name.lower():
            cut = str(value)[-LONGEST_FIELD:] if end else str(value)[:LONGEST_FIELD]
            return " ".join(decoded(cut.encode("utf-8", "surrogateescape"), "").split())
    return ""


def words(value: str) -> str:
    """Return what a field says: encoded words decoded, controls gone, on one line."""
    try:
        pieces = decode_header(value)
    except (MessageError, ValueError, LookupError):
        pieces = [(value, None)]
    said = (decoded(one, charset or "") if isinstance(one, bytes) else one for one, charset in pieces)
    return " ".join(_CONTROLS.sub(" ", "".join(said)).split())


def _known(charset: str) -> str:
    """Return Python's name of this charset; what calls itself Latin-1 is read as Windows-1252, as browsers do."""
    try:
        name = codecs.lookup(charset.strip().strip("\"'")).name if charset else ""
    except (LookupError, ValueError):  # unknown, or no name at all
        return ""
    if name in _NEVER:
        return ""
    return "cp1252" if name in ("iso8859-1", "latin-1") else name
