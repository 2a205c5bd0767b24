"""The API's route for messages by rule or by template: the caller hears what was decided, not what a provider says."""

import json
from typing import Any

from admin import api_answers as answers
from admin import api_bodies as bodies
from admin import api_schemas as shapes
from admin.api_profiles import named_profile
from admin.api_route import Call, Refused, Reply, Route
from admin.schema import Problem
from rules.calls import Decided, call
from rules.choice import PREFERRED
from rules.direct import direct
from rules.entry import Occasion
from rules.rule import Rule
from rules.rule_trigger import OnCall
from rules.running import Running

DATA_BYTES = 64_000
"""It stays with the run for ever."""
TAKEN = ("name", "at")
"""Names that `start.` has already: what began the run, and when."""


async def send_by_rule(request: Call) -> Reply:
    """Let a rule with `when: {call: api}`, or a template, decide about one contact now, and answer the decision."""
    rules = request.desk.rules
    if rules is None:
        raise Refused("no_rules")
    body = request.body
    rule = _rule(rules, body["rule"]) if "rule" in body else _direct(rules, body)
    data = body.get("data", {})
    faults = [Problem(f"/data/{name}", "this name is the run's own") for name in TAKEN if name in data]
    if len(json.dumps(data)) > DATA_BYTES:
        faults.append(Problem("/data", f"expected at most {DATA_BYTES} bytes"))
    if faults:
        raise Refused("invalid", faults=tuple(faults))
    profile = await named_profile(request, body["to"], "/to")
    assert request.mark  # the route needs an Idempotency-Key
    occurrence = f"api:{request.mark.id}"
    occasion = Occasion(occurrence, request.now, body.get("key", occurrence), facts=data)
    decided = await call(rules.turn, request.desk.store, rule, profile, occasion)
    return Reply(200, _shown(decided, profile))


def _rule(rules: Running, id: str) -> Rule:
    rule = rules.bookcase.book.rules.get(id)
    if rule is None:
        raise Refused("unknown_rule")
    if not isinstance(rule.trigger, OnCall):
        raise Refused("not_callable")
    return rule


def _direct(rules: Running, body: dict[str, Any]) -> Rule:
    """Return the rule of one step that these words mean. Raises Refused with all that is wrong with them."""
    template, channels, kind, topic = (
        body["template"],
        body.get("channels", []),
        body.get("class", ""),
        body.get("topic", ""),
    )
    book, policy = rules.bookcase.book, rules.gatekeeper.policy
    faults: list[Problem] = []
    if template not in book.templates:
        faults.append(Problem("/template", "expected a template of the book"))
    if not channels:
        faults.append(Problem("/channels", "expected at least one beside a template"))
    words = (*sorted(rules.gatekeeper.reaches.words), PREFERRED)
    faults += [
        Problem(f"/channels/{place}", f"expected one of {', '.join(words)}")
        for place, channel in enumerate(channels) if channel not in words
    ]  # fmt: skip
    if not kind:
        faults.append(Problem("/class", "expected one beside a template"))
    if topic and topic not in policy.topics:
        faults.append(Problem("/topic", f"expected one of {', '.join(policy.topics) or 'none'}"))
    if not topic and kind not in ("", "transactional"):
        faults.append(Problem("/topic", "expected one for consent to attach to"))
    if faults:
        raise Refused("invalid", faults=tuple(faults))
    return direct(template, channels, kind=kind, topic=topic, mode="all" if body.get("all") else "first")


def _shown(decided: Decided, profile: str) -> dict[str, Any]:
    return {
        "decision": decided.outcome, "reason": decided.reason or None, "until": answers.at(decided.until),
        "profile": profile, "run": decided.run or None,
        "messages": [{"id": id, "channel": channel} for id, channel in decided.messages],
    }  # fmt: skip


ROUTES = (
    Route("POST", "/messages", send_by_rule, "messages:write", "Send by a rule or a template, and hear what was decided.",
          "Envoyer par une règle ou un modèle, et savoir ce qui a été décidé.", shapes.DECISION, body=bodies.SEND_IN,
          problems=("unknown_profile", "unknown_rule", "not_callable", "no_rules"), repeats_safely=True, needs_key=True),
)  # fmt: skip
