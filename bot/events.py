"""What happens in a dialogue, in Rasa's own event format: plain dictionaries, because custom actions send and read them.

Format: rasa_sdk/events.py of rasa-sdk 3.21 and the tracker events of Rasa 3.6.
"""

from collections.abc import Mapping
from typing import Any

Event = dict[str, Any]

LISTEN = "action_listen"
REQUESTED = "requested_slot"
HAND_OVER = "action_hand_over"
KNOWLEDGE = "action_knowledge"
FALLBACK_INTENT = "nlu_fallback"

DEFAULT_INTENTS: Mapping[str, str] = {
    "restart": "action_restart",
    "back": "action_back",
    "session_start": "action_session_start",
}
DEFAULT_ACTIONS = frozenset(
    {
        LISTEN,
        HAND_OVER,
        KNOWLEDGE,
        "action_restart",
        "action_back",
        "action_session_start",
        "action_default_fallback",
        "action_deactivate_loop",
        "action_extract_slots",
    }
)


def slot_set(name: str, value: Any) -> Event:
    """The slot has this value from now on."""
    return {"event": "slot", "name": name, "value": value}


def loop_set(name: str | None) -> Event:
    """The form starts, or with None the running form ends."""
    return {"event": "active_loop", "name": name}


def action_run(name: str) -> Event:
    """The action was executed."""
    return {"event": "action", "name": name}


def said(text: str, **data: Any) -> Event:
    """The bot says something."""
    return {"event": "bot", "text": text, "data": data, "metadata": {}}


def handed_over(reason: str, team: str | None = None) -> Event:
    """The bot gives the conversation to people; Rasa has no such event, custom actions may send `pause` instead."""
    return {"event": "handover", "reason": reason, "team": team}
