"""What the SMS of a rule would cost, told before launch: segments counted on contacts of its audience, times the house's prices.

An estimate: who gets an SMS, and how long it is, is taken from a sample. What an SMS says of a message is passed in. Pure.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from profiles.gsm import count
from profiles.identity import country_of
from profiles.profile import Identity
from rules.book import Book
from rules.choice import Prefers, targets
from rules.gatekeeper import Letter, Renders
from rules.person import Person
from rules.policy import Reaches
from rules.rehearsal import start_of
from rules.rule import Rule
from rules.rule_step import Send, walk
from rules.run import Run
from rules.thrift import SMS, Bodies

SAMPLED = 50
"""Contacts whose messages are written to estimate by."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the SMS of a rule come to, once for everybody."""

    by_language: tuple[tuple[str, float], ...]
    """(language, segments of one message): an average over contacts and variants."""
    messages: int | None
    """How many SMS messages; None where nobody knows how many the rule is for."""
    segments: int | None
    total: float | None
    """In `currency`; None without prices or without a number of contacts."""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class _Counted:
    language: str
    country: str
    segments: float


def estimate(
    rule: Rule, book: Book, persons: Collection[Person], *, reaches: Reaches, renders: Renders, prefers: Prefers,
    bodies: Bodies, audience: int | None, now: datetime,
) -> Estimate | None:  # fmt: skip
    """Return what the rule's SMS come to if everybody gets each of its messages; None where it sends none."""
    found = [
        one for person in persons
        for one in _counted(rule, book, person, reaches=reaches, renders=renders, prefers=prefers, bodies=bodies, now=now)
    ]  # fmt: skip
    if not found:
        return None
    languages = sorted({one.language for one in found})
    by_language = tuple((name, _mean([one.segments for one in found if one.language == name])) for name in languages)
    if audience is None:
        return Estimate(by_language, None, None, None)
    times, prices = audience / len(persons), book.policy.sms_prices
    costs = [price * one.segments for one in found if (price := prices.of(one.country)) is not None]
    total = sum(costs) * times if len(costs) == len(found) else None
    segments = sum(one.segments for one in found) * times
    return Estimate(by_language, round(len(found) * times), round(segments), total, prices.currency)


def _counted(
    rule: Rule, book: Book, person: Person, *, reaches: Reaches, renders: Renders, prefers: Prefers, bodies: Bodies,
    now: datetime,
) -> Iterator[_Counted]:  # fmt: skip
    run = Run("cost", rule.id, rule.version, person.id, now, start=start_of(rule, book, now))
    for step in walk(rule.steps):
        if not isinstance(step, Send):
            continue
        first = next((one for one in targets(person, step.channels, reaches, prefers) if _is_open(one.identity)), None)
        if first is None or first.identity is None or first.reach.space != SMS:
            continue
        written = [renders(step.template, first.reach, person, run, variant) for variant in step.variants or ("",)]
        letters = [letter for letter in written if isinstance(letter, Letter)]
        if letters:
            counts = [sum(map(count, bodies(letter.content))) for letter in letters]
            yield _Counted(letters[0].language, country_of(first.identity.address), _mean(counts))


def _is_open(identity: Identity | None) -> bool:
    return identity is not None and identity.suppression is None


def _mean(numbers: Collection[float]) -> float:
    return sum(numbers) / len(numbers)
