"""What is wrong with flows although their files can be read: names that stand for nothing, steps that nothing leads to,
circles that never ask the customer anything."""

from collections.abc import Iterable, Iterator, Mapping

from bot.conditions import Condition
from bot.events import DEFAULT_ACTIONS, DEFAULT_INTENTS, FALLBACK_INTENT
from bot.flows import CANCEL, END, ON_HANDOFF, PATTERNS, WORDS, Flow, Flows, Step, Way
from bot.scene import Script
from profiles.findings import Findings, nearest
from profiles.written import Place, place_of, rows


def check_flows(script: Script, findings: Findings) -> None:
    """Note everything that would go wrong when a flow runs."""
    flows = script.project.flows
    for flow in flows.written:
        if flow.id.startswith("pattern_") and flow.id not in PATTERNS:
            known = ", ".join(PATTERNS)
            findings.notice(flow.at, f"flows: {flow.id}: never runs here.", f"patterns that do: {known}")
            continue
        _check_start(flow, script, findings)
        for step in flow.steps.values():
            _check_step(flow, step, script, findings)
        _check_paths(flow, findings)
        _check_persisted(flow, findings)
    for slot in script.domain.slots.values():
        for named in (condition.active_flow for mapping in slot.mappings for condition in mapping.conditions):
            if named is not None and named not in flows.by_id:
                findings.unknown("flow", named, [flow.id for flow in flows.written])
    _check_circles(flows, findings)
    _check_started(script, findings)


def heard_by_flows(flows: Flows) -> set[str]:
    """Return the intents that flows understand, so that nobody misses a rule for them."""
    if not flows:
        return set()
    return {*flows.by_intent, *flows.cancels, "affirm", "deny"}


def _check_start(flow: Flow, script: Script, findings: Findings) -> None:
    intents = {*script.domain.intents, *DEFAULT_INTENTS, FALLBACK_INTENT}
    for trigger in flow.triggers:
        if trigger.intent not in intents:
            findings.unknown("intent", trigger.intent, intents)
    _check_names(flow.guard, flow.at, flow, script, findings)


def _check_step(flow: Flow, step: Step, script: Script, findings: Findings) -> None:
    flows = script.project.flows
    for way in step.ways:
        _check_names(way.condition, step.at, flow, script, findings)
        if way.to != END and way.to not in flow.steps:
            findings.error(
                place_of(way.to, default=step.at),
                f'flows: {flow.id}: unknown step "{way.to}".',
                nearest(way.to, flow.steps),
            )
    if step.kind == "action":
        _check_action(flow, step, script, findings)
    elif step.kind == "collect":
        _check_collect(flow, step, script, findings)
    elif step.kind in ("call", "link"):
        target = flows.by_id.get(step.name)
        if target is None:
            findings.unknown("flow", step.name, [one.id for one in flows.written])
        elif target.id in PATTERNS and (step.kind == "call" or target.id != ON_HANDOFF):
            findings.error(step.at, f"flows: {flow.id}: {step.kind}: {target.id} is started by the engine alone.")
        elif step.kind == "call" and any(one.kind == "link" for one in target.steps.values()):
            findings.error(
                step.at,
                f"flows: {flow.id}: calls {target.id}, which ends by a link and never comes back.",
                "use link here, or call there",
            )
    for name, _ in step.values:
        _check_slot(name, step.at, flow, script, findings)


def _check_action(flow: Flow, step: Step, script: Script, findings: Findings) -> None:
    domain = script.domain
    if step.name in domain.forms:
        findings.error(
            step.at, f"flows: {flow.id}: expected a response or action; got the form {step.name}.", "collect"
        )
    elif not (domain.knows_action(step.name) or step.name in {*DEFAULT_ACTIONS, CANCEL, *WORDS}):
        findings.unknown("action or response", step.name, [*domain.actions, *domain.responses])


def _check_collect(flow: Flow, step: Step, script: Script, findings: Findings) -> None:
    domain, by_action, by_words = script.domain, f"action_ask_{step.name}", f"utter_ask_{step.name}"
    if not _check_slot(step.name, step.at, flow, script, findings):
        return
    if step.utter is not None and not domain.knows_action(step.utter):
        findings.unknown("response", step.utter, domain.responses)
    elif step.utter is None and by_action in domain.actions and by_words in domain.responses:
        findings.error(step.at, f"flows: {flow.id}: both {by_action} and {by_words} ask; expected one.")
    elif step.utter is None and by_action not in domain.actions and by_words not in domain.responses:
        findings.error(step.at, f'flows: {flow.id}: nothing asks for "{step.name}".', f"add a response {by_words}")
    for rejection in (*step.rejections, *script.project.flows.rejections.get(step.name, ())):
        _check_names(rejection.condition, step.at, flow, script, findings)
        if rejection.utter not in domain.responses:
            findings.unknown("response", rejection.utter, domain.responses)


def _check_slot(name: str, at: Place, flow: Flow, script: Script, findings: Findings) -> bool:
    if name not in script.domain.slots:
        findings.error(
            place_of(name, default=at),
            f'flows: {flow.id}: unknown slot "{name}".',
            nearest(name, script.domain.slots),
        )
        return False
    if script.project.memory.is_read_only(name):
        findings.error(place_of(name, default=at), f"flows: {flow.id}: only the profile fills {name}.")
    return True


def _check_names(condition: Condition | None, at: Place, flow: Flow, script: Script, findings: Findings) -> None:
    for name in condition.names if condition else ():
        slot = name.removeprefix("slots.")
        if not name.startswith("context.") and slot not in script.domain.slots:
            findings.error(
                at,
                f'flows: {flow.id}: condition on unknown slot "{slot}".',
                nearest(slot, script.domain.slots) or "put texts in quotes",
            )


def _check_paths(flow: Flow, findings: Findings) -> None:
    """Note steps that nothing leads to, and circles that neither ask nor decide anything."""
    reached: set[str] = set()
    waiting = [flow.first]
    while waiting:
        id = waiting.pop()
        if id not in reached and id in flow.steps:
            reached.add(id)
            waiting += [way.to for way in flow.steps[id].ways]
    for step in flow.steps.values():
        if step.id not in reached:
            findings.error(step.at, f"flows: {flow.id}: no way leads to this step.", "name it under next:")
    told: set[str] = set()
    for step in flow.steps.values():
        circle = _circle(step, flow)
        if circle and not told & circle:
            told |= circle
            findings.error(step.at, f"flows: {flow.id}: goes round from this step and never asks anything.")


def _circle(step: Step, flow: Flow) -> set[str]:
    """Return the steps that follow this one for ever without a question or a decision; empty when they end."""
    seen: list[str] = []
    id = step.id
    while id in flow.steps and id not in seen:
        here = flow.steps[id]
        if here.kind == "collect" or here.name == "action_listen" or _may_turn(here.ways):
            return set()
        seen.append(id)
        id = here.ways[0].to
    return set(seen) if id == step.id else set()


def _may_turn(ways: tuple[Way, ...]) -> bool:
    return len(ways) != 1 or ways[0].condition is not None


def _check_persisted(flow: Flow, findings: Findings) -> None:
    used = set(flow.slots)
    for name in flow.persisted:
        if name not in used:
            findings.error(
                place_of(name, default=flow.at),
                f'flows: {flow.id}: persisted_slots: no step collects or sets "{name}".',
                nearest(name, used),
            )
    if flow.persisted and any(step.is_kept for step in flow.steps.values()):
        findings.error(
            flow.at,
            f"flows: {flow.id}: expected persisted_slots or reset_after_flow_ends, got both.",
            "persisted_slots",
        )


def _check_circles(flows: Flows, findings: Findings) -> None:
    """Note flows that call each other for ever, and that link to each other without a question between."""
    calls = {flow.id: {step.name: step.at for step in _steps(flow, "call")} for flow in flows.written}
    silent = {flow.id for flow in flows.written if not any(_steps(flow, "collect"))}
    links = {
        flow.id: {step.name: step.at for step in _steps(flow, "link") if step.name in silent}
        for flow in flows.written
        if flow.id in silent
    }
    for kind, edges in (("call", calls), ("link to", links)):
        told: set[str] = set()
        for start in edges:
            ring = _ring(start, edges)
            if ring and start not in told:
                told |= set(ring)
                at = edges[start][ring[1]]
                findings.error(at, f"flows: these {kind} each other for ever: {' > '.join(ring)}.")


def _ring(start: str, edges: Mapping[str, Mapping[str, Place]]) -> list[str]:
    """Return a way from this flow back to itself, or nothing."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop()
        for target in edges.get(way[-1], ()):
            if target == start:
                return [*way, start]
            if target not in seen:
                seen.add(target)
                ways.append([*way, target])
    return []


def _steps(flow: Flow, kind: str) -> Iterator[Step]:
    return (step for step in flow.steps.values() if step.kind == kind)


def _check_started(script: Script, findings: Findings) -> None:
    """Note flows that nothing starts, and rules that never have their turn because a flow takes the intent."""
    flows = script.project.flows
    named = {step.name for flow in flows.by_id.values() for kind in ("call", "link") for step in _steps(flow, kind)}
    for flow in flows.written:
        if not flow.triggers and flow.id not in named and not flow.id.startswith("pattern_"):
            findings.notice(
                flow.at,
                f"flows: {flow.id}: nothing starts it.",
                "nlu_trigger: [{intent: ...}], or link: or call: in another flow",
            )
    asking = [flow for flow in flows.written if any(_steps(flow, "collect"))]
    if asking and not any(intent in script.domain.intents for intent in flows.cancels):
        findings.notice(asking[0].at, "flows: no intent ends a flow.", f"add the intent {flows.cancels[0]}")
    taken = {intent: _first_always(pairs) for intent, pairs in flows.by_intent.items()}
    for rule in script.project.rules:
        for step in rows(rule.get("steps"))[:1]:
            winner = taken.get(str(step.get("intent"))) if isinstance(step, dict) else None
            if winner is not None:
                findings.notice(
                    place_of(rule, "rule"),
                    f'rules: "{rule["rule"]}": its intent starts the flow {winner}, which comes first.',
                )


def _first_always(pairs: Iterable[tuple[Flow, object]]) -> str | None:
    return next((flow.id for flow, trigger in pairs if flow.guard is None and not getattr(trigger, "least", 0)), None)
