"""What a rule does, step by step: the key that begins each kind of step, and those beside it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from profiles.duration import Duration
from profiles.written import Table, place_of
from rules.attribute_shapes import Attributes
from rules.file_reading import Reading, named
from rules.forms import clock, weekdays
from rules.records import Found, Key, Record, Verbs
from rules.rule_step import (
    Emit,
    HandOver,
    If,
    Parallel,
    SetValue,
    Start,
    Stop,
    Switch,
    Tag,
    Wait,
    WaitUntil,
    Wallet,
    Webhook,
)
from rules.schema_acts import EMIT, HAND_OVER, TAG, WALLET, WEBHOOK
from rules.schema_send import SEND
from rules.shapes import Condition, Either, Many, Name, Said, Text
from rules.step_shapes import ID as NAMED
from rules.step_shapes import WORD, Below, Branch, Limited, Numbered, Signal

ID = Text(
    Said("small letters, digits, - and _", "des minuscules, chiffres, - et _"),
    lambda text: text if NAMED.fullmatch(text) else None,
    r"^[a-z][a-z0-9_-]{0,39}$",
)
RULE = Name(Said("a rule of the book", "une règle du livre"), lambda reading: reading.names.rules)


def _wait(found: Any, reading: Reading) -> Any:
    if isinstance(found, Duration):
        return Wait(reading.path, found)
    return Wait(reading.path, found.get("for"), found.get("until"), found.get("on"))


HOUR = Text(Said("an hour such as 09:00", "une heure telle que 09:00"), clock, r"^\d{1,2}:\d{2}$", 10, "09:00")
DAYS = Text(Said("weekdays such as mon-fri", "des jours tels que mon-fri"), weekdays, most=60, example="mon-fri")


def _some(found: Found, reading: Reading, table: Table) -> Any:
    return found or reading.wrong(table, "wait", "one of for, until, on")


WAIT = Record(
    Said("Wait", "Attente"),
    (
        Key("for", Limited(), Said("first this long", "d'abord cette durée")),
        Key("until", HOUR, Said("then until this local hour", "puis jusqu'à cette heure locale")),
        Key("on", DAYS, Said("then until one of these weekdays", "puis jusqu'à l'un de ces jours")),
    ),
    _some,
)


def _until(found: Found, reading: Reading, table: Table) -> Any:
    if ("any" in found) == ("all" in found):
        return reading.wrong(place_of(table), "wait until", "either any or all")
    return found


UNTIL = Record(
    Said("Wait until", "Attente d'un fait"),
    (
        Key("any", Many(Signal(), 20, least=1), Said("one of these is enough", "un seul suffit")),
        Key("all", Many(Signal(), 20, least=1), Said("all of these", "tous")),
        Key("at most", Limited(), Said("how long at most", "combien de temps au plus"), is_required=True),
    ),
    _until,
    lambda table, reading: replace(reading, event=None),
)


def _wait_until(found: Found, reading: Reading, table: Table) -> WaitUntil:
    asked = found["wait until"]
    signals, every = (asked["all"], True) if "all" in asked else (asked["any"], False)
    return WaitUntil(
        reading.path, signals, every, asked["at most"], found.get("reached", ()), found.get("otherwise", ())
    )


CASE = Record(
    Said("Case", "Cas"),
    (
        Key("if", Condition(), Said("the first case that holds", "le premier cas vrai"), is_required=True),
        Key("then", Below("then"), Said("its steps", "ses étapes"), is_required=True),
    ),
    lambda found, reading, table: (found["if"], found["then"]),
    is_here=False,
)
# -- the steps


def _step(
    verb: str, title: Said, shape: Any, about: Said, make: Callable[[Any, Reading, Found], Any], *more: Key
) -> Record:
    """Return the record of a step that begins with this verb; `make` gets the verb's value, the reading and the other keys."""

    def build(found: Found, reading: Reading, table: Table) -> Any:
        return make(found[verb], reading, found)

    def inside(table: Table, reading: Reading) -> Reading:
        name = named(table, "id")
        return replace(reading, path=name if NAMED.fullmatch(name) else reading.path, event=None)

    identified = Key(
        "id", ID, Said("its name: an edit keeps people in their place", "son nom : on garde sa place après une édition")
    )
    return Record(title, (Key(verb, shape, about, is_required=True), *more, identified), build, inside)


STEP = Verbs(
    Said("Steps", "Les étapes"),
    (
        _step(
            "send",
            Said("Step: send", "Étape : send"),
            SEND,
            Said("send a message", "envoyer un message"),
            lambda send, reading, found: send,
        ),
        _step(
            "wait",
            Said("Step: wait", "Étape : wait"),
            Either(Limited(), WAIT),
            Said(
                "wait a length, or until a local hour or weekday", "attendre une durée, ou une heure ou un jour locaux"
            ),
            lambda found, reading, rest: _wait(found, reading),
        ),
        _step(
            "wait until",
            Said("Step: wait until", "Étape : wait until"),
            UNTIL,
            Said("wait for something", "attendre un fait"),
            lambda asked, reading, found: _wait_until(found, reading, Table()),
            Key("reached", Below("reached"), Said("steps when it came", "étapes s'il est venu")),
            Key("otherwise", Below("otherwise"), Said("steps when it did not", "étapes sinon")),
        ),
        _step(
            "if",
            Said("Step: if", "Étape : if"),
            Condition(),
            Said("two ways", "deux chemins"),
            lambda condition, reading, found: If(reading.path, condition, found.get("then", ()), found.get("else", ())),
            Key("then", Below("then"), Said("steps when it holds", "étapes si elle est vraie"), is_required=True),
            Key("else", Below("otherwise"), Said("steps when it does not", "étapes sinon")),
        ),
        _step(
            "switch",
            Said("Step: switch", "Étape : switch"),
            Numbered(CASE),
            Said("the first case that holds (next best action)", "le premier cas vrai (meilleure action suivante)"),
            lambda cases, reading, found: Switch(reading.path, cases, found.get("else", ())),
            Key("else", Below("otherwise"), Said("steps when none holds", "étapes si aucun ne l'est")),
        ),
        _step(
            "parallel",
            Said("Step: parallel", "Étape : parallel"),
            Numbered(Branch(), 2, 10),
            Said(
                "branches at once; the run goes on when all have ended",
                "branches à la fois ; la suite quand toutes ont fini",
            ),
            lambda branches, reading, found: Parallel(reading.path, branches),
        ),
        _step(
            "set",
            Said("Step: set", "Étape : set"),
            Attributes(),
            Said("give attributes a value", "donner une valeur à des attributs"),
            lambda put, reading, found: SetValue(reading.path, put=put),
        ),
        _step(
            "add",
            Said("Step: add", "Étape : add"),
            Attributes(are_numbers=True),
            Said("add to numbers of the profile", "ajouter à des nombres du profil"),
            lambda add, reading, found: SetValue(reading.path, add=add),
        ),
        _step(
            "tag",
            Said("Step: tag", "Étape : tag"),
            Either(WORD, TAG),
            Said("labels of the profile", "étiquettes du profil"),
            lambda tag, reading, found: (
                Tag(reading.path, (tag,))
                if isinstance(tag, str)
                else Tag(reading.path, tag.get("add", ()), tag.get("remove", ()))
            ),
        ),
        _step(
            "hand over",
            Said("Step: hand over", "Étape : hand over"),
            HAND_OVER,
            Said("give the conversation to people", "confier la conversation à des personnes"),
            lambda given, reading, found: HandOver(
                reading.path,
                given.get("team"),
                given.get("agent"),
                given["note"].source if "note" in given else "",
                given.get("open", False),
            ),
        ),
        _step(
            "wallet",
            Said("Step: wallet", "Étape : wallet"),
            WALLET,
            Said("issue or update a wallet pass", "émettre ou mettre à jour une carte"),
            lambda given, reading, found: Wallet(
                reading.path,
                given["pass"],
                {name: text.source for name, text in given.get("set", {}).items()},
                given.get("end", False),
            ),
        ),
        _step(
            "webhook",
            Said("Step: webhook", "Étape : webhook"),
            WEBHOOK,
            Said("tell another system", "prévenir un autre système"),
            lambda given, reading, found: Webhook(
                reading.path, given["url"], {name: text.source for name, text in given.get("body", {}).items()}
            ),
        ),
        _step(
            "start",
            Said("Step: start", "Étape : start"),
            RULE,
            Said("start another rule for the contact", "lancer une autre règle pour le contact"),
            lambda rule, reading, found: Start(reading.path, rule),
        ),
        _step(
            "emit",
            Said("Step: emit", "Étape : emit"),
            EMIT,
            Said("put an event on the timeline", "poser un événement"),
            lambda given, reading, found: Emit(reading.path, given["event"], given.get("properties", {})),
        ),
        _step(
            "stop",
            Said("Step: stop", "Étape : stop"),
            WORD,
            Said("end the run; the word is the reason", "finir ; le mot est la raison"),
            lambda reason, reading, found: Stop(reading.path, "stopped" if reason == "stop" else reason),
        ),
    ),
    "step",
    ("stop",),
)
