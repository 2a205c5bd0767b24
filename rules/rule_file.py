"""One rule file: its text in, a Rule out, or every mistake in it with line and column."""

import hashlib
import json
from dataclasses import replace
from typing import Any

from profiles.findings import Findings
from profiles.strict_yaml import read_strictly
from profiles.written import Place, Table, place_of, plain
from rules.file_reading import WRONG, Gathered, Names, Reading
from rules.rule import Place as RulePlace
from rules.rule import Rule
from rules.rule_step import Send, Start, walk
from rules.rule_trigger import OnEvent
from rules.schema import RULE
from rules.schema_steps import STEP

NOT_IN_THE_VERSION = frozenset({"title", "about", "owner", "state", "testers", "on edit"})
"""Keys that change nothing of what a contact inside gets: who begins on one version may end on it when they change."""


def read_rule(text: str, shown: str, names: Names, findings: Findings) -> Rule | None:
    """Return the rule of a file's text, or None with every mistake noted; `shown` is the file's name for people."""
    noted = len(findings.errors)
    rule = rule_of(read_strictly(text, shown, findings), text, names, findings)
    return rule if len(findings.errors) == noted else None


def rule_of(table: Table | None, text: str, names: Names, findings: Findings) -> Rule | None:
    """Return the rule of a text that was read strictly, or None with what is wrong beside its YAML noted."""
    noted = len(findings.errors)
    if table is None:
        return None
    gathered = Gathered()
    rule = RULE.read(table, Reading(names, findings, gathered, step=STEP), "rule file")
    if rule is WRONG or not isinstance(rule, Rule):
        return None
    _check(rule, table, findings)
    if len(findings.errors) > noted:
        return None
    places = {**table.keys_at, **gathered.places}
    return replace(rule, version=version_of(table), text=text, places={name: _place(at) for name, at in places.items()})


def rule_id(table: Table | None) -> str | None:
    """Return the id that a file gives its rule, however wrong the rest; None when none can be read."""
    written = table.get("rule") if table else None
    return str(written) if isinstance(written, str) and written else None


def version_of(table: Table) -> str:
    """Return 12 hex digits that stand for what the rule does: comments, spacing and who owns it do not count."""
    canonical = {key: value for key, value in plain(table).items() if key not in NOT_IN_THE_VERSION}
    return hashlib.sha256(json.dumps(canonical, ensure_ascii=False).encode()).hexdigest()[:12]


def _check(rule: Rule, table: Table, findings: Findings) -> None:
    """Note what no single key shows to be wrong."""
    sends = [step for step in walk(rule.steps) if isinstance(step, Send)]
    if sends and not rule.topic and rule.kind != "transactional" and rule.state != "draft":
        at = place_of(table, "state")
        findings.error(
            at, f"topic: expected one for consent to attach to, got none in a {rule.state} rule.", "topic: offers"
        )
    if rule.state == "test" and not rule.testers:
        findings.error(place_of(table, "state"), "testers: expected at least one in a test rule, got none.")
    if rule.pressure.on_cap == "wait" and rule.pressure.wait_at_most is None:
        at = place_of(table["pressure"], "on cap")
        findings.error(at, "wait at most: expected a length beside on cap: wait, got none.", "wait at most: 24h")
    if rule.pressure.urgent and rule.kind != "service":
        findings.error(
            place_of(table["pressure"], "urgent"),
            f"urgent: expected in service rules only, got one of class {rule.kind}.",
        )
    if isinstance(rule.trigger, OnEvent) and rule.trigger.again != "ignore" and rule.trigger.key is None:
        when: Any = table["when"]
        hint = "key: event.cart_id, or no again"
        if rule.trigger.again == "parallel":
            findings.error(place_of(when, "again"), "again: expected a key that tells runs apart, got none.", hint)
    for step in walk(rule.steps):
        if isinstance(step, Start) and step.rule == rule.id:
            findings.error(place_of(table, "rule"), f'start: expected another rule, got "{rule.id}" itself.')


def _place(at: Place) -> RulePlace:
    return RulePlace(at.file, at.line, at.column)
