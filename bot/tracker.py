"""The bot's memory of one conversation: slots, the running form, and the trail (bot/trail.py) of what was done.

Follows Rasa's tracker (rasa/shared/core/trackers.py and events.py, 3.6), event by event.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain import Domain
from bot.events import FALLBACK_INTENT, LISTEN, REQUESTED, Event
from bot.moments import Moment, Past, told_backwards, told_forwards, user_of, visible_entities
from bot.reminding import Reminder, cancelled, scheduled
from bot.trail import LONGEST_TRAIL, Trail, drop_happy_turn, goes_on_happily, pending_followup, shortened

LONGEST_LOG = 60
_LAST_INTENTS = 3


class Tracker:
    """A working copy for one turn; `memory()` gives what is kept."""

    __slots__ = (
        "domain", "slots", "message", "intent", "entities", "last", "loop", "is_interrupted", "is_rejected",
        "rejected_action", "followup", "trail", "is_cut", "heard", "reminders", "text", "by_text", "log", "said", "flows",
    )  # fmt: skip

    slots: dict[str, Any]
    message: dict[str, Any]
    intent: str | None
    entities: tuple[str, ...]
    last: str | None
    loop: str | None
    is_interrupted: bool
    is_rejected: bool
    rejected_action: str | None
    followup: str | None
    text: str | None
    """The latest message's words, where a rule on exact words answered it; then rules see no intent."""
    by_text: bool | None
    """Whether the latest message is answered by its words (True) or its intent; None: not decided yet."""
    trail: Trail
    is_cut: bool
    """The trail does not reach back to the session's beginning, and something that stories can see is missing."""
    heard: list[str | None]
    """The latest intents since the session began, None where a message was taken back."""
    reminders: list[Reminder]
    flows: list[dict[str, Any]]
    """The running flows, the one that has its turn last (bot/flow_stack.py); never changed in place."""

    def __init__(self, domain: Domain, with_log: bool = False) -> None:
        self.domain = domain
        self.log: list[Event] | None = [] if with_log else None
        self.said: set[str] = set()
        self._forget()

    @classmethod
    def recall(cls, domain: Domain, memory: Mapping[str, Any], with_log: bool = False) -> "Tracker":
        """Return the tracker that this memory holds; slots the bot no longer has are forgotten."""
        tracker = cls(domain, with_log)
        for name, value in memory.get("slots", {}).items():
            if name in tracker.slots:
                tracker.slots[name] = value
        tracker.last = memory.get("last")
        loop = memory.get("loop")
        tracker.loop = loop if domain.is_loop(loop) else None
        tracker.is_interrupted = bool(memory.get("interrupted"))
        tracker.is_rejected = bool(memory.get("rejected"))
        tracker.intent, tracker.entities = memory.get("intent"), tuple(memory.get("entities", ()))
        tracker.text = memory.get("text")
        tracker.trail = list(memory.get("trail", ()))
        tracker.is_cut = bool(memory.get("cut"))
        tracker.heard = list(memory.get("heard", ()))
        tracker.reminders = list(memory.get("reminders", ()))
        tracker.flows = list(memory.get("flows", ()))
        tracker.followup = pending_followup(tracker.trail)
        if with_log:
            tracker.log = list(memory.get("log", ()))
        return tracker

    def memory(self, longest: int = LONGEST_TRAIL) -> dict[str, Any]:
        """Return what shall be kept: plain, storable, at most so many steps of trail."""
        initial = self.domain.slots
        trail, is_cut = shortened(self.trail, longest)
        kept: dict[str, Any] = {
            "slots": {
                name: value
                for name, value in self.slots.items()
                if value != (initial[name].initial if name in initial else None)
            },
            "last": self.last,
            "intent": self.intent,
            "entities": list(self.entities),
            "trail": trail,
        }
        if self.text is not None:
            kept["text"] = self.text
        if self.reminders:
            kept["reminders"] = self.reminders
        if self.flows:
            kept["flows"] = self.flows
        if is_cut or self.is_cut:
            kept["cut"] = True
        if FALLBACK_INTENT in self.heard[-_LAST_INTENTS:]:  # only the two-stage fallback asks
            kept["heard"] = self.heard[-_LAST_INTENTS:]
        if self.loop:
            kept |= {"loop": self.loop, "interrupted": self.is_interrupted, "rejected": self.is_rejected}
        if self.log is not None:
            kept["log"] = self.log[-LONGEST_LOG:]
        return kept

    def fork(self) -> "Tracker":
        """Return a copy on which something may be tried."""
        copy = Tracker.__new__(Tracker)
        copy.domain, copy.slots, copy.message = self.domain, dict(self.slots), self.message
        copy.intent, copy.entities, copy.last, copy.loop = self.intent, self.entities, self.last, self.loop
        copy.is_interrupted, copy.is_rejected = self.is_interrupted, self.is_rejected
        copy.rejected_action, copy.followup = self.rejected_action, self.followup
        copy.trail, copy.said = list(self.trail), set(self.said)
        copy.text, copy.by_text = self.text, self.by_text
        copy.is_cut, copy.heard, copy.reminders = self.is_cut, list(self.heard), list(self.reminders)
        copy.log = None if self.log is None else list(self.log)
        copy.flows = self.flows
        return copy

    def apply(self, event: Event) -> None:
        """Let the event happen. Kinds that mean nothing to a dialogue are only kept for custom actions to read."""
        if self.log is not None:
            self.log.append(event)
        change = _CHANGES.get(event["event"])
        if change is not None:
            change(self, event)

    def hear(self, event: Event) -> None:
        """Let the customer's message happen; `parse_data` holds its intent and entities."""
        before = [] if self.text is None else [self.text]
        self.trail.append(["user", self.intent, list(self.entities), self.is_rejected, *before])
        self.message = {**event["parse_data"], "text": event.get("text"), "metadata": event.get("metadata", {})}
        self.intent = (self.message.get("intent") or {}).get("name")
        self.entities = visible_entities(self.domain, self.intent, self.message.get("entities", []))
        self.text, self.by_text = (event.get("text"), True) if event.get("by_text") else (None, None)
        self.followup = None
        self.heard.append(self.intent)
        self.reminders = [reminder for reminder in self.reminders if not reminder["dies"]]

    def decide(self, by_text: bool) -> None:
        """Let rules see the latest message by its words, or by its intent, from now on; the first decision holds."""
        if self.by_text is None:
            self.by_text = by_text
            if by_text:
                self.text, self.intent, self.entities = self.message.get("text"), None, ()

    def go_to(self, flows: list[dict[str, Any]]) -> None:
        """Let these be the running flows. One note on the trail a message is enough to take it back."""
        since_heard = itertools.takewhile(lambda entry: entry[0] != "user", reversed(self.trail))
        if not any(entry[0] == "flows" for entry in since_heard):
            self.trail.append(["flows", self.flows])
        self.flows = flows

    @property
    def meant(self) -> str | None:
        """The intent of the latest message, even if a form took it and rules do not see it any more."""
        intent = self.message.get("intent") or {}
        return intent.get("name") if self.message else self.intent

    def past(self) -> Past:
        """Return what was done as stories tell it, forwards."""
        return told_forwards(self)

    def moments(self) -> Iterator[Moment]:
        """Yield the present, then the moment before each action, the latest first."""
        return told_backwards(self)

    def _forget(self) -> None:
        self.slots = {name: slot.initial for name, slot in self.domain.slots.items()}
        self.slots[REQUESTED] = None
        self.message = {}
        self.intent = None
        self.entities = ()
        self.text = self.by_text = None
        self.last = None
        self.loop = None
        self.is_interrupted = self.is_rejected = False
        self.rejected_action = None
        self.followup = None
        self.trail = []
        self.is_cut = False
        self.heard = []
        self.reminders = []
        self.flows = []

    def _set_slot(self, event: Event) -> None:
        name, value = event["name"], event["value"]
        slot = self.domain.slots.get(name)
        if slot is not None and slot.kind == "list" and value and not isinstance(value, list):
            value = [value]
        self.trail.append(["slot", name, self.slots.get(name)])
        self.slots[name] = value
        self.said.add(name)

    def _set_loop(self, event: Event) -> None:
        self.trail.append(["loop", event["name"], self.loop])
        self.loop = event["name"]
        self.is_interrupted = self.is_rejected = False

    def _run(self, event: Event) -> None:
        name = event["name"]
        if self.domain.is_loop(name) and goes_on_happily(self.trail, name):
            message = drop_happy_turn(self.trail, name)
            if message is not None:
                self.intent, self.entities, self.text = user_of(message)
        else:
            self.trail.append(["action", name, self.last, *([True] if event.get("hide_rule_turn") else [])])
        self.last, self.followup, self.rejected_action = name, None, None
        self.is_interrupted = False
        if name == self.loop:
            self.is_rejected = False

    def _rewind(self, event: Event) -> None:
        """Take back the latest message and all it caused, and the listening before it."""
        self._undo_until("user")
        self._undo_until("action")
        self.message = {"intent": {"name": self.intent}, "entities": [], "text": None}
        self.heard.append(None)
        self.followup = pending_followup(self.trail)

    def _undo(self, event: Event) -> None:
        self._undo_until("action")
        self.followup = pending_followup(self.trail)

    def _undo_until(self, wanted: str) -> None:
        while self.trail:
            kind, *rest = self.trail.pop()
            if kind == "slot":
                self.slots[rest[0]] = rest[1]
            elif kind == "loop":
                self.loop = rest[1]
                self.is_interrupted = self.is_rejected = False
            elif kind == "user":
                self.intent, self.entities, self.text = user_of([kind, *rest])
                self.is_rejected = rest[2]
            elif kind == "action":
                self.last = rest[1]
            elif kind == "reminder":
                self.reminders = [reminder for reminder in self.reminders if reminder["name"] != rest[0]]
            elif kind == "flows":
                self.flows = rest[0]
            if kind == wanted:
                return

    def _reject(self, event: Event) -> None:
        self.trail.append(["rejected", event["name"]])
        self.rejected_action = event["name"]
        if event["name"] == self.loop:
            self.is_rejected = True

    def _interrupt(self, event: Event) -> None:
        self.is_interrupted = bool(event["is_interrupted"]) and self.loop is not None

    def _follow(self, event: Event) -> None:
        self.followup = event["name"]
        self.trail.append(["followup", event["name"]])

    def _remind(self, event: Event) -> None:
        self.reminders = scheduled(self.reminders, event)
        if self.reminders:
            self.trail.append(["reminder", self.reminders[-1]["name"]])

    def _cancel(self, event: Event) -> None:
        self.reminders = cancelled(self.reminders, event)

    def _restart(self, event: Event) -> None:
        self._forget()
        self.followup = LISTEN

    def _reset_slots(self, event: Event) -> None:
        for name in list(self.slots):
            slot = self.domain.slots.get(name)
            self._set_slot({"name": name, "value": slot.initial if slot else None})


_CHANGES = {
    "user": Tracker.hear,
    "slot": Tracker._set_slot,
    "active_loop": Tracker._set_loop,
    "form": Tracker._set_loop,
    "action": Tracker._run,
    "rewind": Tracker._rewind,
    "undo": Tracker._undo,
    "action_execution_rejected": Tracker._reject,
    "loop_interrupted": Tracker._interrupt,
    "followup": Tracker._follow,
    "restart": Tracker._restart,
    "session_started": Tracker._restart,
    "reset_slots": Tracker._reset_slots,
    "reminder": Tracker._remind,
    "cancel_reminder": Tracker._cancel,
}
