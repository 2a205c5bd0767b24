"""A message as a mail: what each reader sees of it, read by the standard library."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast

import pytest

from channels.email_letter import File, House, Letter, written
from channels.email_mime import Malformed
from profiles.timeline import Button, Content

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUSE = House("news@shop.example", "Élodie & Cie", "help@shop.example", "shop.example", "causerie")
LABELS = {"rule": "cart_1", "topic": "offers", "class": "marketing"}
LINK = "https://shop.example/u/tok"
LETTER = Letter("anna@example.org", "tok", NOW, Content("Bonjour", title="Soldes — déjà"), (), LINK, LABELS, "fr")
PIXEL = File("logo.png", "image/png", b"\x89PNG")


def read(letter: Letter, house: House = HOUSE) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(written(letter, house), policy=default))


def said(**parts: object) -> Letter:
    return replace(LETTER, content=replace(LETTER.content, **parts))  # type: ignore[arg-type]


def test_the_header_says_who_writes_to_whom_and_how_to_be_left_alone() -> None:
    mail = read(LETTER)
    assert (
        mail["From"] == '"Élodie & Cie" <news@shop.example>' or mail["From"].addresses[0].display_name == "Élodie & Cie"
    )
    assert (mail["To"], mail["Reply-To"]) == ("anna@example.org", "help@shop.example")
    assert mail["Subject"] == "Soldes — déjà"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == "<tok@shop.example>"
    assert mail["List-Unsubscribe"] == f"<{LINK}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-ID"] == "<offers.shop.example>"
    assert mail["Feedback-ID"] == "cart_1:offers:marketing:causerie"
    assert mail["Auto-Submitted"] is None
    assert mail.defects == []


def test_where_mail_comes_in_a_mail_may_be_written_to_leave_too() -> None:
    mail = read(replace(LETTER, leaving="bounces+" + "a" * 28 + "-" + "b" * 10 + "@shop.example"))
    https, by_mail = str(mail["List-Unsubscribe"]).split(", ")
    assert https == f"<{LINK}>"
    assert by_mail.startswith("<mailto:bounces+a") and by_mail.endswith("@shop.example?subject=unsubscribe>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_what_is_no_marketing_is_automatic_and_not_a_list() -> None:
    mail = read(replace(LETTER, unsubscribe="", labels={"class": "transactional"}))
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None
    assert mail["List-ID"] is None


def test_text_alone_is_one_part() -> None:
    mail = read(LETTER)
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().strip() == "Bonjour"


def test_html_has_its_words_beside_it() -> None:
    mail = read(said(text="", html='<p>Bonjour <a href="https://s.example">ici</a></p>'))
    assert mail.get_content_type() == "multipart/alternative"
    text, html = (part.get_content().strip().replace("\r\n", "\n") for part in mail.iter_parts())
    assert text == "Bonjour ici (https://s.example)"
    assert html.startswith('<!doctype html>\n<html lang="fr">')


def test_a_whole_page_stays_as_it_is() -> None:
    page = "<!DOCTYPE html><html><body>x</body></html>"
    html = read(said(html=page)).get_body(("html",))
    assert html and html.get_content().strip() == page


@pytest.mark.parametrize(
    ("html", "language", "header", "lang"),
    [
        ("<p>Bonjour</p>", "fr", "fr", ' lang="fr"'),
        ("<p>Hello</p>", "en", "en", ' lang="en"'),
        ("<p>?</p>", "", None, ""),
        ("<p>?</p>", 'fr"><script>', None, ""),
        ("<p>?</p>", "fr\r\nBcc: all@example.org", None, ""),
        ('<!doctype html>\n<HTML class=x lang="de-CH"><p>Grüezi</p></html>', "fr", "de-CH", None),
        ("<html data-lang='de'><p>Bonjour</p></html>", "fr", "fr", None),
        ('<html lang="?"><p>Bonjour</p></html>', "fr", "fr", None),
        ('<html lang="de_DE"><p>Hallo</p></html>', "fr", None, None),
    ],
)
def test_a_mail_says_its_language_and_an_authors_page_its_own(
    html: str, language: str, header: str | None, lang: str | None
) -> None:
    """Without a `lang` here the page is the author's: it stays as it is."""
    mail = read(replace(said(html=html), language=language))
    shown = mail.get_body(("html",))
    assert mail["Content-Language"] == header and mail.defects == []
    assert shown and shown.get_content().replace("\r\n", "\n").startswith(
        html if lang is None else f"<!doctype html>\n<html{lang}><head>"
    )


def test_a_picture_of_ours_is_shown_inside_and_other_files_are_attached() -> None:
    letter = said(html='<img src="cid:logo.png"><img src="cid:logo.png">')
    mail = read(replace(letter, files=(PIXEL, File("facture.pdf", "application/pdf", b"%PDF"))))
    assert mail.get_content_type() == "multipart/mixed"
    assert [file.get_filename() for file in mail.iter_attachments()] == ["facture.pdf"]
    html = mail.get_body(("html",))
    picture = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    assert html and html.get_content().count(f"cid:{picture['Content-ID'].strip('<>')}") == 2
    assert picture.get_content() == PIXEL.content


def test_a_picture_that_is_missing_is_refused() -> None:
    with pytest.raises(Malformed, match="missing"):
        written(said(html='<img src="cid:logo.png">'), HOUSE)


def test_buttons_and_pictures_of_a_text_are_shown() -> None:
    mail = read(
        said(
            text="Bonjour <b>\nAnna",
            image="https://s.example/a.png",
            buttons=(Button("Voir", url="https://s.example/?a=1&b=2"), Button("Oui")),
        )
    )
    text, html = (part.get_content() for part in mail.iter_parts())
    assert "Voir: https://s.example/?a=1&b=2" in text
    assert "1. Oui" in text
    assert 'href="https://s.example/?a=1&amp;b=2"' in html
    assert "Bonjour &lt;b&gt;<br>" in html
    assert "https://s.example/a.png" in html


@pytest.mark.parametrize("address", ["javascript:alert(1)", 'https://s.example/"onload="x', "data:text/html,x"])
def test_an_address_that_does_something_else_is_never_a_link(address: str) -> None:
    octets = written(
        said(
            text="x",
            image=address,
            link=address,
            buttons=(Button("x", url=address), Button("y", url="https://s.example")),
        ),
        HOUSE,
    )
    html = cast(EmailMessage, message_from_bytes(octets, policy=default)).get_body(("html",))
    assert html and f'"{address}"' not in html.get_content()
    assert 'onload="x' not in html.get_content()


@pytest.mark.parametrize("title", ["x\r\nBcc: all@example.org", "x\0", "x" * 300])
def test_a_subject_that_would_be_more_than_one_is_refused(title: str) -> None:
    with pytest.raises(Malformed):
        written(said(title=title), HOUSE)


def test_a_boundary_can_not_be_written_by_who_writes_the_words() -> None:
    letter = replace(said(text="--=_atok--\r\n\r\nevil", html="<p>x</p>"), token="unguessable")
    assert [part.get_content_type() for part in read(letter).iter_parts()] == ["text/plain", "text/html"]


def test_every_line_ends_as_mail_wants_it_and_is_short_enough() -> None:
    octets = written(replace(said(text="a\nb\rc\r\n" + "x" * 3000, html="<p>" + "é" * 5000), files=(PIXEL,)), HOUSE)
    assert b"\n" not in octets.replace(b"\r\n", b"")
    assert b"\r" not in octets.replace(b"\r\n", b"")
    assert max(map(len, octets.split(b"\r\n"))) <= 998
