"""What a message is to the flows: the answer to a question, the wish for another flow, the end of this one, or none of it.

A message that is none of it goes to the rules, and the flow asks again when they are done. Source: the documentation of Rasa's
NLUCommandAdapter (an intent starts a flow) and of its patterns; what a language model decides there is decided here by how
the value was found and how sure the intent is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.events import DEFAULT_INTENTS, LISTEN, slot_set
from bot.flow_answers import Answer, answer_for, beforehand, chosen
from bot.flow_stack import Frame, asked_slot, change, forget, has_turn, keep_slot, push, running, started
from bot.flows import ON_CANCEL, Flow, Step
from bot.policies import Next, by_rules
from bot.scene import Scene
from bot.tracker import Tracker

SURE = 0.7
"""What can be an answer is one, whatever intent the message resembles, unless that intent is at least this sure."""


@dataclass(slots=True)
class Course:
    """What became of one message so far."""

    choice: Mapping[str, str] = field(default_factory=dict)
    """Slots and values of a button's `/SetSlots`."""
    is_button: bool = False
    """The message is a button that the bot offered just before."""
    is_old_button: bool = False
    """It is a button of an earlier message; what it sets must concern what runs now."""
    is_new: bool = True
    left: bool = False
    """Rules, forms and stories have the message."""
    is_over: bool = False
    """They have said what they had to say; the flow asks again."""
    is_rewound: bool = False
    """An action took the message back; all is as it was when the bot listened last."""
    answered: bool = False
    """A flow took the message."""

    def gives_back(self, tracker: Tracker, following: Next) -> bool:
        """Return whether rules are done with the message, so that the waiting flow goes on instead of this."""
        if not self.left or not has_turn(tracker):
            return False
        is_done = following.action in (LISTEN, tracker.loop) or (following.is_fallback and tracker.last != LISTEN)
        self.is_over = is_done or following.is_fallback
        return is_done


def hear(scene: Scene, tracker: Tracker, course: Course) -> None:
    """Decide what the message is, and note it in the tracker and in the course."""
    course.left = False
    if tracker.meant in DEFAULT_INTENTS:
        course.left = course.is_over = True  # /restart and the like: nothing is left, or the question comes again
        return
    if _take_choice(scene, tracker, course):
        course.answered = True
    elif not has_turn(tracker):
        course.left = not _start(scene, tracker)
    elif (slot := asked_slot(tracker)) is not None:
        _hear_answer(scene, tracker, course, slot)
    elif not (_cancels(scene, tracker) and _cancel(scene, tracker, course)):
        course.answered = not _start(scene, tracker)  # the flow waited for any message
    if not course.left and has_turn(tracker):
        _fill_ahead(scene, tracker)


def ask_again(tracker: Tracker, course: Course) -> None:
    """Let the waiting flow ask its question once more."""
    course.left = course.is_over = False
    if has_turn(tracker):
        change(tracker, asks=None)


def _take_choice(scene: Scene, tracker: Tracker, course: Course) -> bool:
    """Set what a button says. One that was not offered may only answer the question that was asked."""
    asked = asked_slot(tracker) or ""
    questions = {step.name: step for step in scene.script.project.flows.ahead(running(tracker))}
    is_taken = False
    for name, written in course.choice.items():
        is_allowed = name == asked or course.is_button or (course.is_old_button and name in questions)
        if is_allowed and name in tracker.domain.slots and not scene.script.project.memory.is_read_only(name):
            value = chosen(scene, name, written)
            is_taken |= value is not None
            tracker.apply(slot_set(name, value))
            if name in questions and not questions[name].is_kept:
                keep_slot(tracker, name)
    if not is_taken or not has_turn(tracker):
        return False
    if tracker.slots.get(asked) is None:
        change(tracker, asks=None)  # it said something else: the question comes again
    return True


def _hear_answer(scene: Scene, tracker: Tracker, course: Course, slot: str) -> None:
    step, answer = _step(scene, tracker), answer_for(scene, tracker, slot, course.is_button)
    is_free = answer is not None and not answer.is_specific
    is_sure = answer is None or _confidence(tracker) >= SURE
    if step.forces or (answer is not None and answer.is_specific and answer.is_short):
        _take(tracker, course, slot, answer)
        return
    if is_free and tracker.slots.get(slot) is not None:
        tracker.apply(slot_set(slot, None))  # a mapping took the whole message; that is decided here
    if is_sure and _cancels(scene, tracker):
        _cancel(scene, tracker, course)
    elif _start(scene, tracker, is_sure):
        if answer is not None and answer.is_specific:  # both at once: the wish first, the answer is kept
            tracker.apply(slot_set(slot, answer.value))
    elif is_free and is_sure and _rules_answer(scene, tracker):
        course.left = True
    elif answer is None and _is_own(scene, tracker):
        change(tracker, asks=None)  # the flow is wanted that runs already
    else:
        _take(tracker, course, slot, answer)


def _take(tracker: Tracker, course: Course, slot: str, answer: Answer | None) -> None:
    course.left, course.answered = answer is None, answer is not None
    if answer is not None and tracker.slots.get(slot) != answer.value:
        tracker.apply(slot_set(slot, answer.value))


def _start(scene: Scene, tracker: Tracker, is_sure: bool = True) -> bool:
    """Start the flow that the message asks for, or take up the one that waits below; return whether there was one."""
    for flow, trigger in scene.script.project.flows.by_intent.get(tracker.meant or "", ()):
        if _confidence(tracker) < trigger.least or not (is_sure or trigger.least > 0):
            continue
        if flow.id in [frame["flow"] for frame in tracker.flows]:
            if _take_up(tracker, flow):
                return True
        elif flow.guard is None or flow.guard.holds(tracker.slots, {}):
            push(tracker, flow, "start")
            return True
    return False


def _take_up(tracker: Tracker, flow: Flow) -> bool:
    """Let a waiting process run before those over it, if no form lies between; it asks its question again."""
    starts = [index for index, frame in enumerate(tracker.flows) if frame["kind"] == "start"]
    found = next((index for index in starts if tracker.flows[index]["flow"] == flow.id), None)
    if found is None or found == started(tracker) or len({frame.get("over") for frame in tracker.flows}) > 1:
        return False
    until = starts[starts.index(found) + 1]
    wanted: list[Frame] = [*tracker.flows[found:until]]
    wanted[-1] = {key: value for key, value in wanted[-1].items() if key != "asks"}
    tracker.go_to([*tracker.flows[:found], *tracker.flows[until:], *wanted])
    return True


def _fill_ahead(scene: Scene, tracker: Tracker) -> None:
    """Take what the message mentions for questions that the process will ask later."""
    flows = scene.script.project.flows
    for step in flows.ahead(running(tracker)):
        slot = tracker.domain.slots[step.name]
        if slot.name != asked_slot(tracker) and tracker.slots.get(slot.name) == slot.initial:
            value = beforehand(scene, tracker, slot.name)
            if value is not None:
                tracker.apply(slot_set(slot.name, value))
                if not step.is_kept:
                    keep_slot(tracker, slot.name)


def _cancels(scene: Scene, tracker: Tracker) -> bool:
    return tracker.meant in scene.script.project.flows.cancels


def _cancel(scene: Scene, tracker: Tracker, course: Course) -> bool:
    """End the running process, with all it called, and let pattern_cancel_flow speak."""
    index, flows = started(tracker), scene.script.project.flows
    if index < 0:  # only words of the engine were left to say
        tracker.go_to([])
        course.left = True
        return True
    flow, ended = flows.by_id[tracker.flows[index]["flow"]], tracker.flows[index:]
    tracker.go_to(tracker.flows[:index])
    forget(tracker, [slot for frame in ended for slot in frame.get("slots", ())], scene)
    push(tracker, flows.by_id[ON_CANCEL], "cancel", {"canceled_name": flow.name, "canceled_flow": flow.id})
    return True


def _rules_answer(scene: Scene, tracker: Tracker) -> bool:
    """Whether a rule answers this intent; what was not understood at all is no question."""
    if tracker.meant in scene.script.project.handover.misunderstood:
        return False
    return by_rules(scene.script.rulebook, scene.script.domain, tracker).action not in (None, LISTEN)


def _is_own(scene: Scene, tracker: Tracker) -> bool:
    ids = [flow.id for flow, _ in scene.script.project.flows.by_intent.get(tracker.meant or "", ())]
    return tracker.flows[started(tracker)]["flow"] in ids


def _step(scene: Scene, tracker: Tracker) -> Step:
    frame = tracker.flows[-1]
    return scene.script.project.flows.by_id[frame["flow"]].steps[frame["step"]]


def _confidence(tracker: Tracker) -> float:
    return float((tracker.message.get("intent") or {}).get("confidence") or 0.0)
