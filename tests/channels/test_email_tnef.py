"""Files that Outlook put into its winmail.dat come out with their names, whatever else is in it or is broken."""

import base64
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email_reading import parsed, read
from channels.email_tnef import MOST_FILES, files

CODE_PAGE, BEGINS, TITLE, CONTENT, PROPERTIES = 0x00069007, 0x00069002, 0x00018010, 0x0006800F, 0x00069005


def tnef(*fields: tuple[int, bytes]) -> bytes:
    """Return these fields as MS-OXTNEF 2.1.3 has them."""
    rows = (
        struct.pack("<BII", 2, id, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF) for id, value in fields
    )
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(rows)


def text(kind: int, id: int, value: bytes) -> bytes:
    """Return one property with a value of its own length, behind which it is filled up to four octets."""
    return struct.pack("<HHII", kind, id, 1, len(value)) + value + b"\0" * (-len(value) % 4)


def properties(*rows: bytes) -> tuple[int, bytes]:
    return PROPERTIES, struct.pack("<I", len(rows)) + b"".join(rows)


NUMBER = struct.pack("<HHI", 0x03, 0x3705, 1)
SEVERAL = struct.pack("<HHIIII", 0x1003, 0x6001, 3, 1, 2, 3)
NAMED = struct.pack("<HH16sII", 0x1F, 0x8001, b"g" * 16, 1, 6) + "abc".encode("utf-16-le") + b"\0\0" + struct.pack(
    "<II", 1, 4) + b"v\0\0\0"  # fmt: skip
NUMBERED = struct.pack("<HH16sIII", 0x0B, 0x8002, b"g" * 16, 0, 0x8506, 1)
LONG = text(0x1F, 0x3707, "Relevé d'octobre.pdf\0".encode("utf-16-le"))


def test_files_come_out_with_their_whole_names() -> None:
    found = files(
        tnef(
            (CODE_PAGE, struct.pack("<II", 1252, 0)),
            (BEGINS, b"x" * 14), (TITLE, b"RELEV~1.PDF\0"), (CONTENT, b"%PDF-1"),
            properties(NUMBER, SEVERAL, NAMED, NUMBERED, LONG),
            (BEGINS, b"x" * 14), (CONTENT, b"words"), (TITLE, "été.txt\0".encode("cp1252")),
        )
    )  # fmt: skip
    assert found == [("Relevé d'octobre.pdf", b"%PDF-1"), ("été.txt", b"words")]


def test_a_name_in_the_sender_s_own_letters_is_read_by_their_code_page() -> None:
    found = files(tnef((CODE_PAGE, struct.pack("<II", 1251, 0)), (BEGINS, b""), (TITLE, "счёт.txt\0".encode("cp1251"))))
    assert found == [("счёт.txt", b"")]


def test_content_that_stands_among_the_properties_is_taken() -> None:
    shown = text(0x1E, 0x3001, b"Shown.txt\0")
    assert files(tnef((BEGINS, b""), properties(shown, text(0x102, 0x3701, b"words")))) == [("Shown.txt", b"words")]


def test_a_mail_within_is_named_alone() -> None:
    assert files(tnef((BEGINS, b""), (TITLE, b"Fwd\0"), properties(text(0x0D, 0x3701, b"i" * 40)))) == [("Fwd", b"")]


def test_a_mail_gives_its_files_and_no_winmail_dat() -> None:
    wrapped = tnef((BEGINS, b""), (TITLE, b"../a\r\nb.txt\0"), (CONTENT, b"words"))
    octets = (
        b"From: anna@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nLook\r\n--b\r\n"
        b'Content-Type: application/octet-stream; name="WINMAIL.DAT"\r\nContent-Transfer-Encoding: base64\r\n\r\n%b\r\n'
        b"--b\r\nContent-Type: application/ms-tnef\r\n\r\nbroken\r\n--b--"
    )
    found = read(parsed(octets % base64.encodebytes(wrapped)))
    assert found.text == "Look"
    assert [(part.name, part.content) for part in found.parts] == [
        ("../a b.txt", b"words"),
        ("application/ms-tnef", b"broken"),
    ]


def test_of_a_broken_one_what_came_before_stays() -> None:
    whole = tnef((BEGINS, b""), (TITLE, b"a.txt\0"), (CONTENT, b"words"), (BEGINS, b""), (CONTENT, b"more words"))
    assert files(whole[:-3])[0] == ("a.txt", b"words")
    assert files(b"") == files(b"PK\x03\x04" + b"x" * 50) == []


def test_a_thousand_files_are_fifty() -> None:
    assert len(files(tnef(*[(BEGINS, b"")] * 1_000))) == MOST_FILES


@pytest.mark.parametrize(
    "fields",
    [
        [(TITLE, b"")] * 500_000,
        [(BEGINS, b"")] + [(PROPERTIES, struct.pack("<I", 2**32 - 1) + struct.pack("<HHI", 3, 1, 1) * 100_000)] * 10,
        [(BEGINS, b""), (PROPERTIES, struct.pack("<IHHI", 1, 0x101F, 1, 2**32 - 1) + b"\0" * 1_000_000)],
        [(BEGINS, b""), (PROPERTIES, struct.pack("<IHHI", 2, 0x1003, 1, 2**32 - 1))],
    ],
)
def test_none_takes_long(fields: list[tuple[int, bytes]]) -> None:
    octets = tnef(*fields)
    began = time.process_time()
    files(octets)
    assert time.process_time() - began < 1


@given(st.binary(max_size=300), st.integers(0, 300), st.binary(max_size=20))
def test_any_octets_are_files_or_none(octets: bytes, at: int, other: bytes) -> None:
    whole = tnef((BEGINS, b""), (TITLE, b"a.txt\0"), (CONTENT, b"words"), properties(NUMBER, NAMED, LONG))
    assert isinstance(files(octets), list) and isinstance(files(whole[:6] + octets), list)
    assert isinstance(files(whole[:at] + other + whole[at + len(other) :]), list)
