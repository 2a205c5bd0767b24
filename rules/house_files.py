"""The files of the book that are no rules, each read by its schema; pressure.yml and vocabulary.yml have modules of their own.

topics.yml: what messages are about, in words that consent attaches to. segments.yml: saved conditions.
"""

from collections.abc import Mapping

from profiles.topics import WORD, Topic
from profiles.topics import mistakes as topic_mistakes
from profiles.written import Table, place_of, value_of
from rules.audience import AUDIENCE, joined
from rules.file_reading import WRONG, Reading
from rules.records import Found, Key, Record
from rules.schema_words import CHANNEL
from rules.shapes import FLAG, Many, Pairs, Said, Text, choice
from rules.step_shapes import PROSE

TOPICS, SEGMENTS, PRESSURE, VOCABULARY = "topics.yml", "segments.yml", "pressure.yml", "vocabulary.yml"
HOUSE_FILES = (VOCABULARY, TOPICS, SEGMENTS, PRESSURE)
"""In the order in which they are read: each may name what those before it say."""


def word(text: str) -> str | None:
    """Return a name as topics, channels and segments have them; None for what is none."""
    return text if WORD.fullmatch(text) else None


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
TOPICS_SHAPE = Pairs(Said("topics", "les sujets"), word, TOPIC)


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
        if word(name) is None:
            reading.wrong(place_of(table, name), SEGMENTS, f'{NAME.en}, got "{name}"')
        elif AUDIENCE.read(value, reading, name) is not WRONG:
            found[name] = joined(value, None, name) or ""
    return found


def written_segments(table: Table) -> Mapping[str, str]:
    """Return the segments unchecked: what each may name before any of them was read."""
    texts = {name: joined(value, None, name) for name, value in table.items() if word(name)}
    return {name: text for name, text in texts.items() if text}
