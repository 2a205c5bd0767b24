"""A template file of the book: what a message says, in each language, as each channel shows it, in each variant.

    about: The first reminder of a cart
    fr:
      title: Votre panier vous attend
      text: Bonjour {{ contact.first_name | default("") }}, il reste {{ event.total | money }} dans votre panier.
      buttons: [{title: Reprendre, url: "{{ event.url }}"}]
      on:
        sms: {text: "Votre panier vous attend : {{ event.url }}"}
        email: {title: "Votre panier", html: "<p>Bonjour ...</p>"}
    en: ...
    variants:
      b: {fr: {title: Encore une minute ?}}

What a channel or a variant does not say is said as for all. docs/templates.md has the language of the texts.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from profiles.duration import Duration
from profiles.findings import Findings
from profiles.personalize import Text, compile_text
from profiles.personalize_grammar import LARGEST_SOURCE
from profiles.strict_yaml import Scalar, read_strictly
from profiles.topics import WORD
from profiles.written import Place, Table, place_of
from rules.file_reading import WRONG, Names, Reading
from rules.records import Key, Record
from rules.shapes import FLAG, SCALAR, Json, Many, Pairs, Said
from rules.step_shapes import PROSE, Limited

MOST_BUTTONS = 10
MOST_DATA = 20
LONGEST_VALID = timedelta(days=90)
DATA_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
OWN_NAMES = ("from", "gcm", "google", "aps", "message_type", "notification", "collapse_key", "causerie")


@dataclass(frozen=True, slots=True)
class ButtonText:
    """A button of a template: it opens `url`, or says `payload`."""

    title: Text
    url: Text | None = None
    payload: str | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a message says in one language, on one channel or on all. None: not said here."""

    title: Text | None = None
    text: Text | None = None
    html: Text | None = None
    image: Text | None = None
    link: Text | None = None
    buttons: tuple[ButtonText, ...] | None = None
    badge: Text | None = None
    silent: bool | None = None
    data: Mapping[str, Text] | None = None
    banner: bool | None = None
    valid: Duration | None = None
    on: Mapping[str, "Parts"] = field(default_factory=dict)
    """channel or space -> what is said otherwise there."""


@dataclass(frozen=True, slots=True)
class Template:
    """One template file."""

    id: str
    about: str = ""
    languages: Mapping[str, Parts] = field(default_factory=dict)
    variants: Mapping[str, Mapping[str, Parts]] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Worded:
    """A text with fields in it."""

    html: bool = False

    def read(self, value: Any, reading: Reading, key: str) -> Any:
        if not isinstance(value, str) or not value.strip():
            return reading.wrong(value, key, self.told)
        text = compile_text(str(value), html=self.html)
        if isinstance(text, Text):
            return text
        at = place_of(value)
        is_block = isinstance(value, Scalar) and value.first is None and "\n" in value  # it begins below its "|"
        for flaw in text:
            line = at.line + flaw.line - (0 if is_block else 1)
            place = Place(at.file, line, at.column if line == at.line else 1)
            reading.findings.error(place, f"{key}: expected {flaw.expected}, got {flaw.got}.")
        return WRONG

    def json(self) -> Json:
        return {"type": SCALAR, "maxLength": LARGEST_SOURCE}

    def told(self, language: str) -> str:
        return Said("a text, with fields such as {{ contact.first_name }}",
                    "un texte, avec des champs tels que {{ contact.first_name }}").in_(language)  # fmt: skip


def _channel(text: str) -> str | None:
    return text if WORD.fullmatch(text) else None


def _word(text: str) -> str | None:
    """A name that Firebase and Apple leave to the app: `from`, `google.` and `aps` are their own."""
    return text if DATA_NAME.fullmatch(text) and not text.startswith(OWN_NAMES) else None


WORDED = Worded()
BUTTON = Record(
    Said("A button", "Un bouton"),
    (
        Key("title", WORDED, Said("what stands on it", "ce qui est écrit dessus"), is_required=True),
        Key("url", WORDED, Said("what it opens: https://, mailto: or tel:", "ce qu'il ouvre : https://, mailto: ou tel:")),
        Key("payload", PROSE, Said("what pressing it says to the bot, such as /order_status",
            "ce que l'appui dit au bot, comme /order_status")),
    ),
    lambda found, reading, table: ButtonText(found["title"], found.get("url"), found.get("payload")),
)  # fmt: skip
_SAID = (
    Key("title", WORDED, Said("headline; the subject of an e-mail", "titre ; l'objet d'un e-mail")),
    Key("text", WORDED, Said("what it says", "ce qu'il dit")),
    Key("html", Worded(html=True), Said("the body of an e-mail", "le corps d'un e-mail")),
    Key("image", WORDED, Said("address of a picture, https://", "adresse d'une image, https://")),
    Key("link", WORDED, Said("what a tap on it opens", "ce qu'ouvre un appui dessus")),
    Key("buttons", Many(BUTTON, MOST_BUTTONS), Said("buttons, numbered where a channel has none",
        "boutons, numérotés là où le canal n'en a pas")),
    Key("badge", WORDED, Said("number on the app's icon", "nombre sur l'icône de l'application")),
    Key("silent", FLAG, Said("wakes the app without showing anything", "réveille l'application sans rien montrer")),
    Key("data", Pairs(Said("a name", "un nom"), _word, WORDED, MOST_DATA), Said("what the app gets beside",
        "ce que l'application reçoit en plus")),
    Key("banner", FLAG, Said("shown by itself, in the app and on the site",
        "montré de lui-même, dans l'application et sur le site")),
    Key("valid", Limited(LONGEST_VALID), Said("for how long it is worth showing",
        "pendant combien de temps il vaut d'être montré")),
)  # fmt: skip


def _parts(found: Mapping[str, Any], reading: Reading, table: Table) -> Parts:
    said = {key.name: found[key.name] for key in _SAID if key.name in found}
    return Parts(**said, on=found.get("on", {}))


ON_CHANNEL = Record(Said("On one channel", "Sur un canal"), _SAID, _parts)
PARTS = Record(
    Said("In one language", "Dans une langue"),
    (
        *_SAID,
        Key("on", Pairs(Said("a channel", "un canal"), _channel, ON_CHANNEL), Said(
            "what one channel says otherwise", "ce qu'un canal dit autrement")),
    ),
    _parts,
)  # fmt: skip
LANGUAGES = (
    Key("fr", PARTS, Said("in French", "en français")),
    Key("en", PARTS, Said("in English", "en anglais")),
)
VARIANT = Record(Said("A variant", "Une variante"), LANGUAGES, lambda found, reading, table: dict(found))
TEMPLATE = Record(
    Said("A template file", "Un fichier de modèle"),
    (
        Key("about", PROSE, Said("one sentence about it", "une phrase à son sujet")),
        *LANGUAGES,
        Key("variants", Pairs(Said("a variant", "une variante"), _channel, VARIANT), Said(
            "what a variant of a test says otherwise", "ce qu'une variante d'un test dit autrement")),
    ),
    lambda found, reading, table: Template(
        "", found.get("about", ""), {name: found[name] for name in ("fr", "en") if name in found}, found.get("variants", {})
    ),
)  # fmt: skip


def texts_of(template: Template) -> Iterator[Text]:
    """Yield every text of a template, in each language, on each channel, in each variant."""
    for parts in (*template.languages.values(), *(one for said in template.variants.values() for one in said.values())):
        for layer in (parts, *parts.on.values()):
            buttons = [text for button in layer.buttons or () for text in (button.title, button.url)]
            said = (layer.title, layer.text, layer.html, layer.image, layer.link, layer.badge, *buttons)
            yield from (text for text in (*said, *(layer.data or {}).values()) if text is not None)


def read_template(text: str, id: str, shown: str, findings: Findings) -> Template | None:
    """Return the template of a file's text, or None with every mistake noted; `shown` is the file's name for people."""
    table = read_strictly(text, shown, findings)
    if table is None:
        return None
    noted = len(findings.errors)
    found = TEMPLATE.read(table, Reading(Names(), findings), "template")
    if not isinstance(found, Template) or len(findings.errors) > noted:
        return None
    if not found.languages:
        findings.error(place_of(table), "template: expected the key fr or en, got neither.")
        return None
    for language, parts in found.languages.items():
        if not any((parts.title, parts.text, parts.html, parts.data, parts.on)):
            findings.error(place_of(table, language), f"{language}: expected a title, a text or an html, got none.")
            return None
    return Template(id, found.about, found.languages, found.variants, text)
