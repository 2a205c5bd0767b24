"""Forms: ask for slots one after another, take what fits, refuse kindly, and step aside for other questions.

Source: FormAction of Rasa 3.6 (rasa/core/actions/forms.py), reproduced and confirmed by a differential test. Beside the
custom action `validate_<form>` the plain checks of validation.yml are applied, first.
"""

from collections.abc import Generator
from typing import Any

from bot.answers import utter
from bot.contract import ActionCall, ActionResult
from bot.custom import Rejected, call
from bot.domain import Form
from bot.events import REQUESTED, Event, action_run, loop_set, slot_set
from bot.scene import Scene
from bot.slots import extract
from bot.tracker import Tracker

Events = Generator[ActionCall, ActionResult, list[Event]]


def run_form(scene: Scene, tracker: Tracker, name: str) -> Events:
    """Return the events of running a form once: activate, validate, ask, or finish.

    Raises Rejected when the message answers nothing the form asked, so that rules may answer it. Where `validate_<form>`
    fails on an answer, the form stays as it was, as in Rasa: what was not checked is not taken.
    """
    try:
        return (yield from _run(scene, tracker, name))
    except _FailedError:
        return []


class _FailedError(Exception):
    """An answer could not be checked; scene.failed says why."""


def _run(scene: Scene, tracker: Tracker, name: str) -> Events:
    form = scene.script.domain.forms[name]
    events: list[Event] = []
    if tracker.loop != name:
        events.append(loop_set(name))
        events += yield from _activate(scene, _after(tracker, events), form)
    if not _is_done(events):
        events += yield from _go_on(scene, tracker, form, events)
    if _is_done(events):
        events.append(loop_set(None))
    return events


def _activate(scene: Scene, tracker: Tracker, form: Form) -> Events:
    """Take what this message and earlier ones already say; slots to be asked afresh are forgotten first."""
    forgotten = [
        slot_set(slot, None)
        for slot in scene.script.project.validation.fresh.get(form.name, ())
        if tracker.slots.get(slot) is not None
    ]
    for event in forgotten:
        tracker.apply(event)
    extracted = yield from extract(scene, tracker)
    for event in extracted:
        tracker.apply(event)
    filled = [event for event in extracted if event["event"] == "slot"]
    prefilled = {slot: tracker.slots[slot] for slot in form.required if tracker.slots.get(slot) is not None}
    validated = yield from _validate_slots(scene, tracker, form, prefilled)
    seen = {event["name"] for event in validated if event["event"] == "slot"}
    return [*forgotten, *validated, *(event for event in filled if event["name"] not in seen)]


def _go_on(scene: Scene, tracker: Tracker, form: Form, so_far: list[Event]) -> Events:
    events: list[Event] = []
    if not any(event["event"] != "active_loop" for event in so_far):
        # Just activated with nothing said, or back from an interruption: nothing in this message is an answer.
        is_answer = tracker.loop is None or (tracker.last == "action_listen" and not tracker.is_interrupted)
        if is_answer:
            events = yield from _validate_answer(scene, tracker, form)
        else:
            events = yield from _validate_slots(scene, tracker, form, {})
    if any(event["event"] == "action_execution_rejected" for event in events):
        return events
    return events + (yield from _ask_next(scene, tracker, form, [*so_far, *events]))


def _validate_answer(scene: Scene, tracker: Tracker, form: Form) -> Events:
    requested = tracker.slots.get(REQUESTED) if tracker.loop == form.name else None
    allowed = {*form.required, *([requested] if requested else [])}
    candidates = {name: tracker.slots.get(name) for name in filled_since_heard(tracker) if name in allowed}
    events = yield from _validate_slots(scene, tracker, form, candidates)
    if requested and not candidates:
        sets_other = any(event["event"] == "slot" and event["name"] != REQUESTED for event in events)
        if not sets_other and not any(event["event"] == "action_execution_rejected" for event in events):
            raise Rejected(form.name)
    return events


def filled_since_heard(tracker: Tracker) -> list[str]:
    """Return the slots that were set since the latest message, in that order."""
    names: list[str] = []
    for entry in reversed(tracker.trail):
        if entry[0] == "user":
            break
        if entry[0] == "slot" and entry[1] not in names:
            names.append(entry[1])
    return names[::-1]


def _validate_slots(scene: Scene, tracker: Tracker, form: Form, candidates: dict[str, Any]) -> Events:
    events: list[Event] = []
    for name, value in candidates.items():
        accepted = scene.script.project.validation.accepted(name, value, scene.here)
        if accepted is None and value is not None:
            error = scene.script.project.validation.slots[name].error
            events += utter(scene, tracker, error, {"value": value}) if error else []
        if accepted != value:
            events.append(slot_set(name, accepted))
    validator = f"validate_{form.name}"
    if validator not in scene.script.domain.actions:
        return events
    left = {name: value for name, value in candidates.items() if slot_set(name, None) not in events}
    accepted_slots = {event["name"]: event["value"] for event in events if event["event"] == "slot"}
    trial = _within_form(tracker, form, [slot_set(name, accepted_slots.get(name, left[name])) for name in left])
    # rasa_sdk takes the slots at the very end of the events as those to validate.
    failures = len(scene.failed)
    custom = yield from call(scene, trial, validator)
    if candidates and len(scene.failed) > failures:
        raise _FailedError(validator)
    seen = {event["name"] for event in custom if event["event"] == "slot"}
    return [event for event in events if event["event"] != "slot" or event["name"] not in seen] + custom


def _ask_next(scene: Scene, tracker: Tracker, form: Form, so_far: list[Event]) -> Events:
    if _is_done(so_far):
        return [slot_set(REQUESTED, None)]
    chosen = [event for event in so_far if event["event"] == "slot" and event["name"] == REQUESTED]
    trial = _within_form(tracker, form, so_far)
    events: list[Event] = []
    slot = chosen[-1]["value"] if chosen else None
    if not slot:
        slot = next((name for name in form.required if trial.slots.get(name) is None), None)
        events.append(slot_set(REQUESTED, slot))
    if slot is None:
        return [slot_set(REQUESTED, None)]
    trial.apply(slot_set(REQUESTED, slot))
    for name in ask_names(form.name, slot):
        if name in scene.script.domain.responses:
            return events + utter(scene, trial, name)
        if name in scene.script.domain.actions:
            return events + (yield from call(scene, trial, name))
    return events


def ask_names(form: str, slot: str) -> tuple[str, ...]:
    """Return what may ask for a slot, in the order it is looked up."""
    return f"action_ask_{form}_{slot}", f"utter_ask_{form}_{slot}", f"action_ask_{slot}", f"utter_ask_{slot}"


def _is_done(events: list[Event]) -> bool:
    if any(event["event"] == "action_execution_rejected" for event in events):
        return False
    requests = [event for event in events if event["event"] == "slot" and event["name"] == REQUESTED]
    loops = [event for event in events if event["event"] == "active_loop"]
    return bool(requests and requests[-1]["value"] is None) or bool(loops and loops[-1]["name"] is None)


def _after(tracker: Tracker, events: list[Event]) -> Tracker:
    trial = tracker.fork()
    for event in events:
        trial.apply(event)
    return trial


def _within_form(tracker: Tracker, form: Form, events: list[Event]) -> Tracker:
    """Return a trial of the tracker inside the form, with these events."""
    requested = tracker.slots.get(REQUESTED) if tracker.loop == form.name else None
    start = [] if tracker.loop == form.name else [loop_set(form.name)]
    return _after(tracker, [*start, slot_set(REQUESTED, requested), action_run(form.name), *events])
