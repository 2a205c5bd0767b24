"""titles.yml: what people who work with the bot read in place of the names in its files. Customers never see these.

    intents:
      order_status: {fr: Suivi de commande, en: Order status}     or one text for all languages
    slots:
      order_state: {fr: État de la commande, en: Order state, values: {shipped: {fr: expédiée, en: shipped}}}
    entities:
      date: {fr: Jour, en: Day}                                   absent: the slot of that name
    rules:
      Say goodbye: {fr: Dire au revoir}                           a language that is absent: the rule's own name

What has no title shows the button that means it, else its own name as words: `order_number` is Order number.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain import Domain
from bot.values import name_at, table_at
from profiles.findings import Findings, nearest
from profiles.written import Table, Text, place_of

_KINDS = ("intents", "slots", "entities", "rules")
_WORDS = {"fr": {True: "oui", False: "non"}, "en": {True: "yes", False: "no"}}
_Said = Mapping[str, str]
"""language -> words; under "" those for every language."""


@dataclass(frozen=True, slots=True)
class Titles:
    """What titles.yml says, and what the buttons tell beside it."""

    intents: Mapping[str, _Said] = field(default_factory=dict)
    slots: Mapping[str, _Said] = field(default_factory=dict)
    entities: Mapping[str, _Said] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, _Said]] = field(default_factory=dict)
    """slot -> value -> words."""
    rules: Mapping[str, _Said] = field(default_factory=dict)
    buttons: Mapping[str, _Said] = field(default_factory=dict)
    """intent -> the title of the first button that means it."""

    def intent(self, name: str, language: str) -> str:
        """Return what people read for an intent; for one answer of many (`faq/hours`) both parts."""
        found = _in(self.intents.get(name), language) or _in(self.buttons.get(name), language)
        whole, slash, part = name.partition("/")
        if found or not slash:
            return found or as_words(name)
        return f"{self.intent(whole, language)} · {as_words(part)}"

    def slot(self, name: str, language: str) -> str:
        """Return what people read for a slot."""
        return _in(self.slots.get(name), language) or as_words(name)

    def entity(self, name: str, language: str) -> str:
        """Return what people read for an entity."""
        return _in(self.entities.get(name), language) or self.slot(name, language)

    def rule(self, name: str, language: str) -> str:
        """Return what people read for a rule: its name is prose of one language."""
        said = self.rules.get(name, {})
        return said.get(language) or said.get("") or name

    def value(self, slot: str, value: Any, language: str) -> str:
        """Return what people read for what a slot holds."""
        if isinstance(value, bool):
            return _WORDS.get(language, _WORDS["en"])[value]
        if isinstance(value, list | tuple):
            return ", ".join(self.value(slot, one, language) for one in value)
        return _in(self.values.get(slot, {}).get(str(value).lower()), language) or str(value)


def as_words(name: str) -> str:
    """Return a name of the files as words: `order_number` is Order number."""
    words = " ".join(name.replace("_", " ").split()) or name
    return words[:1].upper() + words[1:]


def read_titles(
    file: Table, domain: Domain, intents: Collection[str], rules: Collection[str], findings: Findings
) -> Titles:
    """Return what titles.yml says; an absent file leaves the buttons' titles. `intents` are all that examples teach.

    The title of a rule that is no more is a notice only: a rule's name is prose, and nothing else hangs on it.
    """
    for key in file:
        if key not in _KINDS:
            findings.unknown_key(file, key, _KINDS)
    slots = table_at(file, "slots", findings)
    return Titles(
        intents=dict(_titles(file, "intents", {*domain.intents, *intents}, findings)),
        slots=dict(_titles(file, "slots", domain.slots, findings)),
        entities=dict(_titles(file, "entities", domain.entities, findings)),
        values={
            str(name): dict(_values(table_at(spec, "values", findings), findings))
            for name, spec in slots.items()
            if isinstance(spec, Table) and "values" in spec
        },
        rules=dict(_of_rules(table_at(file, "rules", findings), rules, findings)),
        buttons=_buttons(domain),
    )


def _titles(file: Table, kind: str, known: Collection[str], findings: Findings) -> Iterator[tuple[str, _Said]]:
    table = table_at(file, kind, findings)
    for name, spec in table.items():
        if name not in known:
            findings.error(place_of(table, name), f'{kind}: unknown name "{name}".', nearest(name, known))
        yield str(name), _said(table, name, spec, findings)


def _of_rules(table: Table, known: Collection[str], findings: Findings) -> Iterator[tuple[str, _Said]]:
    for name, spec in table.items():
        if name not in known:
            findings.notice(place_of(table, name), f'rules: unknown name "{name}".', nearest(name, known))
        yield str(name), _said(table, name, spec, findings)


def _values(table: Table, findings: Findings) -> Iterator[tuple[str, _Said]]:
    for value, spec in table.items():
        yield str(value).lower(), _said(table, value, spec, findings)


def _said(table: Table, name: str, spec: Any, findings: Findings) -> _Said:
    if isinstance(spec, Text) and spec:
        return {"": str(spec)}
    if not isinstance(spec, Table):
        findings.error(
            place_of(table, name), f"{name}: expected a title, or one for each language.", "{fr: ..., en: ...}"
        )
        return {}
    return {str(key): str(name_at(spec, key, findings) or "") for key in spec if key != "values"}


def _in(said: _Said | None, language: str) -> str:
    """Return the words in this language, else those for every language, else those of the first."""
    if not said:
        return ""
    return said.get(language) or said.get("") or next(iter(said.values()))


def _buttons(domain: Domain) -> Mapping[str, _Said]:
    found: dict[str, dict[str, str]] = {}
    for variation in (one for variations in domain.responses.values() for one in variations):
        for button in variation.buttons:
            intent = str(button.get("payload", "")).removeprefix("/")
            if intent in domain.intents:
                found.setdefault(intent, {}).setdefault(variation.language or "", str(button.get("title")))
    return found
