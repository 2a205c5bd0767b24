"""The one definition of a rule file: each key, its shape, what it is about, in the order in which a file reads.

rules/rule_file.py reads by it, rules/json_schema.py tells editors, rules/reference.py writes the manual's tables.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from profiles.written import Table
from rules.audience import AUDIENCE
from rules.file_reading import Reading
from rules.forms import Count, count, day, share, window
from rules.languages import in_languages, spoken
from rules.records import Found, Key, Record
from rules.rule import Rule
from rules.rule_terms import Entry, Goal, Pressure, Timing, Tracking
from rules.schema_triggers import TRIGGERS, begins_with
from rules.schema_words import EVENT_KEY, WHERE_KEY, ZONE_KEY, event_match, with_event
from rules.shapes import FLAG, Condition, Many, Name, Said, Text, Whole, choice
from rules.step_shapes import PROSE, WORD, Limited, Signal, Steps

RULE_ID = Text(
    Said("small letters, digits and -, at most 60", "des minuscules, chiffres et -, 60 au plus"),
    lambda text: text if text.replace("-", "a").isalnum() and text.isascii() and text == text.lower() else None,
    r"^[a-z0-9-]{1,60}$",
    60,
    "cart-reminder",
)
COUNT = Text(Said("a count such as 2 per 7d", "un compte tel que 2 per 7d"), count, r"^\d+ per .+$", 60, "2 per 7d")
DAY = Text(Said("a date such as 2026-11-30", "une date telle que 2026-11-30"), day, most=20, example="2026-11-30")
SHARE = Text(Said("a share such as 5%", "une part telle que 5%"), share, r"^\d{1,3}(\.\d+)? ?%$", 10, "5%")
WINDOW = Text(
    Said("hours such as mon-sat 09:00-20:00", "des heures telles que mon-sat 09:00-20:00"), window, most=80,
    example="mon-sat 09:00-20:00",
)  # fmt: skip
TITLE = Text(
    Said("a text of at most 80", "un texte de 80 au plus"), lambda text: text if text.strip() else None, most=80
)
UTM = Text(
    Said("a word such as shop, or none", "un mot tel que shop, ou none"),
    lambda text: text if text.replace("-", "a").replace("_", "a").replace(".", "a").isalnum() and text.isascii() else None,
    r"^[A-Za-z0-9_.-]{1,60}$", 60, "shop",
)  # fmt: skip
TOPIC = Name(Said("a topic of topics.yml", "un sujet de topics.yml"), lambda reading: reading.names.topics)


def _rolling(found: Found, reading: Reading, table: Table) -> Any:
    """Return the keys with `at most` split; a rule's own limits are rolling."""
    limit = found.get("at most")
    if isinstance(limit, Count) and (isinstance(limit.per, str) or limit.below is not None):
        return reading.wrong(table["at most"], "at most", "a count per length such as 2 per 7d")
    return found


def _entry(found: Found, reading: Reading, table: Table) -> Any:
    limit = found.get("at most")
    split = _rolling(found, reading, table)
    if split is not found:
        return split
    return Entry(
        limit.at_most if limit else None, limit.per if limit else None, found.get("grace"), found.get("holdout", 0.0)
    )


def _pressure(found: Found, reading: Reading, table: Table) -> Any:
    limit = found.get("at most")
    split = _rolling(found, reading, table)
    if split is not found:
        return split
    return Pressure(
        found.get("on cap", "drop"), found.get("wait at most"), limit.at_most if limit else None,
        limit.per if limit else None, found.get("urgent", False),
    )  # fmt: skip


def _timing(found: Found, reading: Reading, table: Table) -> Timing:
    return Timing(
        found.get("window"), found.get("zone", "contact"), found.get("best hour", False), found.get("late after")
    )


def _valid(found: Found, reading: Reading, table: Table) -> Any:
    first, last = found.get("from"), found.get("until")
    if isinstance(first, date) and isinstance(last, date) and last < first:
        return reading.wrong(table["until"], "until", f"{first} or later")
    return first, last


VALID = Record(
    Said("Valid", "Validité"),
    (
        Key("from", DAY, Said("the first day", "le premier jour")),
        Key("until", DAY, Said("the last day", "le dernier jour")),
    ),
    _valid,
)
ENTRY = Record(
    Said("Entry", "Entrée"),
    (
        Key("at most", COUNT, Said("how often one contact may enter", "combien de fois un contact peut entrer")),
        Key("grace", Limited(), Said("no new run so long after this rule's last message",
            "pas de nouveau parcours si peu après le dernier message de la règle")),
        Key("holdout", SHARE, Said("share of contacts who only run as ghosts, to measure by",
            "part des contacts qui ne font que passer en fantômes, pour mesurer"), default="0%"),
    ),
    _entry,
)  # fmt: skip
GOAL = Record(
    Said("Goal", "But"),
    (
        EVENT_KEY,
        WHERE_KEY,
        Key("within", Limited(), Said("so long after a message it counts for it",
            "si peu après un message, il compte pour lui"), is_required=True),
        Key("value", Condition(of_any_kind=True), Said("what it is worth", "ce qu'il vaut")),
    ),
    lambda found, reading, table: Goal(event_match(found), found["within"], found.get("value")),
    with_event,
)  # fmt: skip
TIMING = Record(
    Said("Timing", "Horaires"),
    (
        Key("window", WINDOW, Said("local hours at which messages may leave", "heures locales où un message peut partir")),
        ZONE_KEY,
        Key("best hour", FLAG, Said("wait for the hour this contact reacts at most",
            "attendre l'heure où ce contact réagit le plus"), default="no"),
        Key("late after", Limited(), Said("a step this late is not done any more: no message of yesterday",
            "une étape si tardive n'est plus faite : pas de message d'hier")),
    ),
    _timing,
)  # fmt: skip
PRESSURE = Record(
    Said("Pressure", "Pression"),
    (
        Key("at most", COUNT, Said("this rule's own cap for one contact", "le plafond de cette règle pour un contact")),
        Key("on cap", choice("drop", "wait", "fallback"), Said("over a cap: no message, wait for a free slot, another channel",
            "au-delà d'un plafond : pas de message, attendre une place, autre canal"), default="drop"),
        Key("wait at most", Limited(), Said("how long to wait for a free slot", "combien de temps attendre une place")),
        Key("urgent", FLAG, Said("a service message that quiet hours do not hold",
            "un message de service que les heures calmes ne retiennent pas"), default="no"),
    ),
    _pressure,
)  # fmt: skip
TRACKING = Record(
    Said("Tracking", "Suivi"),
    (
        Key("clicks", FLAG, Said("whether links lead through this server, which counts who opens them",
            "si les liens passent par ce serveur, qui compte qui les ouvre"), default="yes"),
        Key("opens", FLAG, Said("whether a picture of one pixel in an e-mail tells that it was opened",
            "si une image d'un pixel dans un e-mail dit qu'il a été ouvert"), default="yes"),
        Key("utm", UTM, Said("utm_source of its links, with the channel as utm_medium and the rule as utm_campaign; or none",
            "utm_source de ses liens, avec le canal en utm_medium et la règle en utm_campaign ; ou none"), default="none"),
    ),
    lambda found, reading, table: Tracking(found.get("clicks"), found.get("opens"), found.get("utm")),
)  # fmt: skip

RULE = Record(
    Said("The rule", "La règle"),
    (
        Key("rule", RULE_ID, Said("its name, for ever: runs and reports hang on it",
            "son nom, pour toujours : parcours et bilans en dépendent"), is_required=True),
        Key("title", in_languages(TITLE), Said("what the console calls it; absent: its name",
            "comment la console l'appelle ; absent : son nom")),
        Key("about", in_languages(PROSE), Said("one sentence for the console", "une phrase pour la console")),
        Key("owner", WORD, Said("who answers for it", "qui en répond")),
        Key("state", choice("draft", "test", "live", "paused"), Said("test: only for `testers`", "test : seulement pour `testers`"),
            default="draft"),
        Key("class", choice("marketing", "service", "transactional"), Said(
            "marketing obeys all limits; service ignores marketing caps; transactional ignores caps and quiet hours",
            "marketing obéit à tout ; service ignore les plafonds de marketing ; transactional ignore plafonds et heures calmes"),
            default="marketing"),
        Key("topic", TOPIC, Said("what consent attaches to; needed to send anything but transactional messages",
            "à quoi tient le consentement ; nécessaire sauf pour les messages transactionnels")),
        Key("labels", Many(WORD, 20), Said("caps count by them; frozen on a message when it is decided",
            "les plafonds comptent par eux ; figés sur le message décidé")),
        Key("priority", Whole(0, 100), Said("who gets the last free slot", "qui obtient la dernière place"), default="50"),
        Key("valid", VALID, Said("the days it lives, both included, as the contact counts them",
            "les jours où elle vit, bornes comprises, tels que le contact les compte")),
        Key("testers", Many(WORD, 100), Said("profile ids or addresses such as email:anna@example.org",
            "identifiants de profils ou adresses telles que email:anna@example.org")),
        Key("when", TRIGGERS, Said("what begins a run", "ce qui commence un parcours"), is_required=True),
        Key("for", AUDIENCE, Said("who; a list means and; any:, none: and all: hold further conditions",
            "qui ; une liste vaut « et » ; any:, none: et all: tiennent d'autres conditions"), default="everybody"),
        Key("entry", ENTRY, Said("how often, and who stays outside", "combien de fois, et qui reste dehors")),
        Key("hold if", Many(Condition(), 20), Said("wait while one of these is true", "attendre tant que l'une est vraie")),
        Key("exit on", Many(Signal(), 20), Said("ends a run at any moment, also in the middle of a wait",
            "finit un parcours à tout moment, même pendant une attente")),
        Key("goal", GOAL, Said("what the rule wants to happen", "ce que la règle cherche")),
        Key("timing", TIMING, Said("when messages may leave", "quand un message peut partir")),
        Key("pressure", PRESSURE, Said("what happens over a cap", "que faire au-delà d'un plafond")),
        Key("tracking", TRACKING, Said("what is counted of its messages; else as pressure.yml says",
            "ce qui est compté de ses messages ; sinon comme le dit pressure.yml")),
        Key("on edit", choice("finish", "migrate", "stop"), Said(
            "who is inside when the file changes: ends on the old version, goes on in the new one, or leaves",
            "qui est dedans quand le fichier change : finit sur l'ancienne version, passe à la nouvelle, ou sort"),
            default="finish"),
        Key("steps", Steps(1), Said("what is done, in order", "ce qui est fait, dans l'ordre"), is_required=True),
    ),
    lambda found, reading, table: _rule(found),
    lambda table, reading: replace(
        reading, start=begins_with(table), sends=frozenset(_sends(table.get("steps")))
    ),
)  # fmt: skip


def _rule(found: Found) -> Rule:
    first, last = found.get("valid", (None, None))
    return Rule(
        id=found["rule"],
        trigger=found["when"],
        steps=found["steps"],
        title=spoken(found.get("title")),
        about=spoken(found.get("about")),
        owner=found.get("owner", ""),
        state=found.get("state", "draft"),
        kind=found.get("class", "marketing"),
        topic=found.get("topic", ""),
        labels=found.get("labels", ()),
        priority=found.get("priority", 50),
        valid_from=first,
        valid_until=last,
        audience=found.get("for"),
        entry=found.get("entry", Entry()),
        holds=found.get("hold if", ()),
        exits=found.get("exit on", ()),
        goal=found.get("goal"),
        timing=found.get("timing", Timing()),
        pressure=found.get("pressure", Pressure()),
        tracking=found.get("tracking", Tracking()),
        testers=found.get("testers", ()),
        on_edit=found.get("on edit", "finish"),
    )


def _sends(steps: Any) -> Iterator[str]:
    """Yield the ids of the send steps, however deep, before they are read: a wait may stand before its message."""
    for value in steps if isinstance(steps, list) else steps.values() if isinstance(steps, Table) else ():
        yield from _sends(value)
    if isinstance(steps, Table) and "send" in steps and isinstance(steps.get("id"), str):
        yield str(steps["id"])
