"""Files are what their bytes say: each kind that is let in, each disguise that is not."""

import struct
import time
import zlib

import pytest

from channels.webchat_kinds import GIF, JPEG, MOST_PIXELS, PDF, PNG, TEXT, WEBP, Kind, kind_of, safe_name


def png(width: int = 2, height: int = 2) -> bytes:
    """Return a PNG of this size; only the small ones hold all their pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = (b"\0" + b"\x80\x40\x20" * width) * min(height, 200)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg(width: int = 2, height: int = 2) -> bytes:
    exif = b"\xff\xe1" + struct.pack(">H", 10) + b"Exif\0\0xx"
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + exif + b"\xff" + frame + b"\xff\xd9" + b"\0" * 20


def gif(width: int = 2, height: int = 2) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def webp(chunk: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 100) + b"WEBP" + chunk + struct.pack("<I", len(body)) + body + b"\0" * 16


EXTENDED = webp(b"VP8X", b"\0\0\0\0" + (99).to_bytes(3, "little") + (49).to_bytes(3, "little"))
LOSSLESS = webp(b"VP8L", b"\x2f" + (99 | 49 << 14).to_bytes(4, "little"))
LOSSY = webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 100, 50))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (png(), PNG),
        (jpeg(), JPEG),
        (gif(), GIF),
        (EXTENDED, WEBP),
        (LOSSLESS, WEBP),
        (LOSSY, WEBP),
        (b"%PDF-1.7\n...", PDF),
        ("Bonjour, voilà 🦊\n".encode(), TEXT),
        (b"\xef\xbb\xbfwith a mark", TEXT),
        (b"1 < 2 and a<b", TEXT),
    ],
)
def test_what_is_let_in(content: bytes, kind: Kind) -> None:
    assert kind_of(content) is kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   \n",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b'\xef\xbb\xbf <?xml version="1.0"?><svg/>',
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"hello\n<ScRiPt>alert(1)</script>",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + b"<script>" * 10,
        b"\xff\xd8\xff" + b"\0" * 50,
        b"\xff\xd8\xff\xe0\x00\x01" + b"\0" * 50,
        b"RIFF____WEBP" + b"<svg>" * 9,
        b"PK\x03\x04archive",
        b"MZ\x90\x00program",
        b"\x7fELF",
        b"text with \x00 a hole",
        "latin-1: é".encode("latin-1"),
        png(0, 10),
        png(20_000, 20_000),
        jpeg(65_535, 65_535),
        gif(60_000, 60_000),
    ],
)
def test_what_stays_out(content: bytes) -> None:
    assert kind_of(content) is None


@pytest.mark.parametrize(
    "content", [b"\xff\xd8" + b"\xff" * 3_000_000, b"\xff\xd8" + b"\xff\xe0\x00\x02" * 750_000],
    ids=["padding", "segments"],
)  # fmt: skip
def test_nobody_waits_while_a_file_is_looked_at(content: bytes) -> None:
    began = time.process_time()
    kind_of(content)
    assert time.process_time() - began < 0.15  # a JPEG of 3 MB that never begins took a second


def test_a_picture_as_large_as_allowed_is_let_in() -> None:
    assert kind_of(jpeg(MOST_PIXELS // 1000, 1000)) is JPEG
    assert kind_of(jpeg(MOST_PIXELS // 1000 + 1, 1000)) is None


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("cat.png", "cat.png"),
        ("photo d’été.JPG", "photo d_été.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\temp\\a.exe", "a.png"),
        ("invoice.pdf.exe", "invoice.pdf.png"),
        ('a"\r\nSet-Cookie: x=1.png', "a_ Set-Cookie_ x_1.png"),
        ("\u202egnp.exe", "gnp.png"),
        ("", "file.png"),
        ("...", "file.png"),
        ("x" * 300, "x" * 100 + ".png"),
    ],
)
def test_names_are_rewritten(name: str, safe: str) -> None:
    assert safe_name(name, PNG) == safe
