"""What Rasa 2 wrote otherwise, read as `rasa data migrate` of Rasa 3 rewrites it, so that old bots need no rewriting.

Mappings that stand inside forms move to their slots and count in that form, most where it asks for that slot; slots that
were filled by an entity of their own name say so; templates are responses. Source: rasa/core/migrate.py of Rasa 3.6.
"""

from collections.abc import Iterator
from typing import Any

from profiles.written import Rows, Table, empty_table, place_of, rows, text_at

_ANYWHERE_IN_THE_FORM = ("from_entity", "from_trigger_intent")
"""These count in the whole form, not only while it asks for the slot."""
_OLD_TYPES = {"unfeaturized": "any", "boolean": "bool"}


def modernised(file: Table) -> Table:
    """Return a file of the domain as Rasa 3 would have it; the file itself where nothing in it is older."""
    newer = Table(file)
    newer.at, newer.keys_at = file.at, dict(file.keys_at)
    if "templates" in file and "responses" not in file:
        newer["responses"], newer.keys_at["responses"] = newer.pop("templates"), place_of(file, "templates")
    if isinstance(file.get("forms"), list):  # Rasa 1: forms were Python classes, their names alone stood here
        forms = empty_table(place_of(file, "forms"))
        forms.update({str(name): empty_table(place_of(name)) for name in file["forms"] if isinstance(name, str)})
        newer["forms"] = forms
    inside = list(_mappings_inside(newer.get("forms")))
    fills_itself = str(file.get("version", "")).startswith("2")
    if isinstance(file.get("slots"), Table) and (inside or fills_itself):
        newer["slots"] = _slots(file, inside, fills_itself)
    if inside:
        newer["forms"] = _forms(newer["forms"])
    return newer


def kind_of(written: str) -> str:
    """Return a slot's type as Rasa 3 names it: `rasa.shared.core.slots.BooleanSlot` is bool, unfeaturized any."""
    name = written.rsplit(".", 1)[-1]
    if written.startswith("rasa.") and name.endswith("Slot"):
        name = name.removesuffix("Slot").lower()
    return _OLD_TYPES.get(name, name) if name != written or name in _OLD_TYPES else written


def _mappings_inside(forms: Any) -> Iterator[tuple[str, str, Table]]:
    """Yield (form, slot, mapping) for every mapping that stands in a form."""
    for form, spec in forms.items() if isinstance(forms, Table) else ():
        for slot, mappings in _asked(spec).items():
            for mapping in rows(mappings):
                if isinstance(mapping, Table):
                    yield str(form), str(slot), mapping


def _asked(spec: Any) -> dict[str, Any]:
    """Return the slots with mappings of an older form; nothing of a newer one."""
    if not isinstance(spec, Table):
        return {}
    asked = spec.get("required_slots", spec)
    if not isinstance(asked, Table) or not all(isinstance(item, list) for item in _without_options(asked).values()):
        return {}
    return _without_options(asked)


def _without_options(spec: Table) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name != "ignored_intents"}


def _forms(forms: Table) -> Table:
    newer = Table(forms)
    newer.at, newer.keys_at = forms.at, forms.keys_at
    for name, spec in forms.items():
        if not _asked(spec):
            continue
        asked = spec.get("required_slots", spec)
        names = Rows(text_at(str(slot), place_of(asked, slot)) for slot in _asked(spec))
        names.at = asked.at
        newer[name] = _table(spec, required_slots=names, **_kept(spec, "ignored_intents"))
    return newer


def _slots(file: Table, inside: list[tuple[str, str, Table]], fills_itself: bool) -> Table:
    entities = {
        str(name) for item in rows(file.get("entities")) for name in (item if isinstance(item, Table) else [item])
    }
    newer = Table(file["slots"])
    newer.at, newer.keys_at = file["slots"].at, file["slots"].keys_at
    for name, spec in newer.items():
        if not isinstance(spec, Table) or "mappings" in spec:
            continue
        mappings = Rows(_in_form(form, mapping, str(name)) for form, slot, mapping in inside if slot == name)
        if fills_itself and spec.get("auto_fill") is not False and name in entities:
            mappings.append(_table(spec, type=text_at("from_entity", spec.at), entity=text_at(str(name), spec.at)))
        mappings.at = spec.at
        newer[name] = _table(spec, **spec, mappings=mappings)
    return newer


def _in_form(form: str, mapping: Table, slot: str) -> Table:
    at = mapping.at
    where = _table(mapping, active_loop=text_at(form, at))
    if mapping.get("type") not in _ANYWHERE_IN_THE_FORM:
        where["requested_slot"] = text_at(slot, at)
    conditions = Rows([where])
    conditions.at = at
    return _table(mapping, **mapping, conditions=conditions)


def _kept(spec: Table, key: str) -> dict[str, Any]:
    return {key: spec[key]} if key in spec else {}


def _table(like: Table, **values: Any) -> Table:
    """Return a table with these values, written where that one is."""
    table = Table(values)
    table.at, table.keys_at = like.at, {**{key: like.at for key in values}, **like.keys_at}
    return table
