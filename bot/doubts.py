"""When it is unclear what was meant: ask whether the likeliest was meant, then for other words, then give up.

Source: TwoStageFallbackAction and ActionDefaultAskAffirmation of Rasa 3.6 (rasa/core/actions). It is a form without
slots: it runs until a message is understood, takes back what was not, and lets the understood one be answered.
"""

from bot.events import (
    ASK_AFFIRMATION,
    ASK_REPHRASE,
    FALLBACK_INTENT,
    LISTEN,
    OUT_OF_SCOPE,
    TWO_STAGE,
    Event,
    action_run,
    loop_set,
    said,
)
from bot.scene import Scene
from bot.tracker import Tracker

_QUESTIONS = {"fr": "Vouliez-vous dire « {} » ?", "en": "Did you mean '{}'?"}
_ANSWERS = {"fr": ("Oui", "Non"), "en": ("Yes", "No")}


def two_stages(tracker: Tracker) -> tuple[list[Event], str | None, list[Event] | None]:
    """Return how the fallback begins, the action that asks, and how it ends.

    The end is None while it goes on, and empty when it gives up: then comes the bot's last fallback.
    """
    begun = [] if tracker.loop == TWO_STAGE else [loop_set(TWO_STAGE)]
    latest = tracker.heard[::-1]
    gives_up = _meant(latest[:2]) == [FALLBACK_INTENT] * 2 or (
        _meant(latest[:3]) == [OUT_OF_SCOPE, FALLBACK_INTENT, OUT_OF_SCOPE]
    )
    if gives_up:
        return [*begun, loop_set(None)], None, []
    if tracker.meant not in (FALLBACK_INTENT, OUT_OF_SCOPE):
        return [*begun, loop_set(None)], None, [{"event": "rewind"}, action_run(LISTEN), _again(tracker)]
    return begun, ASK_AFFIRMATION if begun or tracker.meant == FALLBACK_INTENT else ASK_REPHRASE, None


def _meant(latest: list[str | None]) -> list[str]:
    return [intent for intent in latest if intent is not None]


def _again(tracker: Tracker) -> Event:
    """Return the latest message as an event."""
    message = {name: value for name, value in tracker.message.items() if name != "metadata"}
    message["intent"] = {**(message.get("intent") or {}), "confidence": 1.0}
    return {"event": "user", "text": message.get("text"), "parse_data": message}


def ask_affirmation(scene: Scene, tracker: Tracker) -> list[Event]:
    """Return the question whether the likeliest intent was meant."""
    ranking = [str(one["name"]) for one in tracker.message.get("intent_ranking") or ()]
    intent = tracker.meant
    if intent == FALLBACK_INTENT and len(ranking) > 1:
        intent = ranking[1]
    question = _QUESTIONS.get(scene.language, _QUESTIONS["en"]).format(_named(scene, str(intent)))
    yes, no = _ANSWERS.get(scene.language, _ANSWERS["en"])
    buttons = [{"title": yes, "payload": f"/{intent}"}, {"title": no, "payload": f"/{OUT_OF_SCOPE}"}]
    return [said(question, buttons=buttons)]


def _named(scene: Scene, intent: str) -> str:
    """Return the intent as a customer would read it: the title of a button that means it, else its own name (as Rasa)."""
    titles = {
        variation.language: str(button.get("title"))
        for variations in scene.script.domain.responses.values()
        for variation in variations
        for button in variation.buttons
        if button.get("payload") == f"/{intent}"
    }
    return titles.get(scene.language) or titles.get(None) or intent


def chosen_response(tracker: Tracker, action: str) -> str | None:
    """Return which of the responses of a retrieval action (`utter_faq`) was chosen for the message (`utter_faq/hours`)."""
    selector = tracker.message.get("response_selector") or {}
    chosen = (selector.get(action.removeprefix("utter_")) or {}).get("response") or {}
    name = chosen.get("utter_action")
    return str(name) if name else None
