"""The message a template makes for one contact on one channel, in their language; or why it makes none."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from profiles.html_text import text_of
from profiles.personalize import Rendered, Text
from profiles.personalize import Unrendered as Failed
from profiles.profile import Profile
from profiles.record import replace
from profiles.text import clean
from profiles.timeline import Button, Content
from rules.gatekeeper import Letter, Unrendered
from rules.person import Person
from rules.personal import Links, examples
from rules.policy import Reach
from rules.run import Run
from rules.template_file import ButtonText, Parts, Template
from rules.way_out import with_way_out

ADDRESS = re.compile(r"(https?://|mailto:|tel:)[^\s<>\"']{1,1990}", re.IGNORECASE)
LONGEST_TITLE = 250
MAIL = "email"


class Letters:
    """Renders the templates of a book; `links` adds addresses of this contact's own (preferences, unsubscribe)."""

    def __init__(
        self,
        templates: Mapping[str, Template],
        *,
        language: str,
        links: Links = examples,
        is_marketing: Callable[[Run], bool] = lambda run: False,
    ) -> None:
        """`is_marketing` says of whose run it is that a mail must show how to be left alone."""
        self.templates = templates
        self._language, self._links, self._is_marketing = language, links, is_marketing

    def __call__(self, template: str, reach: Reach, person: Person, run: Run, variant: str) -> Letter | Unrendered:
        """Return the message to send; a field that the contact lacks is a reason not to."""
        letter = self.write(template, reach, person, run, variant)
        if isinstance(letter, Unrendered):
            return letter
        if letter.missing:
            return Unrendered(f"missing:{letter.missing[0]}", ", ".join(letter.missing))
        return letter

    def write(
        self, template: str, reach: Reach, person: Person, run: Run, variant: str, language: str | None = None
    ) -> Letter | Unrendered:
        """Return the message whatever the contact lacks."""
        known = self.templates.get(template)
        if known is None:
            return Unrendered("unknown", template)
        wanted = (language or person.facts.profile.language or self._language).split("-")[0].lower()
        spoken = next(one for one in (wanted, self._language, *known.languages) if one in known.languages)
        said = _Said(known, spoken, reach, variant)
        links = self._links(person, run, reach)
        fields = {**fields_of(person, run), "links": links}
        letter = _written(said, fields, spoken, person.facts.zone, person.facts.now)
        if isinstance(letter, Unrendered) or reach.space != MAIL or not self._is_marketing(run):
            return letter
        content = with_way_out(letter.content, links["unsubscribe"], (links["preferences"],), spoken)
        return replace(letter, content=content)


def fields_of(person: Person, run: Run) -> dict[str, Any]:
    """Return what a template may name: plain values, never an object of ours."""
    return fields_for(person.facts.profile, run.start, person.facts.now)


def fields_for(profile: Profile, began: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the same of a run of which only its contact and what began it are at hand."""
    start = {name: value for name, value in began.items() if name not in ("name", "at")}
    return {"contact": profile.fields, "event": start, "start": start, "now": now}


class _Said:
    """What one language, channel and variant say: the variant's word on this channel first, the word for all last."""

    def __init__(self, template: Template, language: str, reach: Reach, variant: str) -> None:
        own = template.variants.get(variant, {}).get(language, Parts())
        whole = template.languages[language]
        words = (reach.channel, reach.space)
        self._layers = [part.on[word] for part in (own,) for word in words if word in part.on]
        self._layers.append(own)
        self._layers += [whole.on[word] for word in words if word in whole.on]
        self._layers.append(whole)

    def of(self, name: str) -> Any:
        return next((value for layer in self._layers if (value := getattr(layer, name)) is not None), None)

    def is_before(self, name: str, other: str) -> bool:
        """Return whether one part is said more nearly than another: an html for e-mail alone before the text for all."""
        for layer in self._layers:
            if getattr(layer, other) is not None:
                return False
            if getattr(layer, name) is not None:
                return True
        return False


def _written(said: _Said, fields: Mapping[str, Any], language: str, zone: tzinfo, now: datetime) -> Letter | Unrendered:
    pen = _Pen(fields, language, zone)
    title, html = pen.write(said.of("title")), pen.write(said.of("html"))
    text = "" if said.is_before("html", "text") else pen.write(said.of("text"))
    image, link = pen.address(said.of("image")), pen.address(said.of("link"))
    buttons = tuple(pen.button(button) for button in said.of("buttons") or ())
    badge = pen.number(said.of("badge"))
    data = {name: pen.write(one) for name, one in (said.of("data") or {}).items()}
    valid = said.of("valid")
    if pen.failed:
        return Unrendered(pen.failed, pen.detail)
    content = Content(
        text=clean(text) or text_of(html),
        buttons=buttons,
        title=" ".join(clean(title).split())[:LONGEST_TITLE],
        html=html,
        image=image,
        link=link,
        badge=badge,
        silent=bool(said.of("silent")),
        data=data,
        banner=bool(said.of("banner")),
        expires_at=valid.after(now) if valid else None,
    )
    return Letter(content, language, tuple(dict.fromkeys(pen.missing)))


class _Pen:
    def __init__(self, fields: Mapping[str, Any], language: str, zone: tzinfo) -> None:
        self._fields, self._language, self._zone = fields, language, zone
        self.missing: list[str] = []
        self.failed = self.detail = ""

    def write(self, text: Text | None) -> str:
        if text is None:
            return ""
        rendered = text.render(self._fields, language=self._language, zone=self._zone)
        match rendered:
            case Rendered(words, missing):
                self.missing += missing
                return words.strip()
            case Failed(problem):
                self.failed, self.detail = "broken", problem
                return ""

    def address(self, text: Text | None) -> str:
        written = self.write(text)
        if written and not ADDRESS.fullmatch(written):
            self.failed, self.detail = "address", written[:100]
        return written

    def number(self, text: Text | None) -> int | None:
        written = self.write(text)
        if not written:
            return None
        if not (written.isascii() and written.isdecimal() and len(written) <= 6):
            self.failed, self.detail = "badge", written[:100]
            return None
        return int(written)

    def button(self, button: ButtonText) -> Button:
        return Button(self.write(button.title), button.payload, self.address(button.url) or None)
