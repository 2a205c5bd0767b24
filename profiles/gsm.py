"""How a text becomes SMS segments: which alphabet carries it, where it may be cut, what it will cost. Pure.

GSM 03.38 (3GPP TS 23.038) has 128 characters of 7 bits and ten more that take two; one character outside of it makes
the whole message UCS-2 (UTF-16BE). A part of a longer message gives six octets to its header (3GPP TS 23.040, 9.2.3.24.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Alphabet = Literal["gsm7", "ucs2"]
SINGLE = {"gsm7": 160, "ucs2": 70}  # septets, or UTF-16 units, of a message that stands alone
PART = {"gsm7": 153, "ucs2": 67}  # and of each part of a longer one
MOST_PARTS = 255  # the header counts them in one octet

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPE = 0x1B
_EXTENDED = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_SEPTETS = {char: bytes([code]) for code, char in enumerate(_BASIC) if code != _ESCAPE} | {
    char: bytes([_ESCAPE, code]) for char, code in _EXTENDED.items()
}
_FROM_EXTENDED = {code: char for char, code in _EXTENDED.items()}


@dataclass(frozen=True, slots=True)
class Segments:
    """One text, cut as it will travel: GSM-7 one septet in each octet (as SMPP wants it), or UTF-16BE."""

    alphabet: Alphabet
    parts: tuple[bytes, ...]


def alphabet(text: str) -> Alphabet:
    """Return the alphabet that can carry all of this text."""
    return "gsm7" if all(char in _SEPTETS for char in text) else "ucs2"


def segment(text: str, kind: Alphabet | None = None) -> Segments:
    """Return the text in as many parts as it needs (in this alphabet); never cuts an escape pair or a surrogate pair.

    A lone surrogate, which no phone could show, becomes U+FFFD. Raises ValueError past 255 parts.
    """
    kind = kind or alphabet(text)
    if kind == "gsm7":
        pieces: Sequence[bytes] = [_SEPTETS[char] for char in text]
        limit = 1
    else:
        pieces = [_utf16(char) for char in text]
        limit = 2  # octets to a unit
    whole = b"".join(pieces)
    if len(whole) <= SINGLE[kind] * limit:
        return Segments(kind, (whole,))
    parts = _packed(pieces, PART[kind] * limit)
    if len(parts) > MOST_PARTS:
        raise ValueError(f"{len(parts)} segments; the header can count {MOST_PARTS}")
    return Segments(kind, tuple(parts))


def count(text: str) -> int:
    """Return how many segments this text is, and so how many messages the carrier will charge."""
    return len(segment(text).parts)


def decode_gsm7(octets: bytes) -> str:
    """Return the text of GSM-7 octets, one septet each; what the table does not know becomes U+FFFD, never an error.

    An escape before a septet without an extended character shows the basic one, as the standard asks of phones.
    """
    text, escaped = [], False
    for octet in octets:
        if escaped:
            text.append(_FROM_EXTENDED.get(octet) or _basic(octet))
            escaped = False
        elif octet == _ESCAPE:
            escaped = True
        else:
            text.append(_basic(octet))
    return "".join(text) + (" " if escaped else "")


def _packed(pieces: Sequence[bytes], size: int) -> list[bytes]:
    parts = [bytearray()]
    for piece in pieces:
        if len(parts[-1]) + len(piece) > size:
            parts.append(bytearray())
        parts[-1] += piece
    return [bytes(part) for part in parts]


def _utf16(char: str) -> bytes:
    return b"\xff\xfd" if "\ud800" <= char <= "\udfff" else char.encode("utf-16-be")


def _basic(octet: int) -> str:
    return _BASIC[octet] if octet < 128 and octet != _ESCAPE else "\ufffd"
