"""A card file of the book, passes/<card>.yml: what a pass in somebody's phone shows, in Apple's wallet and in Google's alike.

    kind: loyalty
    title: {fr: Carte de fidélité, en: Loyalty card}
    colours: {background: "#1f6f5c", text: "#ffffff", label: "#cfe9e0"}
    images: {icon: shop.png, logo: shop_logo.png}
    fields:
      - id: points
        where: header
        label: {fr: Points, en: Points}
        value: "{{ contact.points | default(0) | number }}"
        changed: {fr: "Vous avez %@ points", en: "You have %@ points"}
    barcode: {format: qr, value: "{{ pass.number }}", text: "{{ pass.number }}"}

A text may stand once for all languages, or as {fr: ..., en: ...}. docs/channels/wallet.md has every key.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from profiles.findings import Findings
from profiles.passes import Barcode, Card, CardField, Occasion
from profiles.strict_yaml import read_strictly
from profiles.topics import WORD
from profiles.written import Table, place_of
from rules.file_reading import Names, Reading
from rules.house_files import LANGUAGES
from rules.languages import in_languages, spoken
from rules.records import Key, Record
from rules.shapes import Json, Many, Said, Text, choice
from rules.step_shapes import PROSE
from rules.template_file import WORDED

MOST_FIELDS = 30
ROOM = {"header": 3, "primary": 1, "secondary": 4, "auxiliary": 4}
"""How many fields Apple's layouts show at each place; the back has room for all."""
KINDS = ("loyalty", "coupon", "event ticket", "generic")
ROLES = ("icon", "logo", "strip", "thumbnail")


@dataclass(frozen=True, slots=True)
class Picture:
    """The file of a picture in passes/images; it must be there where somebody looked."""

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        there = reading.names.pictures
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,80}\.png", value):
            if there is None or value in there:
                return str(value)
            return reading.unknown(value, key, "a PNG picture that is in passes/images", there)
        return reading.wrong(value, key, "a file name such as shop.png")

    def json(self) -> Json:
        return {"type": "string", "pattern": r"\.png$"}

    def told(self, language: str) -> str:
        return Said("a PNG file in `passes/images`", "un fichier PNG de `passes/images`").in_(language)


COLOUR = Text(
    Said("a colour such as #1f6f5c", "une couleur telle que #1f6f5c"),
    lambda text: text.lower() if re.fullmatch(r"#[0-9A-Fa-f]{6}", text) else None,
)
CHANGED = Text(
    Said("a text with %@ where the new value stands", "un texte avec %@ à la place de la nouvelle valeur"),
    lambda text: text if text.count("%@") == 1 else None,
    most=200,
)
FIELD = Record(
    Said("A field of a card", "Un champ d'une carte"),
    (
        Key("id", Text(Said("small letters, digits, - and _", "des minuscules, chiffres, - et _"),
            lambda text: text if WORD.fullmatch(text) else None), Said(
            "its name: rules set it by this name", "son nom : les règles le remplissent sous ce nom"), is_required=True),
        Key("where", choice("header", "primary", "secondary", "auxiliary", "back"), Said(
            "its place on the card", "sa place sur la carte"), is_required=True),
        Key("label", in_languages(PROSE), Said("the small words above it", "les petits mots au-dessus")),
        Key("value", in_languages(WORDED), Said("what it says; absent: what a rule sets, and nothing before",
            "ce qu'il dit ; absent : ce qu'une règle y met, et rien avant")),
        Key("changed", in_languages(CHANGED), Said("what the lock screen says when it changes; absent: nothing",
            "ce que dit l'écran verrouillé quand il change ; absent : rien")),
    ),
    lambda found, reading, table: CardField(
        found["id"], found["where"], spoken(found.get("label")), spoken(found.get("value")), spoken(found.get("changed"))
    ),
)  # fmt: skip
BARCODE = Record(
    Said("A barcode", "Un code-barres"),
    (
        Key("format", choice("qr", "pdf417", "aztec", "code128"), Said("how it is drawn", "comment il est dessiné"),
            default="qr"),
        Key("value", WORDED, Said("what a till reads; {{ pass.number }} is the pass's own",
            "ce que lit une caisse ; {{ pass.number }} est celui de la carte"), is_required=True),
        Key("text", WORDED, Said("what stands below it", "ce qui est écrit dessous")),
    ),
    lambda found, reading, table: Barcode(found.get("format", "qr"), found["value"], found.get("text")),
)  # fmt: skip
OCCASION = Record(
    Said("When and where", "Quand et où"),
    (
        Key("at", WORDED, Said("an instant such as 2026-12-24T20:00+01:00", "un instant tel que 2026-12-24T20:00+01:00")),
        Key("place", in_languages(WORDED), Said("the place's name", "le nom du lieu")),
        Key("address", in_languages(WORDED), Said("its address", "son adresse")),
    ),
    lambda found, reading, table: Occasion(
        found.get("at"), spoken(found.get("place")), spoken(found.get("address"))
    ),
)  # fmt: skip
COLOURS = Record(
    Said("Colours", "Couleurs"),
    tuple(
        Key(name, COLOUR, Said(en, fr))
        for name, en, fr in (
            ("background", "of the card", "de la carte"),
            ("text", "of values", "des valeurs"),
            ("label", "of labels", "des libellés"),
        )
    ),
    lambda found, reading, table: dict(found),
    is_here=False,
)
IMAGES = Record(
    Said("Pictures", "Images"),
    (
        Key("icon", Picture(), Said("shown in notifications, 29 x 29 points", "montrée dans les notifications, 29 x 29 points"),
            is_required=True),
        Key("logo", Picture(), Said("top left, at most 160 x 50 points", "en haut à gauche, au plus 160 x 50 points")),
        Key("strip", Picture(), Said("across the card, 375 points wide", "en travers de la carte, 375 points de large")),
        Key("thumbnail", Picture(), Said("at the side of a ticket, 90 x 90 points", "à côté d'un billet, 90 x 90 points")),
    ),
    lambda found, reading, table: dict(found),
)  # fmt: skip
CARD = Record(
    Said("A card file", "Un fichier de carte"),
    (
        Key("about", PROSE, Said("one sentence about it", "une phrase à son sujet")),
        Key("kind", choice(*KINDS), Said("its layout", "sa mise en page"), is_required=True),
        Key("title", LANGUAGES, Said("its name, for people", "son nom, pour les gens"), is_required=True),
        Key("colours", COLOURS, Said("as #rrggbb", "en #rrvvbb")),
        Key("images", IMAGES, Said("its pictures; `shop@2x.png` and `@3x` beside `shop.png` are taken along",
            "ses images ; `shop@2x.png` et `@3x` à côté de `shop.png` sont prises aussi"), is_required=True),
        Key("fields", Many(FIELD, MOST_FIELDS), Said("what it shows", "ce qu'elle montre"), is_required=True),
        Key("barcode", BARCODE, Said("what a till reads", "ce que lit une caisse")),
        Key("link", WORDED, Said("a page of yours, on its back", "une page à vous, au dos")),
        Key("expires", WORDED, Said("the day or instant it ends: 2026-12-31",
            "le jour ou l'instant de sa fin : 2026-12-31")),
        Key("occasion", OCCASION, Said("of a ticket: when and where", "d'un billet : quand et où")),
    ),
    lambda found, reading, table: _card(found, reading, table),
)  # fmt: skip


def read_card(
    text: str, id: str, shown: str, findings: Findings, pictures: frozenset[str] | None = None
) -> Card | None:
    """Return the card of a file's text, or None with every mistake noted; `shown` is the file's name for people.

    `pictures` are the files of passes/images; None: nobody looked, any name will do.
    """
    noted = len(findings.errors)
    if not WORD.fullmatch(id):
        findings.error(
            place_of(None)._replace(file=shown), f'expected a file name such as loyalty.yml, got "{id[:60]}".'
        )
    table = read_strictly(text, shown, findings)
    if table is None:
        return None
    found = CARD.read(table, Reading(Names(pictures=pictures), findings), "card")
    if not isinstance(found, Card) or len(findings.errors) > noted:
        return None
    return replace(found, id=id, source=text)


def _card(found: Mapping[str, Any], reading: Reading, table: Table) -> Card:
    fields: tuple[CardField, ...] = found["fields"]
    _check(fields, reading, table)
    return Card(
        "", found["kind"], found["title"], found.get("about", ""), found.get("colours", {}), found["images"], fields,
        found.get("barcode"), found.get("link"), found.get("expires"), found.get("occasion"),
    )  # fmt: skip


def _check(fields: tuple[CardField, ...], reading: Reading, table: Table) -> None:
    """Note what only the fields together have wrong: two of one name, more than a place has room for."""
    at = place_of(table, "fields")
    for id, count in Counter(one.id for one in fields).items():
        if count > 1:
            reading.wrong(at, "fields", f'each id once, got "{id}" {count} times')
    for spot, count in Counter(one.spot for one in fields).items():
        if count > ROOM.get(spot, MOST_FIELDS):
            reading.wrong(at, "fields", f"at most {ROOM[spot]} at {spot}, got {count}")
