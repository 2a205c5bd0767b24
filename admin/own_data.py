"""What is known of a person, as they see it on their own page, and what of it they may correct."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from admin.choices import Form, Wrong
from admin.texts import LANGUAGES
from profiles.attributes import edit
from profiles.calendar import is_zone
from profiles.expression_tree import Kind
from profiles.ids import new_id
from profiles.profile import Attribute, Profile
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.timeline import CUSTOMER, Event
from rules.vocabulary_file import Called, Words

BY = "preferences"
_ARTICLE = re.compile(r"^(the |les? |la |l['’])", re.IGNORECASE)  # vocabulary.yml says "the city": a label says "City"


@dataclass(frozen=True, slots=True)
class Known:
    """One attribute as the page shows it."""

    name: str
    word: str
    value: Any
    kind: Kind
    source: str = ""

    @property
    def text(self) -> str:
        """Return the value as a form's field has it."""
        if isinstance(self.value, datetime):
            return self.value.date().isoformat() if self.kind is Kind.DATE else self.value.isoformat(timespec="minutes")
        if isinstance(self.value, list | tuple):
            return ", ".join(map(str, self.value))
        return "" if self.value is None else str(self.value)


def own(profile: Profile, words: Words, language: str) -> tuple[Known, ...]:
    """Return what the person may correct: the attributes that vocabulary.yml calls their own, known or not."""
    called = (words.attributes or {}).items()
    return tuple(
        _known(name, one, profile.attributes.get(name), language)
        for name, one in called
        if one.is_own and one.kind in (Kind.TEXT, Kind.DATE, Kind.NUMBER, Kind.FLAG, Kind.ANY)
    )


def others(profile: Profile, words: Words, language: str) -> tuple[Known, ...]:
    """Return what else is known of them, which they see and do not write: points, what was worked out."""
    called = words.attributes or {}
    mine = {name for name, one in called.items() if one.is_own}
    return tuple(
        _known(name, called.get(name, Called()), known, language)
        for name, known in sorted(profile.attributes.items())
        if name not in mine
    )


def corrected(profile: str, form: Form, words: Words, *, now: datetime) -> Work | Wrong:
    """Return the work that keeps what the person wrote about themselves, and their language; or the first field that can not be."""
    values = _values(form, words, now)
    language = form.get("language", "")
    if isinstance(values, Wrong):
        return values
    if language and language not in LANGUAGES:
        return Wrong("language")

    def think(snapshot: Snapshot) -> Changes | Refusal:
        before = snapshot.profile(profile)
        if before is None:
            return Refusal("unknown_profile")
        after = before
        for name, value in values.items():
            if _same(after.attributes.get(name), value):
                continue  # not written again: what the shop knows stays the shop's word
            edited = edit(after, name, value, source="declared", by=BY, now=snapshot.now)
            if isinstance(edited, Refusal):
                return Refusal(edited.reason, name)
            after = edited
        if language:
            after = replace(after, language=language)
        if after == before:
            return Changes(answer=())
        names = [name for name in values if after.attributes.get(name) != before.attributes.get(name)]
        names += ["language"] if after.language != before.language else []
        event = Event(new_id(snapshot.now), after.id, "profile.edited", snapshot.now, by=CUSTOMER, source=BY,
                      properties={"attributes": names})  # fmt: skip
        return Changes(profiles=(after,), events=(event,), answer=tuple(names))

    return Work(think, profiles=(profile,))


def _known(name: str, called: Called, known: Attribute | None, language: str) -> Known:
    word = _ARTICLE.sub("", called.words.get(language) or called.words.get("en") or name.replace("_", " "))
    value = known.value if known else None
    return Known(name, word, value, called.kind, known.source if known else "")


def _values(form: Form, words: Words, now: datetime) -> dict[str, Any] | Wrong:
    found: dict[str, Any] = {}
    for name, called in (words.attributes or {}).items():
        if not called.is_own or f"data.{name}" not in form:
            continue
        value = _value(name, form[f"data.{name}"], called.kind, now)
        if isinstance(value, Wrong):
            return value
        found[name] = value
    return found


def _value(name: str, text: str, kind: Kind, now: datetime) -> Any:
    """Return the value that a field holds, None for an empty one (the attribute is forgotten), or Wrong."""
    wrong = Wrong(f"data.{name}")
    if not text:
        return None
    if name == "timezone":
        return text if is_zone(text) else wrong
    if kind is Kind.DATE:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return wrong
        return text if date(1880, 1, 1) <= day <= now.date() else wrong
    if kind is Kind.NUMBER:
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            return wrong
        return (int(number) if number.is_integer() else number) if abs(number) < 1e15 else wrong
    if kind is Kind.FLAG:
        return text == "yes"
    return text if len(text) <= 200 else wrong


def _same(known: Attribute | None, value: Any) -> bool:
    return known is None if value is None else known is not None and known.value == value
