"""pressure.yml: the house's caps, quiet hours and control group, the prices of SMS, and what is counted of messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Literal

from profiles.caps import Calendar, Cap, grace, mistakes
from profiles.duration import Duration
from profiles.hours import Hours
from profiles.written import Table, place_of
from rules.file_reading import WRONG, Reading
from rules.forms import Count, price
from rules.house_files import NAME, PRESSURE, word
from rules.policy import Prices
from rules.records import Found, Key, Record
from rules.rule_terms import Tracking, Window
from rules.schema import COUNT, SHARE, TRACKING, WINDOW
from rules.schema_steps import HOUR
from rules.schema_words import LENGTH
from rules.shapes import Many, Pairs, Said, Text

Scope = Literal["all", "channel", "topic", "label"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What pressure.yml says."""

    caps: tuple[Cap, ...] = ()
    quiet: tuple[Hours, ...] = ()
    control: float = 0.0
    tracking: Tracking = Tracking()
    best_hour: time | None = None
    sms_prices: Prices = Prices()


def _currency(text: str) -> str | None:
    return text if len(text) == 3 and text.isascii() and text.isalpha() and text.isupper() else None


def _country(text: str) -> str | None:
    return text if len(text) == 2 and text.isascii() and text.isalpha() and text.isupper() else None


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
        Key("channels", Pairs(NAME, word, SCOPED), Said("limits per channel", "limites par canal")),
        Key("topics", Pairs(NAME, word, SCOPED), Said("limits per topic", "limites par sujet")),
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
