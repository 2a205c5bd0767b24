"""How what the customer says fills slots: Rasa's slot mappings, in order, the first that applies wins.

Source: `action_extract_slots` of Rasa 3.6 (rasa/core/actions/action.py). A slot that profile.yml calls read only is
never filled here, whatever a payload claims.
"""

from collections.abc import Generator
from typing import Any

from bot.contract import ActionCall, ActionResult
from bot.custom import Rejected, call
from bot.domain import Condition, Slot, SlotMapping
from bot.events import REQUESTED, Event, slot_set
from bot.flow_stack import asked_slot, has_turn, running
from bot.scene import Scene
from bot.tracker import Tracker

VALIDATE_ALL = "action_validate_slot_mappings"


def extract(scene: Scene, tracker: Tracker) -> Generator[ActionCall, ActionResult, list[Event]]:
    """Return the events that fill slots from the latest message."""
    if not tracker.message:
        return []
    events: list[Event] = []
    ran: set[str] = set()
    for name, slot in scene.script.domain.slots.items():
        if not slot.mappings or scene.script.project.memory.is_read_only(name):
            continue
        for mapping in slot.mappings:
            values = _values(mapping, tracker)
            if not values or not _applies(mapping, name, scene, tracker):
                continue
            if mapping.kind == "custom":
                if mapping.action and mapping.action not in ran:
                    ran.add(mapping.action)
                    events += yield from _safely(scene, tracker, mapping.action)
            else:
                events.append(slot_set(name, values if slot.kind == "list" else values[-1]))
                break
    if VALIDATE_ALL in scene.script.domain.actions:
        events = yield from _validated(scene, tracker, events)
    return events


def tell_known(scene: Scene, tracker: Tracker) -> None:
    """Fill the slots that are the profile's attributes."""
    memory = scene.script.project.memory
    for name, value in list(memory.known(scene.known.values, tracker.slots)):
        if name not in tracker.said or memory.is_read_only(name):
            was_said = name in tracker.said
            tracker.apply(slot_set(name, value))
            if not was_said:
                tracker.said.discard(name)


def upfront(scene: Scene, tracker: Tracker, name: str) -> Any:
    """Return the value that the message holds for a slot which a flow is about to ask for, or None.

    Mappings that apply in that flow alone could not fill it before the flow ran; slots without any take an entity of
    their own name.
    """
    slot = scene.script.domain.slots[name]
    if scene.script.project.memory.is_read_only(name) or not tracker.message:
        return None
    if not slot.mappings or any(mapping.kind == "from_llm" for mapping in slot.mappings):
        found = entity_values(tracker, name)
    else:
        found = [
            value
            for mapping in slot.mappings
            if mapping.kind == "from_entity" and _applies(mapping, name, scene, tracker)
            for value in _values(mapping, tracker)
        ]
    if not found:
        return None
    return found if slot.kind == "list" else found[-1]


def entity_values(tracker: Tracker, name: str) -> list[Any]:
    """Return the values of the message's entities of this name."""
    return [entity["value"] for entity in tracker.message.get("entities", ()) if entity["entity"] == name]


def _applies(mapping: SlotMapping, name: str, scene: Scene, tracker: Tracker) -> bool:
    loop, requested = _running_form(tracker), tracker.slots.get(REQUESTED)
    if mapping.kind in ("controlled", "from_llm") or not _wanted_intent(mapping, scene, tracker):
        return False
    if mapping.conditions and mapping.kind != "from_trigger_intent":
        if loop and tracker.is_rejected and requested == name:
            return False
        if not any(_holds(condition, tracker) for condition in mapping.conditions):
            return False
    elif mapping.kind == "from_text" and name in scene.script.project.flows.collected:
        form = scene.script.domain.forms.get(loop or "")
        if asked_slot(tracker) != name and not (form and name in form.required):
            return False  # else any message would answer the questions of flows
    if mapping.kind == "from_trigger_intent":
        loops = [condition.active_loop for condition in mapping.conditions]
        return loop is not None and (not loops or loop in loops)
    if mapping.kind == "from_entity" and loop is not None and requested != name:
        return not _is_shared(mapping, name, scene, loop)
    return True


def _running_form(tracker: Tracker) -> str | None:
    """Return the form that takes answers: none while a flow over it has the turn."""
    return None if has_turn(tracker) else tracker.loop


def _wanted_intent(mapping: SlotMapping, scene: Scene, tracker: Tracker) -> bool:
    if mapping.intents:
        return tracker.meant in mapping.intents
    unwanted: tuple[str, ...] = mapping.not_intents
    loop = _running_form(tracker)
    form = scene.script.domain.forms.get(loop or "")
    if form and (not mapping.conditions or any(condition.active_loop == loop for condition in mapping.conditions)):
        unwanted += form.ignored_intents
    return tracker.meant not in unwanted


def _holds(condition: Condition, tracker: Tracker) -> bool:
    loop, requested = _running_form(tracker), tracker.slots.get(REQUESTED)
    if condition.active_flow is not None:
        return condition.active_flow in running(tracker)
    if condition.active_loop is None:
        return loop is None
    return condition.active_loop == loop and condition.requested_slot in (None, requested)


def _is_shared(mapping: SlotMapping, name: str, scene: Scene, loop: str) -> bool:
    """Whether several slots of the form would take this entity: then only the one asked for does."""
    form = scene.script.domain.forms.get(loop)
    required = form.required if form else ()
    slots: list[Slot] = [scene.script.domain.slots[slot] for slot in required if slot in scene.script.domain.slots]
    return name in required and sum(other == mapping for slot in slots for other in slot.mappings) > 1


def _values(mapping: SlotMapping, tracker: Tracker) -> list[Any]:
    if mapping.kind == "from_entity":
        return [
            entity["value"]
            for entity in tracker.message.get("entities", ())
            if entity["entity"] == mapping.entity
            and entity.get("role") == mapping.role
            and entity.get("group") == mapping.group
        ]
    if mapping.kind == "from_text":
        return [tracker.message["text"]] if tracker.message.get("text") else []
    return [mapping.value]


def _safely(scene: Scene, tracker: Tracker, action: str) -> Generator[ActionCall, ActionResult, list[Event]]:
    try:
        events = yield from call(scene, tracker, action)
    except Rejected:
        return []
    return [event for event in events if event["event"] in ("slot", "bot")]


def _validated(scene: Scene, tracker: Tracker, events: list[Event]) -> Generator[ActionCall, ActionResult, list[Event]]:
    trial = tracker.fork()
    filled = [event for event in events if event["event"] == "slot"]
    for event in filled:
        trial.apply(event)
    validated = yield from _safely(scene, trial, VALIDATE_ALL)
    seen = {event["name"] for event in validated if event["event"] == "slot"}
    return [*validated, *(event for event in filled if event["name"] not in seen)]
