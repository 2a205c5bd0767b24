"""What a `send` step says: channels, template, variants and their winner, the fallback."""

from typing import Any

from profiles.written import Table, place_of
from rules.file_reading import Reading
from rules.records import Found, Key, Record
from rules.rule_step import Fallback, Send, Winner
from rules.schema_words import CHANNEL
from rules.shapes import Either, Many, Name, Pairs, Said, Whole, choice
from rules.step_shapes import ID, Limited

TEMPLATE = Name(Said("a template", "un modèle"), lambda reading: reading.names.templates)
WINNER = Record(
    Said("Winner", "Gagnante"),
    (
        Key("by", choice("goal", "opened", "clicked"), Said("what decides", "ce qui décide"), is_required=True),
        Key("after", Whole(10, 10_000_000), Said("after so many sends", "après tant d'envois"), is_required=True),
    ),
    lambda found, reading, table: Winner(found["by"], found["after"]),
)
FALLBACK = Record(
    Said("Fallback", "Repli"),
    (
        Key(
            "unless",
            choice("delivered", "opened", "clicked"),
            Said("the reaction that makes it needless", "la réaction qui le rend inutile"),
            default="opened",
        ),
        Key("within", Limited(), Said("how long to wait for it", "combien de temps l'attendre"), is_required=True),
        Key(
            "channel",
            Many(CHANNEL, 10, least=1),
            Said("the first possible of these", "le premier possible"),
            is_required=True,
        ),
    ),
    lambda found, reading, table: Fallback(found.get("unless", "opened"), found["within"], found["channel"]),
)
ALL = Record(
    Said("All channels", "Tous les canaux"),
    (Key("all", Many(CHANNEL, 10, least=1), Said("on each of these", "sur chacun de ceux-ci"), is_required=True),),
    lambda found, reading, table: ("all", found["all"]),
    is_here=False,
)
CHANNELS = Either(
    Name(
        Said("a channel, or preferred", "un canal, ou preferred"),
        lambda reading: reading.names.channels,
        ("preferred",),
    ),
    ALL,
    Many(CHANNEL, 10, least=1),
)


def _send(found: Found, reading: Reading, table: Table) -> Any:
    channel = found["channel"]
    mode, channels = channel if isinstance(channel, tuple) and channel[0] == "all" else ("first", channel)
    variants = found.get("variants", {})
    if "winner" in found and len(variants) < 2:
        return reading.wrong(place_of(table, "winner"), "winner", "two variants or more to choose from")
    if variants and not sum(variants.values()):
        return reading.wrong(place_of(table, "variants"), "variants", "a share above 0")
    return Send(
        reading.path,
        (channels,) if isinstance(channels, str) else channels,
        found["template"],
        mode,
        variants,
        found.get("winner"),
        found.get("fallback"),
        found.get("urgency", "normal"),
    )


SEND = Record(
    Said("Send", "Envoi"),
    (
        Key(
            "channel",
            CHANNELS,
            Said(
                "one channel; a list: the first possible; {all: [...]}: each; preferred: the contact's most "
                "reactive one",
                "un canal ; une liste : le premier possible ; {all: [...]} : chacun ; preferred : celui où le contact "
                "réagit le plus",
            ),
            is_required=True,
        ),
        Key("template", TEMPLATE, Said("what is said", "ce qui est dit"), is_required=True),
        Key(
            "variants",
            Pairs(
                Said("a variant", "une variante"),
                lambda name: name if ID.fullmatch(name) else None,
                Whole(0, 1000),
                10,
            ),
            Said(
                "variant: its part of the sum; a contact keeps theirs",
                "variante : sa part de la somme ; un contact garde la sienne",
            ),
        ),
        Key(
            "winner",
            WINNER,
            Said("the best takes all after so many sends", "la meilleure prend tout après tant d'envois"),
        ),
        Key(
            "fallback", FALLBACK, Said("another channel when there was no reaction", "un autre canal faute de réaction")
        ),
        Key(
            "urgency",
            choice("low", "normal", "high"),
            Said("how a push wakes the phone", "comment un push réveille le téléphone"),
            default="normal",
        ),
    ),
    _send,
)
