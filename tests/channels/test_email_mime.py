"""Whatever is written into a mail is read again by the standard library; what would become a header of its own is refused."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email_mime import LONGEST_LINE, Malformed, file_part, header, multipart, named, text_part, words

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=400)
LINES = st.lists(
    TEXTS | st.sampled_from([".", "..", "From here", " ends with blanks  ", "=20", "a\tb"]), max_size=12
).map("\n".join)


def parsed(octets: bytes) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(octets, policy=default))


@given(TEXTS)
def test_a_subject_comes_out_as_it_went_in(text: str) -> None:
    shown = " ".join(text.split())  # a header says nothing of how many spaces
    try:
        octets = header("Subject", words(shown))
    except Malformed:
        assert "\u2028" in text or "\u2029" in text or "\x85" in text
        return
    assert " ".join(str(parsed(octets + b"\r\n")["Subject"]).split()) == shown
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    assert octets.isascii()


@given(LINES)
def test_a_body_comes_out_as_it_went_in(text: str) -> None:
    octets = text_part(text, "plain")
    read = parsed(b"MIME-Version: 1.0\r\n" + octets).get_content().replace("\r\n", "\n")
    assert read.removesuffix("\n") == text.removesuffix("\n")
    assert max(map(len, octets.split(b"\r\n"))) <= LONGEST_LINE
    assert octets.isascii()
    assert octets.endswith(b"\r\n")
    assert b"\n" not in octets.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Bonjour", "7bit"),
        ("Déjà vu, mais demain nous aurons le temps de tout revoir", "quoted-printable"),
        ("Здравствуйте", "base64"),
        ("x" * 2000, "quoted-printable"),
    ],
)
def test_the_shortest_encoding_that_can_be_read_is_taken(text: str, encoding: str) -> None:
    read = parsed(b"MIME-Version: 1.0\r\n" + text_part(text, "plain"))
    assert read["Content-Transfer-Encoding"] == encoding
    assert read.get_content().strip() == text


@pytest.mark.parametrize(
    "evil", ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\0b", "a\x0bb", "a\x85b", "a\u2028b", "é\r\nBcc: x"]
)
@pytest.mark.parametrize(
    "make", [lambda text: text, words, lambda text: named(text, "a@b.example")], ids=["as is", "words", "named"]
)
def test_a_line_break_in_a_header_is_refused(evil: str, make: object) -> None:
    with pytest.raises(Malformed) as refused:
        header("Subject", make(evil))  # type: ignore[operator]
    assert "Bcc" not in str(refused.value)


@pytest.mark.parametrize(
    "name",
    ["La boutique", 'Anna "la" Belle', "Dupont, Anna", "Élodie & Cie", "Магазин", "=?utf-8?q?x?=", "a\\b", "(x)"],
)
def test_a_name_is_shown_as_it_is_written(name: str) -> None:
    read = parsed(header("From", named(name, "news@shop.example")) + b"\r\n")["From"].addresses
    assert [(one.display_name, one.addr_spec) for one in read] == [(name, "news@shop.example")]


def test_a_long_word_that_can_not_be_folded_is_refused_as_a_value_and_encoded_as_words() -> None:
    with pytest.raises(Malformed):
        header("List-ID", "x" * 1_000)
    assert str(parsed(header("Subject", words("x" * 1_000)) + b"\r\n")["Subject"]) == "x" * 1_000


@pytest.mark.parametrize(
    "name", ["facture.pdf", "../../etc/passwd", "C:\\x\\note.txt", "reçu d'été.pdf", 'a"b.txt', ""]
)
def test_a_file_keeps_its_name_and_its_octets(name: str) -> None:
    octets = bytes(range(256)) * 20
    read = parsed(multipart("mixed", "=_b", [text_part("x", "plain"), file_part(octets, "application/pdf", name)]))
    [file] = list(read.iter_attachments())
    assert file.get_content() == octets
    assert (file.get_filename() or "") == name.replace("\\", "/").rpartition("/")[2]


@pytest.mark.parametrize("mime", ["text/html; charset=x\r\nX: y", "multipart/mixed", "message/rfc822", "", "nonsense"])
def test_a_file_of_a_strange_type_is_octets(mime: str) -> None:
    read = parsed(multipart("mixed", "=_b", [text_part("x", "plain"), file_part(b"x", mime, "a.bin")]))
    assert [file.get_content_type() for file in read.iter_attachments()] == ["application/octet-stream"]
