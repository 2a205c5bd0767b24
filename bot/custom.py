"""A custom action inside a turn: asked for by yielding, its answer turned into events of the dialogue."""

from collections.abc import Generator, Mapping
from typing import Any

from bot.answers import utter
from bot.cleaning import clean_text, clean_value
from bot.contract import ActionCall, ActionResult
from bot.events import Event, said
from bot.scene import Scene
from bot.tracker import Tracker


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
    words = [event for response in result.responses for event in _words(scene, tracker, response)]
    return [*words, *(_event(event) for event in result.events if isinstance(event.get("event"), str))]


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


def _event(event: Mapping[str, Any]) -> Event:
    kept: Event = {key: clean_value(value) for key, value in event.items() if key != "timestamp"}
    if kept["event"] == "slot":
        kept["name"] = str(kept.get("name"))
    return kept
