"""One conversation over several channels: who began a form in the web chat may end it by SMS.

Each channel's thread keeps its own memory, messages and owner. Of a person who may write by several the profile keeps
the newest memory beside; whichever channel they write by next goes on from the newest. Reminders stay with the
thread that they were asked for in, else they would be said twice.
"""

from collections.abc import Mapping
from typing import Any

from bot.reminding import due_at
from profiles.conversation import Conversation
from profiles.profile import Profile
from profiles.record import replace


def memory_of(profile: Profile, conversation: Conversation) -> Mapping[str, Any] | None:
    """Return the memory that the next turn goes on from: this thread's, or a newer one of the same person."""
    own, shared = conversation.bot, profile.bot
    if not shared or float(shared.get("at", 0)) <= float(own.get("at", 0)):
        return own or None
    return _with_reminders(shared, own.get("tracker", {}).get("reminders"))


def remember(profile: Profile, conversation: Conversation, memory: Mapping[str, Any]) -> Profile:
    """Return the profile with this memory beside, if the person may write by another channel (a second line for SMS is one)."""
    if len(profile.identities) < 2 and conversation.identity in ("", conversation.id):
        return profile
    return replace(profile, bot=_with_reminders(memory, None))


def _with_reminders(memory: Mapping[str, Any], reminders: Any) -> dict[str, Any]:
    kept = {name: value for name, value in memory.items() if name not in ("tracker", "due_at")}
    if "tracker" not in memory:  # the memory of a Rasa server: its tracker is there
        return kept
    tracker = {name: value for name, value in memory["tracker"].items() if name != "reminders"}
    return {
        **kept,
        "tracker": {**tracker, **({"reminders": reminders} if reminders else {})},
        **due_at(reminders or ()),
    }
