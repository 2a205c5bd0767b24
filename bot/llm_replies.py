"""Turns in which a model's command is answered without a rule of the bot: asking back, citing, calling a person.

Each is made from the turn of a message that was not understood, so that the memory stays that of the embedded brain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.brain import Brain
from bot.choices import choices_of, without_choices
from bot.contract import Turn
from bot.handover import default_words, summary
from bot.passages import Passage
from profiles.timeline import Button, Content

_MORE = {"fr": "En savoir plus", "en": "Read more"}
_WHICH = {"fr": "Que souhaitez-vous ?", "en": "What would you like?"}


def clarified(turn: Turn, intents: Sequence[str], brain: Brain, language: str) -> Turn:
    """Return the turn that asks which of these intents is meant; it still counts as not understood."""
    titles = [_title(brain, intent, language) for intent in intents]
    buttons = tuple(Button(title, f"/{intent}") for title, intent in zip(titles, intents, strict=True))
    says = (Content(_WHICH.get(language, _WHICH["en"]), buttons),)
    return _instead(turn, says, missed=True)


def _title(brain: Brain, intent: str, language: str) -> str:
    """Return the shortest example of an intent: names of intents are no words for customers."""
    known = [example.text for example in brain.script.project.training.examples if example.intent == intent]
    spoken = [
        example.text
        for example in brain.script.project.training.examples
        if example.intent == intent and example.language == language
    ]
    return min(spoken or known or [intent.replace("_", " ")], key=len)[:60]


def cited(turn: Turn, text: str, passages: Sequence[Passage], language: str) -> Turn:
    """Return the turn that says this, with a link to the first source that has one."""
    url = next((passage.url for passage in passages if passage.url), None)
    buttons = (Button(_MORE.get(language, _MORE["en"]), url=url),) if url else ()
    told = _instead(turn, (Content(text, buttons),), missed=False)
    return replace(told, actions=("action_knowledge",))


def handed_over(turn: Turn, text: str, memory: Mapping[str, Any] | None, brain: Brain, language: str) -> Turn:
    """Return the turn that gives the conversation to people, and tells the customer so."""
    intents = list((memory or {}).get("intents", ()))
    words = summary(text, {}, intents, language, titles=brain.script.project.titles)
    told = _instead(turn, (Content(default_words("asked", language)),), missed=False)
    return replace(told, handover=("asked", words, brain.script.project.handover.team))


def _instead(turn: Turn, says: tuple[Content, ...], *, missed: bool) -> Turn:
    """Return a turn that understood nothing with other words; `missed`: it still counts as not understood."""
    tracker = {key: value for key, value in without_choices(turn.tracker).items() if missed or key != "missed"}
    events = turn.events if missed else tuple(event for event in turn.events if event[0] != "bot.unanswered")
    return replace(
        turn, tracker={**tracker, **choices_of(says)}, says=says, events=events, handover=None, missed=missed
    )
