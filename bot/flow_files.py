"""Reads flows: flows.yml, the folder flows/, and `flows:` in any file under data/. What is wrong is noted with its place.

Steps without an `id` get one from where they stand (`2_collect_amount`), so that a conversation that waits in a step finds
out when the files have changed under it.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any

from bot.conditions import Condition, ConditionError, always, parse_condition
from bot.flows import END, Flow, Flows, Rejection, Step, Trigger, Way, flows_of
from bot.values import name_at, names_at, number_at, table_at
from profiles.findings import Findings
from profiles.written import Place, Rows, Table, Text, place_of, plain, rows, text_at

KINDS = ("action", "collect", "link", "call", "set_slots", "noop")
_FLOW_KEYS = (
    "name", "description", "steps", "if", "nlu_trigger", "persisted_slots", "run_pattern_completed",
    "always_include_in_prompt", "metadata",
)  # fmt: skip
_COLLECT_KEYS = (
    "utter", "ask_before_filling", "reset_after_flow_ends", "force_slot_filling", "rejections",
    "silence_timeout", "dtmf",
)  # fmt: skip
_ANY = ("id", "next", "description", "metadata")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


def read_flows(files: list[Table], responses: Collection[str], findings: Findings) -> Flows:
    """Return the flows that these files declare together, with the patterns of the engine."""
    written: dict[str, Flow] = {}
    for file in files:
        table = table_at(file, "flows", findings)
        for name, spec in table.items():
            at = place_of(table, name)
            if name in written:
                findings.error(at, f'flows: expected each flow once; got "{name}" also at {written[name].at}.')
            elif not _NAME.fullmatch(name):
                findings.error(at, f'flows: expected a name of letters, digits, _ and -; got "{name}".')
            elif not isinstance(spec, Table):
                findings.error(at, f"flows: {name}: expected keys such as description and steps.")
            else:
                written[str(name)] = _flow(str(name), spec, at, findings)
    return flows_of(written, responses, _slot_rejections(files, findings) if written else {})


def _flow(name: str, spec: Table, at: Place, findings: Findings) -> Flow:
    for key in spec:
        if key not in _FLOW_KEYS:
            findings.unknown_key(spec, key, _FLOW_KEYS)
    steps = _Steps(name, findings)
    steps.read(spec.get("steps"), place_of(spec, "steps", at))
    return Flow(
        id=name,
        name=str(name_at(spec, "name", findings) or name.replace("_", " ")),
        at=at,
        steps=steps.found,
        guard=_condition(spec, "if", findings) if "if" in spec else None,
        triggers=tuple(_triggers(spec, findings)),
        persisted=names_at(spec, "persisted_slots", findings),
        completes=_truth(spec, "run_pattern_completed", True, findings),
    )


def _triggers(spec: Table, findings: Findings) -> Iterator[Trigger]:
    for item in rows(spec.get("nlu_trigger")):
        intent = item.get("intent") if isinstance(item, Table) else None
        if isinstance(intent, Text) and intent:
            yield Trigger(intent)
        elif isinstance(intent, Table) and name_at(intent, "name", findings):
            yield Trigger(intent["name"], number_at(intent, "confidence_threshold", 0.0, findings))
        else:
            at = place_of(item, default=place_of(spec, "nlu_trigger"))
            findings.error(at, "nlu_trigger: expected a list of intents.", "- intent: order_status")


class _Steps:
    """The steps of one flow, found one after another, also those written inside `next`."""

    def __init__(self, flow: str, findings: Findings) -> None:
        self.flow, self.findings = flow, findings
        self.found: dict[str, Step] = {}
        self.named: set[str] = set()

    def read(self, value: Any, at: Place) -> None:
        """Read the flow's own list of steps; after its last one the flow ends."""
        listed = self._tables(value, at)
        if not listed:
            self.findings.error(at, f"flows: {self.flow}: expected steps, got none.", "- action: utter_greet")
        self._sequence(listed, "", None)

    def _tables(self, value: Any, at: Place) -> list[Table]:
        found = []
        for item in rows(value):
            if isinstance(item, Table):
                found.append(item)
            else:
                self.findings.error(
                    place_of(item, default=at),
                    f"flows: {self.flow}: expected a step, got {item!r}.",
                    "- action: utter_greet",
                )
        return found

    def _sequence(self, listed: list[Table], within: str, parent: Table | None) -> str:
        """Read steps that follow each other; return the id of the first. Inside `next` the last must say what comes."""
        ids = [self._id(row, f"{within}{number}") for number, row in enumerate(listed)]
        for number, row in enumerate(listed):
            if number + 1 < len(ids):
                following: str | None = ids[number + 1]
            else:
                following = END if parent is None else None
            self._step(ids[number], row, following)
        return ids[0] if ids else END

    def _id(self, row: Table, place: str) -> str:
        own = row.get("id")
        if isinstance(own, Text) and own:
            if own in self.named or own == END:
                self.findings.error(place_of(row, "id"), f'flows: {self.flow}: expected each id once; got "{own}".')
            self.named.add(str(own))
            return str(own)
        if own is not None:
            self.findings.error(place_of(row, "id"), f"flows: {self.flow}: id: expected a name; got {own!r}.")
        kind = next((kind for kind in KINDS if kind in row), "noop")
        name = row.get(kind)
        return "_".join([place, kind, *([str(name)] if isinstance(name, Text) else [])])

    def _step(self, id: str, row: Table, following: str | None) -> None:
        kinds = [kind for kind in KINDS if kind in row]
        if not kinds and "next" in row:
            kinds = ["noop"]  # a bare branch, as older files have it
        kind = kinds[0] if len(kinds) == 1 else ""
        if not kind:
            got = " and ".join(kinds) or ", ".join(row) or "nothing"
            self.findings.error(
                row.at, f"flows: {self.flow}: expected a step with one of {', '.join(KINDS)}; got {got}."
            )
            kind = "noop"
        known = (*_ANY, kind, *(_COLLECT_KEYS if kind == "collect" else ()))
        for key in row:
            if key not in known and key not in KINDS:
                self.findings.unknown_key(row, key, known)
        name: Any = name_at(row, kind, self.findings) if kind not in ("set_slots", "noop") else Text("")
        if name is None:
            if row.get(kind) is None:
                self.findings.error(place_of(row, kind), f"flows: {self.flow}: {kind}: expected a name; got nothing.")
            kind = "noop"  # one mistake is told once
        self.found[id] = Step(id, kind, "", row.at)  # keeps its place in the order before those inside `next`
        ways = self._ways(id, row, following)
        self.found[id] = Step(
            id=id,
            kind=kind,
            name=name or Text(""),
            at=row.at,
            ways=ways,
            values=tuple(self._values(row)) if kind == "set_slots" else (),
            utter=name_at(row, "utter", self.findings) if kind == "collect" else None,
            asks_always=_truth(row, "ask_before_filling", False, self.findings),
            is_kept=not _truth(row, "reset_after_flow_ends", True, self.findings),
            forces=_truth(row, "force_slot_filling", False, self.findings),
            rejections=tuple(_rejections(row, self.findings)) if kind == "collect" else (),
        )

    def _ways(self, id: str, row: Table, following: str | None) -> tuple[Way, ...]:
        written = row.get("next")
        if "link" in row:
            if set(row) - {"link", "id", "description", "metadata"}:
                self.findings.error(row.at, f"flows: {self.flow}: link: expected nothing beside it, not even next.")
            return (Way(END),)
        if written is None:
            if following is None or "noop" in row:
                self.findings.error(
                    row.at,
                    f"flows: {self.flow}: expected next: after this step, got nothing.",
                    "next: END",
                )
            return (Way(following or END),)
        if isinstance(written, Text):
            return (Way(written),)
        listed = self._tables(written, place_of(row, "next"))
        if not any("if" in item or "else" in item for item in listed):
            return (Way(self._sequence(listed, f"{id}/", row)),)
        return tuple(self._branches(id, row, listed))

    def _branches(self, id: str, row: Table, listed: list[Table]) -> Iterator[Way]:
        if "else" not in listed[-1]:
            at = place_of(listed[-1])
            self.findings.error(at, f"flows: {self.flow}: next: expected an else: as the last branch.", "- else: END")
        for number, item in enumerate(listed):
            is_last = number == len(listed) - 1 and "else" in item
            wanted = {"else"} if is_last else {"if", "then"}
            if set(item) != wanted:
                self.findings.error(
                    place_of(item),
                    f"flows: {self.flow}: next: expected {' and '.join(sorted(wanted))}; got {', '.join(item)}.",
                )
            condition = None if is_last else _condition(item, "if", self.findings)
            yield Way(self._target(item, "else" if is_last else "then", f"{id}/{number}.", row), condition)

    def _target(self, item: Table, key: str, within: str, row: Table) -> str:
        value = item.get(key)
        if isinstance(value, Rows):
            return self._sequence(self._tables(value, place_of(item, key)), within, row)
        if isinstance(value, Text) and value:
            return value
        if key in item:
            self.findings.error(
                place_of(item, key), f"flows: {self.flow}: {key}: expected a step's id, END or steps; got {value!r}."
            )
        return END

    def _values(self, row: Table) -> Iterator[tuple[str, Any]]:
        for item in rows(row.get("set_slots")):
            if not isinstance(item, Table):
                self.findings.error(
                    place_of(item, default=place_of(row, "set_slots")),
                    f"flows: {self.flow}: set_slots: expected slots and values.",
                    "- amount: null",
                )
                continue
            for name, value in item.items():
                yield text_at(name, place_of(item, name)), plain(value)


def _rejections(spec: Table, findings: Findings) -> Iterator[Rejection]:
    for item in rows(spec.get("rejections")):
        utter = name_at(item, "utter", findings) if isinstance(item, Table) else None
        if isinstance(item, Table) and set(item) == {"if", "utter"} and utter:
            yield Rejection(_condition(item, "if", findings), utter)
        else:
            at = place_of(item, default=place_of(spec, "rejections"))
            findings.error(
                at, "rejections: expected if: and utter:.", "- {if: slots.age < 1, utter: utter_invalid_age}"
            )


def _slot_rejections(files: list[Table], findings: Findings) -> dict[str, tuple[Rejection, ...]]:
    found = {}
    for file in files:
        slots = file.get("slots")
        for name, spec in slots.items() if isinstance(slots, Table) else ():
            validation = spec.get("validation") if isinstance(spec, Table) else None
            if isinstance(validation, Table):
                found[str(name)] = tuple(_rejections(validation, findings))
    return found


def _condition(table: Table, key: str, findings: Findings) -> Condition:
    written = table.get(key)
    if isinstance(written, bool):
        return always(written)
    if isinstance(written, Text) and written:
        try:
            condition = parse_condition(str(written))
        except ConditionError as error:
            findings.error(place_of(table, key), f"if: {error}; in: {str(written)[:80]}")
            return always(False)
        if condition.mixes:
            findings.notice(
                place_of(table, key),
                "if: `a and b or c` means `a and (b or c)` here, as in Rasa.",
                "write parentheses",
            )
        return condition
    if key in table:
        findings.error(place_of(table, key), f"{key}: expected a condition; got {plain(written)!r}.", "slots.age < 18")
    return always(False)


def _truth(table: Table, key: str, default: bool, findings: Findings) -> bool:
    value = table.get(key, default)
    if isinstance(value, bool):
        return value
    findings.error(place_of(table, key), f"{key}: expected true or false; got {plain(value)!r}.")
    return default
