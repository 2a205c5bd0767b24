"""A custom action inside a turn: asked for by yielding, its answer turned into events of the dialogue."""

from collections.abc import Generator, Mapping
from typing import Any

from bot.answers import utter
from bot.cleaning import clean_text, clean_value
from bot.contract import ActionCall, ActionResult
from bot.events import Event, said
from bot.scene import Scene
from bot.tracker import Tracker

MOST_RESPONSES = 50
"""Of one action; nobody reads more, and each is a message that is stored and sent."""
MOST_EVENTS = 500
_NAMED = ("slot", "action", "followup", "action_execution_rejected")


class Rejected(Exception):
    """The form or action leaves this message to others (Rasa's ActionExecutionRejection)."""


def call(scene: Scene, tracker: Tracker, name: str) -> Generator[ActionCall, ActionResult, list[Event]]:
    """Return the events of a custom action. One that fails counts as run, without events, and is noted.

    Raises Rejected when the action itself rejects.
    """
    result = yield ActionCall(name, as_rasa(scene, tracker), scene.script.domain.raw)
    if result.outcome == "rejected":
        raise Rejected(name)
    if result.outcome == "failed":
        scene.failed.append(f"{name}: {result.problem}")
        return []
    responses = [response for response in result.responses[:MOST_RESPONSES] if isinstance(response, Mapping)]
    words = [event for response in responses for event in _words(scene, tracker, response)]
    events = [sound(_event(event)) for event in result.events[:MOST_EVENTS] if isinstance(event, Mapping)]
    return [*words, *(event for event in events if event is not None)]


def as_rasa(scene: Scene, tracker: Tracker) -> dict[str, Any]:
    """Return the tracker as Rasa sends it to an action server (events: those since the session began, at most 60)."""
    events = tracker.log or []
    return {
        "sender_id": scene.known.conversation,
        "slots": dict(tracker.slots),
        "latest_message": tracker.message,
        "events": events,
        "paused": False,
        "followup_action": tracker.followup,
        "active_loop": {"name": tracker.loop, "is_interrupted": tracker.is_interrupted, "rejected": tracker.is_rejected}
        if tracker.loop
        else {},
        "latest_action": {"action_name": tracker.last},
        "latest_action_name": tracker.last,
        "latest_event_time": scene.heard.at.timestamp(),
        "latest_input_channel": scene.heard.channel,
        "user_id": scene.known.profile,
        "stack": [
            {"type": "flow", "frame_id": str(number), "flow_id": frame["flow"], "step_id": frame["step"]}
            for number, frame in enumerate(tracker.flows)
        ],
    }


def _words(scene: Scene, tracker: Tracker, response: Mapping[str, Any]) -> list[Event]:
    own = {key: clean_value(value) for key, value in response.items() if key not in ("response", "template") and value}
    name = response.get("response")
    spoken = utter(scene, tracker, str(name), own) if name else [said("")]
    for event in spoken:
        event["text"] = clean_text(str(own.get("text") or event["text"]))
        buttons = [*event["data"].get("buttons", []), *own.get("buttons", [])]
        event["data"] = {
            **event["data"],
            **{key: own[key] for key in ("image", "attachment") if key in own},
            **({"buttons": buttons} if buttons else {}),
        }
    return spoken


def sound(event: Event) -> Event | None:
    """Return the event as a dialogue can take it, or None when it says too little to mean anything."""
    kind = event.get("event")
    if not isinstance(kind, str):
        return None
    if kind in _NAMED and not isinstance(event.get("name"), str):
        return None
    if kind == "slot":
        return {"value": None, **event}
    if kind in ("active_loop", "form"):
        return {**event, "name": event["name"] if isinstance(event.get("name"), str) else None}
    if kind == "user":
        parsed = event.get("parse_data")
        return {**event, "text": _text(event), "parse_data": parsed if isinstance(parsed, Mapping) else {}}
    if kind == "bot":
        data = event.get("data")
        return {**event, "text": _text(event) or "", "data": data if isinstance(data, Mapping) else {}}
    return event


def _text(event: Event) -> str | None:
    return None if event.get("text") is None else clean_text(str(event["text"]))


def _event(event: Mapping[str, Any]) -> Event:
    return {str(key): clean_value(value) for key, value in event.items() if key != "timestamp"}
