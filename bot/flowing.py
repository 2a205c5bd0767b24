"""What a running flow does next: the one place that goes from step to step.

Nothing runs here: every question, refusal and action is handed to the turn as the action that follows, and where the flow
stands is kept in the tracker's frames (bot/flow_stack.py), so a turn costs the same however long the conversation is.
"""

from collections.abc import Mapping
from typing import Any

from bot.events import HAND_OVER, LISTEN, slot_set
from bot.flow_ear import Course, ask_again, hear
from bot.flow_stack import Frame, change, forget, has_turn, keep_slot, push, started
from bot.flows import CANCEL, END, ON_COMPLETED, ON_CONTINUE, Flow, Flows, Step
from bot.policies import Next
from bot.scene import Scene
from bot.slots import tell_known
from bot.tracker import Tracker

MOST_STEPS = 100
"""Steps in one go without an action between them; more is a circle."""


def flow_next(scene: Scene, tracker: Tracker, course: Course) -> Next | None:
    """Return what a flow does next; None where rules, forms and stories have the turn."""
    if not scene.script.project.flows or tracker.followup:
        return None
    if course.is_rewound and not has_turn(tracker):
        return _hidden(LISTEN)  # rules do not know what flows did before
    if course.is_new and tracker.last == LISTEN:
        if tracker.loop and not tracker.is_rejected and not has_turn(tracker):
            course.left = True
            return None  # a running form answers first; what it leaves may start a flow
        course.is_new = False
        hear(scene, tracker, course)
    elif course.left and course.is_over:
        ask_again(tracker, course)
    return None if course.left or not has_turn(tracker) else _walk(scene, tracker)


def _walk(scene: Scene, tracker: Tracker) -> Next:
    """Go on until something is to be said or done."""
    flows = scene.script.project.flows
    for _ in range(MOST_STEPS):
        if not has_turn(tracker):  # all have ended; a form that waited below them asks again
            form = tracker.loop
            return Next(form, back_to_form=True, because="flow") if form else _hidden(LISTEN)
        frame = tracker.flows[-1]
        flow = flows.by_id[frame["flow"]]
        if frame["step"] == END:
            _end(scene, tracker, flows)
            continue
        action = _do(scene, tracker, flow.steps[frame["step"]])
        if action is not None:
            return _hidden(action)
    return _hidden(HAND_OVER)


def _hidden(action: str) -> Next:
    """Return the action as one that no story tells."""
    return Next(str(action), is_hidden=True, because="flow")


def _do(scene: Scene, tracker: Tracker, step: Step) -> str | None:
    """Do one step; return the action that it needs, if any."""
    if step.kind == "collect":
        return _collect(scene, tracker, step)
    if step.kind == "action" and step.name != CANCEL and not tracker.flows[-1].get("ran"):
        change(tracker, ran=True)  # what follows is decided when it has run: it may set slots
        return step.name
    if step.kind == "call":
        push(tracker, scene.script.project.flows.by_id[step.name], "call")
    elif step.kind == "link":
        _link(scene, tracker, step)
    else:
        for name, value in step.values:
            tracker.apply(slot_set(name, value))
            keep_slot(tracker, name)
        _go_on(scene, tracker, step)
    return None


def _collect(scene: Scene, tracker: Tracker, step: Step) -> str | None:
    """Take the slot's value if there is an acceptable one, else ask for it; return what is said or run for that."""
    frame, slot = tracker.flows[-1], str(step.name)
    if not step.is_kept:
        keep_slot(tracker, slot)
    if frame.get("refused"):  # until now, so that the refusal could name the value
        tracker.apply(slot_set(slot, None))
        change(tracker, refused=None, asks=None)
    is_asked = tracker.flows[-1].get("asks") == slot
    if not is_asked and step.asks_always and tracker.slots.get(slot) is not None:
        tracker.apply(slot_set(slot, None))
    value = tracker.slots.get(slot)
    if value is None:
        if is_asked and not frame.get("checks"):
            return LISTEN
        change(tracker, asks=slot, checks=None)
        return _question(scene, step)
    if not frame.get("checks"):
        refusal = _refusal(scene, tracker, step, value)
        if refusal is not None:
            change(tracker, asks=slot, refused=True)
            return refusal or None
        validator = f"validate_{slot}"
        if validator in scene.script.domain.actions:
            tracker.apply(slot_set(slot, tracker.slots[slot]))  # rasa_sdk validates the slots that were set last
            change(tracker, asks=slot, checks=True)
            return validator
    change(tracker, asks=None, checks=None)
    _go_on(scene, tracker, step)
    return None


def _refusal(scene: Scene, tracker: Tracker, step: Step, value: Any) -> str | None:
    """Return the response that refuses the value (empty: none is said), or None; what is accepted is put in order."""
    project = scene.script.project
    accepted = project.validation.accepted(step.name, value, scene.here)
    if accepted is None:
        return project.validation.slots[step.name].error or ""
    if accepted != value:
        tracker.apply(slot_set(step.name, accepted))
    for rejection in (*step.rejections, *project.flows.rejections.get(step.name, ())):
        if rejection.condition.holds(tracker.slots, _context(tracker)):
            return rejection.utter
    return None


def _question(scene: Scene, step: Step) -> str:
    by_action = f"action_ask_{step.name}"
    return step.utter or (by_action if by_action in scene.script.domain.actions else f"utter_ask_{step.name}")


def _go_on(scene: Scene, tracker: Tracker, step: Step) -> None:
    if any(way.condition for way in step.ways):
        tell_known(scene, tracker)  # what is looked up in the profile follows the slots
    holding = (
        way.to for way in step.ways if way.condition is None or way.condition.holds(tracker.slots, _context(tracker))
    )
    change(tracker, step=str(next(holding, END)), ran=None)


def _context(tracker: Tracker) -> Mapping[str, Any]:
    context: Mapping[str, Any] = tracker.flows[-1].get("context", {})
    return context


def _link(scene: Scene, tracker: Tracker, step: Step) -> None:
    """End the running process and start the other in its place."""
    index = max(started(tracker), 0) if tracker.flows[-1]["kind"] in ("start", "call") else len(tracker.flows) - 1
    ended = tracker.flows[index:]
    flows = scene.script.project.flows
    tracker.go_to(tracker.flows[:index])
    for frame in ended:
        _forget(scene, tracker, flows, frame)
    push(tracker, flows.by_id[step.name], "start")


def _end(scene: Scene, tracker: Tracker, flows: Flows) -> None:
    """End the flow that has its turn: back to the one that called it, or on to what the engine says then."""
    *rest, frame = tracker.flows
    flow = flows.by_id[frame["flow"]]
    if frame["kind"] == "call":
        tracker.go_to(rest)
        for name in _unkept(flow, frame):
            keep_slot(tracker, name)
        caller = tracker.flows[-1]
        _go_on(scene, tracker, flows.by_id[caller["flow"]].steps[caller["step"]])
        return
    tracker.go_to(rest)
    _forget(scene, tracker, flows, frame)
    form_waits = tracker.loop is not None and not has_turn(tracker)
    if frame["kind"] == "pattern" or form_waits:
        return
    ended = flows.by_id.get(_context_of(frame).get("canceled_flow", ""), flow)
    if rest:
        name = flows.by_id[rest[started(tracker)]["flow"]].name
        change(tracker, asks=None)
        push(tracker, flows.by_id[ON_CONTINUE], "pattern", {"previous_flow_name": name})
    elif ended.completes and ON_COMPLETED in flows.by_id:
        push(tracker, flows.by_id[ON_COMPLETED], "pattern", {"previous_flow_name": ended.name})


def _context_of(frame: Frame) -> Mapping[str, Any]:
    context: Mapping[str, Any] = frame.get("context", {})
    return context


def _forget(scene: Scene, tracker: Tracker, flows: Flows, frame: Frame) -> None:
    forget(tracker, _unkept(flows.by_id[frame["flow"]], frame), scene)


def _unkept(flow: Flow, frame: Frame) -> list[str]:
    return [name for name in frame.get("slots", ()) if name not in flow.persisted]
