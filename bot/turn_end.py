"""The end of a turn: what is kept of it, what is said, what whoever takes over is told."""

from collections.abc import Mapping
from typing import Any

from bot.answers import content_of
from bot.choices import choices_of
from bot.cleaning import clean_text
from bot.contract import Turn
from bot.events import REQUESTED, said
from bot.handover import summary
from bot.quoting import unanswered
from bot.reminding import due_at
from bot.trail import LONGEST_TRAIL
from bot.turn_play import Play
from bot.unsure import is_doubted, what_is_doubted

_REMEMBERED_INTENTS = 8
_LONGEST_QUESTION = 300
_FAILED = {
    "fr": "Désolé, un souci technique m’empêche de répondre. Voulez-vous parler à un conseiller ?",
    "en": "Sorry, something went wrong on our side. Would you like to talk to a colleague?",
}


def ended(play: Play, memory: Mapping[str, Any], doubt: int) -> Turn:
    """Return what the turn comes to; `memory` is what was kept before it, `doubt` how unsure its language is."""
    scene, tracker = play.scene, play.tracker
    if scene.failed and not play.words:
        play.words.append(said(_FAILED.get(scene.language, _FAILED["en"])))
    says = tuple(content for content in map(content_of, play.words) if content.text or content.attachments)
    intents, question = _so_far(play, memory)
    kept: dict[str, Any] = {
        "tracker": tracker.memory(max(LONGEST_TRAIL, scene.script.rulebook.stories.longest)),
        "at": scene.heard.at.timestamp(),
        "language": scene.language,
        "intents": intents,
        "question": question,
        **due_at(tracker.reminders),
        **choices_of(says),
    }
    if play.was_missed and not play.handover:
        kept["missed"] = play.missed + 1
    if doubt:
        kept["doubt"] = doubt
    mapped = scene.script.project.memory
    if play.was_missed:
        play.facts.append(("bot.unanswered", unanswered(scene, play.meaning)))
    elif not play.took_answer and is_doubted(play.meaning, scene.script.project.handover.misunderstood):
        play.facts.append(("bot.doubted", what_is_doubted(scene, play.meaning)))
    return Turn(
        tracker=kept,
        says=says,
        learned=tuple(mapped.learned(tracker.said, tracker.slots, scene.known.values)),
        handover=_handover(play, question, intents),
        language=scene.language,
        intent=play.meaning.intent,
        confidence=play.meaning.confidence,
        events=tuple(play.facts),
        actions=tuple(play.actions),
        missed=play.was_missed,
        failed=tuple(scene.failed),
    )


def _so_far(play: Play, memory: Mapping[str, Any]) -> tuple[list[str], str]:
    """Return what was asked about so far and the last question: what an agent wants to know. Answers to a form are neither."""
    intents, question = list(memory.get("intents", ())), str(memory.get("question", ""))
    intent, plan = play.meaning.intent, play.scene.script.project.handover
    if play.was_missed:
        return intents, clean_text(play.said, _LONGEST_QUESTION)
    if play.took_answer or (play.handover and play.handover["reason"] == "asked"):
        return intents, question
    if intent and intent not in plan.misunderstood and intents[-1:] != [intent]:
        intents.append(intent)
    return intents[-_REMEMBERED_INTENTS:], clean_text(play.said, _LONGEST_QUESTION)


def _handover(play: Play, question: str, intents: list[str]) -> Any:
    if play.handover is None:
        return None
    known = {**play.tracker.slots, **play.known}
    slots = {name: value for name, value in known.items() if value is not None and name != REQUESTED}
    reason = play.handover.get("reason")
    last = clean_text(play.said, _LONGEST_QUESTION)
    titles = play.scene.script.project.titles
    words = summary(last, slots, intents, play.scene.language, question=question, titles=titles)
    return reason if reason in ("asked", "not_understood") else "action", words, play.handover.get("team")
