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
SESSION_START = "action_session_start"
FALLBACK = "action_default_fallback"
ASK_AFFIRMATION = "action_default_ask_affirmation"
ASK_REPHRASE = "action_default_ask_rephrase"
TWO_STAGE = "action_two_stage_fallback"
OUT_OF_SCOPE = "out_of_scope"
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
        SESSION_START,
        FALLBACK,
        ASK_AFFIRMATION,
        ASK_REPHRASE,
        TWO_STAGE,
        "action_unlikely_intent",
        "action_deactivate_loop",
        "action_extract_slots",
        "action_reset_routing",
    }
)


def slot_set(name: str, value: Any) -> Event:
    """The slot has this value from now on."""
    return {"event": "slot", "name": name, "value": value}


def loop_set(name: str | None) -> Event:
    """The form starts, or with None the running form ends."""
    return {"event": "active_loop", "name": name}


def action_run(name: str, is_hidden: bool = False) -> Event:
    """The action was executed. Hidden: stories do not see it, because only rules tell it."""
    return {"event": "action", "name": name, **({"hide_rule_turn": True} if is_hidden else {})}


def said(text: str, **data: Any) -> Event:
    """The bot says something."""
    return {"event": "bot", "text": text, "data": data, "metadata": {}}


def handed_over(reason: str, team: str | None = None) -> Event:
    """The bot gives the conversation to people; Rasa has no such event, custom actions may send `pause` instead."""
    return {"event": "handover", "reason": reason, "team": team}
