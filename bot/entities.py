"""What a message mentions: button payloads, the bot's own patterns and word lists, built-in kinds, and learned names.

Built-in kinds (bot/finders.py) are looked for only when the domain declares an entity of that name.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from bot.cleaning import clean_value
from bot.duckling import NAMES as DUCKLING_NAMES
from bot.duckling import additional_info
from bot.events import DEFAULT_INTENTS
from bot.finders import FINDERS, Found, Here, fold
from bot.project import Project
from bot.spelling import Speller
from bot.tagger import Tagger

Entity = dict[str, Any]

# `/intent{...}` of a button (`@0.9`: Rasa's confidence), or a messaging app's command: `/start shop-42`, `/help@our_bot`.
_PAYLOAD = re.compile(r"/([^{\s@]+)(?:@[\w.]+)?\s*(?:(\{.*\})|(?<=\s)[^{].*)?", re.DOTALL)
_WORD = re.compile(r"[^\W_]+")
_LONG_ENOUGH_TO_SLIP = 5
_BUILT_IN = {**{kind: kind for kind in FINDERS}, "phone_number": "phone", "amount-of-money": "amount", "time": "date"}


class Entities:
    """Finds entities the way one bot's files say."""

    __slots__ = ("_intents", "_kinds", "_listed", "_longest", "_lookups", "_patterns", "_synonyms", "_usual", "_zone")

    def __init__(self, project: Project) -> None:
        declared = set(project.domain.entities)
        self._intents = {*project.domain.intents, *DEFAULT_INTENTS}
        self._kinds = [(name, _BUILT_IN[name]) for name in project.domain.entities if name in _BUILT_IN]
        self._zone = project.validation.zone
        self._synonyms = project.training.synonyms
        self._patterns = [
            (name, re.compile(pattern, re.IGNORECASE))
            for name, patterns in project.training.patterns.items()
            if name in declared
            for pattern in patterns
        ]
        self._lookups: dict[str, tuple[str, str]] = {}
        for name, phrases in project.training.lookups.items():
            if name in declared:
                self._lookups.update({" ".join(_words(phrase)): (name, str(phrase)) for phrase in phrases})
        self._listed = Speller([_words(phrase) for phrase in self._lookups])
        self._usual = {word for example in project.training.examples for word in _words(example.text)}
        self._longest = max((phrase.count(" ") + 1 for phrase in self._lookups), default=0)

    def payload(self, text: str) -> tuple[str, list[Entity]] | None:
        """Return intent (`faq/hours` in full) and entities of `/intent{...}`; None when it is none of this bot's."""
        match = _PAYLOAD.fullmatch(text) if text.startswith("/") else None
        if match is None or match[1].split("/")[0] not in self._intents:
            return None
        try:
            stated = json.loads(match[2]) if match[2] else {}
        except (ValueError, RecursionError):
            return None
        found = []
        for name, values in stated.items():
            for value in values if isinstance(values, list) else [values]:
                if not isinstance(value, dict | list):
                    found.append(_entity(str(name), clean_value(value), 0, len(text), "payload"))
        return match[1], found

    def find(self, text: str, here: Here, tagger: Tagger | None = None) -> list[Entity]:
        """Return what the text mentions, in the order it is written.

        What the tagger believes never stands over what a pattern, a list or a built-in kind found; it adds roles to that.
        """
        found = self._by_pattern(text) + self._by_lookup(text)
        taken = {entity["entity"] for entity in found}
        for name, kind in self._kinds:
            if name not in taken:
                hit = FINDERS[kind](text, here)
                if hit:
                    found.append(self._built_in(name, text, hit))
        if tagger is not None:
            found += self._by_tagger(text, tagger, found)
        return sorted(found, key=lambda entity: int(entity["start"]))

    def _built_in(self, name: str, text: str, hit: Found) -> Entity:
        value, start, end = hit
        entity = _entity(name, value, start, end, "built-in")
        if name in DUCKLING_NAMES:
            entity["additional_info"] = additional_info(name, value, text[start:end], self._zone)
        return entity

    def _by_pattern(self, text: str) -> list[Entity]:
        return [
            _entity(name, self._named(match[0]), *match.span(), "regex")
            for name, pattern in self._patterns
            for match in pattern.finditer(text)
            if match[0]
        ]

    def _by_lookup(self, text: str) -> list[Entity]:
        if not self._lookups:
            return []
        marks = list(_WORD.finditer(text))
        written = [fold(mark[0]) for mark in marks]
        words = [self._meant(word) for word in written]
        found, start = [], 0
        while start < len(words):
            step = 1
            for length in range(min(self._longest, len(words) - start), 0, -1):
                hit = self._lookups.get(" ".join(words[start : start + length]))
                if hit:
                    begin, end = marks[start].start(), marks[start + length - 1].end()
                    is_as_listed = words[start : start + length] == written[start : start + length]
                    value = self._named(text[begin:end] if is_as_listed else hit[1])
                    found.append(_entity(hit[0], value, begin, end, "lookup"))
                    step = length
                    break
            start += step
        return found

    def _meant(self, word: str) -> str:
        """Return the listed word that is one slip of the keyboard away, unless the word is one the bot knows, or short."""
        if len(word) < _LONG_ENOUGH_TO_SLIP or word in self._usual:
            return word
        return self._listed.repair([word])[0]

    def _by_tagger(self, text: str, tagger: Tagger, sure: list[Entity]) -> list[Entity]:
        found = []
        for mark in tagger.find(text):
            roles = {kind: name for kind, name in (("role", mark.role), ("group", mark.group)) if name}
            under = [entity for entity in sure if entity["start"] < mark.end and entity["end"] > mark.start]
            if not under:
                value = self._named(text[mark.start : mark.end])
                found.append(_entity(mark.entity, value, mark.start, mark.end, "tagger") | roles)
            for entity in under:
                if entity["entity"] == mark.entity:
                    entity.update(roles)
        return found

    def _named(self, words: str) -> str:
        return self._synonyms.get(words.casefold(), words)


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))


def _entity(name: str, value: Any, start: int, end: int, extractor: str) -> Entity:
    return {"entity": name, "value": value, "start": start, "end": end, "extractor": extractor}


def spoken_payload(text: str) -> str:
    """Return an unknown `/payload` as words, so that it is at least read like a sentence."""
    return text.lstrip("/").replace("_", " ") if text.startswith("/") else text


def as_json(entities: list[Entity]) -> list[Mapping[str, Any]]:
    """Return the entities as Rasa's parse data."""
    return [dict(entity) for entity in entities]
