"""One turn: a message in, the new memory, the words and the facts out. Pure: no clock, no I/O, no chance.

Turn order (Rasa 3.6, rasa/core/processor.py): session, message, slots, then actions until the bot listens, ten at most.
"""

from collections.abc import Mapping
from typing import Any

from bot.choices import chosen, payloads
from bot.cleaning import LONGEST_HEARD, clean_text
from bot.contract import Heard, Known
from bot.custom import Rejected
from bot.doing import do, give_up, hand_over
from bot.events import FALLBACK_INTENT, HAND_OVER, KNOWLEDGE, LISTEN, SESSION_START, Event, action_run
from bot.finders import Here
from bot.flow_answers import set_slots
from bot.flow_ear import Course, ask_again
from bot.flow_stack import drop_unknown, end_all, has_turn
from bot.flowing import flow_next
from bot.policies import Next, predict
from bot.quoting import has_answer
from bot.scene import Scene, Script
from bot.slots import extract, tell_known
from bot.tracker import Tracker
from bot.turn_end import ended
from bot.turn_play import Doing, Play, Playing
from bot.understanding import Hears, Meaning

MOST_ACTIONS = 10


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
    play = Play(scene, tracker, meaning, said=button or heard.text, missed=int(memory.get("missed", 0)), course=course)
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
    return ended(play, memory, doubt)


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


def _extract(play: Play) -> Doing:
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


def _act(play: Play, text: str) -> Doing:
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


def _next(play: Play) -> Next:
    """Return what comes next: what the running flow does, else what forms, rules and stories say."""
    scene, tracker, course = play.scene, play.tracker, play.course
    following = flow_next(scene, tracker, course)
    if following is None:
        following = predict(scene.script.rulebook, scene.script.domain, tracker, scene.script.project.options)
        if course.gives_back(tracker, following):
            following = flow_next(scene, tracker, course) or following
    play.took_answer |= course.answered
    return following


def _is_missed(play: Play, following: Next) -> bool:
    """Whether this is the answer to something the bot did not understand: a form that took the message did."""
    if play.was_missed or play.tracker.last != LISTEN or following.action in (LISTEN, play.tracker.loop):
        return False
    if play.took_answer:
        return False
    if following.is_fallback or (following.action == KNOWLEDGE and KNOWLEDGE not in play.tracker.domain.actions):
        return True
    return play.tracker.meant in play.scene.script.project.handover.misunderstood


def _answer_from_documents(play: Play, following: Next) -> Doing:
    """Say what the documents hold instead of the fallback; a running form then asks its question again."""
    yield from _run(play, Next(KNOWLEDGE, following.back_to_form))
    if play.tracker.loop:
        yield from _run(play, Next(play.tracker.loop, back_to_form=True))


def _run(play: Play, following: Next, reason: str | None = None) -> Doing:
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


def _put(play: Play, event: Event) -> None:
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


def _note(play: Play, action: str) -> None:
    if action != LISTEN:
        play.actions.append(action)
    fact = play.scene.script.project.memory.events.get(action)
    if fact:
        name, properties = fact
        said_by = {"source": "bot", "channel": play.scene.heard.channel, "message": play.scene.heard.id}
        play.facts.append((name, {**said_by, **properties}))
