"""A rule as sentences that people read, in French or in English: `causerie explain`, the rule's page in the console."""

from collections.abc import Iterator
from functools import partial
from types import MappingProxyType

from rules import wording
from rules.rule import Rule
from rules.sentences_steps import Says, step_lines
from rules.sentences_trigger import Words, beginning, signal
from rules.shapes import Said
from rules.wording import AND, length, listed

_CLASSES = {
    "marketing": Said("marketing", "marketing"),
    "service": Said("service", "service"),
    "transactional": Said("transactional", "transactionnelle"),
}
_STATES = {
    "draft": Said("is a draft: nobody gets it", "est un brouillon : personne ne la reçoit"),
    "test": Said("is on trial: only its testers get it", "est à l'essai : seuls ses testeurs la reçoivent"),
    "live": Said("is live", "est active"),
    "paused": Said("is paused: nobody gets it", "est en pause : personne ne la reçoit"),
}


def sentences(rule: Rule, language: str, words: Words = MappingProxyType({})) -> tuple[str, ...]:
    """Return the rule line by line; what lies within a step is indented by two spaces."""
    says = partial(signal, words=words)
    return (*_head(rule, language, words), *_limits(rule, language, says), *step_lines(rule.steps, language, says))


def _head(rule: Rule, language: str, words: Words) -> Iterator[str]:
    said = Said("“{}” ({}) {}.", "« {} » ({}) {}.").in_(language)
    yield said.format(rule.called(language), _CLASSES[rule.kind].in_(language), _STATES[rule.state].in_(language))
    if rule.told(language):
        yield rule.told(language)
    if rule.valid_from:
        yield (
            Said("It lives from {}.", "Elle vaut à partir du {}.")
            .in_(language)
            .format(wording.day(rule.valid_from, language))
        )
    if rule.valid_until:
        said = Said("It lives until {}, included.", "Elle vaut jusqu'au {} inclus.").in_(language)
        yield said.format(wording.day(rule.valid_until, language))
    yield Said("When {}.", "Quand {}.").in_(language).format(beginning(rule, language, words))
    if rule.audience:
        yield (
            Said("For contacts of whom this is true: {}.", "Pour les contacts dont ceci est vrai : {}.")
            .in_(language)
            .format(rule.audience.sentence(language))
        )


def _limits(rule: Rule, language: str, says: Says) -> Iterator[str]:
    entry = rule.entry
    if entry.at_most is not None:
        said = Said("A contact enters {}.", "Un contact entre {}.").in_(language)
        yield said.format(wording.often(entry.at_most, entry.per, language))
    if entry.grace:
        yield (
            Said(
                "Nobody enters within {} of its last message.",
                "Personne n'entre moins de {} après son dernier message.",
            )
            .in_(language)
            .format(length(entry.grace, language))
        )
    if entry.holdout and rule.kind != "transactional":
        yield (
            Said(
                "{:g} % of contacts get nothing, to measure by.", "{:g} % des contacts ne reçoivent rien, pour mesurer."
            )
            .in_(language)
            .format(entry.holdout * 100)
        )
    for hold in rule.holds:
        yield (
            Said("Messages wait while {}.", "Les messages attendent tant que {}.")
            .in_(language)
            .format(hold.sentence(language))
        )
    for leave in rule.exits:
        yield (
            Said("Whoever is inside leaves when {}.", "Qui est dedans sort quand {}.")
            .in_(language)
            .format(says(leave, language))
        )
    if rule.goal:
        said = Said(
            "It aims for this within {} of a message: {}.", "Elle vise ceci, dans les {} après un message : {}."
        ).in_(language)
        yield said.format(length(rule.goal.within, language), says(rule.goal.match, language))
    yield from _timing(rule, language)
    yield from _pressure(rule, language)
    yield from _tracking(rule, language)


def _timing(rule: Rule, language: str) -> Iterator[str]:
    timing = rule.timing
    if timing.window:
        yield (
            Said("Messages leave {}{}.", "Les messages partent {}{}.")
            .in_(language)
            .format(wording.spell(timing.window, language), wording.zone(timing.zone, language))
        )
    if timing.best_hour:
        yield Said("They wait for the hour at which the contact reacts most.",
                   "Ils attendent l'heure où le contact réagit le plus.").in_(language)  # fmt: skip
    if timing.late_after:
        yield (
            Said("What is more than {} late is not done any more.", "Ce qui a plus de {} de retard n'est plus fait.")
            .in_(language)
            .format(length(timing.late_after, language))
        )


def _pressure(rule: Rule, language: str) -> Iterator[str]:
    pressure = rule.pressure
    if pressure.at_most is not None:
        said = Said("A contact gets its messages {}.", "Un contact reçoit ses messages {}.").in_(language)
        yield said.format(wording.often(pressure.at_most, pressure.per, language))
    if rule.kind != "transactional":
        over = {
            "drop": Said("Over a cap the message is dropped.", "Au-delà d'un plafond, le message n'est pas envoyé."),
            "wait": Said(
                "Over a cap the message waits for a free slot{}.",
                "Au-delà d'un plafond, le message attend une place{}.",
            ),
            "fallback": Said(
                "Over a cap the next channel is tried.", "Au-delà d'un plafond, le canal suivant est essayé."
            ),
        }[pressure.on_cap]
        limit = ""
        if pressure.on_cap == "wait" and pressure.wait_at_most:
            limit = Said(", at most {}", ", {} au plus").in_(language).format(length(pressure.wait_at_most, language))
        yield over.in_(language).format(limit)
    if pressure.urgent:
        yield Said(
            "It is urgent: quiet hours do not hold it.", "Elle est urgente : les heures calmes ne la retiennent pas."
        ).in_(language)
    if rule.labels:
        yield Said("It counts as {}.", "Elle compte comme {}.").in_(language).format(listed(rule.labels, AND, language))


def _tracking(rule: Rule, language: str) -> Iterator[str]:
    uncounted = [
        Said("clicks", "les clics").in_(language) if rule.tracking.clicks is False else "",
        Said("openings", "les ouvertures").in_(language) if rule.tracking.opens is False else "",
    ]
    if named := [word for word in uncounted if word]:
        said = Said("It does not count {}.", "Elle ne compte pas {}.").in_(language)
        yield said.format(listed(named, AND, language))
    if rule.tracking.utm and rule.tracking.utm != "none":
        yield (
            Said("Its links say utm_source={}.", "Ses liens portent utm_source={}.")
            .in_(language)
            .format(rule.tracking.utm)
        )
