"""The message a template makes for one contact on one channel, in their language; or why it makes none."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from html.parser import HTMLParser
from typing import Any

from profiles.personalize import Rendered, Text
from profiles.personalize import Unrendered as Failed
from profiles.text import clean
from profiles.timeline import Button, Content
from rules.gatekeeper import Unrendered
from rules.person import Person
from rules.policy import Reach
from rules.run import Run
from rules.template_file import ButtonText, Parts, Template

ADDRESS = re.compile(r"(https?://|mailto:|tel:)[^\s<>\"']{1,1990}", re.IGNORECASE)
LONGEST_TITLE = 250


@dataclass(frozen=True, slots=True)
class Letter:
    """A message, and the fields that this contact lacks: what a preview shows and a sending refuses."""

    content: Content
    missing: tuple[str, ...] = ()


class Letters:
    """Renders the templates of a book; `links` adds addresses of this contact's own (preferences, unsubscribe)."""

    def __init__(
        self,
        templates: Mapping[str, Template],
        *,
        language: str,
        links: Callable[[Person, Run], Mapping[str, str]] = lambda person, run: {},
    ) -> None:
        self.templates = templates
        self._language, self._links = language, links

    def __call__(self, template: str, reach: Reach, person: Person, run: Run, variant: str) -> Content | Unrendered:
        """Return the message to send; a field that the contact lacks is a reason not to."""
        letter = self.write(template, reach, person, run, variant)
        if isinstance(letter, Unrendered):
            return letter
        if letter.missing:
            return Unrendered(f"missing:{letter.missing[0]}", ", ".join(letter.missing))
        return letter.content

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
        fields = {**fields_of(person, run), "links": self._links(person, run)}
        return _written(said, fields, spoken, person.facts.zone)


def fields_of(person: Person, run: Run) -> dict[str, Any]:
    """Return what a template may name: plain values, never an object of ours."""
    profile = person.facts.profile
    contact = {name: attribute.value for name, attribute in profile.attributes.items()}
    contact |= {"name": profile.name, "language": profile.language or ""}
    start = {name: value for name, value in run.start.items() if name not in ("name", "at")}
    return {"contact": contact, "event": start, "start": start, "now": person.facts.now}


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


def _written(said: _Said, fields: Mapping[str, Any], language: str, zone: tzinfo) -> Letter | Unrendered:
    pen = _Pen(fields, language, zone)
    title, html = pen.write(said.of("title")), pen.write(said.of("html"))
    text = "" if said.is_before("html", "text") else pen.write(said.of("text"))
    image, link = pen.address(said.of("image")), pen.address(said.of("link"))
    buttons = tuple(pen.button(button) for button in said.of("buttons") or ())
    if pen.failed:
        return Unrendered(pen.failed, pen.detail)
    content = Content(
        text=clean(text) or _text_of(html),
        buttons=buttons,
        title=" ".join(clean(title).split())[:LONGEST_TITLE],
        html=html,
        image=image,
        link=link,
    )
    return Letter(content, tuple(dict.fromkeys(pen.missing)))


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

    def button(self, button: ButtonText) -> Button:
        return Button(self.write(button.title), button.payload, self.address(button.url) or None)


class _Reader(HTMLParser):
    """Reads what an HTML body says: its text, with the addresses of its links, without markup, styles and scripts."""

    _BREAKS = frozenset({"p", "br", "div", "tr", "li", "h1", "h2", "h3", "table", "ul", "ol"})

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._silent = 0
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("style", "script", "head")
        if tag in self._BREAKS:
            self.said.append("\n- " if tag == "li" else "\n")
        if tag == "a":
            self._link = next((value or "" for name, value in attrs if name == "href"), "")
        if tag == "img":
            self.said.append(next((value or "" for name, value in attrs if name == "alt"), ""))

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "script", "head") and self._silent > 0
        if tag == "a" and self._link:
            self.said.append(f" ({self._link})")
            self._link = ""
        if tag in ("p", "h1", "h2", "h3"):
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(re.sub(r"\s+", " ", data))


def _text_of(html: str) -> str:
    """Return the plain text of an HTML body."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in "".join(reader.said).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
