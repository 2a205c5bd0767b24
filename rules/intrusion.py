"""What people resent, said before launch: messages without a limit, at night, about what is private, from several rules at once.

Warnings forbid nothing; `causerie check` and the console show them. Pure: a book in, warnings out, in French and in English.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import time
from itertools import combinations

from profiles.expression import Expression
from profiles.hours import Spell
from rules.book import Book
from rules.policy import Policy
from rules.rule import Place, Rule
from rules.rule_step import Emit, If, Send, Start, Switch, WaitUntil, walk
from rules.rule_trigger import (
    EventMatch,
    Once,
    OnChange,
    OnConversation,
    OnDate,
    OnEvent,
    OnSchedule,
    OnSegment,
    OnThreshold,
    Trigger,
)
from rules.shapes import Said
from rules.wording import AND, listed

NIGHT = (time(21), time(8))
"""Nobody wants marketing between these local hours; the usual bounds of the trade (in France SMS offers: 8 to 20 h)."""
LIVING = ("live", "test")


@dataclass(frozen=True, slots=True)
class Warning:
    """One thing that whoever launches a rule should know: what people may resent of it, or what of it comes to nothing."""

    code: str
    rule: str
    at: Place
    text: Said
    is_note: bool = False
    """Whether it is worth knowing and nothing to mend."""

    def __str__(self) -> str:
        return f"{self.at.file}:{self.at.line}:{self.at.column}: {self.text.en}"

    def told(self, language: str) -> str:
        """Return the sentence for its author, in English or French."""
        return self.text.in_(language)


def warnings(book: Book) -> tuple[Warning, ...]:
    """Return all that is resented about the rules of a book, by file and line."""
    found = [warning for rule in book.rules.values() for warning in of_rule(rule, book)]
    found += _crowds(book)
    found += _circles(book)
    return tuple(sorted(found, key=lambda warning: (warning.at.file, warning.at.line, warning.code)))


def of_rule(rule: Rule, book: Book) -> Iterator[Warning]:
    """Yield what is resented about one rule, whatever the others do."""
    if rule.kind == "transactional" or not _sends(rule):
        return
    if not rule.topic:
        yield _warning("no_topic", rule, "rule", Said(
            "no topic: nobody can have agreed to this, it can not go live.",
            "aucun sujet : personne n'a pu y consentir, elle ne peut pas devenir active."))  # fmt: skip
    if rule.kind == "marketing":
        yield from _marketing(rule, book)
    yield from _private(rule, book)


def _marketing(rule: Rule, book: Book) -> Iterator[Warning]:
    if (
        rule.pressure.at_most is None
        and rule.entry.at_most is None
        and not rule.entry.grace
        and not _capped(rule, book.policy)
    ):
        yield _warning("no_cap", rule, "pressure", Said(
            "no cap: neither the rule nor pressure.yml says how often one contact may get it.",
            "aucun plafond : ni la règle ni pressure.yml ne dit combien de fois un contact peut la recevoir."))  # fmt: skip
    if rule.timing.window and _touches_night(rule.timing.window):
        yield _warning("night", rule, "timing", Said(
            "a window at night: messages may leave between 21:00 and 8:00.",
            "une fenêtre de nuit : des messages peuvent partir entre 21 h et 8 h."))  # fmt: skip
    if not rule.timing.window and not book.policy.quiet:
        yield _warning("any_hour", rule, "timing", Said(
            "no window and no quiet hours: messages may leave at any hour.",
            "ni fenêtre ni heures calmes : des messages peuvent partir à toute heure."))  # fmt: skip
    if isinstance(rule.trigger, OnEvent) and rule.trigger.again == "parallel":
        yield _warning("parallel", rule, "when", Said(
            "again: parallel: one contact may be in it several times at once.",
            "again: parallel : un contact peut y être plusieurs fois à la fois."))  # fmt: skip


def _private(rule: Rule, book: Book) -> Iterator[Warning]:
    known = book.words.attributes or {}
    asked = {name for expression in _conditions(rule) for name in expression.needs.attributes} | _watched(rule.trigger)
    private = sorted(name for name in asked if name in known and known[name].is_sensitive)
    if private:
        en, fr = listed(private, AND, "en"), listed(private, AND, "fr")
        yield _warning("sensitive", rule, "for", Said(
            f"it depends on {en}, which is sensitive: a message lets people see what you know of them.",
            f"elle dépend de {fr}, qui est sensible : un message montre aux gens ce que vous savez d'eux."))  # fmt: skip


def _crowds(book: Book) -> Iterator[Warning]:
    """Yield the pairs of marketing rules that begin alike, so that the same people get both, when no cap covers them."""
    rules = [rule for rule in book.rules.values() if rule.kind == "marketing" and rule.state in LIVING and _sends(rule)]
    for first, second in combinations(rules, 2):
        same = _beginning(first.trigger)
        if not same or same != _beginning(second.trigger):
            continue
        if not _told_apart(first, second) and not _shared_cap(first, second, book.policy):
            yield _warning("crowd", second, "when", Said(
                f"it begins as {first.id} does, and no cap covers both: the same people get both.",
                f"elle commence comme {first.id} et aucun plafond ne couvre les deux : les mêmes gens ont les deux."))  # fmt: skip


def _circles(book: Book) -> Iterator[Warning]:
    """Yield the rules that begin themselves again, by themselves or through others."""
    leads = {rule.id: set(_led_to(rule, book.rules.values())) for rule in book.rules.values() if rule.state in LIVING}
    for rule in book.rules.values():
        seen: set[str] = set()
        coming = list(leads.get(rule.id, ()))
        while coming:
            name = coming.pop()
            if name not in seen:
                seen.add(name)
                coming += leads.get(name, ())
        if rule.id in seen:
            yield _warning("circle", rule, "when", Said(
                "its own steps begin it again; a chain of rules ends after a few, and says so.",
                "ses propres étapes la relancent ; une chaîne de règles s'arrête après quelques-unes, et le dit."))  # fmt: skip


def _led_to(rule: Rule, rules: Iterable[Rule]) -> Iterator[str]:
    emitted = {step.name for step in walk(rule.steps) if isinstance(step, Emit)}
    yield from (step.rule for step in walk(rule.steps) if isinstance(step, Start))
    yield from (
        other.id for other in rules if isinstance(other.trigger, OnEvent) and other.trigger.match.name in emitted
    )


def _warning(code: str, rule: Rule, key: str, text: Said) -> Warning:
    at = rule.places.get(key) or rule.places.get("rule") or Place(rule.id, 1, 1)
    return Warning(code, rule.id, at, text)


def _sends(rule: Rule) -> bool:
    return any(isinstance(step, Send) for step in walk(rule.steps))


def _capped(rule: Rule, policy: Policy) -> bool:
    """Return whether some cap of the house counts every message of this rule."""
    scopes = {("all", ""), ("topic", rule.topic), *(("label", label) for label in rule.labels), ("rule", rule.id)}
    return any(
        (cap.scope, cap.name) in scopes and (cap.below is None or cap.below > rule.priority) for cap in policy.caps
    )


def _shared_cap(first: Rule, second: Rule, policy: Policy) -> bool:
    labels = set(first.labels) & set(second.labels)
    scopes = {("all", ""), *(("label", label) for label in labels)}
    if first.topic and first.topic == second.topic:
        scopes.add(("topic", first.topic))
    return any((cap.scope, cap.name) in scopes for cap in policy.caps)


def _touches_night(window: Spell) -> bool:
    begin, end = NIGHT
    return window.since >= window.until or window.since < end or window.until > begin


def _beginning(trigger: Trigger) -> tuple[object, ...] | None:
    match trigger:
        case OnEvent(match=EventMatch(name=name)):
            return ("event", name)
        case OnSegment(segment=segment, change=change):
            return ("segment", segment, change)
        case OnChange(attribute=attribute) | OnThreshold(attribute=attribute):
            return ("change", attribute)
        case OnDate(attribute=attribute, offset=offset):
            return ("date", attribute, offset)
        case OnConversation(state=state):
            return ("conversation", state)
        case OnSchedule() | Once():
            return ("schedule",)
        case _:
            return None


def _told_apart(first: Rule, second: Rule) -> bool:
    """Return whether the two say different things about whom they are for; whether those are strangers, nobody can tell."""
    mine, theirs = (rule.audience.source if rule.audience else "" for rule in (first, second))
    wheres = [rule.trigger.match.where for rule in (first, second) if isinstance(rule.trigger, OnEvent)]
    return mine != theirs or len({where.source if where else "" for where in wheres}) > 1


def _watched(trigger: Trigger) -> set[str]:
    return {trigger.attribute} if isinstance(trigger, OnChange | OnThreshold | OnDate) else set()


def _conditions(rule: Rule) -> Iterator[Expression]:
    """Yield the conditions that decide whether and what somebody gets."""
    if rule.audience:
        yield rule.audience
    if isinstance(rule.trigger, OnEvent) and rule.trigger.match.where:
        yield rule.trigger.match.where
    for step in walk(rule.steps):
        if isinstance(step, If):
            yield step.condition
        elif isinstance(step, Switch):
            yield from (condition for condition, _ in step.cases)
        elif isinstance(step, WaitUntil):
            yield from (one for one in step.signals if isinstance(one, Expression))
