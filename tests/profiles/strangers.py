"""Random people with a random past, full of values that are missing, of the wrong kind or on an edge; and random conditions."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from profiles.expression import Kind, Vocabulary
from profiles.profile import Attribute, Identity, Profile, Suppression
from profiles.record import to_document
from profiles.store import Document
from profiles.timeline import Content, Delivery, Event, Message

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ZONES = ("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe")

NUMBERS: list[Any] = [0, 1, -1, 2, 2.5, 10, 10.0, -0.0, 1e17, -3e18, 1e200, 9007199254740993, 2**62]
TEXTS: list[Any] = ["", "FR", "fr", "BE", "É", "émile", "ÉMILE", "a.b", "$x", "$$ROOT", "zoë\n", "2026-11-22", "2026-02-30",
                    "2000-02-29", "1990-11-22", "2026-12-06", "2026-11-22\n", "2026-13-01", "12:30", "z" * 40]  # fmt: skip
FLAGS: list[Any] = [True, False]
INSTANTS: list[Any] = [
    NOW, NOW - timedelta(minutes=5), NOW - timedelta(days=30), NOW + timedelta(days=14), NOW - timedelta(hours=10),
    NOW - timedelta(days=400), datetime(2000, 2, 29, 23, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC), datetime(9500, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, 12, 0, tzinfo=UTC),
]  # fmt: skip
LISTS: list[Any] = [[], ["FR"], ["a.b", "É"], ["$x", "FR", "fr"]]
ODD: list[Any] = [None, {"a": 1}, [1, 2.5, "FR"], [True], float("nan"), float("inf"), [None], [["FR"]]]
"""What only events can hold: attributes are bounded more strictly, but the language trusts neither."""
DAYS: list[Any] = [text for text in TEXTS if text[:2] in ("19", "20")]

POOLS = {"num": NUMBERS, "text": TEXTS, "flag": FLAGS, "at": INSTANTS, "day": DAYS, "tags": LISTS}
EVERYTHING = [value for pool in POOLS.values() for value in pool] + ODD
EVENTS = ("order.paid", "page.viewed")
DECLARED = {
    "num": Kind.NUMBER,
    "text": Kind.TEXT,
    "flag": Kind.FLAG,
    "at": Kind.INSTANT,
    "day": Kind.DATE,
    "tags": Kind.TEXTS,
}
SEGMENTS = {
    "vip": 'contact.num > 1 or did("order.paid", count=">=2")',
    "far": 'not segment("vip") and contact.text != "FR"',
}
OPEN = Vocabulary(segments=SEGMENTS)
STRICT = Vocabulary(
    attributes={**DECLARED, "mix": Kind.ANY},
    events={name: {**DECLARED, "mix": Kind.ANY} for name in EVENTS},
    segments=SEGMENTS,
    channels=frozenset({"sms", "email"}),
)


def people(seed: int, number: int) -> list[Profile]:
    """Return so many profiles, a tenth of them merged into others."""
    chance = random.Random(seed)
    found = [_person(chance, f"P{seed}-{index:03}") for index in range(number)]
    for index in range(0, number - 1, 10):  # the first of ten is absorbed by the second, its own shells with it
        shell, kept = found[index], found[index + 1]
        found[index + 1] = _with(kept, absorbed=(shell.id,))
        found[index] = _with(shell, merged_into=kept.id)
    return found


def past(seed: int, profiles: list[Profile]) -> tuple[list[Event], list[Document]]:
    """Return the events and the documents of our messages of these people, some of the future, some of long ago."""
    chance = random.Random(seed + 1000)
    events, messages = [], []
    for profile in profiles:
        for index in range(chance.choice([0, 0, 1, 2, 3, 5])):
            at = _moment(chance)
            properties = {name: _value(chance, name) for name in (*POOLS, "mix") if chance.random() < 0.6}
            events.append(Event(f"{profile.id}-e{index}", profile.id, chance.choice(EVENTS), at, properties=properties))
        for index in range(chance.choice([0, 0, 1, 3])):
            messages.append(_message(chance, f"{profile.id}-m{index}", profile.id))
    return events, messages


def _person(chance: random.Random, id: str) -> Profile:
    names = [name for name in (*POOLS, "mix", "first_name", "last_name", "name") if chance.random() < 0.7]
    attributes = {name: Attribute(_value(chance, name), "declared", NOW) for name in names}
    identities = []
    for channel in ("sms", "email", "webchat"):
        if chance.random() < 0.5:
            ban = Suppression("blocked", NOW) if chance.random() < 0.3 else None
            identities.append(Identity(channel, id, NOW, suppression=ban, is_claimed=chance.random() < 0.8))
    return Profile(
        id=id,
        created_at=chance.choice(INSTANTS[:9]),
        identities=tuple(identities),
        attributes=attributes,
        language=chance.choice([None, "fr", "en"]),
        last_inbound_at=chance.choice([None, *INSTANTS[:9]]),
    )


def _value(chance: random.Random, name: str) -> Any:
    pool = POOLS.get(name, TEXTS if name.endswith("name") else EVERYTHING)
    return chance.choice(EVERYTHING if chance.random() < 0.15 else pool)


def _moment(chance: random.Random) -> datetime:
    days = chance.choice([-3, 0, 0, 1, 7, 29, 30, 31, 90, 91, 365, 400])
    return NOW - timedelta(days=days, minutes=chance.choice([0, 0, 1, -1, 600]))


def _message(chance: random.Random, id: str, profile: str) -> Document:
    rule = {"rule": chance.choice(["cart", "birthday"]), "topic": chance.choice(["", "offers"]),
            "labels": chance.choice([[], ["promo"], ["promo", "cart"]])}  # fmt: skip
    message = Message(
        id, f"sms:{profile}", profile, chance.choice(["sms", "email"]), "outbound", "bot", Content("hi"), 1, _moment(chance),
        delivery=Delivery(f"sms:{profile}", chance.choice(["queued", "sent", "read", "failed", "unknown"])),
        metadata=chance.choice([rule, rule, {}]),
    )  # fmt: skip
    return to_document(message) | {"seq": hash(id) % 2**40}


def _with(profile: Profile, **fields: Any) -> Profile:
    return Profile(**{name: getattr(profile, name) for name in Profile.__slots__} | fields)


# -- conditions, as text


def conditions() -> SearchStrategy[str]:
    """Return the strategy of conditions: comparisons, the past, and what joins them."""
    return st.recursive(_leaves(), _joined, max_leaves=6)


def _joined(inner: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not {}".format, inner),
    )


def _leaves() -> SearchStrategy[str]:
    order, same = st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.sampled_from(["==", "!="])
    held = st.sampled_from(["in", "not in"])
    return st.one_of(
        *(st.builds("{} {} {}".format, side, order, side) for side in (_numbers(), _texts(), _days(), _instants())),
        st.builds("{} {} {}".format, _named("flag"), same, st.sampled_from(["true", "false"])),
        st.builds("{} {} {}".format, _named("mix"), order, _named("mix")),
        st.builds("{} {} {}".format, _days(), order, _instants()),
        st.builds("{} {} ({}, {})".format, _texts(), held, _text(), _text()),
        st.builds("{} {} ({}, {})".format, _numbers(), held, _number(), _number()),
        st.builds("{} {} {}".format, _texts(), held, _named("tags")),
        st.builds("{}({}, {})".format, st.sampled_from(["contains", "startswith"]), _texts(), _texts()),
        st.builds("contains({}, {})".format, _named("tags"), _texts()),
        st.builds("{} - {} > '{}'".format, _instants(), _instants(), st.sampled_from(["1d", "30d", "3h"])),
        st.builds("has({})".format, st.one_of(_named("text"), _named("mix"), _numbers())),
        _named("flag"), _named("mix"), _did(), _did(), _sent(),
        st.sampled_from(['reachable("sms")', 'not reachable("email")', 'segment("vip")', 'segment("far")']),
    )  # fmt: skip


def _named(kind: str) -> SearchStrategy[str]:
    return st.sampled_from([f"contact.{kind}", f"contact.{kind}", "contact.mix", f'last("order.paid").{kind}'])


def _number() -> SearchStrategy[str]:
    return st.sampled_from(["0", "1", "-1", "2.5", "10", "1000000000000000"])


def _text() -> SearchStrategy[str]:
    return st.sampled_from([repr(text) for text in ("", "FR", "fr", "É", "émile", "a.b", "$x", "$$ROOT", "e", "zoë")])


def _length() -> SearchStrategy[str]:
    return st.sampled_from(["1d", "30d", "2w", "1mo", "1y", "90d"])


def _numbers() -> SearchStrategy[str]:
    simple = st.one_of(_number(), _named("num"), _named("num"))
    return st.one_of(
        simple, simple,
        st.builds("({} {} {})".format, simple, st.sampled_from("+-*/"), simple),
        st.builds("-{}".format, _named("num")),
        st.builds("len({})".format, st.one_of(_named("text"), _named("tags"))),
        st.builds("{}({})".format, st.sampled_from(["days_since", "days_until", "month", "day", "weekday", "age"]), _days()),
        st.builds("hour({})".format, _instants()),
        st.builds("sum('order.paid', 'num'{})".format, _window()),
    )  # fmt: skip


def _texts() -> SearchStrategy[str]:
    simple = st.one_of(_text(), _named("text"), st.sampled_from(["contact.language", "contact.name", "contact.id"]))
    return st.one_of(simple, simple, st.builds("{}({})".format, st.sampled_from(["lower", "upper"]), simple))


def _days() -> SearchStrategy[str]:
    simple = st.one_of(
        st.sampled_from(["today", "date('2000-02-29')"]), _named("day"), st.builds("date({})".format, _named("at"))
    )
    return st.one_of(simple, simple, st.builds("(date({}) {} '{}')".format, simple, st.sampled_from("+-"), _length()))


def _instants() -> SearchStrategy[str]:
    simple = st.one_of(st.sampled_from(["now", "contact.created_at", "contact.last_inbound_at", "contact.at"]))
    return st.one_of(
        simple, simple, st.builds("({} {} '{}')".format, simple, st.sampled_from("+-"), st.sampled_from(["4h", "15m"])),
        st.builds("(now - '{}')".format, _length()), st.builds("(contact.created_at + '{}')".format, _length()),
    )  # fmt: skip


def _window() -> SearchStrategy[str]:
    wheres = ["event.num > 1", "event.text == 'FR' or not event.flag", "has(event.mix)", "event.at < now - '1d'",
              "event.day == today", "'FR' in event.tags", "event.num + 1 > 2 and event.text != ''"]  # fmt: skip
    return st.builds(
        "{}{}".format,
        st.one_of(st.just(""), st.builds(", within='{}'".format, _length())),
        st.one_of(st.just(""), st.sampled_from([f', where="{where}"' for where in wheres])),
    )


def _did() -> SearchStrategy[str]:
    counts = ["", ", count='>=2'", ", count='==0'", ", count='<3'", ", count='>1'", ", count='==1'", ", count='<=0'"]
    return st.builds("did('{}'{}{})".format, st.sampled_from(EVENTS), _window(), st.sampled_from(counts))


def _sent() -> SearchStrategy[str]:
    asked = [
        "rule='cart'",
        "label='promo'",
        "topic='offers'",
        "channel='sms'",
        "label='cart', channel='email'",
        "count='<2'",
    ]
    window = st.one_of(st.just(""), st.builds(", within='{}'".format, _length()))
    return st.builds("sent({}{})".format, st.sampled_from(asked), window)
