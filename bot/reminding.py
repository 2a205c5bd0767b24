"""Reminders that custom actions set and cancel (rasa_sdk's ReminderScheduled, ReminderCancelled), as plain storable facts.

As in Rasa 3.6 a reminder has an intent that comes due like a message nobody wrote; one of the same name takes the
other's place; a message of the customer removes it unless it was set with `kill_on_user_message=False`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

Reminder = dict[str, Any]
MOST = 20
"""Of one conversation; the latest stay."""


def scheduled(reminders: Sequence[Reminder], event: Mapping[str, Any]) -> list[Reminder]:
    """Return the reminders with the one of this event; one whose time nobody can read is passed over."""
    at = _instant(event.get("date_time"))
    intent = event.get("intent")
    if at is None or not isinstance(intent, str):
        return list(reminders)
    reminder = {
        "name": str(event.get("name") or f"{intent} {at:.0f}"),
        "intent": intent,
        "entities": entities_of(event.get("entities")),
        "at": at,
        "dies": event.get("kill_on_user_msg") is not False,
    }
    return [*(other for other in reminders if other["name"] != reminder["name"]), reminder][-MOST:]


def cancelled(reminders: Sequence[Reminder], event: Mapping[str, Any]) -> list[Reminder]:
    """Return what is left: an event that names nothing cancels all, else all that it says must be so."""
    entities = entities_of(event.get("entities")) if event.get("entities") else None
    wanted = {"name": event.get("name"), "intent": event.get("intent"), "entities": entities}
    wanted = {key: value for key, value in wanted.items() if value is not None}
    return [one for one in reminders if any(one[key] != value for key, value in wanted.items())]


def next_due(memory: Mapping[str, Any], now: datetime) -> Reminder | None:
    """Return the reminder that is due in a bot's memory, the earliest first; None when none is."""
    due = [one for one in memory.get("tracker", {}).get("reminders", ()) if one["at"] <= now.timestamp()]
    return min(due, key=lambda one: float(one["at"]), default=None)


def without(memory: Mapping[str, Any], reminder: Reminder) -> dict[str, Any]:
    """Return the bot's memory without this reminder."""
    left = [one for one in memory["tracker"]["reminders"] if one != reminder]
    kept = {name: value for name, value in memory.items() if name != "due_at"}
    tracker = {name: value for name, value in memory["tracker"].items() if name != "reminders"}
    return {**kept, "tracker": {**tracker, **({"reminders": left} if left else {})}, **due_at(left)}


def due_at(reminders: Sequence[Reminder]) -> dict[str, float]:
    """Return what the bot's memory says of when it must be woken, in seconds since 1970: nothing, or `due_at`."""
    return {"due_at": min(float(one["at"]) for one in reminders)} if reminders else {}


def entities_of(written: Any) -> list[dict[str, Any]]:
    """Return entities as a list; `{"city": "Lyon"}` is short for one."""
    if isinstance(written, Mapping):
        return [{"entity": str(name), "value": value} for name, value in written.items()]
    return [dict(one) for one in written or () if isinstance(one, Mapping) and "entity" in one]


def _instant(written: Any) -> float | None:
    """Return seconds since 1970. A time without a zone is this server's own, as actions write `datetime.now() + ...`."""
    try:
        return datetime.fromisoformat(str(written)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
