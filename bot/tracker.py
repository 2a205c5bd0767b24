"""The bot's memory of one conversation: slots, the running form, and the trail of what was done.

The trail holds what rules may look back at, each entry with what it changed, so the past is read by walking
backwards and a turn costs the same after 5 turns and after 500. Reverted turns and the happy path inside a form
drop out of it, as in Rasa's tracker (rasa/shared/core/trackers.py, `applied_events`, 3.6).
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bot.domain import Domain, Intent
from bot.events import LISTEN, REQUESTED, Event

LONGEST_TRAIL = 40
LONGEST_LOG = 60


class Moment(NamedTuple):
    """What stood at one point of the conversation, as rules see it."""

    intent: str | None
    entities: tuple[str, ...]
    slots: Mapping[str, Any]
    earlier: Mapping[str, Any]
    """Slots that were different then."""
    last: str | None
    loop: str | None

    def slot(self, name: str) -> Any:
        """Return the slot's value at that point."""
        return self.earlier[name] if name in self.earlier else self.slots.get(name)


class Tracker:
    """A working copy for one turn; `memory()` gives what is kept."""

    __slots__ = (
        "domain", "slots", "message", "intent", "entities", "last", "loop", "is_interrupted", "is_rejected",
        "rejected_action", "followup", "trail", "log", "said",
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
    trail: list[list[Any]]

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
        tracker.loop = loop if loop in domain.forms else None
        tracker.is_interrupted = bool(memory.get("interrupted"))
        tracker.is_rejected = bool(memory.get("rejected"))
        tracker.intent, tracker.entities = memory.get("intent"), tuple(memory.get("entities", ()))
        tracker.trail = list(memory.get("trail", ()))
        if with_log:
            tracker.log = list(memory.get("log", ()))
        return tracker

    def memory(self) -> dict[str, Any]:
        """Return what shall be kept: plain, storable, at most 40 steps of trail."""
        initial = self.domain.slots
        kept: dict[str, Any] = {
            "slots": {
                name: value
                for name, value in self.slots.items()
                if value != (initial[name].initial if name in initial else None)
            },
            "last": self.last,
            "intent": self.intent,
            "entities": list(self.entities),
            "trail": self.trail[-LONGEST_TRAIL:],
        }
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
        copy.log = None if self.log is None else list(self.log)
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
        self.trail.append(["user", self.intent, list(self.entities), self.is_rejected])
        self.message = {**event["parse_data"], "text": event.get("text"), "metadata": event.get("metadata", {})}
        self.intent = (self.message.get("intent") or {}).get("name")
        self.entities = visible_entities(self.domain.intents.get(self.intent or ""), self.message.get("entities", []))
        self.followup = None

    def moments(self) -> Iterator[Moment]:
        """Yield the present, then the moment before each action, the latest first."""
        intent, entities, last, loop = self.intent, self.entities, self.last, self.loop
        earlier: dict[str, Any] = {}
        yield Moment(intent, entities, self.slots, {}, last, loop)
        for entry in reversed(self.trail):
            kind = entry[0]
            if kind == "slot":
                earlier[entry[1]] = entry[2]
            elif kind == "user":
                intent, entities = entry[1], tuple(entry[2])
            elif kind == "loop":
                loop = entry[2]
            elif kind == "action":
                last = entry[2]
                yield Moment(intent, entities, self.slots, dict(earlier), last, loop)

    def _forget(self) -> None:
        self.slots = {name: slot.initial for name, slot in self.domain.slots.items()}
        self.slots[REQUESTED] = None
        self.message = {}
        self.intent = None
        self.entities = ()
        self.last = None
        self.loop = None
        self.is_interrupted = self.is_rejected = False
        self.rejected_action = None
        self.followup = None
        self.trail = []

    def _set_slot(self, event: Event) -> None:
        name = event["name"]
        self.trail.append(["slot", name, self.slots.get(name)])
        self.slots[name] = event["value"]
        self.said.add(name)

    def _set_loop(self, event: Event) -> None:
        self.trail.append(["loop", event["name"], self.loop])
        self.loop = event["name"]
        self.is_interrupted = self.is_rejected = False

    def _run(self, event: Event) -> None:
        name = event["name"]
        if name in self.domain.forms and self._goes_on_happily(name):
            self._drop_happy_turn(name)
        else:
            self.trail.append(["action", name, self.last])
        self.last, self.followup, self.rejected_action = name, None, None
        self.is_interrupted = False
        if name == self.loop:
            self.is_rejected = False

    def _goes_on_happily(self, form: str) -> bool:
        """Whether the form ran before and only answers to its own questions came since."""
        following = None
        for entry in reversed(self.trail):
            kind, name = entry[0], entry[1]
            if kind == "loop" and name is None:
                return False
            if kind == "rejected" and name == form:
                return False
            if kind == "user" and following not in (None, form):
                return False
            if kind == "action":
                if name == form:
                    return True
                following = name
        return False

    def _drop_happy_turn(self, form: str) -> None:
        index = len(self.trail) - 1
        while self.trail[index][:2] != ["action", form]:
            if self.trail[index][0] == "user":
                _, self.intent, entities, _ = self.trail[index]
                self.entities = tuple(entities)
            if self.trail[index][0] in ("user", "action"):
                del self.trail[index]
            index -= 1

    def _rewind(self, event: Event) -> None:
        """Take back the latest message and all it caused, and the listening before it; then the bot listens again."""
        self._undo_until("user")
        self._undo_until("action")
        self.message = {"intent": {"name": self.intent}, "entities": [], "text": None}
        self.followup = LISTEN

    def _undo(self, event: Event) -> None:
        self._undo_until("action")

    def _undo_until(self, wanted: str) -> None:
        while self.trail:
            kind, *rest = self.trail.pop()
            if kind == "slot":
                self.slots[rest[0]] = rest[1]
            elif kind == "loop":
                self.loop = rest[1]
                self.is_interrupted = self.is_rejected = False
            elif kind == "user":
                self.intent, self.entities, self.is_rejected = rest[0], tuple(rest[1]), rest[2]
            elif kind == "action":
                self.last = rest[1]
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
}


def visible_entities(intent: Intent | None, entities: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the names of the entities that rules may see beside this intent, with role and group as `name#role`."""
    names = set()
    for entity in entities:
        names.add(str(entity["entity"]))
        names.update(f"{entity['entity']}#{entity[part]}" for part in ("role", "group") if entity.get(part))
    if intent is not None:
        if intent.use_entities is not None:
            names &= set(intent.use_entities)
        names -= set(intent.ignore_entities)
    return tuple(sorted(names))
