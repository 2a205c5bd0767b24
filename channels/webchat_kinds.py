"""What a file really is: told by its first bytes, never by its name or by what the browser says. Pure.

Only what a browser shows without running anything is let in: no SVG, no HTML, no archives, no office files.
"""

import re
from dataclasses import dataclass
from typing import Literal

MOST_PIXELS = 50_000_000  # a small file can claim a picture that fills an agent's memory
LONGEST_NAME = 100
MOST_SEGMENTS = 10_000  # of a JPEG before its frame; a file of padding alone has millions, and everybody would wait
_CONTROLS = bytes([*range(0x09), *range(0x0E, 0x20), 0x7F])
_PAGE = re.compile(rb"<(?:svg|html|script|!doctype|\?xml)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of file that is let in."""

    mime: str
    extension: str
    shows: Literal["image", "file"]


PNG = Kind("image/png", "png", "image")
JPEG = Kind("image/jpeg", "jpg", "image")
GIF = Kind("image/gif", "gif", "image")
WEBP = Kind("image/webp", "webp", "image")
PDF = Kind("application/pdf", "pdf", "file")
TEXT = Kind("text/plain; charset=utf-8", "txt", "file")

KINDS = (PNG, JPEG, GIF, WEBP, PDF, TEXT)
PICTURES = tuple(kind.mime for kind in KINDS if kind.shows == "image")


def kind_of(content: bytes) -> Kind | None:
    """Return what these bytes are, or None when that is nothing we let in (a picture of absurd size among it)."""
    kind = _picture(content)
    if kind:
        size = _pixels(kind, content)
        return kind if size and 0 < size[0] * size[1] <= MOST_PIXELS else None
    if content.startswith(b"%PDF-"):
        return PDF
    return TEXT if _is_plain_text(content) else None


def safe_name(name: str, kind: Kind) -> str:
    """Return a name of letters, digits, spaces and -_.() that ends as its kind does; an empty one becomes `file`."""
    last = re.split(r"[/\\]", name)[-1]
    stem = last.rpartition(".")[0] or last
    stem = re.sub(r"[^\w\s().-]+", "_", stem)
    stem = re.sub(r"\s+", " ", stem).strip(" ._")[:LONGEST_NAME]
    return f"{stem or 'file'}.{kind.extension}"


def _picture(content: bytes) -> Kind | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return WEBP
    return None


def _pixels(kind: Kind, content: bytes) -> tuple[int, int] | None:
    """Return width and height as the file's header says, or None when it is cut off or not right."""
    if kind is PNG:
        return (_big(content[16:20]), _big(content[20:24])) if content[12:16] == b"IHDR" and len(content) > 24 else None
    if kind is GIF:
        return (_little(content[6:8]), _little(content[8:10])) if len(content) > 10 else None
    return _webp_pixels(content) if kind is WEBP else _jpeg_pixels(content)


def _webp_pixels(content: bytes) -> tuple[int, int] | None:
    """Read the first chunk (RFC 9649): extended, lossless or lossy."""
    if len(content) < 30:
        return None
    chunk = content[12:16]
    if chunk == b"VP8X":
        return _little(content[24:27]) + 1, _little(content[27:30]) + 1
    if chunk == b"VP8L":
        bits = _little(content[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        return _little(content[26:28]) & 0x3FFF, _little(content[28:30]) & 0x3FFF
    return None


def _jpeg_pixels(content: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header (ITU T.81, B.2.2)."""
    at = 2
    for _ in range(MOST_SEGMENTS):
        if at + 9 >= len(content):
            return None
        if content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a length
            at += 2
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _big(content[at + 7 : at + 9]), _big(content[at + 5 : at + 7])
        length = _big(content[at + 2 : at + 4])
        if length < 2:
            return None
        at += 2 + length
    return None


def _is_plain_text(content: bytes) -> bool:
    """Whether this is text that no browser could take for a page: UTF-8, no control characters, no leading `<`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    if not text.strip() or text.lstrip().startswith("<"):
        return False
    return len(content.translate(None, _CONTROLS)) == len(content) and not _PAGE.search(content)


def _big(content: bytes) -> int:
    return int.from_bytes(content, "big")


def _little(content: bytes) -> int:
    return int.from_bytes(content, "little")
