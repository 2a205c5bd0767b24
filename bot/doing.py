"""Runs one action: the bot's own ones, a response, a form, or a custom one. Returns what happened as events."""

from collections.abc import Generator

from bot.answers import utter
from bot.contract import ActionCall, ActionResult
from bot.custom import call
from bot.doubts import ask_affirmation, chosen_response, two_stages
from bot.events import (
    ASK_AFFIRMATION,
    ASK_REPHRASE,
    FALLBACK,
    HAND_OVER,
    KNOWLEDGE,
    LISTEN,
    REQUESTED,
    SESSION_START,
    TWO_STAGE,
    Event,
    action_run,
    handed_over,
    loop_set,
    said,
    slot_set,
)
from bot.flow_stack import collected_by_unfinished, running
from bot.flows import WORDS
from bot.forms import run_form
from bot.handover import default_words
from bot.quoting import quote
from bot.scene import Scene
from bot.tracker import Tracker

DEFAULT_SORRY = {
    "fr": "Désolé, je n’ai pas compris. Pouvez-vous le dire autrement ?",
    "en": "Sorry, I did not understand. Could you put it another way?",
}


def do(scene: Scene, tracker: Tracker, name: str) -> Generator[ActionCall, ActionResult, list[Event]]:
    """Return the events of an action. Raises Rejected when it leaves the message to others."""
    domain = scene.script.domain
    if name == LISTEN:
        return []
    if name in domain.actions and name not in domain.forms:
        return (yield from call(scene, tracker, name))
    if name in domain.forms:
        return (yield from run_form(scene, tracker, name))
    if name == HAND_OVER:
        return hand_over(scene, tracker, "action")
    if name == KNOWLEDGE:
        return quote(scene) or _sorry(scene, tracker)
    if name == "action_restart":
        return [
            *utter(scene, tracker, "utter_restart"),
            {"event": "restart"},
            {"event": "followup", "name": "action_session_start"},
        ]
    if name == SESSION_START:
        return _session_started(tracker)
    if name == "action_back":
        return [*utter(scene, tracker, "utter_back"), {"event": "rewind"}, {"event": "rewind"}]
    if name == "action_deactivate_loop":
        return [loop_set(None), slot_set(REQUESTED, None)]
    if name == FALLBACK:
        return [*_sorry(scene, tracker), {"event": "rewind"}]
    if name == ASK_AFFIRMATION:
        return ask_affirmation(scene, tracker)
    if name == ASK_REPHRASE:
        return utter(scene, tracker, "utter_ask_rephrase")
    if name == TWO_STAGE:
        return (yield from _two_stages(scene, tracker))
    if domain.is_retrieval(name):
        return utter(scene, tracker, chosen_response(tracker, name) or name)
    if name in WORDS and name not in domain.responses:
        return [said(WORDS[name].get(scene.language, WORDS[name]["en"]))]
    return utter(scene, tracker, name)


def _session_started(tracker: Tracker) -> list[Event]:
    """Return the events of a new session; slots are carried over where the domain says so, and forms end."""
    events: list[Event] = [{"event": "session_started"}]
    if tracker.domain.carry_over:
        unfinished = collected_by_unfinished(tracker)
        first = {name: slot.initial for name, slot in tracker.domain.slots.items()}
        events += [
            slot_set(name, value)
            for name, value in tracker.slots.items()
            if value != first.get(name) and name not in unfinished
        ]
    return [*events, action_run(LISTEN)]


def _two_stages(scene: Scene, tracker: Tracker) -> Generator[ActionCall, ActionResult, list[Event]]:
    """Ask whether the likeliest intent was meant, then for other words; then give up (bot/doubts.py)."""
    events, asks, ended = two_stages(tracker)
    if asks:
        events += yield from do(scene, tracker, asks)
    if ended is not None:
        events += ended or (yield from do(scene, tracker, FALLBACK))
    return events


def hand_over(scene: Scene, tracker: Tracker, reason: str, team: str | None = None) -> list[Event]:
    """Return the events of giving the conversation to people: the customer is told, the running form ends.

    The form ends so that, when the conversation comes back, the bot does not go on with a question long forgotten.
    """
    plan = scene.script.project.handover
    response = plan.tells(reason)
    words = utter(scene, tracker, response) if response else [said(default_words(reason, scene.language))]
    return [*words, *give_up(scene, tracker, reason, team)]


def give_up(scene: Scene, tracker: Tracker, reason: str, team: str | None = None) -> list[Event]:
    """Return the events of a handover that the customer was already told about."""
    within = tracker.loop or next(iter(running(tracker)), None)
    team = team or scene.script.project.handover.team_for(within, tracker.intent)
    ended = [loop_set(None), slot_set(REQUESTED, None)] if tracker.loop else []
    return [handed_over(reason, team), *ended]


def _sorry(scene: Scene, tracker: Tracker) -> list[Event]:
    if "utter_default" in scene.script.domain.responses:
        return utter(scene, tracker, "utter_default")
    return [said(DEFAULT_SORRY.get(scene.language, DEFAULT_SORRY["en"]))]
