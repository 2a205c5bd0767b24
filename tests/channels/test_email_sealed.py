"""What S/MIME wrapped to sign it is read like any mail, whoever made the wrapping; openssl makes most of them here."""

import base64
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email_octets import is_quick
from channels.email_reading import Letter, parsed, read
from channels.email_sealed import inside
from tests.needed import openssl

HEAD = b"From: Anna <anna@example.org>\r\nTo: help@shop.example\r\n"
SAID = b"Content-Type: text/plain; charset=utf-8\r\n\r\nO\xc3\xb9 est ma commande 42 ?\r\n"
PAPER = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nLook\r\n--b\r\n"
    b'Content-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment\r\n\r\n%PDF-1.4\r\n--b--\r\n'
)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with somebody's key and certificate."""
    folder = tmp_path_factory.mktemp("signer")
    made = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=Anna",
        "-days",
        "2",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ]
    subprocess.run([openssl(), *made], cwd=folder, check=True, capture_output=True)
    return folder


def sealed(signer: Path, part: bytes, *more: str) -> bytes:
    """Return this part as openssl wraps it, with the head of a mail."""
    args = [openssl(), "cms", "-sign", "-binary", "-nodetach", "-signer", "cert.pem", "-inkey", "key.pem", *more]
    return HEAD + subprocess.run(args, input=part, cwd=signer, check=True, capture_output=True).stdout


def letter(octets: bytes) -> Letter:
    return read(parsed(octets))


@pytest.mark.parametrize("more", [(), ("-stream",), ("-md", "sha512", "-nocerts")])
def test_a_mail_that_was_signed_as_a_whole_says_its_words(signer: Path, more: tuple[str, ...]) -> None:
    found = letter(sealed(signer, SAID, *more))
    assert (found.sender, found.text.strip(), found.parts) == ("anna@example.org", "Où est ma commande 42 ?", ())


def test_files_inside_a_seal_are_files(signer: Path) -> None:
    found = letter(sealed(signer, PAPER))
    assert (found.text.strip(), [part.name for part in found.parts]) == ("Look", ["a.pdf"])


def test_a_list_s_words_beside_the_seal_stay(signer: Path) -> None:
    whole = sealed(signer, SAID).removeprefix(HEAD)
    outer = (
        b"Content-Type: multipart/mixed; boundary=l\r\n\r\n--l\r\n%b\r\n--l\r\n\r\nSent by the list\r\n--l--" % whole
    )
    assert letter(HEAD + outer).text == "Où est ma commande 42 ?\n\nSent by the list"


def test_a_seal_that_a_gateway_calls_a_file_is_known_by_its_name(signer: Path) -> None:
    der = base64.b64decode(sealed(signer, SAID).partition(b"\n\n")[2])
    fields = b'Content-Type: application/octet-stream; name="SMIME.P7M"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    assert letter(HEAD + fields + base64.encodebytes(der)).text.startswith("Où est")


def test_what_is_encrypted_stays_a_file(signer: Path) -> None:
    args = [openssl(), "cms", "-encrypt", "-binary", "cert.pem"]
    shut = subprocess.run(args, input=SAID, cwd=signer, check=True, capture_output=True).stdout
    found = letter(HEAD + shut)
    assert (found.text, [part.name for part in found.parts]) == ("", ["smime.p7m"])


def test_a_seal_within_a_seal_is_opened_once(signer: Path) -> None:
    inner = sealed(signer, SAID).removeprefix(HEAD)
    found = letter(sealed(signer, inner))
    assert (found.text, [part.name for part in found.parts]) == ("", ["smime.p7m"])


def test_a_broken_seal_is_a_file(signer: Path) -> None:
    whole = sealed(signer, SAID)
    der = base64.b64decode(whole.partition(b"\n\n")[2])
    for cut in (0, 1, 5, 20, 60, len(der) // 2):
        assert inside(der[:cut]) == b""
    fields = b'Content-Type: application/pkcs7-mime; name="smime.p7m"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    found = letter(HEAD + fields + base64.encodebytes(der[:-60]))
    assert [part.name for part in found.parts] == ["smime.p7m"]


@pytest.mark.parametrize(
    "unit", [b"\x04\x00", b"\x24\x80", b"\x30\x80", b"\x24\x80\x00\x00", b"\x04\x84\xff\xff\xff\xff"]
)
def test_no_seal_takes_long(unit: bytes) -> None:
    data = bytes.fromhex("06092a864886f70d0107")
    endless = b"\x30\x80" + data + b"\x02\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80" + data + b"\x01\xa0\x80"
    began = time.process_time()
    inside(endless + unit * (10_000_000 // len(unit)))
    assert time.process_time() - began < 2


def test_a_seal_is_opened_beside_the_server_s_loop(signer: Path) -> None:
    assert not is_quick(sealed(signer, SAID)) and is_quick(HEAD + SAID)


@given(st.binary(max_size=300))
def test_any_octets_are_a_seal_or_none(octets: bytes) -> None:
    assert isinstance(inside(octets), bytes)
    assert isinstance(inside(b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80" + octets), bytes)
