"""What steps that send nothing say: labels, hand over, wallet, webhook, emit."""

import re

from profiles.attributes import RESERVED
from profiles.written import Table, place_of, text_at
from rules.attribute_shapes import VALUE
from rules.file_reading import Reading, Wrong
from rules.records import Found, Key, Record
from rules.shapes import FLAG, Many, Name, Pairs, Said, Text
from rules.step_shapes import WORD
from rules.template_file import WORDED

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
        Key("note", WORDED, Said("what the agent reads; a template text", "ce que lit l'agent ; un texte modèle")),
        Key(
            "open",
            FLAG,
            Said("also open a conversation that rests", "ouvrir aussi une conversation au repos"),
            default="no",
        ),
    ),
    lambda found, reading, table: found,
)
CARD = Name(
    Said("a wallet card", "une carte"),
    lambda reading: frozenset(reading.names.cards) if reading.names.cards is not None else None,
)
WALLET = Record(
    Said("Wallet", "Carte"),
    (
        Key(
            "pass",
            CARD,
            Said("which card, by its file's name", "quelle carte, par le nom de son fichier"),
            is_required=True,
        ),
        Key(
            "set",
            Pairs(Said("a field of the pass", "un champ de la carte"), lambda name: name or None, WORDED),
            Said(
                "field: template text; `message` is told on the lock screen",
                "champ : texte modèle ; `message` est dit sur l'écran verrouillé",
            ),
        ),
        Key("end", FLAG, Said("it is worth nothing any more", "elle ne vaut plus rien"), default="no"),
    ),
    lambda found, reading, table: _settable(found, reading, table),
)


def _settable(found: Found, reading: Reading, table: Table) -> Found | Wrong:
    """Refuse a field that the card does not have."""
    known = (reading.names.cards or {}).get(found["pass"])
    for name in found.get("set", {}) if known is not None else ():
        if name not in (known or ()):
            written = text_at(name, place_of(table["set"], name))
            return reading.unknown(written, "set", f'a field of the card "{found["pass"]}"', known or frozenset())
    return found


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
            Pairs(Said("a name", "un nom"), lambda name: name or None, WORDED),
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
