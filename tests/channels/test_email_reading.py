"""A stranger's mail is read as far as it goes: who, what, which files; what is made to exhaust its reader is refused."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email_charset import decoded, words
from channels.email_html import said_by
from channels.email_incoming import _content, _metadata
from channels.email_octets import is_quick
from channels.email_reading import Letter, Unreadable, parsed, read

HEAD = b"From: Anna <Anna@Example.ORG>\r\nTo: help@shop.example\r\n"


def letter(octets: bytes) -> Letter:
    return read(parsed(octets))


def test_a_mail_says_who_what_and_which_mail_it_answers() -> None:
    found = letter(
        HEAD + b"Subject: =?utf-8?q?Caf=C3=A9?=\r\n =?iso-8859-1?q?_cr=E8me?=\r\nMessage-ID: <m3@example.org>\r\n"
        b"In-Reply-To: <m2@shop.example>\r\nReferences: <m0@shop.example>\r\n <m1@example.org> <m2@shop.example>\r\n"
        b"Date: Mon, 23 Nov 2026 09:12:00 +0100\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nOui\r\n"
    )
    assert (found.sender, found.name, found.subject, found.id) == (
        "anna@example.org",
        "Anna",
        "Café crème",
        "m3@example.org",
    )
    assert found.answers == ("m2@shop.example", "m1@example.org", "m0@shop.example")
    assert found.references == ("m0@shop.example", "m1@example.org", "m2@shop.example")
    assert found.sent_at == datetime(2026, 11, 23, 8, 12, tzinfo=UTC)
    assert found.text.strip() == "Oui"


def test_the_plain_words_are_taken_before_their_html() -> None:
    mail = EmailMessage()
    mail["From"] = "anna@example.org"
    mail.set_content("plain")
    mail.add_alternative("<p>pretty</p>", subtype="html")
    assert letter(bytes(mail)).text.strip() == "plain"


def mail_of(kind: str, *parts: bytes) -> bytes:
    """Return a part that holds these."""
    mark = f"b{len(parts)}{kind.replace('/', '')}".encode()
    held = b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts)
    return b"Content-Type: multipart/%b; boundary=%b\r\n\r\n%b--%b--" % (kind.encode(), mark, held, mark)


PLAIN, HTML = b"Content-Type: text/plain\r\n\r\n%b", b"Content-Type: text/html\r\n\r\n<p>%b</p>"
PGP = b'Content-Type: application/pgp-signature; name="signature.asc"\r\n\r\n-----BEGIN PGP SIGNATURE-----'
PAPER = b'Content-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment\r\n\r\n%PDF-1'
WINMAIL = b'Content-Type: application/ms-tnef; name="winmail.dat"\r\n\r\nx'
INVITED = b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR"


@pytest.mark.parametrize(
    ("octets", "text", "files"),
    [
        (mail_of("mixed", HTML % b"My order?", PLAIN % b"Scanned."), "My order?\n\nScanned.", []),
        (mail_of("mixed", PLAIN % b"From outside!", HTML % b"My order?"), "From outside!\n\nMy order?", []),
        (mail_of("mixed", PLAIN % b"My order?", HTML % b"My order?"), "My order?", []),
        (mail_of("mixed", mail_of("alternative", PLAIN % b" ", HTML % b"Hm?"), PLAIN % b"Scanned."), "Hm?\n\nScanned.", []),
        (mail_of("alternative", PLAIN % b"a", mail_of("mixed", HTML % b"b", PAPER, HTML % b"c")), "a", ["a.pdf"]),
        (mail_of("signed", PLAIN % b"Signed", PGP), "Signed", []),
        (mail_of("mixed", PLAIN % b"Look", PGP), "Look", ["signature.asc"]),
        (mail_of("mixed", PLAIN % b"Look", WINMAIL), "Look", ["winmail.dat"]),
        (mail_of("alternative", PLAIN % b"Come", HTML % b"Come", INVITED), "Come", ["text/calendar"]),
        (mail_of("digest", b"\r\nSubject: old\r\n\r\nInner words"), "", ["old.eml"]),
        (b"Content-Type: multipart/mixed\r\n\r\nNo boundary at all", "No boundary at all", []),
        (HTML % "👍".encode(), "👍", []),
    ],
)  # fmt: skip
def test_no_words_are_lost_and_none_said_twice(octets: bytes, text: str, files: list[str]) -> None:
    found = letter(HEAD + octets)
    assert (found.text, [part.name for part in found.parts]) == (text, files)


@pytest.mark.parametrize("name", ["été.pdf".encode(), "été.pdf".encode("latin-1")])
def test_a_files_name_beyond_ascii_is_read_as_it_came(name: bytes) -> None:
    paper = b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="%b"\r\n\r\n%%PDF-1' % name
    assert [part.name for part in letter(HEAD + paper).parts] == ["été.pdf"]


def test_html_alone_becomes_text_and_nothing_of_it_runs() -> None:
    page = (
        "<html><head><title>t</title><style>p{x}</style><script>alert(1)</script></head><body><p>Bonjour <b>vous</b></p>"
        '<!-- <p>hidden</p> --><img src="http://t.example/x.gif" onerror="alert(1)" alt="">'
        '<a href="https://shop.example/x">ici</a></body></html>'
    )
    found = letter(HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + page.encode())
    assert found.text == "Bonjour vous\nici (https://shop.example/x)"


@pytest.mark.parametrize(
    ("charset", "octets", "text"),
    [
        ("utf-8", "é".encode(), "é"),
        ("us-ascii", "é".encode(), "é"),
        ("utf-8", b"\xe9", "é"),
        ("iso-8859-1", b"\x80 \x93x\x94", "€ “x”"),
        ("no-such-charset", "é".encode(), "é"),
        ("idna", b"xn--caf-dma", "xn--caf-dma"),
        ("", b"\xff\xfe", "ÿþ"),
        ("unicode_escape", b"\\x41", "\\x41"),
        ("utf-16", "é".encode("utf-16"), "é"),
        ('"utf-8"', "é".encode(), "é"),
        ("idna", "é".encode(), "é"),
        ("undefined", "é".encode(), "é"),
        ('"a\0b"', "é".encode(), "é"),
        ("gb2312", "朱镕基".encode("gbk"), "朱镕基"),
        ("Shift_JIS", "①髙".encode("cp932"), "①髙"),
        ("x-gbk", "你好".encode("gbk"), "你好"),
        ("iso-8859-8-i", "שלום".encode("iso8859-8"), "שלום"),
    ],
)
def test_a_wrong_charset_is_survived(charset: str, octets: bytes, text: str) -> None:
    assert decoded(octets, charset) == text
    mail = HEAD + f"Content-Type: text/plain; charset={charset or 'x'}\r\n\r\n".encode() + octets
    assert letter(mail).text.strip() == text.strip()


@pytest.mark.parametrize(
    ("named", "octets", "text"),
    [
        (b'<meta charset="iso-8859-2">', "Łódź".encode("iso-8859-2"), "Łódź"),
        (b'<META http-equiv=Content-Type content="text/html; charset=windows-1251">', "привет".encode("cp1251"), "привет"),
        (b"<style>" + b"x" * 2_000 + b"</style><meta charset=big5>", "你好".encode("big5"), "你好"),
        (b"<meta charset=utf-16>", "é".encode(), "é"),
        (b"<meta charset=punycode>", "é".encode(), "é"),
        (b"<meta name=charset><p>charset=koi8-r</p>", "é".encode(), "é"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [b"text/html", b"text/html; charset=us-ascii"])
def test_a_charset_that_html_alone_names_is_read(kind: bytes, named: bytes, octets: bytes, text: str) -> None:
    page = b"<html><head>%b</head><body>%b</body></html>" % (named, octets)
    assert letter(HEAD + b"Content-Type: %b\r\n\r\n%b" % (kind, page)).text.split()[-1] == text


def test_what_the_header_says_of_letters_goes_before_what_html_says() -> None:
    page = b'<meta charset="windows-1251"><p>' + "été".encode() + b"</p>"
    assert letter(HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + page).text == "été"


FLOWED = HEAD + b"Content-Type: text/plain; charset=utf-8; Format=Flowed%b\r\n\r\n%b"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["Where is ", "my order ", "42?"], "Where is my order 42?"),
        (["Hello", "", "Where is ", "it?", "", "Anna"], "Hello\n\nWhere is it?\n\nAnna"),
        (["a list:", " * one", " * two"], "a list:\n* one\n* two"),
        (["> quoted ", "> words", "mine ", "too"], "> quoted words\nmine too"),
        (["> one ", ">> two ", "three"], "> one \n>> two \nthree"),
        (["Bye ", "-- ", "Anna ", "The shop"], "Bye \n-- \nAnna The shop"),
        ([" From Paris ", "with love", " > mine"], "From Paris with love\n > mine"),
        (["a space before ", "", "a blank line"], "a space before \n\na blank line"),
        (["it ends so "], "it ends so"),
    ],
)
def test_lines_of_a_paragraph_are_one_again(lines: list[str], text: str) -> None:
    assert letter(FLOWED % (b"", "\r\n".join(lines).encode())).text == text


def test_a_language_without_spaces_gets_none() -> None:
    said = FLOWED % (b"; delsp=yes", "注文は \r\nどこ \r\nですか".encode())
    assert letter(said).text == "注文はどこですか"


def test_fixed_lines_stay_lines() -> None:
    assert letter(HEAD + b"Content-Type: text/plain\r\n\r\none \r\ntwo").text == "one \ntwo"
    assert letter(HEAD + b"Content-Type: text/plain; format=fixed\r\n\r\none \r\ntwo").text == "one \ntwo"


@pytest.mark.parametrize("unit", ["x \n", "> \n", ">" * 500 + " \n", " -- \n", " \n", ">x \n>>y \n"])
def test_no_paragraph_takes_long(unit: str) -> None:
    began = time.process_time()
    letter(FLOWED % (b"", (unit * (1_000_000 // len(unit))).encode()))
    assert time.process_time() - began < 3


def test_quotes_are_looked_for_where_the_mail_is_read_and_nowhere_else() -> None:
    found = letter(HEAD + b"\r\n" + b"> a\nb\n" * 33_000)
    began = time.process_time()
    assert _content(found, ()).text and _metadata(found, found.sender, (), "person")
    assert time.process_time() - began < 0.1


def test_no_charset_takes_long() -> None:
    began = time.process_time()
    assert letter(HEAD + b"Content-Type: text/plain; charset=punycode\r\n\r\n\xe9-" + b"A" * 200_000).text.startswith(
        "é-A"
    )
    assert time.process_time() - began < 1  # 5 s by the library, and of 800 kB a hundred


def test_a_charset_and_names_written_as_rfc_2231_says_are_read() -> None:
    said = b"Content-Type: text/plain; charset*=us-ascii'en'koi8-r\r\n\r\n" + "привет".encode("koi8-r")
    assert letter(HEAD + said).text == "привет"
    pieces = b"Content-Type: text/plain; charset*0*=''utf; charset*1=-8; charset*=x\r\n\r\nx"
    assert letter(HEAD + pieces).text == "x"
    odd = b"Content-Type: text/plain\r\nContent-Disposition: inline; filename*=idna''caf%C3%A9\r\n\r\nx"
    assert letter(HEAD + odd).sender


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (b"Soldes \xe9t\xe9", "Soldes été"),
        ("Soldes été".encode(), "Soldes été"),
        (b"=?utf-8?b?w6k=?=", "é"),
        (b"=?utf-8?b?!!!?=", ""),
        (b"=?nonsense?q?=E9?=", "é"),
        (b"a\x00b\x07c", "a b c"),
        (b"=?utf-8?q?one=0D=0ABcc:_x?=", "one Bcc: x"),
    ],
)
def test_a_subject_is_read_on_one_line_whatever_it_is_made_of(field: bytes, said: str) -> None:
    assert letter(HEAD + b"Subject: " + field + b"\r\n\r\nx").subject == said


def test_files_are_told_from_words() -> None:
    mail = EmailMessage()
    mail["From"] = "anna@example.org"
    mail.set_content("voir ci-joint")
    mail.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="facture été.pdf")
    mail.add_attachment("note", filename="note.txt")
    inner = EmailMessage()
    inner["Subject"] = "before"
    inner.set_content("forwarded words")
    mail.add_attachment(inner)
    found = letter(bytes(mail))
    assert found.text.strip() == "voir ci-joint"
    assert [(part.name, part.content) for part in found.parts] == [
        ("facture été.pdf", b"%PDF-1.4"), ("note.txt", b"note\n"), ("before.eml", b""),
    ]  # fmt: skip


@pytest.mark.parametrize("sender", [b"", b"From: \r\n", b"From: nobody\r\n", b"From: <>\r\n", b"From: a@b@c\r\n"])
def test_a_mail_of_nobody_is_refused(sender: bytes) -> None:
    with pytest.raises(Unreadable, match="sender"):
        letter(sender + b"Subject: x\r\n\r\nx")


def nested(depth: int) -> bytes:
    """A mail whose parts contain one another so deep."""
    heads = (f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n'.encode() for n in range(depth))
    return HEAD + b"".join(heads) + b"Content-Type: text/plain\r\n\r\nx\r\n"


def test_a_thousand_parts_within_parts_are_refused_and_fifty_are_read() -> None:
    with pytest.raises(Unreadable, match="too many parts"):
        parsed(nested(1_000))
    assert letter(nested(50)).text.strip() == "x"


def test_of_ten_thousand_parts_the_first_are_looked_at() -> None:
    part = b"--b\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n"
    mail = HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + part * 10_000 + b"--b--\r\n"
    assert len(letter(mail).parts) == 200


@pytest.mark.parametrize(
    "unit",
    ["<!--", "<a ", "<![CDATA[", "<?x ", "<script>", "</", "<p", "<style>x</", "&#", "<div>", "İ<!--", "<a href='"],
)
def test_no_html_takes_long(unit: str) -> None:
    began = time.process_time()
    said_by(unit * (300_000 // len(unit)))
    said_by(unit * (150_000 // len(unit)) + "<p>" + unit * (150_000 // len(unit)) + ">")
    assert time.process_time() - began < 6


@pytest.mark.parametrize("unit", ["=?utf-8?q?a?= ", "=?", "<", "(", '"', ",", "a@b.example,"])
def test_no_header_takes_long(unit: str) -> None:
    value = (unit * (900 // len(unit)) + "\r\n ").encode() * 1_000
    began = time.process_time()
    mail = parsed(b"From: " + value + b"x\r\nTo: " + value + b"x\r\nSubject: " + value + b"x\r\n\r\nx")
    with suppress(Unreadable):
        read(mail)
    assert time.process_time() - began < 6


@pytest.mark.parametrize("kind", ["multipart/mixed", "text/plain", "text/html"])
def test_no_parameter_takes_long(kind: str) -> None:
    endless = f'Content-Type: {kind}; x="{";" * 20_000}\r\nContent-Disposition: inline; x="{";" * 20_000}\r\n'
    began = time.process_time()
    assert letter(HEAD + endless.encode() + b"\r\nx").sender
    assert time.process_time() - began < 0.5  # 4 s without a bound, and of 100 kB a minute


def test_parts_within_parts_do_not_read_every_line_again_and_again() -> None:
    inner = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(90))
    assert not is_quick(inner + b"\n" * 1_000)
    with pytest.raises(Unreadable, match="too many parts within parts"):
        parsed(HEAD + inner + b"\n" * 60_000)
    with pytest.raises(Unreadable, match="too many parts"):
        parsed(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n" + b"\n--b\n" * 20_001)


@given(st.binary(max_size=400))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    for mail in (octets, HEAD + octets, HEAD + b"Content-Type: text/html; charset=" + octets):
        try:
            found = letter(mail)
        except Unreadable:
            continue
        assert "\n" not in found.subject + found.sender + found.name


@given(st.text(max_size=200))
def test_any_words_come_out_on_one_line(value: str) -> None:
    assert not set(words(value)) & set("\r\n\x00\x85\u2028")
