"""A rule as sentences that people read, in French or in English: `causerie explain`, the rule's page in the console."""

from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType

from profiles.expression import Expression
from rules import wording
from rules.rule import Rule
from rules.rule_step import Reaction
from rules.rule_trigger import (
    EventMatch,
    OnCall,
    Once,
    OnChange,
    OnConversation,
    OnDate,
    OnEvent,
    OnSchedule,
    OnSegment,
    OnThreshold,
)
from rules.sentences_steps import Says, step_lines
from rules.shapes import Said
from rules.wording import AND, OR, hour, length, listed

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
_THREADS = {
    "opened": Said("is opened", "s'ouvre"),
    "handed_over": Said("is handed over to people", "est confiée à une personne"),
    "assigned": Said("is assigned", "est attribuée"),
    "snoozed": Said("is snoozed", "est mise en attente"),
    "resolved": Said("is resolved", "est résolue"),
}
_REACTIONS = {
    "delivered": Said("the message “{}” arrives", "le message « {} » arrive"),
    "opened": Said("the message “{}” is opened", "le message « {} » est ouvert"),
    "clicked": Said("the message “{}” is clicked", "le message « {} » est cliqué"),
    "replied": Said("the message “{}” is answered", "le message « {} » reçoit une réponse"),
}


Words = Mapping[str, Mapping[str, str]]


def sentences(rule: Rule, language: str, words: Words = MappingProxyType({})) -> tuple[str, ...]:
    """Return the rule line by line; what lies within a step is indented by two spaces.

    `words`: how people call an event, "order.paid" -> {"fr": "a payé une commande", "en": "paid an order"}.
    """
    says = partial(signal, words=words)
    return (*_head(rule, language, says), *_limits(rule, language, says), *step_lines(rule.steps, language, says))


def _head(rule: Rule, language: str, says: Says) -> Iterator[str]:
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
    yield Said("When {}.", "Quand {}.").in_(language).format(_trigger(rule, language, says))
    if rule.audience:
        yield (
            Said("For contacts of whom this is true: {}.", "Pour les contacts dont ceci est vrai : {}.")
            .in_(language)
            .format(rule.audience.sentence(language))
        )


def beginning(rule: Rule, language: str, words: Words = MappingProxyType({})) -> str:
    """Return when the rule begins, such that "When" may stand before it."""
    return _trigger(rule, language, partial(signal, words=words))


def _trigger(rule: Rule, language: str, says: Says) -> str:
    match rule.trigger:
        case OnEvent(match=match, key=key, again=again):
            return says(match, language) + _keyed(key, again, language)
        case OnSchedule() as schedule:
            return _schedule(schedule, language)
        case Once(at=at, zone=zone):
            said = Said("it is {day}, {hour}{zone}", "arrive le {day} à {hour}{zone}").in_(language)
            return said.format(
                day=wording.day(at.date(), language), hour=hour(at.time(), language), zone=_zone(zone, language)
            )
        case OnDate() as on:
            return _date(on, language)
        case OnSegment(segment=segment, change=change):
            entered = Said("somebody enters the segment “{}”", "quelqu'un entre dans le segment « {} »")
            left = Said("somebody leaves the segment “{}”", "quelqu'un sort du segment « {} »")
            return (entered if change == "entered" else left).in_(language).format(segment)
        case OnChange(attribute=attribute, where=where):
            said = Said("“{}” changes", "« {} » change").in_(language).format(attribute)
            return said + _such_that(where, language)
        case OnThreshold(attribute=attribute, value=value, direction=direction):
            up = Said("“{}” reaches {:g}", "« {} » atteint {:g}")
            down = Said("“{}” falls below {:g}", "« {} » passe sous {:g}")
            both = Said("“{}” crosses {:g}, either way", "« {} » franchit {:g}, dans un sens ou l'autre")
            return {"up": up, "down": down, "both": both}[direction].in_(language).format(attribute, value)
        case OnConversation(state=state, channel=channels):
            said = Said("a conversation {}", "une conversation {}").in_(language).format(_THREADS[state].in_(language))
            return said + (
                Said(" on {}", " sur {}").in_(language).format(listed(channels, OR, language)) if channels else ""
            )
        case OnCall():
            return Said("the API or another rule asks for it", "l'API ou une autre règle le demande").in_(language)


def signal(found: EventMatch | Reaction | Expression, language: str, words: Words) -> str:
    """Return an event, a reaction or a condition, such that "when" may stand before it."""
    match found:
        case EventMatch(name=name, where=where):
            called = words.get(name, {}).get("fr" if language.startswith("fr") else "en")
            said = Said("the contact {}", "le contact {}") if called else Said("“{}” happens", "« {} » arrive")
            return said.in_(language).format(called or name) + _such_that(where, language)
        case Reaction(what=what, step=step):
            return _REACTIONS[what].in_(language).format(step)
        case Expression():
            return found.sentence(language)


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
            .format(wording.spell(timing.window, language), _zone(timing.zone, language))
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


def _schedule(schedule: OnSchedule, language: str) -> str:
    times = [f"{at:02d}:{minute:02d}" for at in sorted(schedule.hours) for minute in sorted(schedule.minutes)]
    if len(times) > 6:
        return (
            Said("the schedule “{}” fires{}", "l'horaire « {} » sonne{}")
            .in_(language)
            .format(schedule.text, _zone(schedule.zone, language))
        )
    parts = [wording.weekdays(schedule.weekdays, language)]
    if len(schedule.days) < 31:
        last = Said("the last", "le dernier").in_(language)
        dates = [last if number == -1 else str(number) for number in sorted(schedule.days)]
        parts.append(
            Said("on day {} of the month", "le jour {} du mois").in_(language).format(listed(dates, AND, language))
        )
    if len(schedule.months) < 12:
        names = [wording.month(number, language) for number in sorted(schedule.months)]
        parts.append(Said("in {}", "en {}").in_(language).format(listed(names, AND, language)))
    at = Said("it is {} at {}{}", "il est {}, {}{}").in_(language)
    return at.format(", ".join(parts), listed(times, AND, language), _zone(schedule.zone, language))


def _date(on: OnDate, language: str) -> str:
    shift = Said("it is the day of “{}”", "c'est le jour de « {} »").in_(language).format(on.attribute)
    if on.offset:
        before = Said("it is {} before “{}”", "il reste {} avant « {} »")
        after = Said("it is {} after “{}”", "il y a {} depuis « {} »")
        shift = (before if on.is_before else after).in_(language).format(length(on.offset, language), on.attribute)
    yearly = Said(", each year", ", chaque année").in_(language) if on.yearly else ""
    at = Said(" at {}", " à {}").in_(language).format(hour(on.at, language))
    return f"{shift}{yearly},{at}{_zone(on.zone, language)}"


def _keyed(key: Expression | None, again: str, language: str) -> str:
    if key is None:
        return ""
    repeats = {
        "restart": Said("begins it anew", "le recommence"),
        "ignore": Said("changes nothing", "ne change rien"),
        "parallel": Said("begins another", "en commence un autre"),
    }[again]
    said = Said("; one run for each {}, where a repeat {}", " ; un parcours pour chaque {}, où une répétition {}").in_(
        language
    )
    return said.format(key.sentence(language), repeats.in_(language))


def _such_that(where: Expression | None, language: str) -> str:
    return Said(" and {}", " et que {}").in_(language).format(where.sentence(language)) if where else ""


def _zone(zone: str, language: str) -> str:
    if zone == "contact":
        return Said(", the contact's own time", ", heure du contact").in_(language)
    return Said(", time of {}", ", heure de {}").in_(language).format(zone)
