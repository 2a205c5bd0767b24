"""Plays every rule once, before any customer does: does the bot come to listen, and does somebody go on where a rule stops?"""

from typing import Any

from bot.events import LISTEN, action_run, loop_set, slot_set
from bot.policies import predict
from bot.scene import Script
from bot.states import UNSET
from bot.steps import SNIP, Step, filled_by, rule_ways
from bot.tracker import Tracker
from bot.turn import MOST_ACTIONS
from profiles.findings import Findings
from profiles.written import Table, place_of


def rehearse(script: Script, findings: Findings) -> None:
    """Note rules after which the bot never listens, and rules that stop where nothing follows."""
    for rule in script.project.rules:
        for way in rule_ways(rule, script.domain):
            if not _play(script, rule, list(way.steps), findings):
                break


def _play(script: Script, rule: Table, steps: list[Step], findings: Findings) -> bool:
    tracker = _at_start(script, steps)
    if tracker is None:
        return True
    told = {step.name for step in steps if step.kind == "action"}
    done: list[str] = []
    for _ in range(MOST_ACTIONS):
        following = predict(script.rulebook, script.domain, tracker, script.project.options)
        if following.action == LISTEN:
            return True
        if following.is_fallback:
            # Other rules may lead elsewhere than this one; only its own open end is its fault.
            if SNIP in [step.name for step in steps[1:]] and done and set(done) <= told:
                note = findings.notice if script.project.stories else findings.error  # a story may go on from here
                note(
                    place_of(rule, "rule"),
                    f'rules: "{rule["rule"]}" stops without listening after {done[-1]}, and no rule goes on.',
                    "remove wait_for_user_input: false, or add the rule that follows",
                )
                return False
            return True
        done.append(following.action)
        tracker.apply(action_run(following.action))
        if following.action in script.domain.forms and tracker.loop is None:
            tracker.apply(loop_set(following.action))
        elif following.action == "action_deactivate_loop":
            tracker.apply(loop_set(None))
    findings.error(
        place_of(rule, "rule"),
        f'rules: after "{rule["rule"]}" the bot never listens: {" > ".join(done[:6])} > ...',
        "let one of these rules end by waiting for the customer",
    )
    return False


def _at_start(script: Script, steps: list[Step]) -> Tracker | None:
    """Return the conversation at the point where the rule's own actions begin; None when it names unknown things."""
    tracker = Tracker(script.domain)
    tracker.apply(action_run(LISTEN))
    for step in steps:
        if step.kind == "action" and step.name not in (LISTEN, SNIP):
            return tracker
        if step.kind == "intent":
            tracker.apply(_heard(step.name, list(step.value)))
            for name, value in filled_by(list(step.value), script.domain).items():
                tracker.apply(slot_set(name, value))
        elif step.kind == "text":
            tracker.apply({**_heard(None, []), "text": step.name, "by_text": True})
        elif step.kind == "slot":
            tracker.apply(slot_set(step.name, None if step.value == UNSET else step.value))
        elif step.kind == "loop":
            form = None if step.name == UNSET else step.name
            if form is not None and not script.domain.is_loop(form):
                return None
            tracker.apply(loop_set(form))
    return tracker if any(step.kind in ("intent", "text") for step in steps) else None


def _heard(intent: str | None, entities: list[dict[str, Any]]) -> dict[str, object]:
    return {"event": "user", "text": None, "parse_data": {"intent": {"name": intent}, "entities": entities}}
