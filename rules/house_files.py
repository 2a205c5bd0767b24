"""The files of the book that are no rules: topics.yml, segments.yml, pressure.yml, vocabulary.yml, each read by its schema.

topics.yml: what messages are about, in words that consent attaches to. segments.yml: saved conditions. pressure.yml: the house's
caps, quiet hours and control group. vocabulary.yml: the attributes and events that there are, how people call them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any, Literal

from profiles.attributes import RESERVED
from profiles.caps import Calendar, Cap, grace, mistakes
from profiles.duration import Duration
from profiles.expression_tree import Kind
from profiles.hours import Hours
from profiles.topics import WORD, Topic
from profiles.topics import mistakes as topic_mistakes
from profiles.written import Table, place_of, value_of
from rules.audience import AUDIENCE, joined
from rules.file_reading import WRONG, Reading
from rules.forms import Count, price
from rules.policy import Prices
from rules.records import Key, Record
from rules.rule_terms import Tracking, Window
from rules.schema import COUNT, SHARE, TRACKING, WINDOW
from rules.schema_steps import HOUR
from rules.schema_triggers import CHANNEL, LENGTH
from rules.shapes import FLAG, Many, Pairs, Said, Text, choice
from rules.step_shapes import PROSE

Found = Mapping[str, Any]
Scope = Literal["all", "channel", "topic", "label"]

TOPICS, SEGMENTS, PRESSURE, VOCABULARY = "topics.yml", "segments.yml", "pressure.yml", "vocabulary.yml"
HOUSE_FILES = (VOCABULARY, TOPICS, SEGMENTS, PRESSURE)
"""In the order in which they are read: each may name what those before it say."""


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
class Limits:
    """What pressure.yml says."""

    caps: tuple[Cap, ...] = ()
    quiet: tuple[Hours, ...] = ()
    control: float = 0.0
    tracking: Tracking = Tracking()
    best_hour: time | None = None
    sms_prices: Prices = Prices()


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


def _word(text: str) -> str | None:
    return text if WORD.fullmatch(text) else None


def _attribute(text: str) -> str | None:
    return text if text.isidentifier() and text.isascii() and text == text.lower() and text not in RESERVED else None


def _event(text: str) -> str | None:
    parts = text.split(".")
    is_event = all(part.isidentifier() and part.isascii() and part == part.lower() for part in parts)
    return text if is_event and len(text) <= 100 else None


def _currency(text: str) -> str | None:
    return text if len(text) == 3 and text.isascii() and text.isalpha() and text.isupper() else None


def _country(text: str) -> str | None:
    return text if len(text) == 2 and text.isascii() and text.isalpha() and text.isupper() else None


NAME = Said("small letters, digits, - and _", "des minuscules, chiffres, - et _")
LANGUAGES = Record(
    Said("Two languages", "Deux langues"),
    (
        Key("fr", PROSE, Said("in French", "en français"), is_required=True),
        Key("en", PROSE, Said("in English", "en anglais"), is_required=True),
    ),
    lambda found, reading, table: dict(found),
    is_here=False,
)


# -- topics.yml


def _topic(found: Found, reading: Reading, table: Table) -> Topic:
    return Topic(
        "",
        found["title"],
        found["wording"],
        found.get("version", "1"),
        found.get("channels", ()),
        found.get("consent", "opt_in"),
        found.get("double opt in", False),
    )


TOPIC = Record(
    Said("A topic", "Un sujet"),
    (
        Key("title", LANGUAGES, Said("its name in the preference centre", "son nom au centre de préférences"),
            is_required=True),
        Key("wording", LANGUAGES, Said("the sentence a person agrees to", "la phrase qu'une personne accepte"),
            is_required=True),
        Key("version", Text(Said("a version", "une version"), most=20), Said(
            "a new one whenever the wording changes: proofs name it",
            "une nouvelle dès que la phrase change : les preuves la nomment"),
            default="1"),
        Key("channels", Many(CHANNEL, 20), Said("where it is sent at all", "où il est envoyé"), default="every"),
        Key("consent", choice("opt_in", "opt_out"), Said("opt_out: existing customers until they say no",
            "opt_out : les clients existants, tant qu'ils ne refusent pas"), default="opt_in"),
        Key("double opt in", FLAG, Said("a yes counts once confirmed from the address itself",
            "un oui compte une fois confirmé depuis l'adresse"), default="no"),
    ),
    _topic,
)  # fmt: skip
TOPICS_SHAPE = Pairs(Said("topics", "les sujets"), _word, TOPIC)


def read_topics(table: Table, reading: Reading) -> Mapping[str, Topic]:
    """Return the topics of topics.yml by id."""
    found = TOPICS_SHAPE.read(table, reading, TOPICS)
    if found is WRONG:
        return {}
    topics = {
        name: Topic(name, one.titles, one.wordings, one.version, one.channels, one.consent, one.double_opt_in)
        for name, one in found.items()
    }
    for name, topic in topics.items():
        for problem in topic_mistakes(topic):
            reading.findings.error(place_of(table, name), f"{name}: {problem}.")
    return topics


# -- segments.yml


def read_segments(table: Table, reading: Reading) -> Mapping[str, str]:
    """Return the segments of segments.yml, each with its condition as one text; every one is read once with all others known."""
    found: dict[str, str] = {}
    for name in table:
        value = value_of(table, name)
        if _word(name) is None:
            reading.wrong(place_of(table, name), SEGMENTS, f'{NAME.en}, got "{name}"')
        elif AUDIENCE.read(value, reading, name) is not WRONG:
            found[name] = joined(value, None, name) or ""
    return found


def written_segments(table: Table) -> Mapping[str, str]:
    """Return the segments unchecked: what each may name before any of them was read."""
    texts = {name: joined(value, None, name) for name, value in table.items() if _word(name)}
    return {name: text for name, text in texts.items() if text}


# -- pressure.yml

SCOPED = Record(
    Said("Limits of one", "Limites de l'un"),
    (
        Key("at most", Many(COUNT, 10), Said("caps; per a length: rolling; per day, week or month: of the contact's calendar",
            "plafonds ; par durée : glissants ; par day, week ou month : au calendrier du contact")),
        Key("grace", LENGTH, Said("least time between two", "temps minimal entre deux")),
    ),
    lambda found, reading, table: found,
    is_here=False,
)  # fmt: skip
PRICE = Text(Said("a price such as 0.045", "un prix tel que 0.045"), price, r"^\d{1,3}(\.\d{1,5})?$", 10, "0.045")
SMS_PRICES = Record(
    Said("Prices of SMS", "Prix des SMS"),
    (
        Key("currency", Text(Said("a currency such as EUR", "une devise telle que EUR"), _currency, r"^[A-Z]{3}$", 3, "EUR"),
            Said("what the prices are in", "la devise des prix"), is_required=True),
        Key("other", PRICE, Said("one segment to any country not named", "un segment vers tout pays non nommé")),
        Key("countries", Pairs(Said("a country such as FR", "un pays tel que FR"), _country, PRICE), Said(
            "one segment to this country", "un segment vers ce pays")),
    ),
    lambda found, reading, table: Prices(found["currency"], found.get("other"), found.get("countries", {})),
    is_here=False,
)  # fmt: skip
PRESSURE_SHAPE = Record(
    Said("pressure.yml", "pressure.yml"),
    (
        *SCOPED.keys,
        Key("channels", Pairs(NAME, _word, SCOPED), Said("limits per channel", "limites par canal")),
        Key("topics", Pairs(NAME, _word, SCOPED), Said("limits per topic", "limites par sujet")),
        Key("labels", Pairs(Said("a label", "une étiquette"), lambda name: name or None, SCOPED), Said(
            "limits per label", "limites par étiquette")),
        Key("quiet hours", Many(WINDOW, 20), Said("local hours at which marketing and service messages wait",
            "heures locales où marketing et service attendent")),
        Key("control", SHARE, Said("share of contacts whom no marketing reaches, to measure all of it by",
            "part des contacts qu'aucun marketing n'atteint, pour tout mesurer"), default="0%"),
        Key("best hour", HOUR, Said("what `best hour` waits for where a contact's own is not known; absent: it does not wait",
            "ce que `best hour` attend quand celle du contact est inconnue ; absente : il n'attend pas")),
        Key("sms prices", SMS_PRICES, Said("what one segment costs: previews tell what a rule's SMS come to",
            "ce que coûte un segment : les aperçus disent à combien reviennent les SMS d'une règle")),
        Key("tracking", TRACKING, Said("what is counted of messages, unless a rule says otherwise",
            "ce qui est compté des messages, sauf si une règle dit autrement")),
    ),
    lambda found, reading, table: found,
)  # fmt: skip


def read_pressure(table: Table, reading: Reading) -> Limits:
    """Return the house's caps, quiet hours, control group, best hour and tracking."""
    found = PRESSURE_SHAPE.read(table, reading, PRESSURE)
    if found is WRONG:
        return Limits()
    caps = tuple(_caps(found, "all", ""))
    for scope, key in (("channel", "channels"), ("topic", "topics"), ("label", "labels")):
        for name, limits in found.get(key, {}).items():
            caps += tuple(_caps(limits, scope, name))  # type: ignore[arg-type]
    for cap in caps:
        for problem in mistakes(cap):
            reading.findings.error(place_of(table), f"{cap.name or 'at most'}: {problem}.")
    spells = [spell for spell in found.get("quiet hours", ()) if isinstance(spell, Window)]
    quiet = tuple(Hours(spell.since, spell.until, spell.days) for spell in spells)
    best, tracking = found.get("best hour"), found.get("tracking", Tracking())
    return Limits(caps, quiet, found.get("control", 0.0), tracking, best, found.get("sms prices", Prices()))


def _caps(found: Found, scope: Scope, name: str) -> Iterator[Cap]:
    for limit in found.get("at most", ()):
        if isinstance(limit, Count):
            yield Cap(limit.at_most, _within(limit.per), scope, name, limit.below)
    if isinstance(apart := found.get("grace"), Duration):
        yield grace(apart.at_most, scope, name)


def _within(per: Duration | Calendar) -> timedelta | Calendar:
    return per.at_most if isinstance(per, Duration) else per


# -- vocabulary.yml

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
