"""Rules as the engine follows them: a short past that must fit, and the action that then comes next.

Format: Rasa 3.x "Rules". A rule starts anywhere (unless `conversation_start`), ends by listening (unless
`wait_for_user_input: false`), and `null` for a slot or a loop means that it must not be set.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from bot.domain import Domain
from bot.events import LISTEN
from bot.files import Findings, Place, Table, Text, place_of, rows
from bot.states import UNSET, Expected, feature, weight

SNIP = "..."


class Rule(NamedTuple):
    """After these states comes this action."""

    states: tuple[Expected, ...]
    action: str
    at: Place
    weight: int


@dataclass(slots=True)
class Rulebook:
    """All rules, found by what came last and what the customer wants; the most specific first."""

    by_last: dict[tuple[str | None, str | None], list[Rule]] = field(default_factory=dict)
    by_text: list[Rule] = field(default_factory=list)
    back_to_loop: list[Rule] = field(default_factory=list)
    """Inside a form: after these the form goes on without taking the message as an answer."""
    not_the_loop: list[Rule] = field(default_factory=list)
    """Inside a form: after these something other than the form comes."""
    all: list[Rule] = field(default_factory=list)


class Step(NamedTuple):
    """One plain step of a rule: an action, intent, text, slot or loop."""

    kind: str
    name: Any
    value: Any = None


@dataclass(slots=True)
class _Walk:
    """The state of things while a rule is read from top to bottom."""

    intent: str | None = None
    text: str | None = None
    entities: tuple[str, ...] = ()
    slots: dict[str, Any] = field(default_factory=dict)
    last: str | None = None
    loop: str | None = None


def read_rules(rules: tuple[Table, ...], domain: Domain, findings: Findings) -> Rulebook:
    """Return the rulebook; rules that contradict each other are noted as errors."""
    book = Rulebook()
    known: dict[tuple[Expected, ...], Rule] = {}
    for written in rules:
        for steps in alternatives(written):
            for states, action in _pairs(steps, domain):
                rule = Rule(_since_snip(states), action, place_of(written, "rule"), 0)
                _note_unhappy(rule._replace(states=states), book)
                if rule.states and action != SNIP:
                    _add(rule, known, findings)
    for rule in known.values():
        rule = rule._replace(weight=weight(rule.states))
        book.all.append(rule)
        if any(state.text for state in rule.states):
            book.by_text.append(rule)
        else:
            latest = rule.states[-1]
            book.by_last.setdefault((latest.last, latest.intent), []).append(rule)
    for found in (*book.by_last.values(), book.by_text):
        found.sort(key=lambda rule: -rule.weight)
    return book


def _add(rule: Rule, known: dict[tuple[Expected, ...], Rule], findings: Findings) -> None:
    other = known.setdefault(rule.states, rule)
    if other.action != rule.action:
        findings.error(
            rule.at,
            f'rules: contradicts the rule at {other.at}: after the same things one says "{rule.action}", '
            f'the other "{other.action}".',
            "give one of them a condition, or join them",
        )


def _note_unhappy(rule: Rule, book: Rulebook) -> None:
    latest = rule.states[-1]
    if not latest.form:
        return
    before = rule.states[-2].last if len(rule.states) > 1 else None
    states = _since_snip((Expected(last=before), latest) if before else (latest,))
    if not states:
        return
    if latest.last == LISTEN and rule.action == latest.form:
        book.back_to_loop.append(rule._replace(states=states))
    elif latest.last != LISTEN and rule.action != latest.form:
        book.not_the_loop.append(rule._replace(states=states))


def _since_snip(states: tuple[Expected, ...]) -> tuple[Expected, ...]:
    for index in range(len(states) - 1, -1, -1):
        if states[index].last == SNIP:
            return states[index + 1 :]
    return states


def _pairs(steps: list[Step], domain: Domain) -> Iterator[tuple[tuple[Expected, ...], str]]:
    """Yield, for each action of the rule, the states up to it and the action."""
    walk, states = _Walk(), []
    for step in steps:
        if step.kind == "action":
            states.append(_expected(walk, domain))
            if not (step.name == SNIP and len(states) == 1):
                yield tuple(states), step.name
            walk.last = step.name
        elif step.kind == "intent":
            walk.intent, walk.text, walk.entities = step.name, None, step.value
            walk.slots |= filled_by(step.name, step.value, domain)
        elif step.kind == "text":
            walk.intent, walk.text, walk.entities = None, step.name, ()
        elif step.kind == "slot":
            walk.slots[step.name] = step.value
        elif step.kind == "loop":
            walk.loop = step.name


def _expected(walk: _Walk, domain: Domain) -> Expected:
    slots: list[tuple[str, Any]] = []
    for name, value in sorted(walk.slots.items()):
        seen = UNSET if value == UNSET else feature(domain.slots.get(name), value)
        if seen == UNSET or any(seen):
            slots.append((name, seen))
    return Expected(walk.intent, walk.text, walk.entities, tuple(slots), walk.last, walk.loop)


def filled_by(intent: str, entities: tuple[str, ...], domain: Domain) -> dict[str, Any]:
    """Return the slots that entities named in a rule fill, as they would in the conversation."""
    filled: dict[str, Any] = {}
    for name, slot in domain.slots.items():
        for mapping in slot.mappings:
            outside_forms = not any(condition.active_loop for condition in mapping.conditions)
            if mapping.kind == "from_entity" and outside_forms and mapping.entity in entities:
                wanted = intent in mapping.intents if mapping.intents else intent not in mapping.not_intents
                if wanted:
                    filled[name] = [mapping.entity] if slot.kind == "list" else mapping.entity
    return filled


def alternatives(rule: Table) -> Iterator[list[Step]]:
    """Yield the rule's steps, once for each way through its `or`s."""
    start = [] if rule.get("conversation_start") is True else [[[Step("action", SNIP)]]]
    conditions = [_condition(item) for item in rows(rule.get("condition"))]
    steps = [_step(item) for item in rows(rule.get("steps"))]
    end = SNIP if rule.get("wait_for_user_input") is False else LISTEN
    for way in product(*start, *conditions, *steps):
        flat = [step for part in way for step in part]
        yield [*flat, Step("action", end)] if not flat or flat[-1] != Step("action", end) else flat


def _condition(item: Any) -> list[list[Step]]:
    if isinstance(item, Table) and "active_loop" in item:
        return [[_loop(item["active_loop"])]]
    return [_slots(item.get("slot_was_set") if isinstance(item, Table) else item)]


def _step(item: Any) -> list[list[Step]]:
    """Return the ways one step may happen, each a list of plain steps."""
    if not isinstance(item, Table):
        return [[]]
    if "or" in item:
        return [way for part in rows(item["or"]) for way in _step(part)]
    if "intent" in item:
        entities = tuple(sorted(_entity_name(entity) for entity in rows(item.get("entities"))))
        return [[Step("action", LISTEN), Step("intent", str(item["intent"]).split("/")[0], entities)]]
    if "user" in item:
        return [[Step("action", LISTEN), Step("text", str(item["user"]))]]
    if "action" in item:
        return [[Step("action", str(item["action"]))]]
    if "active_loop" in item:
        return [[_loop(item["active_loop"])]]
    return [_slots(item.get("slot_was_set"))]


def _entity_name(entity: Any) -> str:
    if isinstance(entity, Mapping):
        return str(next((name for name in entity if name not in ("role", "group")), ""))
    return str(entity)


def _loop(name: Any) -> Step:
    return Step("loop", UNSET if name is None else str(name))


def _slots(value: Any) -> list[Step]:
    steps = []
    for item in rows(value):
        if isinstance(item, Mapping):
            for name, wanted in item.items():
                steps.append(Step("slot", str(name), UNSET if wanted is None else wanted))
        elif isinstance(item, Text | str):
            steps.append(Step("slot", str(item), "set"))
    return steps
