"""The running flows of a conversation, as plain storable frames; the last has its turn, those below wait for it.

A frame holds `flow`, `step` (the one at hand), `kind`, and where they apply: `asks` (the slot it waits for), `slots` (what it
collected or set, forgotten when it ends), `ran`, `checks` and `refused` (what became of the step), `over` (the form that waits
below it), `context` (what a pattern may say).
Kinds: `start` by an intent or a link, `call` by the frame below, `pattern` by the engine, `cancel` in place of a flow that
the customer left. Frames are never changed in place: the tracker's trail remembers the old ones.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.events import slot_set
from bot.flows import END, Flow, Flows
from bot.scene import Scene
from bot.tracker import Tracker

Frame = dict[str, Any]


def push(tracker: Tracker, flow: Flow, kind: str, context: dict[str, Any] | None = None) -> None:
    """Let the flow run, over those that run already."""
    frame: Frame = {"flow": flow.id, "step": flow.first, "kind": kind}
    if tracker.loop:
        frame["over"] = tracker.loop
    if context:
        frame["context"] = context
    tracker.go_to([*tracker.flows, frame])


def change(tracker: Tracker, **changes: Any) -> None:
    """Change the frame that has its turn; None takes a value away."""
    frame = {key: value for key, value in {**tracker.flows[-1], **changes}.items() if value is not None}
    tracker.go_to([*tracker.flows[:-1], frame])


def keep_slot(tracker: Tracker, name: str) -> None:
    """Remember that the running flow collected or set this slot."""
    slots = tracker.flows[-1].get("slots", [])
    if name not in slots:
        change(tracker, slots=[*slots, str(name)])


def has_turn(tracker: Tracker) -> bool:
    """Whether a flow, not a form that was started while it waited, has the turn."""
    return bool(tracker.flows) and (tracker.loop is None or tracker.flows[-1].get("over") == tracker.loop)


def asked_slot(tracker: Tracker) -> str | None:
    """Return the slot that the customer was asked for last, if a flow waits for it."""
    return tracker.flows[-1].get("asks") if has_turn(tracker) else None


def started(tracker: Tracker) -> int:
    """Return where the running process begins: the frame that was started, below those that it called. -1: none was."""
    for index in range(len(tracker.flows) - 1, -1, -1):
        if tracker.flows[index]["kind"] == "start":
            return index
    return -1


def running(tracker: Tracker) -> list[str]:
    """Return the ids of the running flow and of those that called it."""
    return [frame["flow"] for frame in tracker.flows[max(started(tracker), 0) :]]


def collected_by_unfinished(tracker: Tracker) -> set[str]:
    """Return the slots that flows have collected and would forget at their end."""
    return {slot for frame in tracker.flows for slot in frame.get("slots", ())}


def end_all(tracker: Tracker, scene: Scene) -> Mapping[str, Any]:
    """End every flow, because people take over; return what the flows had collected and now forget."""
    known = {name: tracker.slots.get(name) for name in sorted(collected_by_unfinished(tracker))}
    if tracker.flows:
        tracker.go_to([])
        forget(tracker, known, scene)
    return known


def drop_unknown(tracker: Tracker, flows: Flows) -> None:
    """End everything when the files no longer have a flow or a step that the conversation is in."""
    for frame in tracker.flows:
        flow = flows.by_id.get(frame["flow"])
        if flow is None or (frame["step"] != END and frame["step"] not in flow.steps):
            tracker.flows = []
            return


def forget(tracker: Tracker, names: Iterable[str], scene: Scene) -> None:
    """Reset these slots as a flow does at its end; what the customer's profile remembers stays."""
    for name in names:
        slot = tracker.domain.slots.get(name)
        initial = slot.initial if slot else None
        if name not in scene.script.project.memory.slots and tracker.slots.get(name) != initial:
            tracker.apply(slot_set(name, initial))
