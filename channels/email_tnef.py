"""The files in Outlook's `winmail.dat` (MS-OXTNEF): what Exchange sends to whom it takes for another Exchange. Pure.

The words of such a mail stand beside it, in parts that everybody reads; of what it says itself nothing else is taken.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from channels.email_charset import decoded

KINDS = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
NAME = "winmail.dat"
MOST_FILES = 50
_SIGNATURE = 0x223E9F78
_MOST_FIELDS = 10_000  # an honest one has some ten, and ten for each file
_MOST_PROPERTIES = 1_000
_CODE_PAGE, _BEGINS, _TITLE, _CONTENT, _PROPERTIES = 0x00069007, 0x00069002, 0x00018010, 0x0006800F, 0x00069005
_LONG_NAME, _SHOWN_NAME, _BINARY = 0x3707, 0x3001, 0x3701
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
"""Octets of each kind of property that is of one length (MS-OXCDATA 2.11.1), filled up to four."""
_BYTES, _LETTERS, _OBJECT, _OCTETS = 0x1E, 0x1F, 0x0D, 0x102
_SEVERAL = 0x1000


@dataclass
class _File:
    """What was read so far of a file."""

    title: str = ""
    content: bytes = b""
    names: dict[int, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its whole name where there is one; the title may be cut to eight letters and three."""
        return self.names.get(_LONG_NAME) or self.title or self.names.get(_SHOWN_NAME) or "file"


def files(octets: bytes) -> list[tuple[str, bytes]]:
    """Return the names and contents of the files within; none for other octets. Of a broken one, those before the break.

    A mail or an object of another program has a name alone.
    """
    page, found = "cp1252", list[_File]()
    for id, value in _fields(octets):
        if id == _CODE_PAGE and len(value) >= 4:
            page = f"cp{int.from_bytes(value[:4], 'little')}"
        elif id == _BEGINS:
            if len(found) == MOST_FILES:
                break
            found.append(_File())
        elif found:
            _learn(found[-1], id, value, page)
    return [(file.name, file.content) for file in found]


def _learn(file: _File, id: int, value: bytes, page: str) -> None:
    if id == _TITLE:
        file.title = _text(value, page)
    elif id == _CONTENT:
        file.content = value
    elif id == _PROPERTIES:
        for kind, name, said in _properties(value):
            if name == _BINARY and kind == _OCTETS and not file.content:
                file.content = said
            elif name in (_LONG_NAME, _SHOWN_NAME) and kind in (_BYTES, _LETTERS):
                file.names[name] = _text(said, page if kind == _BYTES else "utf-16-le")


def _fields(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each field's id and value, up to where they break off."""
    if len(octets) < 6 or int.from_bytes(octets[:4], "little") != _SIGNATURE:
        return
    at = 6
    for _ in range(_MOST_FIELDS):
        if at + 9 > len(octets):
            return
        _, id, length = struct.unpack_from("<BII", octets, at)
        ends = at + 9 + length
        if ends > len(octets):
            return
        yield id, octets[at + 9 : ends]
        at = ends + 2  # its checksum finds mistakes of the line, which mail has no longer


def _properties(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield each property's kind, id and (first) value, up to where they break off."""
    try:
        (count,), at = struct.unpack_from("<I", octets), 4
        for _ in range(min(count, _MOST_PROPERTIES)):
            kind, id = struct.unpack_from("<HH", octets, at)
            at = _behind_name(octets, at + 4) if id >= 0x8000 else at + 4
            value, at = _value(octets, at, kind)
            yield kind & ~_SEVERAL, id, value
    except struct.error:
        return


def _behind_name(octets: bytes, at: int) -> int:
    """Return where the value begins of a property that is known by a name: a set of 16 octets, then a number or letters."""
    is_letters, length = struct.unpack_from("<II", octets, at + 16)
    return at + 24 + (_padded(length) if is_letters else 0)


def _value(octets: bytes, at: int, kind: int) -> tuple[bytes, int]:
    """Return the first value of a property, and where the next property begins. Raises struct.error."""
    plain, many, first = kind & ~_SEVERAL, 1, b""
    if plain not in (*_FIXED, _BYTES, _LETTERS, _OBJECT, _OCTETS):
        raise struct.error
    if kind & _SEVERAL or plain not in _FIXED:
        (many,), at = struct.unpack_from("<I", octets, at), at + 4
    if plain in _FIXED:
        return octets[at : at + _FIXED[plain]], at + _FIXED[plain] * many
    for number in range(min(many, _MOST_PROPERTIES)):
        (length,) = struct.unpack_from("<I", octets, at)
        first = first if number else octets[at + 4 : at + 4 + length]
        at += 4 + _padded(length)
    return first, at


def _padded(length: int) -> int:
    return length + -length % 4


def _text(octets: bytes, page: str) -> str:
    return decoded(octets, page).split("\x00")[0].strip()
