"""Card files are read strictly: every mistake is told with its line, and a good one says what a pass shows."""

from pathlib import Path

import pytest

from profiles.findings import Findings
from profiles.passes import Card
from rules.book import Surroundings
from rules.book_folder import pictures_in
from rules.book_reading import read_book
from rules.bookcase import Bookcase
from rules.card_file import read_card
from tests.cast import NOON

GOOD = """\
kind: loyalty
title: {fr: Carte, en: Card}
colours: {background: "#1F6F5C"}
images: {icon: shop.png}
fields:
  - id: points
    where: header
    label: {fr: Points, en: Points}
    value: "{{ contact.points | default(0) }}"
    changed: {fr: "%@ points", en: "%@ points"}
barcode: {value: "{{ pass.number }}"}
"""
PICTURES = frozenset({"shop.png", "shop_logo.png"})
PNG = b"\x89PNG\r\n\x1a\n and so on"


def read(text: str, id: str = "loyalty") -> tuple[Card | None, list[str]]:
    findings = Findings()
    card = read_card(text, id, f"passes/{id}.yml", findings, PICTURES)
    return card, [str(error) for error in findings.errors]


def test_a_good_file_is_a_card() -> None:
    card, mistakes = read(GOOD)
    assert mistakes == []
    assert card
    assert (card.id, card.kind, card.title["en"], card.colours["background"]) == (
        "loyalty",
        "loyalty",
        "Card",
        "#1f6f5c",
    )
    (points,) = card.fields
    assert (points.id, points.spot, points.label["fr"], points.changed["en"]) == (
        "points",
        "header",
        "Points",
        "%@ points",
    )
    assert set(points.value) == {""}
    assert card.barcode
    assert card.barcode.format == "qr"


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("kind: loyalty", "kind: loyalti", ":1:7: kind: expected loyalty, coupon, event ticket or generic"),
        ("icon: shop.png", "icon: shopp.png", ":4:16: icon: expected a PNG picture that is in passes/images"),
        ("icon: shop.png", "icon: ../../etc/passwd.png", ":4:16: icon: expected a file name such as shop.png"),
        ("icon: shop.png", "logo: shop_logo.png", ':4:9: images: expected the key "icon"'),
        ('"#1F6F5C"', "green", ":3:23: background: expected a colour such as #1f6f5c"),
        ("where: header", "where: top", ":7:12: where: expected header, primary"),
        (
            "{{ contact.points | default(0) }}",
            "{{ contact.points | nummer }}",
            ":9:12: value: expected one of the filters",
        ),
        ("{{ contact.points | default(0) }}", "{{ contact.pay() }}", ":9:12: value: expected fields and filters"),
        ('fr: "%@ points"', 'fr: "points"', ":10:19: fr: expected a text with %@"),
        ("title: {fr: Carte, en: Card}", "title: {fr: Carte}", ':2:8: title: expected the key "en"'),
        ("kind: loyalty", "kynd: loyalty", ":1:1: unknown key; expected one of about, kind"),
    ],
)
def test_each_mistake_names_its_place(good: str, bad: str, told: str) -> None:
    assert good in GOOD
    card, mistakes = read(GOOD.replace(good, bad))
    assert card is None
    assert any(mistake.startswith(f"passes/loyalty.yml{told}") for mistake in mistakes), mistakes


def test_all_mistakes_are_told_together() -> None:
    text = GOOD.replace("header", "hedder").replace("shop.png", "gone.png").replace("| default", "| defolt")
    _, mistakes = read(text)
    assert len(mistakes) == 3


def test_what_the_fields_have_wrong_together_is_told() -> None:
    field = GOOD[GOOD.index("  - id") : GOOD.index("barcode")]
    _, mistakes = read(GOOD.replace(field, field * 2))
    assert [mistake for mistake in mistakes if "each id once" in mistake]
    four = "".join(field.replace("id: points", f"id: p{number}") for number in range(4))
    _, mistakes = read(GOOD.replace(field, four))
    assert [mistake for mistake in mistakes if "at most 3 at header, got 4" in mistake]


def test_a_rule_names_only_cards_and_fields_that_there_are() -> None:
    rule = "rule: tell\nabout: x\nstate: draft\nclass: service\nwhen: {event: order.paid}\nsteps:\n  - wallet: %s\n"
    around = Surroundings(pictures=PICTURES)
    for step, told in (
        (
            "{pass: loyalti}",
            'tell.yml:7:20: pass: expected a wallet card, got "loyalti". Hint: did you mean "loyalty"?',
        ),
        (
            "{pass: loyalty, set: {poins: 3}}",
            'tell.yml:7:35: set: expected a field of the card "loyalty", got "poins".',
        ),
        ("{pass: loyalty, set: {message: 'x {{ y'}}", "tell.yml:7:44: message: expected a well-formed template"),
    ):
        book = read_book({"passes/loyalty.yml": GOOD, "tell.yml": rule % step}, around)
        assert [str(one) for one in book.mistakes if str(one).startswith(told)], book.mistakes
    for step in ("{pass: loyalty}", "{pass: loyalty, set: {points: 3, message: Hello}}", "{pass: loyalty, end: yes}"):
        assert read_book({"passes/loyalty.yml": GOOD, "tell.yml": rule % step}, around).mistakes == ()


async def test_a_picture_that_goes_away_is_told_and_the_card_goes_on(tmp_path: Path) -> None:
    images = tmp_path / "passes" / "images"
    images.mkdir(parents=True)
    (images / "shop.png").write_bytes(PNG)
    (images / "fake.png").write_bytes(b"<svg/>")
    (tmp_path / "passes" / "loyalty.yml").write_text(GOOD, encoding="utf-8")
    assert pictures_in(tmp_path) == {"shop.png"}
    case = Bookcase(tmp_path, None, Surroundings(), clock=lambda: NOON)
    book = await case.open()
    assert (book.mistakes, set(book.cards)) == ((), {"loyalty"})
    (images / "shop.png").unlink()
    await case.look()
    assert [str(one) for one in case.book.mistakes] == [
        'passes/loyalty.yml:4:16: icon: expected a PNG picture that is in passes/images, got "shop.png".'
    ]
    assert set(case.book.cards) == {"loyalty"}


async def test_a_card_is_saved_like_every_file_of_the_book(tmp_path: Path) -> None:
    images = tmp_path / "passes" / "images"
    images.mkdir(parents=True)
    (images / "shop.png").write_bytes(PNG)
    case = Bookcase(tmp_path, None, Surroundings(), clock=lambda: NOON)
    await case.open()
    wrong = await case.save("passes/loyalty.yml", GOOD.replace("header", "top"), by="maya")
    assert [one.at.line for one in wrong] == [7]
    assert case.book.cards == {}
    assert await case.save("passes/loyalty.yml", GOOD, by="maya") == ()
    assert set(case.book.cards) == {"loyalty"}
    for file in ("passes/../x.yml", "passes/images/x.yml", "passes/x.png"):
        assert await case.save(file, GOOD, by="maya"), file
    assert await case.save("passes/Loyalty card.yml", GOOD, by="maya"), "a card's name is a word"
