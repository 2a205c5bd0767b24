"""The steps of rules and stories as plain lists: every way through their `or`s and checkpoints, one list each.

Format: Rasa 3.x "Stories" and "Rules" (rasa/shared/core/training_data, 3.6). A checkpoint joins all stories that end
with it to all that begin with it; a ring of checkpoints is gone round once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from bot.domain import Domain
from bot.events import LISTEN, Event, action_run, loop_set, slot_set
from bot.states import UNSET
from profiles.written import Place, Table, place_of, rows

SNIP = "..."
MOST_WAYS = 20_000  # joined stories; beyond it the files multiply checkpoints faster than anybody can mean


class Step(NamedTuple):
    """One plain step: an action, intent, text, slot, loop or checkpoint. The value of an intent are its entities."""

    kind: str
    name: Any
    value: Any = None


@dataclass(frozen=True, slots=True)
class Way:
    """One way through a rule or through joined stories."""

    steps: tuple[Step, ...]
    at: Place
    name: str
    is_rule: bool = False

    @property
    def begins_with_action(self) -> bool:
        """Whether nobody speaks before the first action, so that nothing says when it comes."""
        return next((step.kind == "action" for step in self.steps if step.kind in ("action", "intent", "text")), False)


def rule_ways(rule: Table, domain: Domain) -> Iterator[Way]:
    """Yield the rule's steps, once for each way through its `or`s."""
    start = [] if rule.get("conversation_start") is True else [[[Step("action", SNIP)]]]
    conditions = [_condition(item, domain) for item in rows(rule.get("condition"))]
    steps = [_step(item, domain, is_rule=True) for item in rows(rule.get("steps"))]
    end = SNIP if rule.get("wait_for_user_input") is False else LISTEN
    for way in product(*start, *conditions, *steps):
        yield Way(_flat(way, end), place_of(rule, "rule"), str(rule.get("rule")), is_rule=True)


class _Part(NamedTuple):
    """A story between two checkpoints."""

    starts: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]
    ways: tuple[tuple[Step, ...], ...]
    ends: tuple[str, ...]
    at: Place
    name: str


def story_ways(stories: tuple[Table, ...], domain: Domain) -> Iterator[Way]:
    """Yield every way through the stories, checkpoints joined; at most 20,000."""
    parts = [part for story in stories for part in _parts(story, domain)]
    following: dict[str, list[tuple[_Part, tuple[tuple[str, Any], ...]]]] = {}
    for part in parts:
        for name, conditions in part.starts:
            following.setdefault(name, []).append((part, conditions))
    count = 0
    for part in parts:
        if not part.starts:
            for way in _joined((), part, following, frozenset()):
                count += 1
                if count > MOST_WAYS:
                    return
                yield Way(_flat([way], None), part.at, part.name)


def _joined(
    before: tuple[Step, ...],
    part: _Part,
    following: Mapping[str, list[tuple[_Part, tuple[tuple[str, Any], ...]]]],
    seen: frozenset[int],
) -> Iterator[tuple[Step, ...]]:
    for way in part.ways:
        steps = (*before, *way)
        if not part.ends:
            yield (*steps, Step("action", LISTEN))
            continue
        goes_on = False
        for name in part.ends:
            for other, conditions in following.get(name, ()):
                if id(other) not in seen and _hold(conditions, steps):
                    goes_on = True
                    yield from _joined(steps, other, following, seen | {id(other)})
        if not goes_on:
            yield steps


def _hold(conditions: tuple[tuple[str, Any], ...], steps: tuple[Step, ...]) -> bool:
    values = {step.name: step.value for step in steps if step.kind == "slot"}
    return all(values.get(name) == value for name, value in conditions)


def _parts(story: Table, domain: Domain) -> Iterator[_Part]:
    at, name = place_of(story, "story"), str(story.get("story"))
    starts: list[tuple[str, tuple[tuple[str, Any], ...]]] = []
    steps: list[list[list[Step]]] = []
    ends: list[str] = []
    for item in rows(story.get("steps")):
        if isinstance(item, Table) and "checkpoint" in item:
            checkpoint = str(item["checkpoint"])
            if steps:
                ends.append(checkpoint)
            else:
                conditions = (step for way in [_slots(item.get("slot_was_set"), domain, False)] for step in way)
                starts.append((checkpoint, tuple((step.name, step.value) for step in conditions)))
            continue
        if ends:
            yield _Part(tuple(starts), _ways(steps), tuple(ends), at, name)
            starts, steps, ends = [(end, ()) for end in ends], [], []
        steps.append(_step(item, domain, is_rule=False))
    if steps:
        yield _Part(tuple(starts), _ways(steps), tuple(ends), at, name)


def _ways(steps: list[list[list[Step]]]) -> tuple[tuple[Step, ...], ...]:
    return tuple(tuple(step for part in way for step in part) for way in product(*steps))


def _flat(way: Any, end: str | None) -> tuple[Step, ...]:
    """Return one list of steps; the bot never listens twice in a row."""
    steps = [step for part in way for step in part]
    steps += [Step("action", end)] if end else []
    listen = Step("action", LISTEN)
    return tuple(step for index, step in enumerate(steps) if step != listen or index == 0 or steps[index - 1] != listen)


def _condition(item: Any, domain: Domain) -> list[list[Step]]:
    if isinstance(item, Table) and "active_loop" in item:
        return [[_loop(item["active_loop"], is_rule=True)]]
    return [_slots(item.get("slot_was_set") if isinstance(item, Table) else item, domain, is_rule=True)]


def _step(item: Any, domain: Domain, is_rule: bool) -> list[list[Step]]:
    """Return the ways one step may happen, each a list of plain steps."""
    if not isinstance(item, Table):
        return [[]]
    if "or" in item:
        return [way for part in rows(item["or"]) for way in _alternatives(part, domain, is_rule)]
    if "intent" in item:
        entities = tuple(_entity(entity) for entity in rows(item.get("entities")))
        return [[Step("action", LISTEN), Step("intent", str(item["intent"]).split("/")[0], entities)]]
    if "user" in item:
        return [[Step("action", LISTEN), Step("text", str(item["user"]))]]
    if "action" in item:
        return [[Step("action", str(item["action"]))]]
    if "active_loop" in item:
        return [[_loop(item["active_loop"], is_rule)]]
    return [_slots(item.get("slot_was_set"), domain, is_rule)]


def _alternatives(item: Any, domain: Domain, is_rule: bool) -> list[list[Step]]:
    """Of `slot_was_set` inside an `or`, every slot is a way of its own."""
    ways = _step(item, domain, is_rule)
    is_slots = isinstance(item, Table) and "slot_was_set" in item and "intent" not in item
    return [[step] for step in ways[0]] if is_slots else ways


def _entity(entity: Any) -> dict[str, Any]:
    if not isinstance(entity, Mapping):
        return {"entity": str(entity), "value": ""}
    name = next((name for name in entity if name not in ("role", "group")), "")
    parts = {part: str(entity[part]) for part in ("role", "group") if entity.get(part) is not None}
    return {"entity": str(name), "value": entity.get(name), **parts}


def _loop(name: Any, is_rule: bool) -> Step:
    return Step("loop", (UNSET if is_rule else None) if name is None else str(name))


def _slots(value: Any, domain: Domain, is_rule: bool) -> list[Step]:
    steps = []
    for item in rows(value):
        pairs = item.items() if isinstance(item, Mapping) else [(item, _named_only(str(item), domain))]
        steps += [
            Step("slot", str(name), UNSET if is_rule and wanted is None else wanted) for name, wanted in pairs if name
        ]
    return steps


def _named_only(name: str, domain: Domain) -> Any:
    """Return the value of a slot that is only named: Rasa takes a text or a list as set, anything else as not set."""
    kind = domain.slots[name].kind if name in domain.slots else ""
    return {"text": "filled", "list": ["filled"]}.get(kind)


def as_events(steps: tuple[Step, ...], domain: Domain) -> list[Event]:
    """Return the steps as the events they stand for; entities fill the slots that are mapped from them."""
    events: list[Event] = []
    for step in steps:
        if step.kind == "action":
            events.append(action_run(step.name))
        elif step.kind == "slot":
            events.append(slot_set(step.name, step.value))
        elif step.kind == "loop":
            events.append(loop_set(step.name))
        else:
            is_intent = step.kind == "intent"
            intent, text = (step.name, None) if is_intent else (None, step.name)
            entities = list(step.value or ())
            parsed = {"intent": {"name": intent}, "entities": entities}
            events.append({"event": "user", "text": text, "by_text": not is_intent, "parse_data": parsed})
            events += [slot_set(name, value) for name, value in filled_by(entities, domain).items()]
    return events


def filled_by(entities: list[dict[str, Any]], domain: Domain) -> dict[str, Any]:
    """Return the slots that entities named in a rule or story fill (`slots_for_entities` in Rasa's domain.py)."""
    filled: dict[str, Any] = {}
    for name, slot in domain.slots.items():
        found: list[Any] = []
        for mapping in slot.mappings:
            inside_a_form = bool(mapping.conditions) and mapping.conditions[0].active_loop is not None
            if mapping.kind == "from_entity" and not inside_a_form:
                found += [
                    entity.get("value")
                    for entity in entities
                    if (entity["entity"], entity.get("role"), entity.get("group"))
                    == (mapping.entity, mapping.role, mapping.group)
                ]
        if found:
            filled[name] = found if slot.kind == "list" else found[-1]
    return filled
