"""vocabulary.yml: the attributes and events that there are, and how people call them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from profiles.attributes import RESERVED
from profiles.expression_tree import Kind
from profiles.written import Table
from rules.file_reading import Reading
from rules.house_files import NAME, VOCABULARY
from rules.records import Found, Key, Record
from rules.shapes import FLAG, Pairs, Said, choice
from rules.step_shapes import PROSE

OWN_EVENTS = frozenset(
    {
        *(f"conversation.{what}" for what in (
            "opened", "reopened", "queued", "handed_over", "assigned", "unassigned", "taken", "given_back", "snoozed", "woken",
            "resolved", "replied", "noted",
        )),
        *(f"message.{what}" for what in ("delivered", "read", "opened", "clicked", "answered", "replied", "scanned",
                                   "dismissed")),
        *(f"profile.{what}" for what in ("changed", "identified", "merged", "edited")),
        *(f"pass.{what}" for what in ("issued", "added", "removed")),
        "segment.entered", "segment.left", "consent.asked", "consent.given", "consent.withdrawn", "bot.unanswered",
        "data.erasure_asked", "data.removal_asked",
        *(f"identity.{what}" for what in ("added", "removed", "blocked", "unblocked")),
    }
)  # fmt: skip
"""Events that the server makes itself: known without a word in vocabulary.yml."""


@dataclass(frozen=True, slots=True)
class Called:
    """One attribute or event of vocabulary.yml."""

    kind: Kind = Kind.ANY
    words: Mapping[str, str] = field(default_factory=dict)
    is_sensitive: bool = False
    is_own: bool = False
    """Whether the contact corrects it on their own page; whatever is known of them they see there."""
    properties: Mapping[str, Kind] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Words:
    """What vocabulary.yml says. None: no such list, every name will do."""

    attributes: Mapping[str, Called] | None = None
    events: Mapping[str, Called] | None = None


def _attribute(text: str) -> str | None:
    return text if text.isidentifier() and text.isascii() and text == text.lower() and text not in RESERVED else None


def _event(text: str) -> str | None:
    parts = text.split(".")
    is_event = all(part.isidentifier() and part.isascii() and part == part.lower() for part in parts)
    return text if is_event and len(text) <= 100 else None


KIND = choice(*(kind.value for kind in Kind))
CALLED = (
    Key("fr", PROSE, Said("how people call it in French", "comment on l'appelle en français")),
    Key("en", PROSE, Said("how people call it in English", "comment on l'appelle en anglais")),
)
ATTRIBUTE = Record(
    Said("An attribute", "Un attribut"),
    (
        Key("kind", KIND, Said("what its value is", "ce qu'est sa valeur"), default="unknown"),
        *CALLED,
        Key("sensitive", FLAG, Said("health, belief, money troubles: a message about it is warned of",
            "santé, croyance, difficultés : un message à ce sujet fait l'objet d'un avertissement"), default="no"),
        Key("own", FLAG, Said("the contact corrects it on their own page",
            "le contact la corrige sur sa propre page"), default="no"),
    ),
    lambda found, reading, table: Called(
        Kind(found.get("kind", "unknown")), _languages(found), found.get("sensitive", False), found.get("own", False)
    ),
)  # fmt: skip
EVENT = Record(
    Said("A known event", "Un événement connu"),
    (*CALLED, Key("properties", Pairs(NAME, _attribute, KIND), Said("property: kind", "propriété : nature"))),
    lambda found, reading, table: Called(
        words=_languages(found), properties={name: Kind(kind) for name, kind in found.get("properties", {}).items()}
    ),
)
VOCABULARY_SHAPE = Record(
    Said("vocabulary.yml", "vocabulary.yml"),
    (
        Key("attributes", Pairs(NAME, _attribute, ATTRIBUTE, 500), Said("the attributes that rules may name; absent: any",
            "les attributs que les règles peuvent nommer ; absents : tous")),
        Key("events", Pairs(Said("an event", "un événement"), _event, EVENT, 500), Said(
            "the events that rules may name, beside the server's own; absent: any",
            "les événements que les règles peuvent nommer, outre ceux du serveur ; absents : tous")),
    ),
    lambda found, reading, table: Words(found.get("attributes"), found.get("events")),
)  # fmt: skip


def read_vocabulary(table: Table, reading: Reading) -> Words:
    """Return the attributes and events that there are."""
    found = VOCABULARY_SHAPE.read(table, reading, VOCABULARY)
    return found if isinstance(found, Words) else Words()


def _languages(found: Found) -> Mapping[str, str]:
    return {language: found[language] for language in ("fr", "en") if language in found}
