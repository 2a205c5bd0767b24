"""What a pass shows now: the card's texts for one contact, in both languages. Pure; Apple's and Google's forms are made of it.

A field without anything to say is left out. A text that can not be written is a reason to show nothing new (`Unshown`): the
pass on the device stays as it was.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from profiles.calendar import is_zone
from profiles.passes import MESSAGE, BarcodeFormat, Card, CardField, CardKind, Pass, Spot, number_of
from profiles.personalize import Rendered, Text
from profiles.profile import Profile
from profiles.text import clean

LANGUAGES = ("fr", "en")
LONGEST = 1_000  # characters of one value; more is no card
LATEST_MESSAGE = {"fr": "Dernier message", "en": "Latest message"}
Spoken = Mapping[str, str]
"""language -> text; both languages are always there."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One field as it is shown."""

    id: str
    spot: Spot
    label: Spoken
    value: Spoken
    changed: Spoken
    """What the lock screen says of a change, with %@; empty texts: nothing."""


@dataclass(frozen=True, slots=True)
class Face:
    """All that a pass shows."""

    serial: str
    card: str
    kind: CardKind
    language: str
    """In which language it is written where a device speaks neither."""
    title: Spoken
    fields: tuple[Shown, ...]
    number: str
    colours: Mapping[str, str]
    holder: str = ""
    format: BarcodeFormat = "qr"
    code: str = ""
    """What a till reads; empty: there is no barcode."""
    code_text: str = ""
    link: str = ""
    expires: datetime | None = None
    happens: datetime | None = None
    place: Spoken | None = None
    address: Spoken | None = None
    is_over: bool = False

    def at(self, spot: Spot) -> tuple[Shown, ...]:
        """Return the fields of one place of the card."""
        return tuple(one for one in self.fields if one.spot == spot)

    @property
    def digest(self) -> str:
        """Return what two faces that show the same have in common."""
        told = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(told.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Unshown:
    """Why nothing can be shown: the field, and what is wrong with its text."""

    field: str
    problem: str


def face_of(card: Card, profile: Profile, held: Pass, *, now: datetime, zone: tzinfo = UTC) -> Face | Unshown:
    """Return what this person's pass of this card shows now. `zone` is where contacts live whose own zone is not known."""
    own = profile.value("zone")
    pen = _Pen(profile, held, now, ZoneInfo(str(own)) if is_zone(own) else zone)
    fields = [pen.field(one) for one in _with_message(card)]
    barcode, occasion = card.barcode, card.occasion
    face = Face(
        serial=held.id,
        card=card.id,
        kind=card.kind,
        language=_language(profile, held),
        title={language: card.title.get(language, card.id) for language in LANGUAGES},
        fields=tuple(one for one in fields if one.value["fr"] or one.value["en"]),
        number=number_of(held.id),
        colours=dict(card.colours),
        holder=clean(profile.name)[:100],
        format=barcode.format if barcode else "qr",
        code=pen.plain("barcode", barcode.value) if barcode else "",
        code_text=pen.plain("barcode", barcode.shown) if barcode and barcode.shown else "",
        link=pen.link(card.link),
        expires=pen.instant("expires", card.expires, time(23, 59, 59)),
        happens=pen.instant("occasion", occasion.at if occasion else None, time()),
        place=pen.spoken("place", occasion.place) if occasion and occasion.place else None,
        address=pen.spoken("address", occasion.address) if occasion and occasion.address else None,
        is_over=held.state == "expired",
    )
    return pen.broken or face


def _with_message(card: Card) -> tuple[CardField, ...]:
    """Return the card's fields and, where it does not place the message itself, the message on its back."""
    if any(one.id == MESSAGE for one in card.fields):
        return card.fields
    return (*card.fields, CardField(MESSAGE, "back", LATEST_MESSAGE))


def _language(profile: Profile, held: Pass) -> str:
    spoken = (profile.language or held.language).split("-")[0].lower()
    return spoken if spoken in LANGUAGES else LANGUAGES[0]


class _Pen:
    """Writes a card's texts for one contact."""

    def __init__(self, profile: Profile, held: Pass, now: datetime, zone: tzinfo) -> None:
        known = {"number": number_of(held.id), "card": held.card}
        self._fields: dict[str, Any] = {"contact": profile.fields, "pass": known, "now": now}
        self._held, self._zone, self._language = held, zone, _language(profile, held)
        self.broken: Unshown | None = None

    def field(self, one: CardField) -> Shown:
        changed = _both(one.changed)
        if one.id == MESSAGE:
            value = dict.fromkeys(LANGUAGES, self._held.message)
            changed = changed if any(changed.values()) else dict.fromkeys(LANGUAGES, "%@")
        elif put := self._held.put.get(one.id):
            value = dict.fromkeys(LANGUAGES, put)
        else:
            value = self.spoken(one.id, one.value)
        return Shown(one.id, one.spot, _both(one.label), value, changed)

    def spoken(self, field: str, texts: Mapping[str, Text]) -> dict[str, str]:
        """Return the text in both languages: numbers and dates are written differently even where the words are one."""
        found = {language: texts.get(language) or texts.get("") for language in LANGUAGES}
        return {language: self._write(field, text, language) if text else "" for language, text in found.items()}

    def plain(self, field: str, text: Text) -> str:
        return self._write(field, text, self._language)

    def link(self, text: Text | None) -> str:
        written = self.plain("link", text) if text else ""
        return written if written.startswith(("https://", "http://")) and " " not in written else ""

    def instant(self, field: str, text: Text | None, otherwise: time) -> datetime | None:
        """Return the instant of a text such as 2026-12-24T20:00+01:00; a bare day means this hour of it, where they live."""
        written = self.plain(field, text) if text else ""
        if not written:
            return None
        try:
            if len(written) == 10:
                return datetime.combine(date.fromisoformat(written), otherwise, self._zone)
            found = datetime.fromisoformat(written)
        except ValueError:
            self.broken = self.broken or Unshown(field, f"expected an instant or a day, got {written[:60]}")
            return None
        return found if found.tzinfo else found.replace(tzinfo=self._zone)

    def _write(self, field: str, text: Text, language: str) -> str:
        rendered = text.render(self._fields, language=language, zone=self._zone)
        if isinstance(rendered, Rendered):
            return clean(rendered.text).strip()[:LONGEST]
        self.broken = self.broken or Unshown(field, rendered.problem)
        return ""


def _both(texts: Mapping[str, str]) -> dict[str, str]:
    return {language: texts.get(language) or texts.get("", "") for language in LANGUAGES}
