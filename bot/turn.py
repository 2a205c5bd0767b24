"""One turn: a message in, the new memory, the words and the facts out. Pure: no clock, no I/O, no chance.

Turn order (Rasa 3.6, rasa/core/processor.py): session, message, slots, then actions until the bot listens, ten at most.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.answers import content_of
from bot.choices import choices_of, chosen, payloads
from bot.cleaning import LONGEST_HEARD, clean_text
from bot.contract import ActionCall, ActionResult, Heard, Known, Turn
from bot.custom import Rejected
from bot.doing import do, give_up, hand_over
from bot.events import FALLBACK_INTENT, HAND_OVER, KNOWLEDGE, LISTEN, REQUESTED, SESSION_START, Event, action_run, said
from bot.finders import Here
from bot.flow_answers import set_slots
from bot.flow_ear import Course, ask_again
from bot.flow_stack import drop_unknown, end_all, has_turn
from bot.flowing import flow_next
from bot.handover import summary
from bot.policies import Next, predict
from bot.quoting import has_answer, unanswered
from bot.reminding import due_at
from bot.scene import Scene, Script
from bot.slots import extract, tell_known
from bot.tracker import Tracker
from bot.trail import LONGEST_TRAIL
from bot.understanding import Hears, Meaning
from bot.unsure import is_doubted, what_is_doubted

MOST_ACTIONS = 10
_REMEMBERED_INTENTS = 8
_LONGEST_QUESTION = 300
_FAILED = {
    "fr": "Désolé, un souci technique m’empêche de répondre. Voulez-vous parler à un conseiller ?",
    "en": "Sorry, something went wrong on our side. Would you like to talk to a colleague?",
}

Playing = Generator[ActionCall, ActionResult, Turn]
Doing = Generator[ActionCall, ActionResult, None]


@dataclass(slots=True)
class _Play:
    """What the turn has come to so far."""

    scene: Scene
    tracker: Tracker
    meaning: Meaning
    said: str
    """What the customer said as a person would read it: the words, or the button's title."""
    words: list[Event] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    facts: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    handover: Event | None = None
    missed: int = 0
    was_missed: bool = False
    decided: list[Next] | None = None
    """Who chose what, for whoever asks why."""
    took_answer: bool = False
    """The running form or flow took the message as an answer."""
    course: Course = field(default_factory=Course)
    """What became of the message in flows."""
    known: Mapping[str, Any] = field(default_factory=dict)
    """What flows had collected when people took over, and forgot."""


def take_turn(
    script: Script,
    understanding: Hears,
    memory: Mapping[str, Any],
    heard: Heard,
    known: Known,
    decided: list[Next] | None = None,
) -> Playing:
    """Yield the custom actions the turn needs, if any, and return what it comes to; `decided` notes who chose what."""
    text = clean_text(heard.payload or heard.text, LONGEST_HEARD).strip()
    button, text = chosen(text, memory)
    course = Course(set_slots(text), button is not None or text in payloads(memory), heard.payload is not None)
    if heard.event:
        text = f"EXTERNAL: {heard.event}"  # as custom actions know it from Rasa
    here = script.project.validation.here(heard.at)
    meaning, language, doubt = _meaning(script, understanding, memory, heard, known.language, text, here)
    scene = Scene(script, heard, known, here, language)
    tracker = Tracker.recall(script.domain, memory.get("tracker", {}), bool(script.domain.actions))
    drop_unknown(tracker, script.project.flows)
    play = _Play(scene, tracker, meaning, said=button or heard.text, missed=int(memory.get("missed", 0)), course=course)
    play.decided = decided
    if _session_is_over(scene, memory):
        waiting = tracker.reminders  # a reminder for tomorrow outlives the session; only Rasa forgets it
        yield from _run(play, Next(SESSION_START))
        tracker.reminders = waiting
        if tracker.last != LISTEN:  # the bot's own session start failed, or left that out: rules need it
            tracker.apply(action_run(LISTEN))
        play.actions.clear()
    tracker.said.clear()
    tell_known(scene, tracker)
    tracker.apply(_user_event(scene, text, meaning))
    yield from _extract(play)
    yield from _act(play, text)
    return _turn(play, memory, doubt)


def _meaning(
    script: Script,
    understanding: Hears,
    memory: Mapping[str, Any],
    heard: Heard,
    known_language: str | None,
    text: str,
    here: Here,
) -> tuple[Meaning, str, int]:
    """Return what was meant, the conversation's language, and the doubt about it."""
    language, doubt = memory.get("language") or known_language, int(memory.get("doubt", 0))
    if set_slots(text):  # a button of a flow: no words
        return Meaning(FALLBACK_INTENT, 1.0), language or script.project.options.language, doubt
    if heard.event is None:
        return understanding.hear(text, language, doubt, here)
    about = tuple(dict(entity) for entity in heard.entities)
    return Meaning(heard.event, 1.0, about), language or script.project.options.language, doubt


def _session_is_over(scene: Scene, memory: Mapping[str, Any]) -> bool:
    """Whether there was no session yet, or the last message is longer ago than a session lasts."""
    if "tracker" not in memory:
        return True
    lasts, at = scene.script.domain.session_minutes * 60, scene.heard.at.timestamp()
    return bool(lasts) and at - float(memory.get("at", at)) > lasts


def _extract(play: _Play) -> Doing:
    for event in (yield from extract(play.scene, play.tracker)):
        _put(play, event)


def _user_event(scene: Scene, text: str, meaning: Meaning) -> Event:
    return {
        "event": "user",
        "text": text,
        "parse_data": meaning.as_rasa(text),
        "input_channel": scene.heard.channel,
        "message_id": scene.heard.id,
        "timestamp": scene.heard.at.timestamp(),
    }


def _act(play: _Play, text: str) -> Doing:
    """Run actions until the bot listens."""
    plan = play.scene.script.project.handover
    if plan.asks(play.tracker.meant, text):
        yield from _run(play, Next(HAND_OVER), reason="asked")
    for _ in range(MOST_ACTIONS):
        tracker = play.tracker
        if play.handover:
            break
        following = _next(play)
        if play.decided is not None:
            play.decided.append(following)
        if _is_missed(play, following):
            play.was_missed = not has_answer(play.scene)
            if not play.was_missed and following.action != KNOWLEDGE:
                yield from _answer_from_documents(play, following)
                if not has_turn(tracker):
                    break
                ask_again(tracker, play.course)
                continue
            if play.was_missed and plan.after_misunderstandings and play.missed + 1 >= plan.after_misunderstandings:
                yield from _run(play, Next(HAND_OVER), reason="not_understood")
                break
        if following.by_text:
            yield from _extract(play)
        yield from _run(play, following)
        if following.action in (LISTEN, SESSION_START):
            return
    else:  # so many actions and still not listening: the bot runs in a circle
        yield from _run(play, Next(HAND_OVER), reason="action")
    if play.tracker.last != LISTEN:
        play.tracker.apply(action_run(LISTEN))


def _next(play: _Play) -> Next:
    """Return what comes next: what the running flow does, else what forms, rules and stories say."""
    scene, tracker, course = play.scene, play.tracker, play.course
    following = flow_next(scene, tracker, course)
    if following is None:
        following = predict(scene.script.rulebook, scene.script.domain, tracker, scene.script.project.options)
        if course.gives_back(tracker, following):
            following = flow_next(scene, tracker, course) or following
    play.took_answer |= course.answered
    return following


def _is_missed(play: _Play, following: Next) -> bool:
    """Whether this is the answer to something the bot did not understand: a form that took the message did."""
    if play.was_missed or play.tracker.last != LISTEN or following.action in (LISTEN, play.tracker.loop):
        return False
    if play.took_answer:
        return False
    if following.is_fallback or (following.action == KNOWLEDGE and KNOWLEDGE not in play.tracker.domain.actions):
        return True
    return play.tracker.meant in play.scene.script.project.handover.misunderstood


def _answer_from_documents(play: _Play, following: Next) -> Doing:
    """Say what the documents hold instead of the fallback; a running form then asks its question again."""
    yield from _run(play, Next(KNOWLEDGE, following.back_to_form))
    if play.tracker.loop:
        yield from _run(play, Next(play.tracker.loop, back_to_form=True))


def _run(play: _Play, following: Next, reason: str | None = None) -> Doing:
    trial = play.tracker
    if following.back_to_form:
        trial = trial.fork()
        trial.apply({"event": "loop_interrupted", "is_interrupted": True})
    try:
        if reason:
            events = hand_over(play.scene, trial, reason)
        else:
            events = yield from do(play.scene, trial, following.action)
    except Rejected:
        play.tracker.apply({"event": "action_execution_rejected", "name": following.action})
        return
    if following.back_to_form:
        play.tracker.apply({"event": "loop_interrupted", "is_interrupted": True})
    if not any(event["event"] == "action_execution_rejected" for event in events):
        play.took_answer |= following.action == play.tracker.loop and play.tracker.last == LISTEN
        play.tracker.apply(action_run(following.action, following.is_hidden))
    for event in events:
        _put(play, event)
    if any(event["event"] == "user" for event in events):  # an action that takes back what was said, and says it anew
        yield from _extract(play)
    tell_known(play.scene, play.tracker)
    _note(play, following.action)


def _put(play: _Play, event: Event) -> None:
    play.tracker.apply(event)
    if event["event"] == "bot":
        play.words.append(event)
    elif event["event"] in ("rewind", "user"):
        play.course.is_rewound = event["event"] == "rewind"
    elif event["event"] == "handover":
        play.handover, play.known = event, end_all(play.tracker, play.scene)
    elif event["event"] == "pause" and play.handover is None:
        leave = hand_over if event.get("tell") and not play.words else give_up
        for following in leave(play.scene, play.tracker, "action", event.get("team")):
            _put(play, following)


def _note(play: _Play, action: str) -> None:
    if action != LISTEN:
        play.actions.append(action)
    fact = play.scene.script.project.memory.events.get(action)
    if fact:
        name, properties = fact
        said_by = {"source": "bot", "channel": play.scene.heard.channel, "message": play.scene.heard.id}
        play.facts.append((name, {**said_by, **properties}))


def _turn(play: _Play, memory: Mapping[str, Any], doubt: int) -> Turn:
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


def _so_far(play: _Play, memory: Mapping[str, Any]) -> tuple[list[str], str]:
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


def _handover(play: _Play, question: str, intents: list[str]) -> Any:
    if play.handover is None:
        return None
    known = {**play.tracker.slots, **play.known}
    slots = {name: value for name, value in known.items() if value is not None and name != REQUESTED}
    reason = play.handover.get("reason")
    last = clean_text(play.said, _LONGEST_QUESTION)
    titles = play.scene.script.project.titles
    words = summary(last, slots, intents, play.scene.language, question=question, titles=titles)
    return reason if reason in ("asked", "not_understood") else "action", words, play.handover.get("team")
