"""Reads domain.yml and domain/**: every noun as it is written there, each mistake with its place."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from bot.conditions import Condition as BranchCondition
from bot.conditions import ConditionError, parse_condition
from bot.domain import Condition, Domain, Form, Intent, Slot, SlotMapping, Variation
from bot.older import kind_of, modernised
from bot.values import name_at, names_at, number_at, table_at
from profiles.findings import Findings, nearest
from profiles.written import Place, Rows, Table, Text, empty_table, place_of, plain, rows

SLOT_TYPES = ("text", "bool", "categorical", "float", "list", "any")
_NAME = re.compile(r"[\w-]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SAYS = ("text", "buttons", "quick_replies", "image", "custom", "attachment", "elements", "template", "response")
MAPPING_TYPES = ("from_entity", "from_text", "from_intent", "from_trigger_intent", "custom", "controlled", "from_llm")


def read_domain(files: list[Table], findings: Findings) -> Domain:
    """Return the domain that these files declare together."""
    merged = _merge([modernised(file) for file in files])
    responses = {name: _response(name, value, at, findings) for name, value, at in _entries(merged["responses"])}
    forms = {name: _form(name, value, at, findings) for name, value, at in _entries(merged["forms"])}
    declared = {str(name): place_of(item) for item in merged["actions"] for name in _names(item)}
    responses.update({name: () for name in _wordless(declared, responses, findings)})
    session = merged["session_config"]
    return Domain(
        intents={intent.name: intent for item in merged["intents"] for intent in _intents(item, findings)},
        entities=tuple(str(name) for item in merged["entities"] for name in _names(item)),
        labels=frozenset(label for item in merged["entities"] for label in _labels(item)),
        slots={name: _slot(name, value, at, findings) for name, value, at in _entries(merged["slots"])},
        responses=responses,
        forms=forms,
        actions={name: at for name, at in declared.items() if not name.startswith("utter_") and name not in forms},
        session_minutes=number_at(session, "session_expiration_time", 60, findings),
        carry_over=bool(session.get("carry_over_slots_to_new_session", True)),
        raw=plain(merged),
    )


def _wordless(declared: Mapping[str, Place], responses: Collection[str], findings: Findings) -> Iterator[str]:
    """Yield the responses that are declared as actions and have no wording: Rasa warns, and says nothing."""
    for name, at in declared.items():
        is_retrieval = any(response.startswith(f"{name}/") for response in responses)
        if name.startswith("utter_") and name not in responses and not is_retrieval:
            findings.notice(at, f'actions: "{name}" has no response.', nearest(name, responses))
            yield name


def _merge(files: list[Table]) -> Table:
    merged = empty_table(Place("domain.yml"))
    for key in ("slots", "responses", "forms", "session_config"):
        merged[key] = empty_table(Place("domain.yml"))
    for key in ("intents", "entities", "actions"):
        merged[key] = Rows()
    for file in files:
        for key, target in merged.items():
            value = file.get(key)
            if isinstance(target, Table) and isinstance(value, Table):
                target.update(value)
                target.keys_at.update(value.keys_at)
            elif isinstance(target, Rows):
                target.extend(rows(value))
    return merged


def _entries(table: Table) -> Iterator[tuple[str, Any, Place]]:
    for name, value in table.items():
        yield str(name), value, place_of(table, name)


def _names(item: Any) -> Iterator[Text]:
    if isinstance(item, Table):
        for name in item:
            text = Text(name)
            text.at = item.keys_at[name]
            yield text
    elif isinstance(item, Text):
        yield item


def _labels(item: Any) -> Iterator[str]:
    for name in _names(item):
        options = item.get(name) if isinstance(item, Table) else None
        options = options if isinstance(options, Table) else {}
        if options.get("influence_conversation", True) is not False:
            yield str(name)
            yield from (f"{name}#{label}" for key in ("roles", "groups") for label in rows(options.get(key)))


def _intents(item: Any, findings: Findings) -> Iterator[Intent]:
    for name in _names(item):
        options = table_at(item, name, findings) if isinstance(item, Table) else empty_table(name.at)
        use = options.get("use_entities", True)
        yield Intent(
            name=str(name),
            at=name.at,
            use_entities=None if use is True else () if use is False else names_at(options, "use_entities", findings),
            ignore_entities=names_at(options, "ignore_entities", findings),
        )


def _slot(name: str, value: Any, at: Place, findings: Findings) -> Slot:
    spec: Table = value if isinstance(value, Table) else empty_table(Place("domain.yml"))
    kind = kind_of(str(spec.get("type", "text")))
    if "." in kind:
        findings.notice(place_of(spec, "type"), f"slots: {name}: a type of one's own is read as any; got {kind!r}.")
        kind = "any"
    if not isinstance(value, Table) or kind not in SLOT_TYPES:
        findings.error(
            place_of(value, "type", at),
            f"slots: {name}: type: expected one of {', '.join(SLOT_TYPES)}; got {kind!r}.",
        )
    if not _NAME.fullmatch(name):  # it becomes a key in the database
        findings.error(at, f'slots: expected a name of letters, digits, _ and -, got "{name}".')
    return Slot(
        name=str(name),
        kind=kind,
        at=at,
        initial=plain(spec.get("initial_value")),
        influences=bool(spec.get("influence_conversation", kind != "any")),
        values=tuple(str(item).lower() for item in rows(spec.get("values"))),
        minimum=number_at(spec, "min_value", 0.0, findings),
        maximum=number_at(spec, "max_value", 1.0, findings),
        mappings=tuple(_mapping(item, name, findings) for item in rows(spec.get("mappings"))),
    )


def _mapping(item: Any, slot: str, findings: Findings) -> SlotMapping:
    if not isinstance(item, Table) or item.get("type") not in MAPPING_TYPES:
        got = item.get("type") if isinstance(item, Table) else item
        findings.error(
            place_of(item, "type"),
            f"slots: {slot}: mappings: expected type: one of {', '.join(MAPPING_TYPES)}; got {got!r}.",
        )
        return SlotMapping("controlled")
    return SlotMapping(
        kind=str(item["type"]),
        entity=name_at(item, "entity", findings),
        role=name_at(item, "role", findings),
        group=name_at(item, "group", findings),
        value=plain(item.get("value")),
        intents=names_at(item, "intent", findings),
        not_intents=names_at(item, "not_intent", findings),
        conditions=tuple(
            Condition(
                name_at(row, "active_loop", findings),
                name_at(row, "requested_slot", findings),
                name_at(row, "active_flow", findings),
            )
            for row in rows(item.get("conditions"))
            if isinstance(row, Table)
        ),
        action=name_at(item, "action", findings),
    )


def _form(name: str, value: Any, at: Place, findings: Findings) -> Form:
    spec: Table = value if isinstance(value, Table) else empty_table(Place("domain.yml"))
    return Form(name, at, names_at(spec, "required_slots", findings), names_at(spec, "ignored_intents", findings))


def _response(name: str, value: Any, at: Place, findings: Findings) -> tuple[Variation, ...]:
    found = []
    for item in rows(value):
        if not isinstance(item, Table):
            findings.error(at, f"responses: {name}: expected a list of wordings such as - text: ...")
            continue
        metadata = table_at(item, "metadata", findings)
        language = name_at(metadata, "language", findings)
        if language is not None and not _LANGUAGE.fullmatch(language):
            problem = f'responses: {name}: language: expected two letters such as fr, got "{language}".'
            findings.notice(place_of(metadata, "language"), problem)
        if not any(key in item for key in _SAYS):
            problem = f"responses: {name}: says nothing; expected text:, got {', '.join(item) or 'nothing'}."
            findings.notice(item.at, problem)
        if isinstance(item.get("text"), list | dict):
            problem = f"responses: {name}: text: expected a text, got a list or keys."
            findings.error(place_of(item, "text"), problem, "one wording each: - text: ...")
        found.append(
            Variation(
                at=item.at,
                text=str(item.get("text") or ""),
                buttons=(*_buttons(item, "buttons", findings), *_buttons(item, "quick_replies", findings)),
                image=name_at(item, "image", findings),
                channel=name_at(item, "channel", findings),
                language=language,
                conditions=tuple(
                    (str(row.get("name")), plain(row.get("value")))
                    for row in rows(item.get("condition"))
                    if isinstance(row, Table)
                ),
                has_conditions="condition" in item,
                predicate=_predicate(item, findings),
            )
        )
    if not found:
        findings.notice(at, f"responses: {name}: expected at least one wording, got none.")
    return tuple(found)


def _predicate(item: Table, findings: Findings) -> BranchCondition | None:
    written = item.get("condition")
    if not isinstance(written, Text):
        return None
    try:
        return parse_condition(str(written))
    except ConditionError as error:
        findings.error(place_of(item, "condition"), f"condition: {error}; in: {str(written)[:80]}")
        return None


def _buttons(item: Table, key: str, findings: Findings) -> Iterator[Mapping[str, Any]]:
    for row in rows(item.get(key)):
        if isinstance(row, Table) and row.get("title") is not None:
            yield {str(name): str(value) for name, value in row.items() if isinstance(value, str | int | float)}
        else:
            findings.error(place_of(row, default=item.at), f"{key}: expected title: and payload: or url: of a button.")
