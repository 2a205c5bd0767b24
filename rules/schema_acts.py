"""What steps that send nothing say: labels, hand over, wallet, webhook, emit."""

import re
from collections.abc import Mapping
from typing import Any

from profiles.attributes import RESERVED
from rules.records import Key, Record
from rules.shapes import FLAG, Condition, Many, Pairs, Said, Text
from rules.step_shapes import PROSE, WORD

Found = Mapping[str, Any]
VALUE = Condition(of_any_kind=True)

ATTRIBUTE_NAME = Said("an attribute such as contact.tier", "un attribut tel que contact.tier")
TAG = Record(
    Said("Tag", "Étiquette"),
    (
        Key("add", Many(WORD, 20), Said("labels to add", "à ajouter")),
        Key("remove", Many(WORD, 20), Said("labels to remove", "à retirer")),
    ),
    lambda found, reading, table: found or reading.wrong(table, "tag", "one of add, remove"),
    is_here=False,
)
HAND_OVER = Record(
    Said("Hand over", "Passage de main"),
    (
        Key("team", WORD, Said("to this team", "à cette équipe")),
        Key("agent", WORD, Said("to this agent", "à cet agent")),
        Key("note", PROSE, Said("what the agent reads; a template text", "ce que lit l'agent ; un texte modèle")),
        Key(
            "open",
            FLAG,
            Said("also open a conversation that rests", "ouvrir aussi une conversation au repos"),
            default="no",
        ),
    ),
    lambda found, reading, table: found,
)
WALLET = Record(
    Said("Wallet", "Carte"),
    (
        Key("pass", WORD, Said("which pass", "quelle carte"), is_required=True),
        Key(
            "set",
            Pairs(Said("a field of the pass", "un champ de la carte"), lambda name: name or None, PROSE),
            Said("field: template text", "champ : texte modèle"),
            is_required=True,
        ),
    ),
    lambda found, reading, table: found,
)


def _url(text: str) -> str | None:
    return text if re.fullmatch(r"https?://[^\s/@]+(/\S*)?", text) else None


WEBHOOK = Record(
    Said("Webhook", "Appel sortant"),
    (
        Key(
            "url",
            Text(Said("an address https://...", "une adresse https://..."), _url),
            Said("where to", "vers où"),
            is_required=True,
        ),
        Key(
            "body",
            Pairs(Said("a name", "un nom"), lambda name: name or None, PROSE),
            Said("name: template text, beside the run's facts", "nom : texte modèle, à côté des faits du parcours"),
        ),
    ),
    lambda found, reading, table: found,
)
EMIT = Record(
    Said("Emit", "Émission"),
    (
        Key(
            "event",
            Text(
                Said("an event's name such as nudge.shown", "un nom d'événement tel que nudge.shown"),
                lambda text: text if re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,4}", text) else None,
                most=100,
            ),
            Said("its name", "son nom"),
            is_required=True,
        ),
        Key(
            "properties",
            Pairs(
                Said("a property", "une propriété"),
                lambda name: name if re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name) and name not in RESERVED else None,
                VALUE,
            ),
            Said("property: expression", "propriété : expression"),
        ),
    ),
    lambda found, reading, table: found,
)
