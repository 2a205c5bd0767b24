"""The steps of a rule as sentences, one line each, numbered, what lies within a step indented."""

from collections.abc import Callable, Iterator
from typing import Any

from rules import wording
from rules.rule_step import (
    Emit,
    HandOver,
    If,
    Parallel,
    Send,
    SetValue,
    Start,
    Step,
    Stop,
    Switch,
    Tag,
    Wait,
    WaitUntil,
    Wallet,
    Webhook,
)
from rules.shapes import Said
from rules.wording import AND, OR, hour, length, listed

Says = Callable[[Any, str], str]

_UNLESS = {
    "delivered": Said("it did not arrive", "il n'est pas arrivé"),
    "opened": Said("it was not opened", "il n'a pas été ouvert"),
    "clicked": Said("it was not clicked", "il n'a pas été cliqué"),
}
_THEN, _ELSE = Said("then:", "alors :"), Said("otherwise:", "sinon :")
_BY = {
    "goal": Said("the goal", "le but"),
    "opened": Said("openings", "les ouvertures"),
    "clicked": Said("clicks", "les clics"),
}


def step_lines(steps: tuple[Step, ...], language: str, signal: Says, indent: str = "") -> Iterator[str]:
    """Yield the steps' lines; `signal` says what a wait looks for."""
    for number, step in enumerate(steps, 1):
        yield f"{indent}{number}. {step_line(step, language, signal)}"
        for title, branch in ways(step, language):
            if branch:
                yield f"{indent}   {title}"
                yield from step_lines(branch, language, signal, indent + "     ")


def step_line(step: Step, language: str, signal: Says) -> str:
    """Return one step as a sentence, without what lies within it."""
    match step:
        case Send():
            return _send(step, language)
        case Wait():
            return _wait(step, language)
        case WaitUntil(signals=signals, every=every, at_most=at_most):
            what = listed([signal(one, language) for one in signals], AND if every else OR, language)
            said = Said("Wait until {}, at most {}.", "Attendre que : {} ; {} au plus.").in_(language)
            return said.format(what, length(at_most, language))
        case If(condition=condition):
            return Said("If {}:", "Si {} :").in_(language).format(condition.sentence(language))
        case Switch():
            return Said("The first that is true:", "Le premier cas vrai :").in_(language)
        case Parallel():
            return Said("At the same time:", "En même temps :").in_(language)
        case _:
            return _act(step, language)


def _act(step: Step, language: str) -> str:
    match step:
        case SetValue(put=put, add=add):
            becomes = Said("“{}” becomes {}", "« {} » devient {}").in_(language)
            grows = Said("“{}” grows by {}", "« {} » augmente de {}").in_(language)
            parts = [becomes.format(name, value.sentence(language)) for name, value in put.items()]
            parts += [grows.format(name, value.sentence(language)) for name, value in add.items()]
            return Said("Note: {}.", "Noter : {}.").in_(language).format(", ".join(parts))
        case Tag(add=add, remove=remove):
            parts = [f"+{label}" for label in add] + [f"-{label}" for label in remove]
            return Said("Label the contact: {}.", "Étiqueter le contact : {}.").in_(language).format(", ".join(parts))
        case HandOver(team=team, agent=agent):
            whom = team or agent or Said("the agents", "l'équipe").in_(language)
            return Said("Hand the conversation over to {}.", "Confier la conversation à {}.").in_(language).format(whom)
        case Wallet(card=card, ends=True):
            return Said("End the wallet pass “{}”.", "Mettre fin à la carte « {} ».").in_(language).format(card)
        case Wallet(card=card):
            return Said("Update the wallet pass “{}”.", "Mettre à jour la carte « {} ».").in_(language).format(card)
        case Webhook(url=url):
            return Said("Tell {}.", "Prévenir {}.").in_(language).format(url)
        case Start(rule=rule):
            return Said("Start the rule “{}”.", "Lancer la règle « {} ».").in_(language).format(rule)
        case Emit(name=name):
            return Said("Put “{}” on the timeline.", "Poser « {} » dans la chronologie.").in_(language).format(name)
        case Stop(reason=reason):
            return Said("End here ({}).", "Finir ici ({}).").in_(language).format(reason)
        case _:
            raise AssertionError(f"no sentence for {type(step).__name__}")


def _send(step: Send, language: str) -> str:
    if step.channels == ("preferred",):
        on = Said("on the channel the contact reacts to most", "sur le canal où le contact réagit le plus").in_(
            language
        )
    elif step.mode == "all":
        on = Said("on {}", "sur {}").in_(language).format(listed(step.channels, AND, language))
    elif len(step.channels) > 1:
        said = Said("on the first possible of {}", "sur le premier canal possible parmi {}").in_(language)
        on = said.format(listed(step.channels, AND, language))
    else:
        on = Said("on {}", "sur {}").in_(language).format(step.channels[0])
    line = Said("Send “{}” {}", "Envoyer « {} » {}").in_(language).format(step.template, on)
    return f"{line}{_variants(step, language)}{_fallback(step, language)}."


def _variants(step: Send, language: str) -> str:
    if not step.variants:
        return ""
    total = sum(step.variants.values())
    shares = ", ".join(f"{name} {part * 100 / total:.0f} %" for name, part in step.variants.items())
    line = Said("; variants {}", " ; variantes {}").in_(language).format(shares)
    if step.winner:
        said = Said(", after {} sends the best by {} takes all", ", après {} envois la meilleure selon {} prend tout")
        line += said.in_(language).format(step.winner.after, _BY[step.winner.by].in_(language))
    return line


def _fallback(step: Send, language: str) -> str:
    if not step.fallback:
        return ""
    said = Said("; after {}, if {}, on {}", " ; au bout de {}, s'{}, sur {}").in_(language)
    channels = listed(step.fallback.channels, OR, language)
    return said.format(length(step.fallback.within, language), _UNLESS[step.fallback.unless].in_(language), channels)


def _wait(step: Wait, language: str) -> str:
    parts = []
    if step.length:
        parts.append(length(step.length, language))
    if step.at:
        parts.append(Said("until {}", "jusqu'à {}").in_(language).format(hour(step.at, language)))
    if step.days:
        parts.append(Said("on {}", "un de ces jours : {}").in_(language).format(wording.weekdays(step.days, language)))
    return Said("Wait {}.", "Attendre {}.").in_(language).format(Said(", then ", ", puis ").in_(language).join(parts))


def ways(step: Step, language: str) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """Yield the ways that lead on inside a step, each with its title; some are empty."""
    match step:
        case WaitUntil(reached=reached, otherwise=otherwise):
            yield _THEN.in_(language), reached
            yield _ELSE.in_(language), otherwise
        case If(then=then, otherwise=otherwise):
            yield _THEN.in_(language), then
            yield _ELSE.in_(language), otherwise
        case Switch(cases=cases, otherwise=otherwise):
            for condition, then in cases:
                yield Said("if {}:", "si {} :").in_(language).format(condition.sentence(language)), then
            yield _ELSE.in_(language), otherwise
        case Parallel(branches=ways):
            for number, way in enumerate(ways, 1):
                yield Said("branch {}:", "branche {} :").in_(language).format(number), way
        case _:
            return
