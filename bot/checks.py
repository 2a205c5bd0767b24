"""What is wrong with a bot although each of its files can be read: names that stand for nothing, things left out.

A bot that `rasa train` of Rasa 3.6 takes with its default policies is taken here: what Rasa lets pass, with a warning or
without, is a notice.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot.answers import holes_of
from bot.domain import Domain, SlotMapping
from bot.events import DEFAULT_ACTIONS, DEFAULT_INTENTS, FALLBACK_INTENT, REQUESTED
from bot.finders import fold
from bot.flow_answers import set_slots
from bot.flow_checks import check_flows, heard_by_flows
from bot.forms import ask_names
from bot.rehearsal import rehearse
from bot.scene import Script
from bot.slots import VALIDATE_ALL
from bot.states import Expected
from bot.training import Training
from bot.values import name_at
from profiles.findings import Findings, nearest
from profiles.written import Place, Table, place_of, rows

_AS_SAID = re.compile(r"\w+|[^\w\s.,;:!?]")
_PAYLOAD_INTENT = re.compile(r"/([^{\s@]+)")
_HOLE = re.compile(r"\{\w+\}")
_PAYLOAD_VALUES = re.compile(r"/[^{\s]+(\{.*)", re.DOTALL)
_STEP_KEYS = ("intent", "user", "action", "active_loop", "slot_was_set", "or", "checkpoint", "entities")


def check(script: Script, findings: Findings) -> None:
    """Note everything that would go wrong in a conversation."""
    domain = script.domain
    for item in (*script.project.rules, *script.project.stories):
        _check_steps(item, domain, findings)
    for rule in script.project.rules:
        _check_rule(rule, findings)
    _check_checkpoints(script.project.stories, findings)
    _check_slots(domain, findings)
    _check_forms(script, findings)
    _check_responses(script, findings)
    _check_training(script, findings)
    _check_unused(script, findings)
    check_flows(script, findings)
    rehearse(script, findings)


def called(script: Script) -> frozenset[str]:
    """Return the actions that the files lead to: named by a step or a slot, or by a form's, a slot's or Rasa's own name for it."""
    project, domain = script.project, script.domain
    told = [step for item in (*project.rules, *project.stories) for step in _flat(rows(item.get("steps")))]
    flown = [step for flow in project.flows.by_id.values() for step in flow.steps.values()]
    names = {str(step["action"]) for step in told if isinstance(step, Table) and "action" in step}
    names |= {name for step in flown for name in (step.name, step.utter or "")}
    names |= {mapping.action or "" for slot in domain.slots.values() for mapping in slot.mappings}
    names |= {ask for form in domain.forms.values() for slot in form.required for ask in ask_names(form.name, slot)}
    names |= {f"validate_{name}" for name in (*domain.forms, *domain.slots)}
    names |= {f"action_ask_{name}" for name in domain.slots}
    return frozenset(names | DEFAULT_ACTIONS | {VALIDATE_ALL, project.options.core_fallback})


def _check_steps(item: Table, domain: Domain, findings: Findings) -> None:
    intents, actions = _intents(domain), {*_actions(domain)}
    for step in _flat(rows(item.get("steps")) + rows(item.get("condition"))):
        if not isinstance(step, Table):
            findings.error(
                place_of(step, default=item.at), f"steps: expected one of {', '.join(_STEP_KEYS)}; got {step!r}."
            )
            continue
        intent, action = name_at(step, "intent", findings), name_at(step, "action", findings)
        loop = name_at(step, "active_loop", findings)
        if intent is not None and str(intent).split("/")[0] not in intents:
            _notice_unknown("intent", intent, intents, findings)
        if action is not None and action not in actions:
            findings.unknown("action or response", action, actions)
        if loop is not None and not domain.is_loop(loop):
            findings.unknown("form", loop, domain.forms)
        for entity in rows(step.get("entities")):
            parts = entity if isinstance(entity, Table) else [entity]
            name = next((part for part in parts if part not in ("role", "group")), "")
            if name not in domain.entities:
                _notice_unknown("entity", name, domain.entities, findings, place_of(entity, default=step.at))
        for table in rows(step.get("slot_was_set")):
            for name in table if isinstance(table, Table) else [str(table)]:
                if name not in domain.slots and name != REQUESTED:
                    at = place_of(table, name, step.at)
                    findings.error(at, f'unknown slot; got "{name}".', nearest(name, domain.slots))
        for key in step:
            if key not in _STEP_KEYS:
                findings.unknown_key(step, key, _STEP_KEYS)


def _flat(steps: Iterable[Any]) -> Iterator[Any]:
    for step in steps:
        if isinstance(step, Table) and "or" in step:
            yield from _flat(rows(step["or"]))
        else:
            yield step


def _check_rule(rule: Table, findings: Findings) -> None:
    steps = rows(rule.get("steps"))
    at = place_of(rule, "rule")
    heard = [step for step in steps if isinstance(step, Table) and ({"intent", "user", "or"} & step.keys())]
    if len(heard) > 1:
        findings.error(
            place_of(heard[1], default=at),
            f'rules: "{rule["rule"]}": expected one message of the customer, got {len(heard)}.',
            "split it into two rules, or use a form",
        )


def _check_checkpoints(stories: Iterable[Table], findings: Findings) -> None:
    """Note stories that begin at a checkpoint where no story ends: they are never gone into."""
    ends, starts = set(), []
    for story in stories:
        is_start = True
        for step in rows(story.get("steps")):
            name = step.get("checkpoint") if isinstance(step, Table) else None
            is_start = is_start and name is not None
            if name is not None and is_start:
                starts.append((str(name), place_of(step, "checkpoint")))
            elif name is not None:
                ends.add(str(name))
    for name, at in starts:
        if name not in ends:
            findings.notice(at, f'stories: no story leads to the checkpoint "{name}".', nearest(name, ends))


def _check_slots(domain: Domain, findings: Findings) -> None:
    intents = _intents(domain)
    for slot in domain.slots.values():
        for mapping in slot.mappings:
            for intent in (*mapping.intents, *mapping.not_intents):
                if intent not in intents:
                    _notice_unknown("intent", intent, intents, findings)
            if mapping.entity is not None and mapping.entity not in domain.entities:
                _notice_unknown("entity", mapping.entity, domain.entities, findings)
            _check_conditions(mapping, domain, findings)


def _notice_unknown(what: str, name: Any, known: Iterable[str], findings: Findings, at: Place | None = None) -> None:
    findings.notice(at or place_of(name), f'unknown {what}; got "{name}".', nearest(str(name), known))


def _check_conditions(mapping: SlotMapping, domain: Domain, findings: Findings) -> None:
    for condition in mapping.conditions:
        if condition.active_loop is not None and condition.active_loop not in domain.forms:
            _notice_unknown("form", condition.active_loop, domain.forms, findings)
        if condition.requested_slot is not None and condition.requested_slot not in domain.slots:
            _notice_unknown("slot", condition.requested_slot, domain.slots, findings)


def _check_forms(script: Script, findings: Findings) -> None:
    domain, pasts = script.domain, _pasts(script)
    for form in domain.forms.values():
        for slot in form.required:
            if slot not in domain.slots:
                _notice_unknown("slot", slot, domain.slots, findings)
            elif not any(domain.knows_action(name) for name in ask_names(form.name, slot)):
                findings.notice(
                    place_of(slot, default=form.at),
                    f'forms: {form.name}: nothing asks for "{slot}".',
                    f"add a response utter_ask_{slot}",
                )
        for intent in form.ignored_intents:
            if intent not in _intents(domain):
                _notice_unknown("intent", intent, _intents(domain), findings)
        is_started = any(state.form == form.name for states in pasts for state in states)
        goes_on = any(states[-1].last == form.name and not states[-1].form for states in pasts)
        if is_started and not goes_on:
            findings.notice(
                form.at,
                f"forms: {form.name}: no rule says what comes when it is filled.",
                f"a rule with condition active_loop: {form.name}, steps action: {form.name}, active_loop: null, action: ...",
            )


def _check_responses(script: Script, findings: Findings) -> None:
    domain = script.domain
    intents = _intents(domain)
    languages = {example.language for example in script.project.training.examples}
    for name, variations in domain.responses.items():
        for variation in variations:
            for hole in holes_of(variation.text):
                # Custom actions may fill any name; without them only slots can.
                if hole not in domain.slots and hole not in ("value", "flow_name") and not domain.actions:
                    findings.notice(
                        variation.at, f'responses: {name}: unknown slot "{{{hole}}}".', nearest(hole, domain.slots)
                    )
            for button in variation.buttons:
                sets = set_slots(button.get("payload", ""))
                for slot in sorted(sets.keys() - domain.slots.keys()):
                    findings.error(
                        variation.at,
                        f'responses: {name}: button with unknown slot "{slot}".',
                        nearest(slot, domain.slots),
                    )
                if _is_broken(button.get("payload", "")):
                    got = button["payload"]
                    problem = f'responses: {name}: button: expected values such as {{"size": "large"}}, got "{got}".'
                    findings.notice(variation.at, problem)
                match = None if sets else _PAYLOAD_INTENT.match(button.get("payload", ""))
                if match and match[1].split("/")[0] not in intents:
                    problem = f'responses: {name}: button with unknown intent "{match[1]}".'
                    findings.notice(variation.at, problem, nearest(match[1], intents))
            named = variation.predicate.names if variation.predicate else ()
            for slot in (*(slot for slot, _ in variation.conditions), *(name.removeprefix("slots.") for name in named)):
                if slot not in domain.slots:
                    findings.notice(
                        variation.at,
                        f'responses: {name}: condition on unknown slot "{slot}".',
                        nearest(slot, domain.slots),
                    )
        said_in = {variation.language for variation in variations}
        if variations and None not in said_in and languages - said_in:
            missing = ", ".join(sorted(languages - said_in))
            findings.notice(variations[0].at, f"responses: {name}: nothing to say in {missing}.")


def _is_broken(payload: str) -> bool:
    """Whether the values of a button are no JSON; what holds `{slot}` or doubled braces is filled in first."""
    match = _PAYLOAD_VALUES.fullmatch(payload)
    if not match or "{{" in payload or _HOLE.search(payload):
        return False
    try:
        json.loads(match[1])
    except ValueError:
        return True
    return False


def _check_training(script: Script, findings: Findings) -> None:
    domain, training = script.domain, script.project.training
    for intent in training.intents.values():
        if str(intent).split("/")[0] not in _intents(domain):
            _notice_unknown("intent", intent, domain.intents, findings)
    for entity in training.entities.values():
        if entity and entity not in domain.entities:
            _notice_unknown("entity", entity, domain.entities, findings)
    _check_shared(training, findings)


def _check_shared(training: Training, findings: Findings) -> None:
    """Note sentences that are examples of two intents: Rasa trains on them with a warning, and so do we."""
    seen: dict[tuple[str, ...], Any] = {}
    for example in training.examples:
        # "10" and "12" are one to the classifier; only what is written twice is a slip of the writer's.
        other = seen.setdefault((example.language, *_AS_SAID.findall(fold(example.text))), example)
        if other.intent != example.intent:
            findings.notice(
                example.written.at,
                f'nlu: "{example.text}" is an example of {example.intent} and, at {other.written.at}, of {other.intent}.',
                "keep it in one of them",
            )


def _check_unused(script: Script, findings: Findings) -> None:
    used = {state.intent for states in _pasts(script) for state in states}
    used |= {script.project.handover.intent, *DEFAULT_INTENTS, *heard_by_flows(script.project.flows)}
    for slot in script.domain.slots.values():
        used |= {intent for mapping in slot.mappings for intent in mapping.intents}
    for intent in script.domain.intents.values():
        if intent.name.split("/")[0] not in used:
            findings.notice(intent.at, f'intents: no rule answers "{intent.name}".', "add a rule, or remove the intent")


def _pasts(script: Script) -> list[tuple[Expected, ...]]:
    """Return everything after which some rule or story says what comes."""
    return [*(rule.states for rule in script.rulebook.all), *script.rulebook.told]


def _intents(domain: Domain) -> set[str]:
    return {name.split("/")[0] for name in (*domain.intents, *DEFAULT_INTENTS, FALLBACK_INTENT)}


def _actions(domain: Domain) -> Iterator[str]:
    retrieval = {name.split("/")[0] for name in domain.responses if "/" in name}
    yield from (*domain.actions, *domain.responses, *retrieval, *domain.forms, *DEFAULT_ACTIONS)
