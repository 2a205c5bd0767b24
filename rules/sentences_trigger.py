"""What begins a rule, and what one waits for, in words before which "When" may stand: in French or in English."""

from collections.abc import Mapping
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
from rules.shapes import Said
from rules.wording import AND, OR, hour, length, listed

Words = Mapping[str, Mapping[str, str]]
"""How people call an event: "order.paid" -> {"fr": "a payé une commande", "en": "paid an order"}."""

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


def beginning(rule: Rule, language: str, words: Words = MappingProxyType({})) -> str:
    """Return when the rule begins, such that "When" may stand before it."""
    match rule.trigger:
        case OnEvent(match=match, key=key, again=again):
            return signal(match, language, words) + _keyed(key, again, language)
        case OnSchedule() as schedule:
            return _schedule(schedule, language)
        case Once(at=at) as once:
            said = Said("it is {day}, {hour}{zone}", "arrive le {day} à {hour}{zone}").in_(language)
            return said.format(
                day=wording.day(at.date(), language),
                hour=hour(at.time(), language),
                zone=wording.zone(once.zone, language),
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


def _schedule(schedule: OnSchedule, language: str) -> str:
    times = [f"{at:02d}:{minute:02d}" for at in sorted(schedule.hours) for minute in sorted(schedule.minutes)]
    if len(times) > 6:
        return (
            Said("the schedule “{}” fires{}", "l'horaire « {} » sonne{}")
            .in_(language)
            .format(schedule.text, wording.zone(schedule.zone, language))
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
    return at.format(", ".join(parts), listed(times, AND, language), wording.zone(schedule.zone, language))


def _date(on: OnDate, language: str) -> str:
    shift = Said("it is the day of “{}”", "c'est le jour de « {} »").in_(language).format(on.attribute)
    if on.offset:
        before = Said("it is {} before “{}”", "il reste {} avant « {} »")
        after = Said("it is {} after “{}”", "il y a {} depuis « {} »")
        shift = (before if on.is_before else after).in_(language).format(length(on.offset, language), on.attribute)
    yearly = Said(", each year", ", chaque année").in_(language) if on.yearly else ""
    at = Said(" at {}", " à {}").in_(language).format(hour(on.at, language))
    return f"{shift}{yearly},{at}{wording.zone(on.zone, language)}"


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
