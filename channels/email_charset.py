"""Words of a mail that came in, whatever it says of its own letters: many mails lie about their charset. Pure.

RFC 2047 for headers. A wrong charset is survived: UTF-8 is tried, then Windows-1252, which reads any octet.
"""

import codecs
import re
from email.errors import MessageError
from email.header import decode_header
from email.message import Message

LONGEST_FIELD = 5_000  # characters of one field that are read; no honest subject is longer
_NEVER = frozenset({
    "idna", "punycode", "undefined", "unicode-escape", "unicode_escape", "raw-unicode-escape", "raw_unicode_escape",
})  # fmt: skip
"""Codecs of Python's own that no mail has; two of them take a time that grows with the square of the length."""
_WIDER = {
    "iso8859-1": "cp1252", "latin-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949",
}  # fmt: skip
"""What a mail that names the first is written in: the second has all its letters and more (encoding.spec.whatwg.org, 4.2)."""
_UNHEARD_OF = {"x-gbk": "gb18030", "x-sjis": "cp932", "windows-874": "cp874", "iso-8859-8-i": "iso8859-8"}
"""Names that mails have and Python does not know."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def decoded(octets: bytes, *charsets: str) -> str:
    """Return the text of these octets: by the first of these charsets that is right, else by what it most likely is."""
    for name in (*map(known, charsets), "utf-8"):
        if name:
            try:
                return octets.decode(name)
            except (UnicodeError, LookupError):
                continue
    return octets.decode("cp1252", "replace")


def known(charset: str) -> str:
    """Return Python's name of this charset, or of the wider one that is meant by it; empty for one that no mail is read by."""
    said = charset.strip().strip("\"'").lower()
    try:
        name = codecs.lookup(_UNHEARD_OF.get(said, said)).name if said else ""
    except (LookupError, ValueError):  # unknown, or no name at all
        return ""
    return "" if name in _NEVER else _WIDER.get(name, name)


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
