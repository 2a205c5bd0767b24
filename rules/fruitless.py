"""What a rule says that comes to nothing: a day that is over, a limit of none, steps that nobody reaches, fields that nobody has.

Nothing of it is wrong enough to refuse the file. What time has overtaken is a note: ordinary life, counted by nobody.
Pure: a book and an instant in, warnings out, in French and in English.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from profiles.hours import Spell
from profiles.personalize import Text, compile_text
from rules.book import Book
from rules.intrusion import Warning
from rules.proofreading import misnamed
from rules.rule import Place, Rule
from rules.rule_step import HandOver, If, Parallel, Step, Stop, Switch, Wallet, Webhook, branches, walk
from rules.rule_trigger import Once
from rules.shapes import Said

A_DAY = 24 * 60  # minutes
WEST = timedelta(hours=12)  # behind UTC: where a date ends last


def fruitless(book: Book, now: datetime) -> tuple[Warning, ...]:
    """Return what of the rules of a book comes to nothing, by file and line."""
    found = [warning for rule in book.rules.values() for warning in _of_rule(rule, book, now)]
    return tuple(sorted(found, key=lambda warning: (warning.at.file, warning.at.line, warning.code)))


def _of_rule(rule: Rule, book: Book, now: datetime) -> Iterator[Warning]:
    yield from _over(rule, now)
    yield from _forbidden(rule)
    yield from _always_quiet(rule, book.policy.quiet)
    for steps in _lists(rule.steps):
        yield from _unreached(rule, steps)
    for step in walk(rule.steps):
        if isinstance(step, If | Switch) and not any(branches(step)):
            yield _warning("does_nothing", rule, step.id, Said(
                "none of its branches has a step: it does nothing.",
                "aucune de ses branches n'a d'étape : elle ne fait rien."))  # fmt: skip
        yield from _misnamed(rule, step, book)


def _over(rule: Rule, now: datetime) -> Iterator[Warning]:
    """Yield why no run can begin any more, or ever: its day is over or lies outside the days that it is valid."""
    trigger = rule.trigger
    if isinstance(trigger, Once) and not _is_within(rule, trigger):
        yield _warning("never_valid", rule, "valid", Said(
            f"{trigger.at:%Y-%m-%d} lies outside valid: it never begins.",
            f"le {trigger.at:%Y-%m-%d} est hors de valid : elle ne commence jamais."))  # fmt: skip
    elif rule.state == "paused":
        return
    elif rule.valid_until and rule.valid_until < (now - WEST).date():
        yield _note("over", rule, "valid", Said(
            f"it was valid until {rule.valid_until}: nobody begins it any more.",
            f"elle valait jusqu'au {rule.valid_until} : plus personne n'y entre."))  # fmt: skip
    elif isinstance(trigger, Once) and _last_instant(trigger) < now:
        yield _note("over", rule, "when", Said(
            f"{trigger.at:%Y-%m-%d %H:%M} is over: nobody begins it any more.",
            f"le {trigger.at:%Y-%m-%d %H:%M} est passé : plus personne n'y entre."))  # fmt: skip


def _is_within(rule: Rule, trigger: Once) -> bool:
    first, last = rule.valid_from or trigger.at.date(), rule.valid_until or trigger.at.date()
    return first <= trigger.at.date() <= last


def _last_instant(trigger: Once) -> datetime:
    """Return when the last contact's clock shows it."""
    if trigger.zone == "contact":
        return trigger.at.replace(tzinfo=UTC) + WEST
    return trigger.at.replace(tzinfo=ZoneInfo(trigger.zone))


def _forbidden(rule: Rule) -> Iterator[Warning]:
    if rule.entry.at_most == 0:
        yield _warning("nobody_enters", rule, "entry", Said(
            "at most 0: nobody ever enters. To stop a rule for a while: state: paused.",
            "at most 0 : personne n'y entre jamais. Pour arrêter une règle un temps : state: paused."))  # fmt: skip
    if rule.pressure.at_most == 0:
        yield _warning("never_sends", rule, "pressure", Said(
            "at most 0: it never sends. To stop a rule for a while: state: paused.",
            "at most 0 : elle n'envoie jamais rien. Pour arrêter une règle un temps : state: paused."))  # fmt: skip


def _always_quiet(rule: Rule, quiet: Iterable[Spell]) -> Iterator[Warning]:
    """Yield that the window of a rule leaves no minute outside the house's quiet hours, when its class keeps those."""
    keeps = rule.kind == "marketing" or (rule.kind == "service" and not rule.pressure.urgent)
    window = rule.timing.window
    if window and keeps and _minutes([window]) <= _minutes(quiet):
        yield _warning("always_quiet", rule, "timing", Said(
            "its window lies within the quiet hours of pressure.yml: no message ever leaves.",
            "sa fenêtre est tout entière dans les heures calmes de pressure.yml : aucun message ne part jamais."))  # fmt: skip


def _minutes(spells: Iterable[Spell]) -> set[int]:
    """Return the minutes of the week, from Monday 00:00, that these hours hold."""
    found: set[int] = set()
    for spell in spells:
        since, until = (at.hour * 60 + at.minute for at in (spell.since, spell.until))
        for day in spell.days:
            first = day * A_DAY + since
            found.update(minute % (7 * A_DAY) for minute in range(first, first + ((until - since) % A_DAY or A_DAY)))
    return found


def _lists(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Yield each list of steps that is done one after the other: the rule's own, and every branch's."""
    yield steps
    for step in steps:
        for branch in branches(step):
            yield from _lists(branch)


def _unreached(rule: Rule, steps: tuple[Step, ...]) -> Iterator[Warning]:
    for step, following in pairwise(steps):
        if _always_stops(step):
            yield _warning("unreached", rule, following.id, Said(
                "nobody gets here: the step before ends the run.",
                "personne n'arrive ici : l'étape d'avant finit le parcours."))  # fmt: skip
            return


def _always_stops(step: Step) -> bool:
    """Return whether a run ends here, whichever way it goes. Branches in parallel end it too, but what began goes on."""
    if isinstance(step, Stop):
        return True
    ways = branches(step) if not isinstance(step, Parallel) else ()
    return bool(ways) and all(any(map(_always_stops, way)) for way in ways)


def _misnamed(rule: Rule, step: Step, book: Book) -> Iterator[Warning]:
    """Yield the fields that nobody can have in what a step says to an agent, a card or another system: they stay empty."""
    for key, source in _said(step):
        text = compile_text(source)
        if isinstance(text, Text):
            for problem in misnamed(text, rule, book, roots=("contact", "event", "start", "now")):
                yield _warning("misnamed", rule, step.id, Said(f"{key}: {problem.en}.", f"{key} : {problem.fr}."))


def _said(step: Step) -> Iterator[tuple[str, str]]:
    match step:
        case HandOver(note=note) if note:
            yield "note", note
        case Wallet(put=put):
            yield from put.items()
        case Webhook(body=body):
            yield from body.items()


def _warning(code: str, rule: Rule, key: str, text: Said) -> Warning:
    at = rule.places.get(key) or rule.places.get("rule") or Place(rule.id, 1, 1)
    return Warning(code, rule.id, at, text)


def _note(code: str, rule: Rule, key: str, text: Said) -> Warning:
    return replace(_warning(code, rule, key, text), is_note=True)
