"""A domain of Rasa 2 is read as Rasa's own migration would write it."""

import pytest

from bot.brain import Brain
from bot.domain import Condition
from bot.domain_files import read_domain
from bot.files import read
from profiles.findings import Findings

OLD = """
version: "2.0"
intents: [order, affirm]
entities: [size, topping]
slots:
  size: {type: rasa.shared.core.slots.TextSlot, auto_fill: false}
  topping: {type: unfeaturized}
  note: {type: text}
  gift-wrap: {type: bool}
templates:
  utter_ask_size: [{text: Which size?}]
  utter_ask_note: [{text: A note?}]
  utter_done: [{text: "Done: {size}, {note}"}]
forms:
  order_form:
    required_slots:
      size:
      - {type: from_entity, entity: size}
      note:
      - {type: from_text, not_intent: affirm}
"""


@pytest.fixture
def domain(tmp_path):
    """Return a function: the domain of a file with this text."""

    def of(text):
        (tmp_path / "domain.yml").write_text(text, encoding="utf-8")
        findings = Findings()
        found = read_domain([read(tmp_path / "domain.yml", "domain.yml", findings)], findings)
        assert findings.errors == []
        return found

    return of


def test_mappings_inside_a_form_move_to_their_slots(domain):
    found = domain(OLD)
    assert found.forms["order_form"].required == ("size", "note")
    (size,) = found.slots["size"].mappings
    assert (size.kind, size.entity, size.conditions) == ("from_entity", "size", (Condition("order_form", None),))
    (note,) = found.slots["note"].mappings
    assert (note.kind, note.not_intents) == ("from_text", ("affirm",))
    assert note.conditions == (Condition("order_form", "note"),)


def test_a_slot_named_like_an_entity_fills_itself_unless_told_not_to(domain):
    found = domain(OLD)
    assert [mapping.entity for mapping in found.slots["topping"].mappings] == ["topping"]
    assert found.slots["topping"].kind == "any"
    filled = domain(OLD.replace(", auto_fill: false", "")).slots["size"].mappings
    assert [mapping.conditions for mapping in filled] == [(Condition("order_form", None),), ()]
    without_form = OLD[: OLD.index("forms:")]
    assert domain(without_form).slots["size"].mappings == ()


def test_a_domain_of_rasa_3_fills_nothing_by_itself(domain):
    newer = OLD[: OLD.index("forms:")].replace('"2.0"', '"3.1"')
    assert domain(newer).slots["topping"].mappings == ()


def test_types_templates_and_names_are_read_as_they_were(domain):
    found = domain(OLD)
    assert found.slots["size"].kind == "text" and "gift-wrap" in found.slots
    assert set(found.responses) == {"utter_ask_size", "utter_ask_note", "utter_done"}


def test_forms_without_required_slots_and_mere_names_of_forms_are_read(domain):
    shorter = OLD.replace("    required_slots:\n      size:", "    size:").replace("\n      note:\n", "\n    note:\n")
    shorter = shorter.replace("      - {type", "    - {type")
    assert domain(shorter).forms["order_form"].required == ("size", "note")
    assert domain("forms: [old_form]\n").forms["old_form"].required == ()


def test_an_old_bot_holds_a_conversation(write_bot, tell):
    data = """
nlu:
- intent: order
  examples: |
    - one pizza please
    - I want a [large](size) pizza
- intent: affirm
  examples: |
    - yes
    - right
rules:
- rule: order
  steps: [{intent: order}, {action: order_form}, {active_loop: order_form}]
- rule: done
  condition: [{active_loop: order_form}]
  steps: [{action: order_form}, {active_loop: null}, {action: utter_done}]
"""
    story = tell(Brain.load(write_bot(domain=OLD, data__all=data)))
    story >> "I want a large pizza" << "A note?"
    story >> "ring twice" << "Done: large, ring twice"
